//! Systems that are slow, dead, flapping or busy, and connectors that take so many calls: runs wait, and nobody else notices.

use super::{app_for, set_secret};
use crate::{
    app::{App, Client, eventually, fresh_database},
    moved_time::Ahead,
    shop::{Reply, Shop},
};
use backend::clock::Clock;
use chrono::Duration;
use serde_json::{Value, json};
use std::{sync::Arc, time::Instant};
use tokio::sync::Notify;

const WORKFLOW: &str = "workflow_id: support\nname: Support\ntrigger: { type: event, event: support }\nenabled: true\nsteps:\n  \
    - { id: look, type: execute, RETRY execute: [{ type: connector, connector: crm.get, input: { id: '{{ n }}' }, save_as: got }] }\n";

fn crm(shop: &Shop, limits: &Value) -> Value {
    json!({
        "name": "crm", "kind": "http", "settings": { "base_url": format!("http://{}/crm", shop.address) },
        "operations": [{ "id": "get", "path": "/customers/{id}" }], "limits": limits,
    })
}

async fn started(client: &Client, n: usize) -> Value {
    let sent = client.post("events", json!({ "type": "support", "payload": { "n": n } })).await.json(202);
    sent["runs"][0]["execution_id"].clone()
}

async fn run(admin: &Client) -> Value {
    admin.run_ended(&started(admin, 0).await).await
}

async fn held(admin: &Client, id: &Value) -> String {
    let is_held = |run: &Value| {
        let trace = run["trace"].as_array().unwrap();
        trace.last().is_some_and(|fact| fact["state"] == "waiting")
    };
    let run = admin.run_when(id, is_held).await;
    assert_eq!(run["status"], "running");
    run["trace"].as_array().unwrap().last().unwrap()["reason"].as_str().unwrap().to_owned()
}

async fn app_in(shop: &Shop, ahead: &Ahead) -> App {
    let allow = shop.address.to_string();
    App::start_by_with(Clock::of(ahead.clone()), |config| config.outbound_allow = allow.parse().unwrap())
        .await
}

fn failures(count: usize) -> Vec<Reply> {
    (0..count).map(|_| Reply::Json(503, json!({}))).collect()
}

#[tokio::test]
async fn after_five_failures_in_a_row_calls_wait_until_one_is_answered() {
    let shop = Shop::open().await;
    let ahead = Ahead::default();
    let app = app_in(&shop, &ahead).await;
    let admin = app.admin().await;
    admin.post("connectors", crm(&shop, &json!({}))).await.json(201);
    app.publish(&WORKFLOW.replace("RETRY", "")).await;
    // An answer in between, also one that says no, begins the count anew.
    shop.reply(failures(4));
    shop.reply([Reply::Json(404, json!({}))]);
    shop.reply(failures(5));
    for n in 0..10 {
        let code = if n == 4 { "http.404" } else { "http.503" };
        assert_eq!(run(&admin).await["error"]["code"], code, "{n}");
    }
    let (first, second) = (started(&admin, 1).await, started(&admin, 2).await);
    assert_eq!(
        held(&admin, &first).await,
        "crm takes no calls for now: its calls fail, the last because it answered 503. One call tries from time to time"
    );
    held(&admin, &second).await;
    assert_eq!(shop.calls().len(), 10, "nobody called meanwhile");
    let shown = admin.get("connectors/crm").await.json(200);
    assert_eq!(shown["health"]["state"], "ailing", "{shown:#}");
    // Another system beside it is called as ever.
    let other = json!({ "name": "erp", "kind": "http", "settings": { "base_url": format!("http://{}/erp", shop.address) },
        "operations": [{ "id": "get", "path": "/customers/{id}" }] });
    admin.post("connectors", other).await.json(201);
    app.publish(&WORKFLOW.replace("RETRY", "").replace("support", "beside").replace("crm.get", "erp.get"))
        .await;
    let beside = admin.post("events", json!({ "type": "beside", "payload": { "n": 1 } })).await.json(202);
    let beside = admin.run_ended(&beside["runs"][0]["execution_id"]).await;
    assert_eq!(beside["result"], "executed");
    // The first that tries fails: the others wait on.
    shop.reply(failures(1));
    ahead.by(Duration::seconds(12));
    let failed = async || {
        let (first, second) =
            (admin.get(&path(&first)).await.json(200), admin.get(&path(&second)).await.json(200));
        let ended = [&first, &second].into_iter().filter(|run| run["status"] == "ended").count();
        if ended == 1 { Ok(()) } else { Err(format!("{first:#}\n{second:#}")) }
    };
    eventually("one of them tries", failed).await;
    ahead.by(Duration::seconds(30));
    let ended = [admin.run_ended(&first).await, admin.run_ended(&second).await];
    let mut results: Vec<&str> = ended.iter().filter_map(|run| run["result"].as_str()).collect();
    results.sort_unstable();
    assert_eq!(results, ["executed", "failed"]);
    assert_eq!(run(&admin).await["result"], "executed");
    let shown = admin.get("connectors/crm").await.json(200);
    assert_eq!(shown["health"]["state"], "well", "{shown:#}");
    app.stop().await;
}

