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
async fn an_event_that_came_before_is_taken_by_one_run_and_only_where_the_wait_looks_back() {
    let app = App::start().await;
    app.publish(&PAID.replace("400ms", "1ms").replace("timeout: 30s", "since: 10m, timeout: 30s")).await;
    app.publish(&PAID.replace("workflow_id: paid", "workflow_id: other").replace("400ms", "1ms")).await;
    let shop = app.key(&["events:write"]).await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    shop.post(
        "events",
        json!({ "id": "early", "type": "order.paid", "payload": { "id": "A", "method": "early" } }),
    )
    .await
    .json(202);
    // Two orders of the same name; each starts a run that looks back, and one that doesn't.
    let order = json!({ "type": "order.placed", "payload": { "id": "A" } });
    let mut runs = Vec::new();
    for _ in 0..2 {
        let started = shop.post("events", order.clone()).await.json(202);
        runs.extend(started["runs"].as_array().unwrap().clone());
    }
    let id = |run: &Value| run["execution_id"].clone();
    let looks_back: Vec<Value> = runs.iter().filter(|run| run["workflow_id"] == "paid").map(id).collect();
    eventually("one of them takes it", async || {
        let mut ended = 0;
        for run in &looks_back {
            let path = format!("executions/{}", run.as_str().unwrap());
            ended += usize::from(reader.get(&path).await.json(200)["status"] == "ended");
        }
        if ended == 1 { Ok(()) } else { Err(format!("{ended} have ended")) }
    })
    .await;
    for run in runs.iter().map(id) {
        reader
            .run_when(&run, |run| run["status"] == "ended" || run["waits_for"][0]["step_id"] == "hold")
            .await;
    }
    // What comes now is for everybody who still waits.
    shop.post("events", json!({ "type": "order.paid", "payload": { "id": "A", "method": "late" } }))
        .await
        .json(202);
    let mut methods = Vec::new();
    for run in &runs {
        let run_id = id(run);
        let by = reader.run_ended(&run_id).await["context"]["by"].as_str().unwrap().to_owned();
        methods.push((run["workflow_id"].as_str().unwrap().to_owned(), by));
    }
    methods.sort();
    let expected = [("other", "late"), ("other", "late"), ("paid", "early"), ("paid", "late")];
    assert_eq!(methods, expected.map(|(workflow, by)| (workflow.to_owned(), by.to_owned())));
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
