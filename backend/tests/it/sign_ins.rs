//! Tries to sign in: bounded, counted before they are made, and never to another's harm.

use crate::app::{Answer, App, Client};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

fn with(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

async fn login(nobody: &Client, body: Value) -> Answer {
    nobody.post("auth/login", body).await
}

async fn login_from(nobody: &Client, address: &str, body: Value) -> Answer {
    nobody.send(Method::POST, "auth/login", |r| r.header("x-forwarded-for", address).json(&body)).await
}

#[tokio::test]
async fn of_many_wrong_passwords_at_once_no_more_are_tried_than_are_free() {
    let app = App::start().await;
    let nobody = Client::new(&app.base, None);
    let tries = (0..300).map(|n| login(&nobody, with("admin@example.com", &format!("wrong-{n}"))));
    let answers = join_all(tries).await;
    let tried = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(tried, 5);
    for answer in answers.into_iter().filter(|answer| answer.status != 401) {
        assert!(answer.headers.contains_key("retry-after"));
        assert_eq!(answer.problem(429)["code"], "limit.rate");
    }
    app.stop().await;
}

#[tokio::test]
async fn who_signed_in_here_before_is_let_in_whatever_others_guess() {
    let app = App::start().await;
    let nobody = Client::new(&app.base, None);
    let before = login(&nobody, with("admin@example.com", "admin-password")).await.json(200);
    let mut mine = with("admin@example.com", "admin-password");
    mine["device"] = before["device"].clone();
    for _ in 0..6 {
        login(&nobody, with("admin@example.com", "guess")).await;
    }
    login(&nobody, with("admin@example.com", "admin-password")).await.problem(429);
    let session = login(&nobody, mine.clone()).await.json(200);
    // What was given is good for this person alone, and its own tries are counted too.
    let wrong =
        |device: &Value| json!({ "email": "admin@example.com", "password": "guess", "device": device });
    for _ in 0..5 {
        login(&nobody, wrong(&session["device"])).await.problem(401);
    }
    login(&nobody, wrong(&session["device"])).await.problem(429);
    let other = app.admin().await;
    let new = json!({ "email": "dee@example.com", "name": "Dee", "password": "dees-password", "roles": ["viewer"] });
    other.post("users", new).await.json(201);
    for _ in 0..5 {
        login(&nobody, with("dee@example.com", "guess")).await.problem(401);
    }
    let mut stolen = with("dee@example.com", "dees-password");
    stolen["device"] = before["device"].clone();
    login(&nobody, stolen).await.problem(429);
    // A new session is refreshed without a mark.
    let refreshed =
        nobody.post("auth/refresh", json!({ "refresh_token": session["refresh_token"] })).await.json(200);
    assert!(refreshed.get("device").is_none());
    app.stop().await;
}

#[tokio::test]
async fn an_address_has_a_bound_of_its_own_that_is_much_higher() {
    let app = App::start_with(|config| config.trusted_proxies = "127.0.0.1".parse().unwrap()).await;
    let nobody = Client::new(&app.base, None);
    for n in 0..100 {
        let body = with(&format!("somebody-{n}@example.com"), "guess");
        login_from(&nobody, "192.0.2.1", body).await.problem(401);
    }
    let right = with("admin@example.com", "admin-password");
    login_from(&nobody, "192.0.2.1", right.clone()).await.problem(429);
    // What the sender itself wrote before the proxy's entry counts for nothing.
    login_from(&nobody, "198.51.100.7, 192.0.2.1", right.clone()).await.problem(429);
    login_from(&nobody, "192.0.2.2", right).await.json(200);
    let admin = app.admin().await;
    let started = admin.get("audit?action=session.started").await.json(200);
    assert_eq!(started["items"][0]["from"], "192.0.2.2");
    app.stop().await;
}

#[tokio::test]
async fn a_proxy_that_isnt_trusted_is_not_believed() {
    let app = App::start().await;
    let nobody = Client::new(&app.base, None);
    login_from(&nobody, "192.0.2.9", with("admin@example.com", "admin-password")).await.json(200);
    let admin = app.admin().await;
    let started = admin.get("audit?action=session.started").await.json(200);
    assert_eq!(started["items"][0]["from"], "127.0.0.1");
    app.stop().await;
}

#[tokio::test]
async fn failures_and_what_they_lead_to_stand_in_the_audit_log() {
    let app = App::start().await;
    let nobody = Client::new(&app.base, None);
    for _ in 0..7 {
        login(&nobody, with("Admin@Example.com", "guess")).await;
    }
    login(&nobody, with("nobody@example.com", "guess")).await.problem(401);
    let admin = app.admin().await;
    let audit = admin.get("audit").await.json(200);
    let of =
        |action: &str| audit["items"].as_array().unwrap().iter().filter(|e| e["action"] == action).count();
    assert_eq!((of("session.refused"), of("session.slowed")), (5, 1));
    assert!(!audit.to_string().contains("guess"));
    app.stop().await;
}

#[tokio::test]
async fn guesses_of_the_old_password_are_limited() {
    let app = App::start().await;
    let nobody = Client::new(&app.base, None);
    let session = login(&nobody, with("admin@example.com", "admin-password")).await.json(200);
    let admin = Client::new(&app.base, session["access_token"].as_str().map(str::to_owned));
    let change = |old: &str| json!({ "old": old, "new": "another-password" });
    for _ in 0..5 {
        admin.post("auth/password", change("guess")).await.problem(422);
    }
    let slowed = admin.post("auth/password", change("admin-password")).await;
    assert!(slowed.headers.contains_key("retry-after"));
    slowed.problem(429);
    // Signing in is another matter.
    login(&nobody, with("admin@example.com", "admin-password")).await.json(200);
    let refused = admin.get("audit?action=password.refused").await.json(200);
    assert_eq!(refused["items"].as_array().unwrap().len(), 5);
    app.stop().await;
}
