//! Servers that answer and servers that perform, on one database: who applies a change need not perform its calls.

use crate::{
    app::{App, eventually, fresh_database},
    shop::{Reply, Shop},
};
use backend::{role::Role, store::owners};
use reqwest::StatusCode;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Notify;

/// A call, a wait, a call of a workflow, an event, and an end.
fn everything(shop: &str) -> String {
    format!(
        "workflow_id: everything\nname: Everything\ntrigger: {{ type: event, event: go }}\nenabled: true\nsteps:\n  \
         - {{ id: call, type: execute, execute: [{{ type: webhook, url: 'http://{shop}/call', save_as: got }}], next: pause }}\n  \
         - {{ id: pause, type: wait, wait: {{ for: 1s }}, next: child }}\n  \
         - {{ id: child, type: call, call: {{ workflow_id: child, input: {{}}, wait: true }}, next: tell }}\n  \
         - {{ id: tell, type: execute, execute: [{{ type: emit_event, event: told, payload: {{ n: 1 }} }}], next: end }}\n  \
         - {{ id: end, type: action, action: {{ type: allow, reason: '{{{{ got.word }}}}' }} }}\n"
    )
}

const CHILD: &str = "workflow_id: child\nname: Child\ntrigger: { type: manual }\nenabled: true\nsteps: [{ id: a, type: set, set: { b: 1 } }]\n";
const TOLD: &str = "workflow_id: told\nname: Told\ntrigger: { type: event, event: told }\nenabled: true\nsteps: [{ id: a, type: set, set: { b: 1 } }]\n";

#[tokio::test]
async fn an_api_server_answers_and_a_worker_performs_and_waiting_works_across_them() {
    let shop = Shop::open().await;
    let allow = shop.address.to_string();
    let url = fresh_database().await;
    let api = App::start_as(Role::Api, &url, |config| config.outbound_allow = allow.parse().unwrap()).await;
    for text in [CHILD, TOLD] {
        api.publish(text).await;
    }
    api.publish(&everything(&allow)).await;
    api.publish(&format!(
        "workflow_id: quick\nname: Quick\ntrigger: {{ type: event, event: quick }}\nenabled: true\nsteps: [{{ id: a, type: execute, \
         execute: [{{ type: webhook, url: 'http://{allow}/quick' }}] }}]\n"
    ))
    .await;
    let events = api.key(&["events:write"]).await;
    let reader = api.person("Per Dahl", &["viewer"]).await;
    shop.reply([Reply::Json(200, json!({ "word": "Done" }))]);
    let run =
        events.post("events", json!({ "type": "go" })).await.json(202)["runs"][0]["execution_id"].clone();
    let owned_by: Vec<uuid::Uuid> = {
        let mut conn = api.running.state.pool.acquire().await.unwrap();
        let owned_by = "select unnest(owners) from executions where workflow_id = 'everything'";
        sqlx::query_scalar(owned_by).fetch_all(&mut *conn).await.unwrap()
    };
    assert_eq!(
        (owned_by, shop.calls().len()),
        (vec![backend::store::commit::NOBODY], 0),
        "it performs nothing"
    );

    let worker =
        App::start_as(Role::Worker, &url, |config| config.outbound_allow = allow.parse().unwrap()).await;
    let run = reader.run_ended(&run).await;
    assert_eq!((&run["result"], &run["reason"]), (&json!("allowed"), &json!("Done")));
    eventually("the run of the published event", || async {
        let runs = reader.get("executions?workflow_id=told").await.json(200);
        if runs["items"][0]["status"] == "ended" { Ok(()) } else { Err(runs.to_string()) }
    })
    .await;
    assert_eq!(shop.calls().len(), 1);

    // The worker ends the run, and the API server answers with how it ended.
    let answer = events.post("events?wait=30s", json!({ "type": "quick" })).await.json(200);
    assert_eq!(answer["runs"][0]["result"], "executed");
    let health = reqwest::get(worker.base.replace("/api/v1", "/readyz")).await.unwrap().status();
    let answered = reqwest::get(format!("{}/workflows", worker.base)).await.unwrap().status();
    assert_eq!((health, answered), (StatusCode::OK, StatusCode::NOT_FOUND));
    api.stop().await;
    worker.stop().await;
}

