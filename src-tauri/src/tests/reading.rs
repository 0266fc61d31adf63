//! Reading: from the server where it answers, else what was last seen, and whose that is.

use super::fixture::{App, Server, problem, session, unavailable, until};
use crate::{client::Request, clock};
use axum::response::IntoResponse as _;
use shared_types::{
    api::auth::Me,
    desktop::{CachePolicy, Connection, Failure, ShellEvent},
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

/// How a server answers who one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Answers,
    Hangs,
    HasNoDatabase,
    Refuses,
}

async fn server_in(mood: &Arc<Mutex<Mood>>) -> Server {
    let mood = Arc::clone(mood);
    Server::start(move |_| {
        let mood = *mood.lock().unwrap();
        Box::pin(async move {
            match mood {
                Mood::Answers => axum::Json(session("ina", 3600)["user"].clone()).into_response(),
                Mood::Hangs => std::future::pending().await,
                Mood::HasNoDatabase => unavailable(),
                Mood::Refuses => problem(403, "forbidden"),
            }
        })
    })
    .await
}

async fn app(mood: &Arc<Mutex<Mood>>) -> (Server, App) {
    let server = server_in(mood).await;
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    (server, app)
}

fn me() -> Request<'static, Me> {
    Request::at(&[])
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_server_hangs_what_was_seen_is_given_at_once_and_says_its_age() {
    let mood = Arc::new(Mutex::new(Mood::Answers));
    let (_server, app) = app(&mood).await;
    let before = clock::now();
    assert!(app.shell.read("me", CachePolicy::NetworkOnly, &me()).await.unwrap().fresh);
    *mood.lock().unwrap() = Mood::Hangs;
    let seen = app.shell.read("me", CachePolicy::CacheFirst, &me()).await.unwrap();
    assert!(!seen.fresh && seen.at >= before && seen.data.name == "ina");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_its_database_is_as_good_as_none() {
    let mood = Arc::new(Mutex::new(Mood::Answers));
    let (_server, app) = app(&mood).await;
    app.shell.read("me", CachePolicy::NetworkOnly, &me()).await.unwrap();
    *mood.lock().unwrap() = Mood::HasNoDatabase;
    for policy in [CachePolicy::CacheFirst, CachePolicy::NetworkOnly] {
        assert!(!app.shell.read("me", policy, &me()).await.unwrap().fresh);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_seen_is_not_made_up() {
    let mood = Arc::new(Mutex::new(Mood::HasNoDatabase));
    let (_server, app) = app(&mood).await;
    for policy in [CachePolicy::CacheFirst, CachePolicy::NetworkOnly] {
        assert!(matches!(app.shell.read("me", policy, &me()).await, Err(Failure::Offline)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_although_something_was_seen() {
    let mood = Arc::new(Mutex::new(Mood::Answers));
    let (_server, app) = app(&mood).await;
    app.shell.read("me", CachePolicy::NetworkOnly, &me()).await.unwrap();
    *mood.lock().unwrap() = Mood::Refuses;
    let refused = app.shell.read("me", CachePolicy::CacheFirst, &me()).await;
    assert!(matches!(refused, Err(Failure::Refused(problem)) if problem.status == 403));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_person_saw_is_not_shown_to_another() {
    let mood = Arc::new(Mutex::new(Mood::Answers));
    let (server, app) = app(&mood).await;
    app.shell.read("me", CachePolicy::NetworkOnly, &me()).await.unwrap();
    app.shell.sign_out().await;
    assert!(matches!(app.shell.read("me", CachePolicy::CacheFirst, &me()).await, Err(Failure::SignedOut)));
    app.sign_in(&server, "bo").await;
    *mood.lock().unwrap() = Mood::HasNoDatabase;
    assert!(matches!(app.shell.read("me", CachePolicy::CacheFirst, &me()).await, Err(Failure::Offline)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_an_answer_has_the_line_looked_at() {
    let mood = Arc::new(Mutex::new(Mood::HasNoDatabase));
    let (_server, app) = app(&mood).await;
    let doubts = Arc::new(AtomicUsize::new(0));
    let (shell, counted) = (app.shell.clone(), Arc::clone(&doubts));
    let (listens, is_listening) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let doubted = shell.line_doubted().notified();
        tokio::pin!(doubted);
        doubted.as_mut().enable();
        listens.send(()).unwrap();
        doubted.await;
        counted.fetch_add(1, Ordering::SeqCst);
    });
    is_listening.await.unwrap();
    assert!(matches!(app.shell.call(&me()).await, Err(Failure::Offline)));
    until("the line is looked at", async || doubts.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn how_the_line_stands_is_told_where_it_changes_and_since_when_it_is_lost() {
    let app = App::open().await;
    app.shell.set_connection(Connection::Live);
    app.shell.set_connection(Connection::Live);
    let heard = clock::now();
    app.shell.heard();
    app.shell.lost();
    app.shell.lost();
    let told: Vec<Connection> = app
        .events()
        .into_iter()
        .filter_map(|event| if let ShellEvent::Connection(now) = event { Some(now) } else { None })
        .collect();
    let [Connection::Live, Connection::Offline { since }] = told.as_slice() else { panic!("{told:?}") };
    assert!(*since >= heard, "offline since the server was last heard");
}
