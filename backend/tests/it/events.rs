//! Events: decided in the answer, taken once, refused clearly.

use crate::app::App;
use backend::store::commit::{NewEvent, commit};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashSet;

const ORDER: &str = include_str!("../../../shared-types/tests/documents/high_value_order.yaml");

fn order(id: &str, total: &Value) -> Value {
    json!({ "type": "order.checkout.initiated", "id": id, "payload": { "order": { "id": "A1", "total": total } } })
}

#[tokio::test]
async fn a_checkout_asks_and_gets_its_answer_at_once() {
    let app = App::start().await;
    app.publish(ORDER).await;
    let shop = app.key(&["events:write"]).await;
    let small = shop.post("events?wait=5s", order("small", &json!(12.5))).await.json(200);
    assert_eq!(small["runs"][0]["result"], "allowed");
    let large = shop.post("events?wait=5s", order("A1-checkout", &json!(12400))).await.json(200);
    let run = &large["runs"][0];
    assert_eq!(large["event_id"], "A1-checkout");
    assert_eq!(
        (&run["status"], &run["result"], &run["reason"]),
        (&json!("waiting"), &json!("pending_approval"), &json!("Order over 10,000"))
    );
    assert!(run["approval_id"].is_string());
    app.stop().await;
}

#[tokio::test]
async fn an_event_with_a_known_id_starts_nothing_twice() {
    let app = App::start().await;
    app.publish(ORDER).await;
    let shop = app.key(&["events:write", "executions:read"]).await;
    let first = shop.post("events?wait=5s", order("x", &json!(20_000))).await.json(200);
    let again = shop.post("events?wait=5s", order("x", &json!(20_000))).await.json(200);
    assert_eq!(again["duplicate"], true);
    assert_eq!(again["runs"], first["runs"]);
    let other = shop.post("events", order("x", &json!(20_001))).await.problem(409);
    assert_eq!(other["code"], "event.id_reused");
    // Many at once, all the same.
    let sent: Vec<_> = (0..20).map(|_| shop.post("events?wait=5s", order("y", &json!(5)))).collect();
    let answers = futures_util::future::join_all(sent).await;
    let fresh = answers.into_iter().map(|a| a.json(200)).filter(|a| a["duplicate"] == false).count();
    assert_eq!(fresh, 1);
    let runs = shop.get("executions?q=y").await.json(200);
    assert_eq!(runs["items"].as_array().map(Vec::len), Some(1));
    app.stop().await;
}

#[tokio::test]
async fn what_starts_nothing_is_accepted_and_says_so() {
    let app = App::start().await;
    let shop = app.key(&["events:write"]).await;
    let answer = shop.post("events?wait=1s", json!({ "type": "nobody.listens" })).await.json(200);
    assert_eq!(answer["runs"], json!([]));
    app.stop().await;
}

