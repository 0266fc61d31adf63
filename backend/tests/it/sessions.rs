//! Signing in: tokens rotate, failures slow down, codes work once.

use crate::app::{App, Client};
use backend::store::sessions::insert_code;
use serde_json::json;

async fn login(nobody: &Client, password: &str) -> crate::app::Answer {
    nobody.post("auth/login", json!({ "email": "admin@example.com", "password": password })).await
}

#[tokio::test]
async fn a_session_begins_is_refreshed_and_ends() {
    let app = App::start().await;
    let nobody = Client::new(&app.base, None);
    let session = login(&nobody, "admin-password").await.json(200);
    assert_eq!(session["user"]["workspace"], "main");
    let signed_in = Client::new(&app.base, session["access_token"].as_str().map(str::to_owned));
    assert_eq!(signed_in.get("auth/me").await.json(200)["email"], "admin@example.com");
    let refresh = |token: &serde_json::Value| nobody.post("auth/refresh", json!({ "refresh_token": token }));
    let second = refresh(&session["refresh_token"]).await.json(200);
    // The answer was lost: the old one works until its successor is used.
    let second_again = refresh(&session["refresh_token"]).await.json(200);
    refresh(&second_again["refresh_token"]).await.json(200);
    let reused = refresh(&session["refresh_token"]).await.problem(401);
    assert_eq!(reused["code"], "auth.reused");
    refresh(&second["refresh_token"]).await.problem(401);
    // The access token belongs to the session, and ended with it.
    signed_in.get("auth/me").await.problem(401);
    let session = login(&nobody, "admin-password").await.json(200);
    let signed_in = Client::new(&app.base, session["access_token"].as_str().map(str::to_owned));
    let change = json!({ "old": "admin-password", "new": "another-password" });
    assert_eq!(signed_in.post("auth/password", change).await.status, 204);
    login(&nobody, "admin-password").await.problem(401);
    let session = login(&nobody, "another-password").await.json(200);
    assert_eq!(
        nobody.post("auth/logout", json!({ "refresh_token": session["refresh_token"] })).await.status,
        204
    );
    refresh(&session["refresh_token"]).await.problem(401);
    app.stop().await;
}

#[tokio::test]
async fn failures_slow_the_next_ones_down() {
    let app = App::start().await;
    let nobody = Client::new(&app.base, None);
    for _ in 0..5 {
        assert_eq!(login(&nobody, "wrong-password").await.problem(401)["code"], "auth.wrong");
    }
    let slowed = login(&nobody, "admin-password").await;
    assert!(slowed.headers.contains_key("retry-after"));
    assert_eq!(slowed.problem(429)["code"], "limit.rate");
    app.stop().await;
}

#[tokio::test]
async fn a_code_signs_in_once_and_a_forged_token_never() {
    let app = App::start().await;
    let nobody = Client::new(&app.base, None);
    let session = login(&nobody, "admin-password").await.json(200);
    let user = serde_json::from_value(session["user"]["user_id"].clone()).unwrap();
    let mut conn = app.running.state.pool.acquire().await.unwrap();
    let until = backend::clock::Clock::default().now() + chrono::Duration::seconds(60);
    insert_code(&mut conn, &backend::auth::token_hash("a-code"), user, until).await.unwrap();
    drop(conn);
    nobody.post("auth/login", json!({ "code": "a-code" })).await.json(200);
    nobody.post("auth/login", json!({ "code": "a-code" })).await.problem(401);
    let forged = Client::new(&app.base, Some("eyJhbGciOiJIUzI1NiJ9.e30.x".into()));
    assert_eq!(forged.get("auth/me").await.problem(401)["code"], "auth.required");
    app.stop().await;
}

#[tokio::test]
async fn somebody_of_several_workspaces_says_which() {
    let app = App::start().await;
    let admin = app.admin().await;
    let new = json!({ "email": "dee@example.com", "name": "Dee Marsh", "password": "dees-password", "roles": ["operator"] });
    admin.post("users", new.clone()).await.json(201);
    assert_eq!(admin.post("users", new).await.problem(409)["code"], "user.exists");
    let mut conn = app.running.state.pool.acquire().await.unwrap();
    let other = backend::setup::ensure_workspace(&mut conn, &backend::clock::Clock::default(), "other")
        .await
        .unwrap();
    backend::setup::add_person(
        &mut conn,
        &backend::clock::Clock::default(),
        other,
        "dee@example.com",
        "Dee",
        "unused-password",
        &["viewer".into()],
    )
    .await
    .unwrap();
    drop(conn);
    let nobody = Client::new(&app.base, None);
    let body = json!({ "email": "dee@example.com", "password": "dees-password" });
    assert_eq!(
        nobody.post("auth/login", body.clone()).await.problem(422)["workspaces"],
        json!(["main", "other"])
    );
    let mut body = body;
    body["workspace"] = "other".into();
    assert_eq!(nobody.post("auth/login", body).await.json(200)["user"]["roles"], json!(["viewer"]));
    app.stop().await;
}

#[tokio::test]
async fn a_deactivated_person_and_a_revoked_key_are_out_at_once() {
    let app = App::start().await;
    let admin = app.admin().await;
    let ina = app.person("Ina Berg", &["operator"]).await;
    let id = ina.get("auth/me").await.json(200)["user_id"].as_str().unwrap().to_owned();
    admin.patch(&format!("users/{id}"), json!({ "active": false })).await.json(200);
    ina.get("auth/me").await.problem(401);
    let key = app.key(&["events:write"]).await;
    key.post("events", json!({ "type": "x" })).await.json(202);
    let keys = admin.get("api-keys").await.json(200);
    let id = keys["items"][0]["key_id"].as_str().unwrap();
    assert!(!keys.to_string().contains(key.token.as_deref().unwrap()));
    assert_eq!(admin.send(reqwest::Method::DELETE, &format!("api-keys/{id}"), |r| r).await.status, 204);
    key.post("events", json!({ "type": "x" })).await.problem(401);
    let actions = admin.get("audit").await.json(200);
    let actions: Vec<&str> =
        actions["items"].as_array().unwrap().iter().filter_map(|e| e["action"].as_str()).collect();
    assert_eq!(&actions[..3], ["key.revoked", "key.made", "user.changed"]);
    app.stop().await;
}
