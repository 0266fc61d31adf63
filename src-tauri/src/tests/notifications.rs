//! The system's notifications, as a desktop that records them is asked for them.

use super::fixture::{App, Server, request};
use crate::{clock, session::Scope};
use shared_types::{
    api::approvals::Approval,
    desktop::{
        Settings,
        commands::{KeepSettings, SetInFront},
    },
    ids::ApprovalId,
};

fn waiting() -> Approval {
    serde_json::from_value(request(ApprovalId(clock::new_id()), "pending")).unwrap()
}

fn scope(name: &str) -> Scope {
    Scope::kept(format!("http://127.0.0.1:7400 Shop {name}"))
}

#[tokio::test]
async fn a_request_is_told_of_once_also_after_a_restart() {
    let app = App::open().await;
    let approval = waiting();
    for _ in 0..2 {
        app.shell.notifications().raise(&scope("ina"), &approval).await;
    }
    assert_eq!(app.notified(), [approval.approval_id.to_string()]);
    let app = app.reopened().await;
    app.shell.notifications().raise(&scope("ina"), &approval).await;
    assert_eq!(app.notified(), [""; 0]);
    app.shell.notifications().raise(&scope("bo"), &approval).await;
    assert_eq!(app.notified().len(), 1, "somebody else wasn't told");
}

#[tokio::test]
async fn the_question_comes_first_with_its_amount() {
    let app = App::open().await;
    let with_amount = Approval {
        amount: Some("12400.00".to_owned()),
        currency: Some("EUR".to_owned()),
        reason: Some("It is over 10,000".to_owned()),
        ..waiting()
    };
    let without_subject = Approval { subject: None, ..waiting() };
    for approval in [&with_amount, &without_subject] {
        app.shell.notifications().raise(&scope("ina"), approval).await;
    }
    let shown = app.recorder.shown.lock().unwrap();
    assert_eq!(shown[0].summary, "Approve €12,400.00 for Order 1?");
    assert_eq!(shown[0].body, "It is over 10,000");
    assert_eq!((shown[1].summary.as_str(), shown[1].body.as_str()), ("Approve W?", ""));
}

#[tokio::test]
async fn nobody_is_told_who_does_not_want_to_be() {
    let app = App::open().await;
    app.ask(KeepSettings { settings: Settings { notifications: false, ..Settings::default() } })
        .await
        .unwrap();
    app.shell.notifications().raise(&scope("ina"), &waiting()).await;
    assert_eq!(app.notified(), [""; 0]);
}

#[tokio::test]
async fn the_card_in_front_needs_no_notification() {
    let app = App::open().await;
    let (seen, other) = (waiting(), waiting());
    app.ask(SetInFront { id: Some(seen.approval_id.to_string()) }).await.unwrap();
    for approval in [&seen, &other] {
        app.shell.notifications().raise(&scope("ina"), approval).await;
    }
    assert_eq!(app.notified(), [other.approval_id.to_string()]);
    app.ask(SetInFront { id: None }).await.unwrap();
    let third = waiting();
    app.shell.notifications().raise(&scope("ina"), &third).await;
    assert_eq!(app.notified().len(), 2);
}

#[tokio::test]
async fn what_is_decided_is_withdrawn() {
    let app = App::open().await;
    let (first, second) = (waiting(), waiting());
    for approval in [&first, &second] {
        app.shell.notifications().raise(&scope("ina"), approval).await;
    }
    app.shell.notifications().withdraw(&first.approval_id.to_string());
    app.shell.notifications().withdraw("somebody else's");
    assert_eq!(app.notified(), [second.approval_id.to_string()]);
}

#[tokio::test]
async fn many_in_a_minute_are_one_with_their_number_as_it_changes() {
    let app = App::open().await;
    let all: Vec<Approval> = (0..5).map(|_| waiting()).collect();
    for approval in &all[..3] {
        app.shell.notifications().raise(&scope("ina"), approval).await;
    }
    assert_eq!(app.notified().len(), 3, "few have one each");
    for approval in &all[3..] {
        app.shell.notifications().raise(&scope("ina"), approval).await;
    }
    assert_eq!(app.notified(), [""; 0], "each one's own is withdrawn");
    let together = app.recorder.together.lock().unwrap().clone();
    let [updates] = together.as_slice() else { panic!("one stands for all: {}", together.len()) };
    assert_eq!(updates.borrow().words(), ("5 approvals wait".to_owned(), String::new()));
    for approval in &all[..4] {
        app.shell.notifications().withdraw(&approval.approval_id.to_string());
    }
    assert_eq!(updates.borrow().words().0, "1 approval waits");
    app.shell.notifications().withdraw_all();
    assert_eq!(updates.borrow().waiting, 0, "then it goes");
}

#[tokio::test]
async fn the_one_that_stands_for_many_says_how_many_are_due_today() {
    let app = App::open().await;
    let soon = Approval { expires_at: Some(clock::now()), ..waiting() };
    let later = Approval { expires_at: Some(clock::now() + chrono::Duration::days(3)), ..waiting() };
    for approval in [soon, later, waiting(), waiting()] {
        app.shell.notifications().raise(&scope("ina"), &approval).await;
    }
    let together = app.recorder.together.lock().unwrap().clone();
    assert_eq!(together[0].borrow().words(), ("4 approvals wait".to_owned(), "1 due today".to_owned()));
}

#[tokio::test]
async fn one_that_stands_for_many_and_was_dismissed_comes_again_with_the_next() {
    let app = App::open().await;
    for _ in 0..4 {
        app.shell.notifications().raise(&scope("ina"), &waiting()).await;
    }
    app.recorder.together.lock().unwrap().clear();
    app.shell.notifications().raise(&scope("ina"), &waiting()).await;
    assert_eq!(app.recorder.together.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_told_while_all_was_read_stays() {
    let app = App::open().await;
    let (gone, kept, new) = (waiting(), waiting(), waiting());
    for approval in [&gone, &kept] {
        app.shell.notifications().raise(&scope("ina"), approval).await;
    }
    let shown = app.shell.notifications().shown_ids();
    app.shell.notifications().raise(&scope("ina"), &new).await;
    let keep = std::iter::once(kept.approval_id.to_string());
    app.shell.notifications().withdraw_others(&shown, keep);
    assert_eq!(app.notified(), [kept.approval_id.to_string(), new.approval_id.to_string()]);
}

#[tokio::test]
async fn who_signs_out_leaves_no_notification_behind() {
    let server = Server::with([]).await;
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    let (scope, _) = app.shell.who().unwrap();
    app.shell.notifications().raise(&scope, &waiting()).await;
    assert_eq!(app.notified().len(), 1);
    app.shell.sign_out().await;
    assert_eq!(app.notified(), [""; 0]);
}
