//! The shell against a server that answers as each test says, without a window.

mod cache;
mod closing;
mod commands;
mod fixture;
mod live_line;
mod notifications;
mod outbox_states;
mod reading;
mod sessions;

use crate::{
    cache::Cache, client::Request, clock, keyring_store::StoredSession, live, outbox, session::Scope,
};
use axum::response::IntoResponse as _;
use fixture::{App, Memory, Server, approval, session, unavailable, until};
use shared_types::{
    api::{
        auth::Me,
        live::{LiveKind, LiveMessage},
    },
    desktop::{
        CachePolicy, DecisionResult, Failure, OutboxItem, QueuedDecision, QueuedDecisionState, QueuedRequest,
        SessionView, ShellEvent, Withdrawn,
    },
    ids::ApprovalId,
    workflow::approval::Verb,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Semaphore;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_decision_is_sent_in_its_persons_session_and_no_other() {
    let (gate, open) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(false)));
    let server = {
        let (gate, open) = (Arc::clone(&gate), Arc::clone(&open));
        Server::start(move |heard| {
            let (gate, open) = (Arc::clone(&gate), Arc::clone(&open));
            Box::pin(async move {
                if heard.path.ends_with("/decisions") && !*open.lock().unwrap() {
                    // The server hangs, and then doesn't answer.
                    let _ = gate.acquire().await;
                    return unavailable();
                }
                approval(ApprovalId(Uuid::nil()), "approved")
            })
        })
        .await
    };
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    let shell = app.shell.clone();
    gate.add_permits(1);
    for title in ["first", "second"] {
        gate.add_permits(1);
        assert!(matches!(app.decide(title).await, DecisionResult::Queued(_)));
    }
    // The first of Ina's hangs while she signs out and Bo signs in.
    gate.forget_permits(10);
    let sent = server.senders("/decisions").len();
    let flushing = tokio::spawn(async move { outbox::flush(&shell, outbox::Held::Kept).await });
    until("the first is sent again", async || server.senders("/decisions").len() > sent).await;
    app.shell.sign_out().await;
    app.sign_in(&server, "bo").await;
    *open.lock().unwrap() = true;
    gate.add_permits(10);
    flushing.await.unwrap();
    outbox::flush(&app.shell, outbox::Held::Kept).await;
    assert!(server.senders("/decisions").iter().all(|by| by == "ina"), "{:?}", server.senders("/decisions"));
    let items = app.items().await;
    let is_inas = |item: &OutboxItem| matches!(item, OutboxItem::OfAnother { person, server: at, .. } if person == "ina" && *at == server.address);
    assert!(items.len() == 2 && items.iter().all(is_inas), "{items:?}");

    // It is sent as hers when she is back.
    app.shell.sign_out().await;
    app.sign_in(&server, "ina").await;
    assert!(!outbox::flush(&app.shell, outbox::Held::Kept).await);
    let senders = server.senders("/decisions");
    assert!(senders.len() >= 5 && senders.iter().all(|by| by == "ina"), "{senders:?}");
    let own = app.own().await;
    assert!(
        own.len() == 2 && own.iter().all(|item| matches!(item.state, QueuedDecisionState::Recorded { .. })),
        "{own:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_withdrawn_is_never_sent() {
    let gate = Arc::new(Semaphore::new(0));
    let server = Server::gated(&gate, unavailable).await;
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    gate.add_permits(2);
    let mut queued = Vec::new();
    for title in ["first", "second"] {
        let DecisionResult::Queued(item) = app.decide(title).await else { panic!("it is queued") };
        queued.push(item);
    }
    let (shell, second) = (app.shell.clone(), queued[1].approval_id);
    let flushing = tokio::spawn(async move { outbox::flush(&shell, outbox::Held::Kept).await });
    until("the first hangs", async || server.senders("/decisions").len() == 3).await;
    // The list that is being sent was read before; the second is withdrawn now.
    let (shell, id) = (app.shell.clone(), queued[1].id.to_string());
    let withdrawing = tokio::spawn(async move { outbox::withdraw(&shell, &id).await.unwrap() });
    gate.add_permits(1);
    assert_eq!(withdrawing.await.unwrap(), Withdrawn::Gone);
    gate.add_permits(10);
    flushing.await.unwrap();
    let of_second = server.senders(&format!("{second}/decisions"));
    assert_eq!(app.own().await.len(), 1, "it is not written back");
    let again = outbox::withdraw(&app.shell, &queued[1].id.to_string()).await.unwrap();
    assert_eq!(again, Withdrawn::NotThere);
    assert!(
        of_second.len() <= 2,
        "sent when it was decided, and at most before it was withdrawn: {of_second:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_this_version_cannot_read_is_shown_kept_and_can_be_exported() {
    let server = Server::start(|_| Box::pin(async { unavailable() })).await;
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    let (scope, _) = app.shell.who().unwrap();
    app.shell
        .cache()
        .insert_queued_text(&scope, "ina", "n1", "{\"of\":\"a later version\"}", clock::now())
        .await
        .unwrap();
    assert!(!outbox::flush(&app.shell, outbox::Held::Kept).await, "it isn't tried");
    let items = app.items().await;
    let [OutboxItem::Unreadable { id, text, .. }] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!((id.as_str(), text.as_str()), ("n1", "{\"of\":\"a later version\"}"));
    let path = outbox::export(&app.shell, id, &app.folder.path().join("out")).await.unwrap();
    assert_eq!(std::fs::read_to_string(path).unwrap(), "{\"of\":\"a later version\"}");
    assert_eq!(outbox::withdraw(&app.shell, id).await.unwrap(), Withdrawn::Gone);
    assert!(app.items().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_is_shown_while_a_session_is_refreshed_by_a_server_that_hangs() {
    let hangs = Arc::new(Mutex::new(false));
    let server = {
        let hangs = Arc::clone(&hangs);
        Server::start(move |heard| {
            let hangs = *hangs.lock().unwrap();
            Box::pin(async move {
                if hangs {
                    std::future::pending::<()>().await;
                }
                match heard.path.as_str() {
                    "auth/refresh" => axum::Json(session("ina", 3600)).into_response(),
                    _ => axum::Json(session("ina", 3600)["user"].clone()).into_response(),
                }
            })
        })
        .await
    };
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    let call = Request::<Me>::at(&[]);
    assert!(app.shell.read("me", CachePolicy::NetworkOnly, &call).await.unwrap().fresh);
    *hangs.lock().unwrap() = true;
    app.shell.expire_token().await.unwrap();
    // One call refreshes and hangs; another page asks for what was seen.
    let shell = app.shell.clone();
    tokio::spawn(async move {
        let call = Request::<Me>::at(&[]);
        shell.call(&call).await
    });
    until("it is being refreshed", async || !server.senders("auth/refresh").is_empty()).await;
    let seen =
        tokio::time::timeout(Duration::from_secs(5), app.shell.read("me", CachePolicy::CacheFirst, &call))
            .await;
    let seen = seen.expect("what was seen waits for nobody").unwrap();
    assert!(!seen.fresh);
    assert!(matches!(app.shell.session().await, SessionView::SignedIn { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_messages_of_one_request_are_handled_in_their_order() {
    let id = ApprovalId(clock::new_id());
    let gate = Arc::new(Semaphore::new(0));
    let looks = Arc::new(Mutex::new(0));
    let server = {
        let (gate, looks) = (Arc::clone(&gate), Arc::clone(&looks));
        Server::start(move |_| {
            let gate = Arc::clone(&gate);
            let look = {
                let mut looks = looks.lock().unwrap();
                *looks += 1;
                *looks
            };
            Box::pin(async move {
                if look > 1 {
                    return approval(id, "approved");
                }
                gate.acquire().await.unwrap().forget();
                approval(id, "pending")
            })
        })
        .await
    };
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    let message = |n, kind| LiveMessage { n, kind, id: id.to_string(), at: clock::now() };
    live::heard(&app.shell, message(1, LiveKind::ApprovalAsked));
    until("it is looked at", async || *looks.lock().unwrap() == 1).await;
    live::heard(&app.shell, message(2, LiveKind::ApprovalChanged));
    live::heard(&app.shell, message(3, LiveKind::ApprovalChanged));
    gate.add_permits(1);
    let changed = |event: &ShellEvent| matches!(event, ShellEvent::Changed { .. });
    until("both are told", async || {
        app.recorder.events.lock().unwrap().iter().filter(|event| changed(event)).count() == 2
    })
    .await;
    assert_eq!(*looks.lock().unwrap(), 2, "what came meanwhile is one look more");
    let shown = app.recorder.shown.lock().unwrap();
    assert!(shown.iter().all(|shown| shown.withdrawn.is_cancelled()), "{shown:?}");
    assert_eq!(shown.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_keyring_keeps_nobody_out() {
    let server =
        Server::start(|_| Box::pin(async { axum::Json(session("old", 3600)).into_response() })).await;
    let kept = StoredSession {
        server: server.address.clone(),
        refresh_token: "refresh-old".to_owned(),
        scope: None,
    };
    let memory = Memory { is_locked: Mutex::new(true), ..Memory::default() };
    *memory.text.lock().unwrap() = Some(serde_json::to_string(&kept).unwrap());
    let app = App::open_with(memory).await;
    assert_eq!(app.shell.session().await, SessionView::Opening);
    let shell = app.shell.clone();
    tokio::spawn(async move { shell.open_session(None).await });
    until("it says what it waits for", async || {
        app.published_sessions().iter().any(|view| matches!(view, SessionView::KeyringLocked { .. }))
    })
    .await;
    app.sign_in(&server, "ina").await;
    let view = app.shell.session().await;
    let SessionView::SignedIn { user, lasting, .. } = &view else { panic!("{view:?}") };
    assert_eq!((user.name.as_str(), *lasting), ("ina", false));
    // The prompt is answered at last: who signed in meanwhile stays.
    app.keyring.unlock();
    until("the sign-in is kept", async || {
        app.keyring.text.lock().unwrap().as_ref().is_some_and(|text| text.contains("refresh-ina"))
    })
    .await;
    let (_, user) = app.shell.who().unwrap();
    assert_eq!(user.name, "ina");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_while_the_session_is_refreshed_stays_signed_out() {
    let gate = Arc::new(Semaphore::new(0));
    let server = Server::gated(&gate, || axum::Json(session("ina", 3600)).into_response()).await;
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    app.shell.expire_token().await.unwrap();
    let shell = app.shell.clone();
    let calling = tokio::spawn(async move {
        let call = Request::<Me>::at(&[]);
        shell.call(&call).await
    });
    until("it is being refreshed", async || !server.senders("auth/refresh").is_empty()).await;
    app.shell.sign_out().await;
    gate.add_permits(1);
    assert!(matches!(calling.await.unwrap(), Err(Failure::SignedOut)));
    assert!(matches!(app.shell.session().await, SessionView::SignedOut { .. }));
    until("nothing is kept", async || app.keyring.text.lock().unwrap().is_none()).await;
}

#[tokio::test]
async fn the_outbox_of_an_older_version_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("cache.sqlite").display());
    let text = format!(
        r#"{{"id":"{}","approval_id":"{}","title":"Order 1","decision":{{"decision":"approve"}},
           "decided_at":"2026-11-20T10:00:00Z","state":"Queued"}}"#,
        clock::new_id(),
        clock::new_id()
    );
    let item: QueuedDecision = serde_json::from_str(&text).unwrap();
    let QueuedRequest::Decision(decision) = &item.asks else { panic!("{item:?}") };
    assert_eq!(decision.decision, Verb::Approve);
    {
        let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
        let mut first = sqlx::migrate!("./migrations");
        first.migrations.to_mut().truncate(1);
        first.run(&pool).await.unwrap();
        sqlx::query("insert into outbox (id, scope, item, created_at) values (?, ?, ?, ?)")
            .bind(item.id.to_string())
            .bind("http://127.0.0.1:7400 Shop 1")
            .bind(&text)
            .bind(item.decided_at.to_rfc3339())
            .execute(&pool)
            .await
            .unwrap();
        pool.close().await;
    }
    let rows = Cache::open(folder.path()).await.unwrap().outbox().await.unwrap();
    assert_eq!(rows[0].item.as_ref(), Some(&item));
    assert_eq!(rows[0].scope, Scope::kept("http://127.0.0.1:7400 Shop 1".to_owned()));
}
