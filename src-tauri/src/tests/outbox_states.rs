//! What becomes of a decision: recorded, refused, or kept until the server answers.

use super::fixture::{App, Server, approval, approve, problem, unavailable, until};
use crate::{clock, close_guard, outbox};
use shared_types::{
    api::approvals::NewHandover,
    desktop::{
        DecisionResult, Failure, QueuedDecisionState, ShellEvent, Withdrawn,
        commands::{
            DecideApproval, ExportQueued, HandOver, ListOutbox, SnoozeRequest, UndoDecision, WithdrawQueued,
        },
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
    let decided = app
        .ask(DecideApproval { id, title: "Order 1".to_owned(), decision: approve(), can_undo: false })
        .await;
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
    assert!(!outbox::flush(&app.shell, outbox::Held::Kept).await, "nothing waits");
    assert_eq!(server.sent("/decisions").len(), 1);
    assert_eq!(app.own().await.len(), 1, "what was written stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_did_not_answer_is_sent_again_under_its_key_also_after_a_restart() {
    let status = Arc::new(Mutex::new(503));
    let (server, app) = app_with(&status).await;
    assert!(matches!(app.decide("Order 1").await, DecisionResult::Queued(_)));
    assert!(outbox::flush(&app.shell, outbox::Held::Kept).await, "it waits");
    let app = app.reopened().await;
    app.sign_in(&server, "ina").await;
    *status.lock().unwrap() = 200;
    assert!(!outbox::flush(&app.shell, outbox::Held::Kept).await);
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
    outbox::flush(&app.shell, outbox::Held::Kept).await;
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
    let decided = app
        .ask(DecideApproval { id, title: "Order 1".to_owned(), decision: approve(), can_undo: false })
        .await;
    assert!(matches!(decided, Err(Failure::SignedOut)));
}

/// A decision that can be undone, once it is kept.
async fn held(app: &App) -> (ApprovalId, tokio::task::JoinHandle<Result<DecisionResult, Failure>>) {
    let (id, shell) = (ApprovalId(clock::new_id()), app.shell.clone());
    let deciding = tokio::spawn(async move {
        let title = "Order 1".to_owned();
        outbox::decide(&shell, id, title, approve(), true).await
    });
    until("it is kept", async || !app.ask(ListOutbox {}).await.unwrap().is_empty()).await;
    (id, deciding)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_undone_is_never_sent() {
    let (server, app) = app_with(&Arc::new(Mutex::new(200))).await;
    let (id, deciding) = held(&app).await;
    assert!(outbox::flush(&app.shell, outbox::Held::Kept).await, "it waits");
    assert_eq!(app.ask(UndoDecision { id }).await, Ok(Withdrawn::Gone));
    assert_eq!(deciding.await.unwrap(), Ok(DecisionResult::Undone));
    assert!(app.ask(ListOutbox {}).await.unwrap().is_empty());
    assert_eq!(app.ask(UndoDecision { id }).await, Ok(Withdrawn::NotThere));
    assert!(server.sent("/decisions").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_be_undone_is_sent_when_the_app_is_closed_or_the_next_is_decided() {
    let (server, app) = app_with(&Arc::new(Mutex::new(200))).await;
    let (_, deciding) = held(&app).await;
    assert!(close_guard::closes(&app.shell).await, "nothing is left to ask about");
    assert!(matches!(deciding.await.unwrap(), Ok(DecisionResult::Recorded(_) | DecisionResult::Queued(_))));
    assert_eq!(server.sent("/decisions").len(), 1);
    let (_, first) = held(&app).await;
    let next = ApprovalId(clock::new_id());
    let decided =
        DecideApproval { id: next, title: "Order 2".to_owned(), decision: approve(), can_undo: false };
    assert!(matches!(app.ask(decided).await.unwrap(), DecisionResult::Recorded(_)));
    assert!(matches!(first.await.unwrap(), Ok(DecisionResult::Recorded(_))));
    assert_eq!(server.sent("/decisions").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_over_or_snoozed_offline_waits_and_is_sent() {
    let status = Arc::new(Mutex::new(503));
    let (server, app) = app_with(&status).await;
    let id = ApprovalId(clock::new_id());
    let handover = NewHandover { to: "cy@example.com".to_owned(), comment: None };
    let title = "Order 1".to_owned();
    let handed = app.ask(HandOver { id, title: title.clone(), handover }).await;
    assert!(matches!(handed.unwrap(), DecisionResult::Queued(_)));
    let snoozed = app.ask(SnoozeRequest { id, title, until: Some(clock::now()) }).await;
    assert!(matches!(snoozed.unwrap(), DecisionResult::Queued(_)));
    *status.lock().unwrap() = 200;
    assert!(!outbox::flush(&app.shell, outbox::Held::Kept).await, "nothing waits");
    let sent = server.sent("/delegate");
    assert_eq!(sent.last().unwrap().body["to"], "cy@example.com");
    assert!(sent[0].headers.contains_key("idempotency-key"), "handed over once, however often it is sent");
    assert!(server.sent("/snooze").last().unwrap().body["until"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_later_with_a_request_is_not_sent_before_what_waits() {
    let status = Arc::new(Mutex::new(503));
    let (server, app) = app_with(&status).await;
    let (id, other) = (ApprovalId(clock::new_id()), ApprovalId(clock::new_id()));
    let snooze = |until| SnoozeRequest { id, title: "Order 1".to_owned(), until };
    app.ask(snooze(Some(clock::now()))).await.unwrap();
    let decide = |id| DecideApproval { id, title: "Order".to_owned(), decision: approve(), can_undo: false };
    // While the server is gone, nothing more of this request is tried, and another request isn't held up.
    assert!(matches!(app.ask(decide(id)).await.unwrap(), DecisionResult::Queued(_)));
    assert!(server.sent("/decisions").is_empty());
    app.ask(decide(other)).await.unwrap();
    assert_eq!(server.sent("/decisions").len(), 1);
    // Once it answers, each is sent in the order in which it was done.
    *status.lock().unwrap() = 200;
    app.ask(snooze(None)).await.unwrap();
    let of_request = server.heard.lock().unwrap().clone();
    let of_request = of_request.iter().filter(|heard| heard.path.contains(&id.to_string()));
    let sent: Vec<(String, String)> = of_request
        .map(|heard| (heard.method.clone(), heard.path.rsplit('/').next().unwrap().to_owned()))
        .collect();
    let last: Vec<(&str, &str)> =
        sent[sent.len() - 3..].iter().map(|(method, end)| (method.as_str(), end.as_str())).collect();
    assert_eq!(last, [("PUT", "snooze"), ("POST", "decisions"), ("DELETE", "snooze")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_keeps_nobody_who_closes_the_app() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let server = Server::gated(&gate, || approval(ApprovalId(Uuid::nil()), "approved")).await;
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    let (_, deciding) = held(&app).await;
    let closing = tokio::time::timeout(super::fixture::LONG, close_guard::closes(&app.shell)).await;
    assert_eq!(closing, Ok(false), "whoever closes is asked, since the decision still waits");
    assert_eq!(server.sent("/decisions").len(), 1);
    deciding.abort();
}
