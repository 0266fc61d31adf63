//! Two servers on one database share the work; what a dead one left is taken over.

use crate::{
    app::{App, Client, eventually, fresh_database},
    shop::{Reply, Shop},
};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_schedule_starts_one_run_for_each_due_time() {
    let url = fresh_database().await;
    let (one, two) = (App::start_on(&url, |_| {}).await, App::start_on(&url, |_| {}).await);
    one.publish("workflow_id: tick\nname: Tick\ntrigger: { type: schedule, cron: '* * * * * *' }\nenabled: true\nsteps: [{ id: a, type: set, set: { at: '{{ event.time }}' } }]\n").await;
    let reader = one.person("Per Dahl", &["viewer"]).await;
    let runs = eventually("four ticks", || async {
        let runs = reader.get("executions").await.json(200)["items"].as_array().unwrap().clone();
        if runs.len() >= 4 { Ok(runs) } else { Err(format!("{}", runs.len())) }
    })
    .await;
    let mut ids: Vec<&str> = runs.iter().map(|run| run["event_id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "a due time started two runs");
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn what_one_server_enables_another_starts_at_once() {
    let url = fresh_database().await;
    let (one, two) = (App::start_on(&url, |_| {}).await, App::start_on(&url, |_| {}).await);
    let shop = two.key(&["events:write"]).await;
    let send = |id: &'static str| shop.post("events?wait=5s", json!({ "type": "go", "id": id }));
    assert_eq!(send("before").await.json(200)["runs"], json!([]));
    one.publish("workflow_id: go\nname: Go\ntrigger: { type: event, event: go }\nenabled: true\nsteps: [{ id: a, type: action, action: { type: allow } }]\n").await;
    assert_eq!(send("after").await.json(200)["runs"][0]["result"], "allowed");
    one.stop().await;
    two.stop().await;
}

/// The first server has the run in memory, for its call, as it stood before the second one went on with it.
#[tokio::test]
async fn a_decision_is_taken_by_a_server_whose_memory_of_the_run_is_old() {
    let shop = Shop::open().await;
    let allow = shop.address.to_string();
    let url = fresh_database().await;
    let one = App::start_on(&url, |config| config.outbound_allow = allow.parse().unwrap()).await;
    let two = App::start_on(&url, |config| config.outbound_allow = allow.parse().unwrap()).await;
    one.publish(&format!(
        "workflow_id: both\nname: Both\ntrigger: {{ type: event, event: both }}\nenabled: true\nsteps:\n  \
         - id: both\n    type: parallel\n    parallel:\n      branches:\n        \
         - {{ id: a, steps: [{{ id: a, type: execute, execute: [{{ type: webhook, url: 'http://{allow}/a' }}] }}] }}\n        \
         - {{ id: b, steps: [{{ id: hold, type: wait, wait: {{ event: b.go }}, next: ask }}, {{ id: ask, type: approval, approval: {{ levels: [{{ approvers: ['role:finance'] }}] }} }}] }}\n"
    ))
    .await;
    shop.reply([Reply::Slow(Duration::from_millis(1500))]);
    let bo = one.person("Bo Ek", &["operator", "finance"]).await;
    let events = one.key(&["events:write"]).await;
    let there = Client::new(&two.base, events.token.clone());
    let run =
        events.post("events", json!({ "type": "both" })).await.json(202)["runs"][0]["execution_id"].clone();
    there.post("events", json!({ "type": "b.go" })).await.json(202);
    bo.run_when(&run, |run| run["result"] == "pending_approval").await;
    let asked = bo.get("approvals?mine=true").await.json(200)["items"][0]["approval_id"].clone();
    let path = format!("approvals/{}/decisions", asked.as_str().unwrap());
    bo.post(&path, json!({ "decision": "approve" })).await.json(200);
    assert_eq!(bo.run_ended(&run).await["result"], "executed");
    assert_eq!(shop.calls().len(), 1);
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn a_stopping_server_finishes_or_hands_back_what_it_holds() {
    let shop = Shop::open().await;
    let allow = shop.address.to_string();
    let url = fresh_database().await;
    let one = App::start_on(&url, |config| config.outbound_allow = allow.parse().unwrap()).await;
    let two = App::start_on(&url, |config| config.outbound_allow = allow.parse().unwrap()).await;
    one.publish(&format!(
        "workflow_id: call\nname: Call\ntrigger: {{ type: event, event: call }}\nenabled: true\nsteps: [{{ id: a, type: execute, \
         execute: [{{ type: webhook, url: 'http://{allow}/x' }}] }}]\n"
    ))
    .await;
    shop.reply([Reply::Slow(Duration::from_millis(500))]);
    let events = one.key(&["events:write"]).await;
    let reader = two.person("Per Dahl", &["viewer"]).await;
    let run: Value =
        events.post("events", json!({ "type": "call" })).await.json(202)["runs"][0]["execution_id"].clone();
    one.stop().await;
    let run = reader.run_ended(&run).await;
    assert_eq!(run["result"], "executed");
    assert_eq!(shop.calls().len(), 1, "it was finished, not made again");
    two.stop().await;
}
