//! Waits: an event counts before, at and after them.

use crate::app::App;
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
