//! Waits: an event counts before, at and after them.

use crate::app::{App, eventually, fresh_database};
use serde_json::{Value, json};

const PAID: &str = "workflow_id: paid\nname: Paid\ntrigger: { type: event, event: order.placed }\nenabled: true\nsteps:\n  \
    - { id: pause, type: wait, wait: { for: 400ms }, next: hold }\n  \
    - { id: hold, type: wait, wait: { event: order.paid, match: { id: '{{ id }}' }, timeout: 30s }, next: done }\n  \
    - { id: done, type: set, set: { by: '{{ method }}' } }\n";

fn paid(id: &str) -> Value {
    json!({ "type": "order.paid", "payload": { "id": id, "method": "card" } })
}

#[tokio::test]
async fn an_event_counts_before_the_run_waits_for_it_and_after() {
    let app = App::start().await;
    app.publish(PAID).await;
    let shop = app.key(&["events:write"]).await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    for early in [true, false] {
        let id = format!("A-{early}");
        let started =
            shop.post("events", json!({ "type": "order.placed", "payload": { "id": id } })).await.json(202);
        let run = &started["runs"][0]["execution_id"];
        if !early {
            reader.run_when(run, |run| run["waits_for"][0]["step_id"] == "hold").await;
        }
        shop.post("events", paid("someone-elses")).await.json(202);
        shop.post("events", paid(&id)).await.json(202);
        let run = reader.run_ended(run).await;
        assert_eq!(run["context"]["by"], "card", "{run:#}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_wait_that_is_over_fails_its_step() {
    let app = App::start().await;
    app.publish(&PAID.replace("timeout: 30s", "timeout: 300ms")).await;
    let shop = app.key(&["events:write"]).await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    let started =
        shop.post("events", json!({ "type": "order.placed", "payload": { "id": "A" } })).await.json(202);
    let run = reader.run_ended(&started["runs"][0]["execution_id"]).await;
    assert_eq!(run["error"]["code"], "wait.timeout");
    app.stop().await;
}

#[tokio::test]
async fn what_came_due_while_no_server_ran_happens_in_its_order() {
    let url = fresh_database().await;
    let before = App::start_on(&url, |_| {}).await;
    before
        .publish(
            "workflow_id: slow\nname: Slow\ntrigger: { type: event, event: slow }\nenabled: true\nsteps:\n  \
             - { id: both, type: parallel, timeout: 2s, parallel: { branches: [{ id: a, steps: [{ id: pause, type: wait, wait: { for: 1s } }] }] } }\n",
        )
        .await;
    let shop = before.key(&["events:write"]).await;
    let mut runs = Vec::new();
    for n in 0..5 {
        let event = json!({ "type": "slow", "payload": { "n": n } });
        runs.push(shop.post("events", event).await.json(202)["runs"][0]["execution_id"].clone());
    }
    before.stop().await;
    let store = sqlx::PgPool::connect(&url).await.unwrap();
    eventually("every timer", || async {
        let due: i64 = sqlx::query_scalar("select count(*) from timers where due_at < now()")
            .fetch_one(&store)
            .await
            .unwrap();
        (due == 10).then_some(()).ok_or(format!("{due} of 10 timers are due"))
    })
    .await;
    let after = App::start_on(&url, |_| {}).await;
    let reader = after.person("Per Dahl", &["viewer"]).await;
    for run in &runs {
        let run = reader.run_ended(run).await;
        assert_eq!(run["result"], "executed", "its pause ended before its time was up: {run:#}");
    }
    after.stop().await;
}