fn path(id: &Value) -> String {
    format!("executions/{}", id.as_str().unwrap())
}

#[tokio::test]
async fn a_system_that_asks_to_be_left_alone_is_left_alone_by_all() {
    let shop = Shop::open().await;
    let ahead = Ahead::default();
    let app = app_in(&shop, &ahead).await;
    let admin = app.admin().await;
    admin.post("connectors", crm(&shop, &json!({}))).await.json(201);
    app.publish(&WORKFLOW.replace("RETRY", "retry: { max_attempts: 2 },")).await;
    shop.reply([Reply::Header(429, "retry-after", "30".to_owned())]);
    let first = started(&admin, 1).await;
    admin
        .run_when(&first, |run| {
            run["trace"].as_array().unwrap().iter().any(|fact| fact["state"] == "retrying")
        })
        .await;
    let second = started(&admin, 2).await;
    let reason = held(&admin, &second).await;
    assert_eq!(
        reason,
        "crm takes no calls for now: it answered 429 and asks for 30 s. One call tries from time to time"
    );
    assert_eq!(shop.calls().len(), 1);
    ahead.by(Duration::seconds(40));
    for id in [first, second] {
        assert_eq!(admin.run_ended(&id).await["result"], "executed");
    }
    app.stop().await;
}

#[tokio::test]
async fn two_servers_make_no_more_calls_at_once_than_the_connector_takes() {
    let shop = Shop::open().await;
    let url = fresh_database().await;
    let allow = shop.address.to_string();
    let on = || App::start_on(&url, |config| config.outbound_allow = allow.parse().unwrap());
    let (app, other) = (on().await, on().await);
    let admin = app.admin().await;
    let there = other.signed_in("Mia Falk").await;
    admin.post("connectors", crm(&shop, &json!({ "concurrency": 2 }))).await.json(201);
    app.publish(&WORKFLOW.replace("RETRY", "")).await;
    let released = Arc::new(Notify::new());
    shop.reply((0..12).map(|_| Reply::Held(Arc::clone(&released), json!({}))));
    let mut runs = Vec::new();
    for n in 0..12 {
        runs.push(started(if n % 2 == 0 { &admin } else { &there }, n).await);
    }
    for over in 0..12 {
        let expected = (over + 2).min(12);
        let called = async || {
            let calls = shop.calls().len();
            assert!(calls <= expected, "{calls} calls after {over} were over");
            if calls == expected { Ok(()) } else { Err(format!("{calls} calls after {over} were over")) }
        };
        eventually("the next is called", called).await;
        released.notify_one();
    }
    for id in runs {
        assert_eq!(admin.run_ended(&id).await["result"], "executed");
    }
    app.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn no_more_calls_are_made_in_a_second_than_the_connector_takes() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = app.admin().await;
    set_secret(&admin, "crm_token", "t0ken-of-the-crm").await;
    admin.post("connectors", crm(&shop, &json!({ "per_second": 5 }))).await.json(201);
    app.publish(&WORKFLOW.replace("RETRY", "")).await;
    let begun = Instant::now();
    let mut runs = Vec::new();
    for n in 0..15 {
        runs.push(started(&admin, n).await);
    }
    for id in runs {
        assert_eq!(admin.run_ended(&id).await["result"], "executed");
    }
    // One at once, and the other fourteen one after the other.
    assert!(begun.elapsed().as_secs_f64() >= 2.7, "{:?}", begun.elapsed());
    assert_eq!(shop.calls().len(), 15);
    app.stop().await;
}
