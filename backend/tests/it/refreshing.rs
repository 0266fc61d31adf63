//! Refresh tokens: an old one works until its successor is used; then whoever comes with another ends the session.

use crate::app::{Answer, App, Client};
use futures_util::future::join_all;
use serde_json::{Value, json};

async fn session(nobody: &Client) -> Value {
    let login = json!({ "email": "admin@example.com", "password": "admin-password" });
    nobody.post("auth/login", login).await.json(200)
}

async fn refresh(nobody: &Client, of: &Value) -> Answer {
    nobody.post("auth/refresh", json!({ "refresh_token": of["refresh_token"] })).await
}

#[tokio::test]
async fn once_a_successor_is_used_every_other_branch_is_reuse_and_ends_the_session() {
    let app = App::start().await;
    let nobody = Client::new(&app.base, None);
    for stolen in 0..3 {
        let a = session(&nobody).await;
        let x = refresh(&nobody, &a).await.json(200);
        let y = refresh(&nobody, &a).await.json(200);
        let (used, other) = if stolen == 1 { (&y, &x) } else { (&x, &y) };
        let next = refresh(&nobody, used).await.json(200);
        let reused = if stolen == 2 { &a } else { other };
        assert_eq!(refresh(&nobody, reused).await.problem(401)["code"], "auth.reused");
        // The session is over on every branch, and for its access tokens.
        for of in [&a, &x, &y, &next] {
            refresh(&nobody, of).await.problem(401);
        }
        let client = Client::new(&app.base, next["access_token"].as_str().map(str::to_owned));
        client.get("auth/me").await.problem(401);
    }
    let admin = app.admin().await;
    let reused = admin.get("audit?action=session.reused").await.json(200);
    assert_eq!(reused["items"].as_array().unwrap().len(), 3);
    assert_eq!(reused["items"][0]["actor"], "admin@example.com");
    assert_eq!(reused["items"][0]["from"], "127.0.0.1");
    app.stop().await;
}

#[tokio::test]
async fn a_lost_answer_signs_no_one_out_however_often() {
    let app = App::start().await;
    let nobody = Client::new(&app.base, None);
    let mut current = session(&nobody).await;
    for _ in 0..3 {
        refresh(&nobody, &current).await.json(200);
        refresh(&nobody, &current).await.json(200);
        current = refresh(&nobody, &current).await.json(200);
    }
    app.stop().await;
}

#[tokio::test]
async fn of_eight_branches_that_are_made_at_once_one_lives() {
    let app = App::start().await;
    let nobody = Client::new(&app.base, None);
    let a = session(&nobody).await;
    let made = join_all((0..8).map(|_| refresh(&nobody, &a))).await;
    let made: Vec<Value> = made.into_iter().map(|answer| answer.json(200)).collect();
    let used = join_all(made.iter().map(|branch| refresh(&nobody, branch))).await;
    let went_on = used.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(went_on, 1);
    for branch in &made {
        refresh(&nobody, branch).await.problem(401);
    }
    app.stop().await;
}

#[tokio::test]
async fn a_session_that_is_ended_stays_ended() {
    let app = App::start().await;
    let nobody = Client::new(&app.base, None);
    let a = session(&nobody).await;
    let (out, fresh) = tokio::join!(
        nobody.post("auth/logout", json!({ "refresh_token": a["refresh_token"] })),
        refresh(&nobody, &a)
    );
    assert_eq!(out.status, 204);
    if fresh.status == 200 {
        let fresh = fresh.json(200);
        refresh(&nobody, &fresh).await.problem(401);
    }
    refresh(&nobody, &a).await.problem(401);
    app.stop().await;
}
