//! The live line: what it says reaches the pages and the notifications, in order, and it is opened again.

use super::fixture::{App, Server, problem, request, unavailable, until};
use crate::{clock, live};
use axum::response::IntoResponse as _;
use serde_json::json;
use shared_types::{
    api::{live::LiveKind, preferences::NotificationPreferences},
    desktop::{Connection, ShellEvent, commands::KeepPreferences},
    ids::ApprovalId,
};
use std::sync::{Arc, Mutex};

/// A server with these requests that wait for whoever asks.
async fn server_with(waiting: &Arc<Mutex<Vec<ApprovalId>>>) -> Server {
    let waiting = Arc::clone(waiting);
    Server::start(move |heard| {
        let waiting = waiting.lock().unwrap().clone();
        Box::pin(async move {
            if heard.path == "approvals" {
                let items: Vec<_> = waiting.iter().map(|id| request(*id, "pending")).collect();
                return axum::Json(json!({ "items": items, "next_cursor": null })).into_response();
            }
            let asked = waiting.iter().find(|id| heard.path == format!("approvals/{id}"));
            asked.map_or_else(
                || problem(404, "not_found"),
                |id| axum::Json(request(*id, "pending")).into_response(),
            )
        })
    })
    .await
}

/// An app that follows a server's line.
async fn following(server: &Server) -> App {
    let app = App::open().await;
    app.sign_in(server, "ina").await;
    tokio::spawn(live::run(app.shell.clone()));
    until("the line is up", async || app.shell.connection() == Connection::Live).await;
    app
}

fn changed(app: &App) -> Vec<(LiveKind, String)> {
    let changed = |event| match event {
        ShellEvent::Changed { kind, id } => Some((kind, id)),
        ShellEvent::Session(_)
        | ShellEvent::Connection(_)
        | ShellEvent::Outbox
        | ShellEvent::Open(_)
        | ShellEvent::Leaving(_) => None,
    };
    app.events().into_iter().filter_map(changed).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_line_says_is_passed_on_in_its_order() {
    let server = server_with(&Arc::default()).await;
    let app = following(&server).await;
    let said =
        [LiveKind::ExecutionChanged, LiveKind::Notice, LiveKind::WorkflowChanged, LiveKind::ExecutionChanged];
    for (n, kind) in (1..).zip(said) {
        server.say(n, kind, &n.to_string());
    }
    until("all is told", async || changed(&app).len() == said.len() + 1).await;
    let told = changed(&app);
    assert_eq!(told[0], (LiveKind::Reset, String::new()), "a line that came up has missed something");
    let expected: Vec<(LiveKind, String)> =
        said.into_iter().zip(["1", "2", "3", "4"].map(str::to_owned)).collect();
    assert_eq!(told[1..], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_broke_is_opened_again_from_where_it_was() {
    let server = server_with(&Arc::default()).await;
    let app = following(&server).await;
    server.say(41, LiveKind::ExecutionChanged, "a");
    server.say(42, LiveKind::ExecutionChanged, "b");
    until("both are told", async || changed(&app).len() == 3).await;
    server.hang_up();
    until("it is opened again", async || server.lines.lock().unwrap().len() == 2).await;
    until("it is up", async || app.shell.connection() == Connection::Live).await;
    assert_eq!(server.lines.lock().unwrap()[1].0, "after=42");
    let told = app.events();
    assert!(told.contains(&ShellEvent::Connection(Connection::Reconnecting)), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_told_of_when_the_line_comes_up_and_when_messages_were_missed() {
    let waiting = Arc::new(Mutex::new(vec![ApprovalId(clock::new_id())]));
    let server = server_with(&waiting).await;
    let app = following(&server).await;
    let first = waiting.lock().unwrap()[0];
    until("the first is told", async || app.notified() == [first.to_string()]).await;
    // One was decided elsewhere and another came, and nobody said so.
    let second = ApprovalId(clock::new_id());
    *waiting.lock().unwrap() = vec![second];
    server.say(9, LiveKind::Reset, "");
    until("the second is told, and the first withdrawn", async || app.notified() == [second.to_string()])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_asked_is_told_and_withdrawn_where_it_is_gone() {
    let waiting = Arc::new(Mutex::new(Vec::new()));
    let server = server_with(&waiting).await;
    let app = following(&server).await;
    let id = ApprovalId(clock::new_id());
    waiting.lock().unwrap().push(id);
    server.say(1, LiveKind::ApprovalAsked, &id.to_string());
    until("it is told", async || app.notified() == [id.to_string()]).await;
    waiting.lock().unwrap().clear();
    server.say(2, LiveKind::ApprovalChanged, &id.to_string());
    until("it is withdrawn", async || app.notified().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_notification_or_has_quiet_hours_is_told_once_they_want_it() {
    let hour = |hours| (clock::now() + chrono::Duration::hours(hours)).format("%H:%M").to_string();
    let quiet = json!({ "from": hour(-1), "until": hour(2), "timezone": "UTC" });
    for said in [json!({ "app": "none" }), json!({ "quiet_hours": quiet })] {
        let (id, said) = (ApprovalId(clock::new_id()), Arc::new(Mutex::new(said)));
        let known = Arc::clone(&said);
        let server = Server::start(move |heard| {
            if heard.method == "PUT" {
                known.lock().unwrap().clone_from(&heard.body);
            }
            let said = known.lock().unwrap().clone();
            Box::pin(async move {
                axum::Json(match heard.path.as_str() {
                    "me/notifications" => said,
                    "approvals" => json!({ "items": [request(id, "pending")], "next_cursor": null }),
                    _ => request(id, "pending"),
                })
                .into_response()
            })
        })
        .await;
        let app = following(&server).await;
        server.say(1, LiveKind::ApprovalAsked, &id.to_string());
        let passed_on = (LiveKind::ApprovalAsked, id.to_string());
        until("the request was looked at", async || changed(&app).contains(&passed_on)).await;
        assert_eq!(app.notified(), [""; 0], "{:?}", said.lock().unwrap());
        app.ask(KeepPreferences { preferences: NotificationPreferences::default() }).await.unwrap();
        until("it is told", async || app.notified() == [id.to_string()]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_is_told_nothing_more_and_the_next_person_follows_from_the_start() {
    let server = server_with(&Arc::default()).await;
    let app = following(&server).await;
    server.say(7, LiveKind::ExecutionChanged, "a");
    until("it is told", async || changed(&app).len() == 2).await;
    app.shell.sign_out().await;
    app.sign_in(&server, "bo").await;
    until("a line of hers is opened", async || server.lines.lock().unwrap().len() == 2).await;
    assert_eq!(server.lines.lock().unwrap()[1].0, "", "with nothing of the line before");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_line_can_be_opened_the_server_is_said_to_be_offline() {
    let server = Server::start(|_| Box::pin(async { unavailable() })).await;
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    // A line is opened with a token that works, and the server gives none.
    app.shell.expire_token().await.unwrap();
    tokio::spawn(live::run(app.shell.clone()));
    until("it is said", async || matches!(app.shell.connection(), Connection::Offline { .. })).await;
}
