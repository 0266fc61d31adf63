//! Closing the window while decisions wait.

use super::fixture::{App, Server, unavailable};
use crate::close_guard;
use shared_types::desktop::{ShellEvent, commands::Leave};

async fn with_one_waiting() -> App {
    let server = Server::start(|_| Box::pin(async { unavailable() })).await;
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    app.decide("Order 1").await;
    app
}

#[tokio::test]
async fn the_app_ends_at_once_where_nothing_waits() {
    let app = App::open().await;
    assert!(close_guard::closes(&app.shell).await);
    assert!(!app.events().iter().any(|event| matches!(event, ShellEvent::Leaving(_))));
}

#[tokio::test]
async fn who_closes_while_decisions_wait_is_asked_and_who_closes_twice_means_it() {
    let app = with_one_waiting().await;
    assert!(!close_guard::closes(&app.shell).await);
    assert!(app.events().contains(&ShellEvent::Leaving(1)));
    assert!(close_guard::closes(&app.shell).await);
}

#[tokio::test]
async fn who_stays_is_asked_again_the_next_time() {
    let app = with_one_waiting().await;
    assert!(!close_guard::closes(&app.shell).await);
    app.ask(Leave { really: false }).await.unwrap();
    assert!(!*app.recorder.has_ended.lock().unwrap());
    assert!(!close_guard::closes(&app.shell).await);
    app.ask(Leave { really: true }).await.unwrap();
    assert!(*app.recorder.has_ended.lock().unwrap());
}
