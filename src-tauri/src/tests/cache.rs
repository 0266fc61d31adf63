//! What lasts on this machine.

use super::fixture::approve;
use crate::{cache::Cache, clock, session::Scope};
use shared_types::{
    desktop::{QueuedDecision, QueuedDecisionState, QueuedRequest, Settings, Theme},
    ids::ApprovalId,
};
use uuid::Uuid;

async fn open() -> (tempfile::TempDir, Cache) {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path()).await.unwrap();
    (folder, cache)
}

fn scope(name: &str) -> Scope {
    Scope::kept(format!("http://127.0.0.1:7400 Shop {name}"))
}

fn queued(title: &str) -> QueuedDecision {
    QueuedDecision {
        id: clock::new_id(),
        approval_id: ApprovalId(clock::new_id()),
        title: title.to_owned(),
        asks: QueuedRequest::Decision(approve()),
        undo_until: None,
        decided_at: clock::now(),
        state: QueuedDecisionState::Queued,
    }
}

#[tokio::test]
async fn what_was_seen_is_kept_by_whom_and_key_and_is_there_after_a_restart() {
    let (folder, cache) = open().await;
    let at = clock::now();
    cache.put(&scope("ina"), "run/1", &"first", at).await.unwrap();
    cache.put(&scope("ina"), "run/1", &"second", at).await.unwrap();
    cache.put(&scope("bo"), "run/1", &"his", at).await.unwrap();
    drop(cache);
    let cache = Cache::open(folder.path()).await.unwrap();
    let seen = async |name, key| cache.get::<String>(&scope(name), key).await.unwrap().map(|(text, _)| text);
    assert_eq!(seen("ina", "run/1").await.as_deref(), Some("second"));
    assert_eq!(seen("bo", "run/1").await.as_deref(), Some("his"));
    assert_eq!(seen("cy", "run/1").await, None);
    assert_eq!(seen("ina", "run/2").await, None);
    cache.forget(&scope("ina"), "run/1").await.unwrap();
    assert_eq!(seen("ina", "run/1").await, None);
    assert_eq!(seen("bo", "run/1").await.as_deref(), Some("his"));
}

#[tokio::test]
async fn what_another_version_kept_and_this_cannot_read_counts_as_not_seen() {
    let (_folder, cache) = open().await;
    cache.put(&scope("ina"), "run/1", &"a text", clock::now()).await.unwrap();
    assert!(cache.get::<u32>(&scope("ina"), "run/1").await.unwrap().is_none());
    cache.set_setting("settings", &"a text").await.unwrap();
    assert_eq!(cache.settings().await.unwrap(), Settings::default());
}

#[tokio::test]
async fn many_things_are_kept_at_once_and_written_over() {
    let (_folder, cache) = open().await;
    let cards = |value: u32| (0..300).map(move |n| (format!("approval/{n}"), value));
    cache.keep_all(&scope("ina"), cards(1), clock::now()).await.unwrap();
    cache.keep_all(&scope("ina"), cards(2), clock::now()).await.unwrap();
    for key in ["approval/0", "approval/299"] {
        assert_eq!(cache.get::<u32>(&scope("ina"), key).await.unwrap().map(|(value, _)| value), Some(2));
    }
}

#[tokio::test]
async fn a_decision_is_taken_to_be_sent_by_its_person_alone_and_not_once_it_is_settled() {
    let (_folder, cache) = open().await;
    let mut item = queued("Order 1");
    cache.insert_queued(&scope("ina"), "Ina", &item).await.unwrap();
    assert_eq!(cache.take_queued(&scope("bo"), item.id).await.unwrap(), None);
    assert_eq!(cache.take_queued(&scope("ina"), Uuid::nil()).await.unwrap(), None);
    let taken = cache.take_queued(&scope("ina"), item.id).await.unwrap().unwrap();
    assert_eq!(taken.state, QueuedDecisionState::Sending);
    // What was being sent when the app ended is sent again.
    assert!(cache.take_queued(&scope("ina"), item.id).await.unwrap().is_some());
    item.state = QueuedDecisionState::Recorded { at: clock::now() };
    cache.update_queued(&item).await.unwrap();
    assert_eq!(cache.take_queued(&scope("ina"), item.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_decision_that_was_taken_out_is_not_written_back() {
    let (_folder, cache) = open().await;
    let item = queued("Order 1");
    cache.insert_queued(&scope("ina"), "Ina", &item).await.unwrap();
    cache.delete_queued(&item.id.to_string()).await.unwrap();
    cache.update_queued(&item).await.unwrap();
    assert!(cache.outbox().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_outbox_is_in_the_order_of_deciding() {
    let (_folder, cache) = open().await;
    let early = queued("early");
    let late =
        QueuedDecision { decided_at: early.decided_at + chrono::Duration::seconds(1), ..queued("late") };
    for item in [&late, &early] {
        cache.insert_queued(&scope("ina"), "Ina", item).await.unwrap();
    }
    let titles: Vec<String> =
        cache.outbox().await.unwrap().into_iter().map(|row| row.item.unwrap().title).collect();
    assert_eq!(titles, ["early", "late"]);
}

#[tokio::test]
async fn a_request_is_told_of_once_to_each_person() {
    let (_folder, cache) = open().await;
    assert!(cache.first_alert(&scope("ina"), "a").await.unwrap());
    assert!(!cache.first_alert(&scope("ina"), "a").await.unwrap());
    assert!(cache.first_alert(&scope("bo"), "a").await.unwrap());
    assert!(cache.first_alert(&scope("ina"), "b").await.unwrap());
}

#[tokio::test]
async fn settings_are_kept() {
    let (folder, cache) = open().await;
    assert_eq!(cache.settings().await.unwrap(), Settings::default());
    let settings = Settings { theme: Theme::Dark, notifications: false };
    cache.set_setting("settings", &settings).await.unwrap();
    drop(cache);
    assert_eq!(Cache::open(folder.path()).await.unwrap().settings().await.unwrap(), settings);
}
