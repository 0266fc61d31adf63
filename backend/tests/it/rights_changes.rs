//! Rights that are taken away are gone at once: in sessions, in access tokens, and on open lines.

use crate::app::{App, Client};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

type Line = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn follow(app: &App, client: &Client) -> Line {
    let url = format!("ws://{}/api/v1/live", app.running.address);
    let mut request = url.into_client_request().unwrap();
    let token = client.token.clone().unwrap();
    request.headers_mut().insert("authorization", format!("bearer {token}").parse().unwrap());
    connect_async(request).await.unwrap().0
}

/// Whether the line is closed for want of rights, long before it is tried again.
async fn is_closed(mut line: Line) -> bool {
    let closed = async {
        loop {
            match line.next().await {
                Some(Ok(Message::Close(Some(frame)))) => return u16::from(frame.code) == 1008,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return false,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), closed).await.unwrap_or(false)
}

async fn sign_in(app: &App, email: &str, password: &str) -> (Client, Value) {
    let nobody = Client::new(&app.base, None);
    let session = nobody.post("auth/login", json!({ "email": email, "password": password })).await.json(200);
    (Client::new(&app.base, session["access_token"].as_str().map(str::to_owned)), session)
}

async fn add(admin: &Client, email: &str) -> String {
    let new = json!({ "email": email, "name": "Dee", "password": "dees-password", "roles": ["operator"] });
    admin.post("users", new).await.json(201)["user_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_deactivated_persons_open_line_is_closed_at_once() {
    let app = App::start().await;
    let admin = app.admin().await;
    let id = add(&admin, "dee@example.com").await;
    let (dee, _) = sign_in(&app, "dee@example.com", "dees-password").await;
    let line = follow(&app, &dee).await;
    admin.patch(&format!("users/{id}"), json!({ "active": false })).await.json(200);
    assert!(is_closed(line).await);
    dee.get("auth/me").await.problem(401);
    app.stop().await;
}

#[tokio::test]
async fn a_line_is_closed_with_its_session_and_others_stay_open() {
    let app = App::start().await;
    let admin = app.admin().await;
    add(&admin, "dee@example.com").await;
    let (first, session) = sign_in(&app, "dee@example.com", "dees-password").await;
    let (second, _) = sign_in(&app, "dee@example.com", "dees-password").await;
    let (line, mut other) = (follow(&app, &first).await, follow(&app, &second).await);
    let out = first.post("auth/logout", json!({ "refresh_token": session["refresh_token"] })).await;
    assert_eq!(out.status, 204);
    assert!(is_closed(line).await);
    // The other line still tells what changes.
    app.publish("workflow_id: w\nname: W\ntrigger: { type: event, event: go }\nenabled: true\nsteps: [{ id: a, type: set, set: { b: 1 } }]\n").await;
    let message = async {
        loop {
            match other.next().await {
                Some(Ok(Message::Text(_))) => return true,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return false,
                Some(Ok(_)) => {}
            }
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(10), message).await.unwrap());
    app.stop().await;
}

#[tokio::test]
async fn a_changed_password_ends_all_other_sessions() {
    let app = App::start().await;
    let nobody = Client::new(&app.base, None);
    let (mine, my_session) = sign_in(&app, "admin@example.com", "admin-password").await;
    let (other, other_session) = sign_in(&app, "admin@example.com", "admin-password").await;
    let line = follow(&app, &other).await;
    let change = json!({ "old": "admin-password", "new": "another-password" });
    assert_eq!(mine.post("auth/password", change).await.status, 204);
    assert!(is_closed(line).await);
    other.get("auth/me").await.problem(401);
    let refresh = |session: &Value| json!({ "refresh_token": session["refresh_token"] });
    nobody.post("auth/refresh", refresh(&other_session)).await.problem(401);
    mine.get("auth/me").await.json(200);
    nobody.post("auth/refresh", refresh(&my_session)).await.json(200);
    app.stop().await;
}

#[tokio::test]
async fn of_two_administrators_who_demote_each_other_at_once_one_stays() {
    let app = App::start().await;
    let nobody = Client::new(&app.base, None);
    for round in 0..10 {
        let mut conn = app.running.state.pool.acquire().await.unwrap();
        let workspace = backend::setup::ensure_workspace(
            &mut conn,
            &backend::clock::Clock::default(),
            &format!("w{round}"),
        )
        .await
        .unwrap();
        drop(conn);
        let one = app.person_in(workspace, &format!("One {round}"), &["admin"]).await;
        let two = app.person_in(workspace, &format!("Two {round}"), &["admin"]).await;
        let id = |me: Value| format!("users/{}", me["user_id"].as_str().unwrap());
        let (path_one, path_two) =
            (id(one.get("auth/me").await.json(200)), id(two.get("auth/me").await.json(200)));
        let change = if round % 2 == 0 { json!({ "roles": ["viewer"] }) } else { json!({ "active": false }) };
        let (a, b) = tokio::join!(one.patch(&path_two, change.clone()), two.patch(&path_one, change));
        let mut statuses = [a.status.as_u16(), b.status.as_u16()];
        statuses.sort_unstable();
        // The second is refused as the last one, or is no administrator any more.
        assert!(statuses[0] == 200 && [401, 403, 409].contains(&statuses[1]), "{statuses:?}");
    }
    nobody.get("users").await.problem(401);
    app.stop().await;
}

#[tokio::test]
async fn a_key_for_some_workflows_is_not_shown_others_runs_when_an_event_is_sent_again() {
    let app = App::start().await;
    for id in ["one", "two"] {
        app.publish(&format!(
            "workflow_id: {id}\nname: W\ntrigger: {{ type: event, event: go }}\nenabled: true\nsteps: [{{ id: a, type: set, set: {{ b: 1 }} }}]\n"
        ))
        .await;
    }
    let admin = app.admin().await;
    let event = json!({ "type": "go", "id": "E1" });
    let sent = admin.post("events?wait=5s", event.clone()).await.json(200);
    assert_eq!(sent["runs"].as_array().unwrap().len(), 2);
    let made = admin
        .post("api-keys", json!({ "name": "k", "scopes": ["events:write"], "workflows": ["one"] }))
        .await
        .json(201);
    let key = Client::new(&app.base, made["key"].as_str().map(str::to_owned));
    for again in [
        key.post("events?wait=5s", event.clone()).await.json(200),
        key.post("events/batch", json!([event])).await.json(202)["items"][0].clone(),
    ] {
        assert_eq!(again["duplicate"], true);
        let runs = again["runs"].as_array().unwrap();
        assert_eq!(runs.iter().map(|run| &run["workflow_id"]).collect::<Vec<_>>(), ["one"]);
    }
    app.stop().await;
}
