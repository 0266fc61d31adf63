//! Signing in and out, and tokens that run out.

use super::fixture::{App, Heard, Memory, Server, problem, session, unavailable, until};
use crate::{client::Request, keyring_store::StoredSession};
use axum::response::{IntoResponse as _, Response};
use shared_types::{
    api::auth::{LoginRequest, Me},
    desktop::{Failure, SessionView},
};
use std::sync::{Arc, Mutex};

fn me() -> Request<'static, Me> {
    Request::at(&[])
}

/// A server that refreshes `ina` to `ina2`, and knows only that token.
fn knows_the_fresh_token(heard: &Heard) -> Response {
    match (heard.path.as_str(), heard.by.as_str()) {
        ("auth/refresh", _) => axum::Json(session("ina2", 3600)).into_response(),
        (_, "ina2") => axum::Json(session("ina", 3600)["user"].clone()).into_response(),
        _ => problem(401, "token_expired"),
    }
}

#[tokio::test]
async fn an_address_where_nobody_answers_is_said_to_be_so() {
    let app = App::open().await;
    let refused = app.shell.sign_in("127.0.0.1:9", &LoginRequest::default()).await;
    let Err(Failure::Input(says)) = refused else { panic!("{refused:?}") };
    assert_eq!(says, "Nothing answers at http://127.0.0.1:9. Check the address and the network.");
}

#[tokio::test]
async fn the_last_server_is_remembered_and_who_never_signed_in_sees_the_usual_one() {
    let app = App::open().await;
    app.shell.open_session(None).await;
    let SessionView::SignedOut { server, because: None } = app.shell.session().await else { panic!() };
    assert_eq!(server, "http://127.0.0.1:7400");
    let server = Server::with([]).await;
    app.sign_in(&server, "ina").await;
    app.shell.sign_out().await;
    let app = app.reopened().await;
    app.shell.open_session(None).await;
    let view = app.shell.session().await;
    assert_eq!(view, SessionView::SignedOut { server: server.address.clone(), because: None });
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_signed_in_is_so_after_a_restart_also_where_the_server_hangs() {
    let server = Server::start(|_| Box::pin(std::future::pending())).await;
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    until("it is kept", async || app.keyring.text.lock().unwrap().is_some()).await;
    let app = app.reopened().await;
    app.shell.open_session(None).await;
    let SessionView::SignedIn { user, lasting, .. } = app.shell.session().await else { panic!() };
    assert_eq!((user.name.as_str(), lasting), ("ina", true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_session_that_the_server_ended_signs_out_and_says_why() {
    let server = Server::start(|_| Box::pin(async { problem(401, "session_ended") })).await;
    let kept = StoredSession { server: server.address.clone(), refresh_token: "old".to_owned(), scope: None };
    let memory = Memory::default();
    *memory.text.lock().unwrap() = Some(serde_json::to_string(&kept).unwrap());
    let app = App::open_with(memory).await;
    app.shell.open_session(None).await;
    let view = app.shell.session().await;
    assert!(matches!(view, SessionView::SignedOut { .. }), "{view:?}");
    let because = app.published_sessions().into_iter().find_map(|view| match view {
        SessionView::SignedOut { because, .. } => because,
        SessionView::Opening | SessionView::SignedIn { .. } | SessionView::KeyringLocked { .. } => None,
    });
    assert_eq!(because.as_deref(), Some("As the test says."));
    until("nothing is kept", async || app.keyring.text.lock().unwrap().is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ran_out_is_refreshed_once_for_many_calls() {
    let server = Server::start(|heard| Box::pin(async move { knows_the_fresh_token(&heard) })).await;
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    app.shell.expire_token().await.unwrap();
    let calls = (0..8).map(|_| {
        let shell = app.shell.clone();
        tokio::spawn(async move { shell.call(&me()).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().unwrap().name, "ina");
    }
    assert_eq!(server.sent("auth/refresh").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_server_refuses_early_is_refreshed_and_the_call_made_again() {
    let server = Server::start(|heard| Box::pin(async move { knows_the_fresh_token(&heard) })).await;
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    assert_eq!(app.shell.call(&me()).await.unwrap().name, "ina");
    let tokens: Vec<String> = server.sent("auth/me").into_iter().map(|heard| heard.by).collect();
    assert_eq!(tokens, ["ina", "ina2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_is_refused_ends_the_session_and_one_without_an_answer_does_not() {
    let refuses = Arc::new(Mutex::new(false));
    let server = {
        let refuses = Arc::clone(&refuses);
        Server::start(move |_| {
            let refuses = *refuses.lock().unwrap();
            Box::pin(async move { if refuses { problem(401, "session_ended") } else { unavailable() } })
        })
        .await
    };
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    app.shell.expire_token().await.unwrap();
    assert!(matches!(app.shell.call(&me()).await, Err(Failure::Offline)));
    assert!(app.shell.who().is_ok());
    *refuses.lock().unwrap() = true;
    assert!(matches!(app.shell.call(&me()).await, Err(Failure::SignedOut)));
    assert!(app.shell.who().is_err());
}

#[tokio::test]
async fn signing_out_tells_the_server_and_works_without_it() {
    let server = Server::with([]).await;
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    app.shell.sign_out().await;
    assert_eq!(server.sent("auth/logout")[0].body["refresh_token"], "refresh-ina");
    assert!(matches!(app.shell.call(&me()).await, Err(Failure::SignedOut)));
    app.shell.sign_out().await;
    assert_eq!(server.sent("auth/logout").len(), 1, "who is signed out has nothing to end");
}