/// A run with a call in flight, and one that a decision begins: two workers could take the second one.
#[tokio::test]
async fn work_begun_beside_a_call_in_flight_is_claimed_by_the_worker_that_makes_that_call() {
    let shop = Shop::open().await;
    let allow = shop.address.to_string();
    let url = fresh_database().await;
    let start = |role| App::start_as(role, &url, |config| config.outbound_allow = allow.parse().unwrap());
    let (api, one, two) = (start(Role::Api).await, start(Role::Worker).await, start(Role::Worker).await);
    api.publish(&format!(
        "workflow_id: both\nname: Both\ntrigger: {{ type: event, event: both }}\nenabled: true\nsteps:\n  \
         - id: both\n    type: parallel\n    parallel:\n      branches:\n        \
         - {{ id: a, steps: [{{ id: a, type: execute, execute: [{{ type: webhook, url: 'http://{allow}/slow' }}] }}] }}\n        \
         - id: b\n          steps:\n            \
         - {{ id: ask, type: approval, approval: {{ levels: [{{ approvers: ['role:finance'] }}] }} }}\n            \
         - {{ id: tell, type: execute, execute: [{{ type: webhook, url: 'http://{allow}/told' }}] }}\n"
    ))
    .await;
    let finish = Arc::new(Notify::new());
    shop.reply([Reply::Held(Arc::clone(&finish), json!({}))]);
    let bo = api.person("Bo Ek", &["operator", "finance"]).await;
    let events = api.key(&["events:write"]).await;
    let run =
        events.post("events", json!({ "type": "both" })).await.json(202)["runs"][0]["execution_id"].clone();
    let called = |count: usize| {
        let calls = || shop.calls().iter().map(|call| call.path.clone()).collect::<Vec<_>>();
        async move {
            eventually("the calls", || async {
                if calls().len() == count { Ok(()) } else { Err(format!("{:?}", calls())) }
            })
            .await;
        }
    };
    called(1).await;
    let asked = bo.get("approvals?mine=true").await.json(200)["items"][0]["approval_id"].clone();
    let path = format!("approvals/{}/decisions", asked.as_str().unwrap());
    bo.post(&path, json!({ "decision": "approve" })).await.json(200);
    called(2).await;
    finish.notify_one();
    assert_eq!(bo.run_ended(&run).await["result"], "executed");
    let paths: Vec<String> = shop.calls().iter().map(|call| call.path.clone()).collect();
    assert_eq!(paths, ["slow", "told"], "each call was made once");
    for app in [api, one, two] {
        app.stop().await;
    }
}

#[tokio::test]
async fn what_a_worker_leaves_another_takes_over() {
    let shop = Shop::open().await;
    let allow = shop.address.to_string();
    let url = fresh_database().await;
    let start = |role| App::start_as(role, &url, |config| config.outbound_allow = allow.parse().unwrap());
    let (api, one) = (start(Role::Api).await, start(Role::Worker).await);
    api.publish(&call_of(&allow)).await;
    let events = api.key(&["events:write"]).await;
    let reader = api.person("Per Dahl", &["viewer"]).await;
    // The first worker stops with its call in flight; it waits for it no longer than it may.
    shop.reply([Reply::Held(Arc::new(Notify::new()), json!({})), Reply::Json(200, json!({}))]);
    let run =
        events.post("events", json!({ "type": "call" })).await.json(202)["runs"][0]["execution_id"].clone();
    eventually("the call", || async {
        if shop.calls().len() == 1 { Ok(()) } else { Err("none".to_owned()) }
    })
    .await;
    one.stop().await;
    let two = start(Role::Worker).await;
    assert_eq!(reader.run_ended(&run).await["result"], "executed");
    let keys: Vec<String> = shop.calls().iter().map(|call| call.key.clone()).collect();
    assert!(keys.len() == 2 && keys[0] == keys[1], "it is made again under its key: {keys:?}");
    api.stop().await;
    two.stop().await;
}

fn call_of(shop: &str) -> String {
    format!(
        "workflow_id: call\nname: Call\ntrigger: {{ type: event, event: call }}\nenabled: true\nsteps: [{{ id: a, type: execute, \
         execute: [{{ type: webhook, url: 'http://{shop}/x' }}] }}]\n"
    )
}

/// Who may claim the calls that nobody performs, by who performs others of the run, and whether that raises the fence.
#[tokio::test]
async fn calls_are_claimed_by_who_performs_others_of_the_run_and_by_all_where_nobody_does() {
    let api = App::start_as(Role::Api, &fresh_database().await, |_| {}).await;
    api.publish(&call_of("127.0.0.1:1")).await;
    let events = api.key(&["events:write"]).await;
    events.post("events", json!({ "type": "call" })).await.json(202);
    let [a, b, c] = [1, 2, 3].map(uuid::Uuid::from_u128);
    let nobody = backend::store::commit::NOBODY;
    let mut conn = api.running.state.pool.acquire().await.unwrap();
    for (owned_by, claims, raises) in [
        (vec![nobody], c, false),
        (vec![a, nobody], a, false),
        (vec![a, b, nobody], b, true),
        (vec![nobody, b, a], a, true),
    ] {
        let owned = "update executions set owners = $1, epoch = 1";
        sqlx::query(owned).bind(&owned_by).execute(&mut *conn).await.unwrap();
        if owned_by != [nobody] {
            assert!(owners::claim(&mut conn, c, 10).await.unwrap().is_empty(), "{owned_by:?}");
        }
        assert_eq!(owners::claim(&mut conn, claims, 10).await.unwrap().len(), 1, "{owned_by:?}");
        assert!(owners::claim(&mut conn, claims, 10).await.unwrap().is_empty(), "it is claimed once");
        let row: (Vec<uuid::Uuid>, i32) =
            sqlx::query_as("select owners, epoch from executions").fetch_one(&mut *conn).await.unwrap();
        assert_eq!(row, (vec![claims], if raises { 2 } else { 1 }), "{owned_by:?}");
    }
    sqlx::query("update executions set owners = array[$1]").bind(a).execute(&mut *conn).await.unwrap();
    assert!(
        owners::claim(&mut conn, b, 10).await.unwrap().is_empty(),
        "what somebody performs isn't claimed"
    );
    drop(conn);
    api.stop().await;
}