#[tokio::test]
async fn bad_events_are_refused_with_the_field_and_the_fix() {
    let app = App::start().await;
    let shop = app.key(&["events:write"]).await;
    let person = app.person("Ina Berg", &["operator"]).await;
    for (body, status, code, says) in [
        (json!({ "kind": "x" }), 422, "body.unreadable", "kind"),
        (json!({ "type": 5 }), 422, "body.unreadable", "`type`"),
        (json!({ "type": "x", "payload": [] }), 422, "body.unreadable", "`payload`"),
        (json!({ "type": "" }), 422, "field.bad", "`type`"),
        (json!({ "type": "approval.decided" }), 422, "event.reserved", "approval.decided"),
        (json!({ "type": "x", "requester": "nobody" }), 422, "event.requester", "address"),
        (json!({ "type": "x", "payload": { "a": "\u{0}" } }), 422, "field.bad", "U+0000"),
        (
            json!({ "type": "x", "id": "schedule:nightly:2026-01-01T00:00:00Z" }),
            422,
            "field.bad",
            "the server's own",
        ),
        (json!({ "type": "x", "time": "yesterday" }), 422, "body.unreadable", "`time`"),
    ] {
        let problem = shop.post("events", body.clone()).await.problem(status);
        assert_eq!(problem["code"], code, "{body}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    let other =
        person.post("events", json!({ "type": "x", "requester": "bo@example.com" })).await.problem(422);
    assert_eq!(other["code"], "event.requester");
    let twice = shop
        .send(Method::POST, "events", |r| {
            r.header("idempotency-key", "a").json(&json!({ "type": "x", "id": "b" }))
        })
        .await
        .problem(422);
    assert_eq!(twice["code"], "event.id_twice");
    let broken = shop.send(Method::POST, "events", |r| r.body("{\"type\": ")).await.problem(422);
    assert_eq!(broken["findings"][0]["line"], 1);
    let large = "x".repeat(1_100_000);
    let large = shop.send(Method::POST, "events", |r| r.body(large)).await.problem(413);
    assert_eq!(large["code"], "body.too_large");
    let wait = shop.post("events?wait=soon", json!({ "type": "x" })).await.problem(422);
    assert!(wait["detail"].as_str().unwrap().contains("`wait`"));
    let unknown = shop.post("events?wiat=5s", json!({ "type": "x" })).await.problem(422);
    assert_eq!(unknown["code"], "query.unreadable");
    app.stop().await;
}

#[tokio::test]
async fn events_that_set_each_other_off_stop_at_depth_16_with_the_reason() {
    let app = App::start().await;
    app.publish(
        "workflow_id: loop\nname: Loop\ntrigger: { type: event, event: ping }\nenabled: true\n\
         steps: [{ id: again, type: emit, emit: { event: ping } }]\n",
    )
    .await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    app.key(&["events:write"]).await.post("events", json!({ "type": "ping" })).await.json(202);
    let failed = crate::app::eventually("the chain ends", || async {
        let failed = reader.get("executions?result=failed").await.json(200);
        failed["items"].get(0).cloned().ok_or_else(|| failed.to_string())
    })
    .await;
    assert_eq!(failed["error"]["code"], "emit.depth");
    let all = reader.get("executions?limit=200").await.json(200);
    assert_eq!(all["items"].as_array().map(Vec::len), Some(17));
    app.stop().await;
}

/// An event as the engine writes it, decided under a catalog version.
fn decided(app: &App, id: &str, catalog_version: i64) -> NewEvent {
    let event = json!({ "type": "order.created", "id": id, "time": app.running.state.clock.now() });
    NewEvent {
        id: app.running.state.clock.new_id(),
        workspace: app.workspace,
        event: serde_json::from_value(event).unwrap(),
        content_hash: Vec::new(),
        depth: 0,
        pending: false,
        publisher: None,
        catalog_version: Some(catalog_version),
    }
}

#[tokio::test]
async fn no_batch_takes_an_event_that_was_decided_before_a_publication() {
    let app = App::start().await;
    let mut transaction = app.running.state.pool.begin().await.unwrap();
    let now: i64 = sqlx::query_scalar("select catalog_version from workspaces where id = $1")
        .bind(app.workspace.0)
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    for (n, old_first) in [true, false].into_iter().enumerate() {
        let (old, new) =
            (decided(&app, &format!("old {n}"), now - 1), decided(&app, &format!("new {n}"), now));
        let batch = if old_first { [&old, &new] } else { [&new, &old] };
        let committed = commit(&mut transaction, &batch, &[]).await.unwrap();
        assert_eq!(committed.events, HashSet::from([new.id]));
        assert_eq!(committed.stale, HashSet::from([old.id]));
    }
    let seen = decided(&app, "new 0", now);
    let committed = commit(&mut transaction, &[&seen], &[]).await.unwrap();
    assert!(committed.events.is_empty() && committed.stale.is_empty(), "a repetition is no staleness");
    drop(transaction);
    app.stop().await;
}
