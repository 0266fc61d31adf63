//! What becomes of a decision: recorded, refused, or kept until the server answers.

use super::fixture::{App, Server, approval, approve, problem, unavailable};
use crate::{clock, outbox};
use shared_types::{
    desktop::{
        DecisionResult, Failure, QueuedDecisionState, ShellEvent, Withdrawn,
        commands::{DecideApproval, ExportQueued, ListOutbox, WithdrawQueued},
    },
    ids::ApprovalId,
};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// A server that answers decisions as `status` says.
async fn server_with(status: &Arc<Mutex<u16>>) -> Server {
    let status = Arc::clone(status);
    Server::start(move |_| {
        let status = *status.lock().unwrap();
        Box::pin(async move {
            match status {
                200 => approval(ApprovalId(Uuid::nil()), "approved"),
                503 => unavailable(),
                other => problem(other, "already_decided"),
            }
        })
    })
    .await
}

async fn app_with(status: &Arc<Mutex<u16>>) -> (Server, App) {
    let server = server_with(status).await;
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    (server, app)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_records_at_once_leaves_the_outbox() {
    let (server, app) = app_with(&Arc::new(Mutex::new(200))).await;
    let id = ApprovalId(clock::new_id());
    let decided = app.ask(DecideApproval { id, title: "Order 1".to_owned(), decision: approve() }).await;
    assert!(matches!(decided.unwrap(), DecisionResult::Recorded(_)));
    assert!(app.ask(ListOutbox {}).await.unwrap().is_empty());
    assert!(app.events().contains(&ShellEvent::Outbox));
    let sent = &server.sent("/decisions")[0];
    assert!(sent.path.contains(&id.to_string()) && sent.headers.contains_key("idempotency-key"));
    assert!(sent.body["decided_at"].is_string(), "with the person's own time");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_is_kept_with_the_reason_and_not_sent_again() {
    let status = Arc::new(Mutex::new(409));
    let (server, app) = app_with(&status).await;
    let DecisionResult::Rejected(item) = app.decide("Order 1").await else { panic!("it is refused") };
    let QueuedDecisionState::Rejected { problem } = &item.state else { panic!("{item:?}") };
    assert_eq!(problem.code, "already_decided");
    *status.lock().unwrap() = 200;
    assert!(!outbox::flush(&app.shell).await, "nothing waits");
    assert_eq!(server.sent("/decisions").len(), 1);
    assert_eq!(app.own().await.len(), 1, "what was written stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_did_not_answer_is_sent_again_under_its_key_also_after_a_restart() {
    let status = Arc::new(Mutex::new(503));
    let (server, app) = app_with(&status).await;
    assert!(matches!(app.decide("Order 1").await, DecisionResult::Queued(_)));
    assert!(outbox::flush(&app.shell).await, "it waits");
    let app = app.reopened().await;
    app.sign_in(&server, "ina").await;
    *status.lock().unwrap() = 200;
    assert!(!outbox::flush(&app.shell).await);
    let keys: Vec<_> =
        server.sent("/decisions").iter().map(|sent| sent.headers["idempotency-key"].clone()).collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_withdraws_what_was_recorded_is_told_when() {
    let status = Arc::new(Mutex::new(503));
    let (_server, app) = app_with(&status).await;
    let DecisionResult::Queued(item) = app.decide("Order 1").await else { panic!("it is queued") };
    *status.lock().unwrap() = 200;
    outbox::flush(&app.shell).await;
    let id = item.id.to_string();
    let withdrawn = app.ask(WithdrawQueued { id: id.clone() }).await.unwrap();
    assert!(matches!(withdrawn, Withdrawn::RecordedBefore { .. }), "{withdrawn:?}");
    assert_eq!(app.ask(WithdrawQueued { id }).await.unwrap(), Withdrawn::NotThere);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_exported_to_the_downloads_by_its_person_alone() {
    let status = Arc::new(Mutex::new(503));
    let (server, app) = app_with(&status).await;
    let DecisionResult::Queued(item) = app.decide("Order 1").await else { panic!("it is queued") };
    let id = item.id.to_string();
    let without = app.ask(ExportQueued { id: id.clone() }).await;
    assert!(matches!(without, Err(Failure::Shell(says)) if says == "There is no folder to write to."));
    *app.recorder.downloads.lock().unwrap() = Some(app.folder.path().join("downloads"));
    let path = app.ask(ExportQueued { id: id.clone() }).await.unwrap();
    assert!(std::fs::read_to_string(path).unwrap().contains("Order 1"));
    app.shell.sign_out().await;
    app.sign_in(&server, "bo").await;
    assert!(app.ask(ExportQueued { id }).await.is_err());
}

#[tokio::test]
async fn who_is_signed_out_decides_nothing() {
    let app = App::open().await;
    let id = ApprovalId(clock::new_id());
    let decided = app.ask(DecideApproval { id, title: "Order 1".to_owned(), decision: approve() }).await;
    assert!(matches!(decided, Err(Failure::SignedOut)));
}
