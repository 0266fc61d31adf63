//! Runs that stand in many places at once: branches, items, and runs of other workflows.

use crate::{
    app::{App, Client, eventually, fresh_database, trace},
    shop::{Reply, Shop},
};
use serde_json::{Value, json};
use sqlx::Connection as _;
use std::time::Duration;

const HEAD: &str = "name: W\ntrigger: { type: event, event: go }\nenabled: true\n";

async fn start(events: &Client, payload: Value) -> Value {
    let event = json!({ "type": "go", "payload": payload });
    events.post("events", event).await.json(202)["runs"][0]["execution_id"].clone()
}

#[tokio::test]
async fn branches_call_wait_and_ask_at_once_and_what_they_put_there_merges() {
    let shop = Shop::open().await;
    let allow = shop.address.to_string();
    let app = App::start_with(|config| config.outbound_allow = allow.parse().unwrap()).await;
    app.publish(&format!(
        "workflow_id: both\n{HEAD}steps:\n  - id: both\n    type: parallel\n    parallel:\n      branches:\n        \
         - {{ id: stock, steps: [{{ id: reserve, type: execute, execute: [{{ type: webhook, url: 'http://{}/stock', save_as: stock }}] }}] }}\n        \
         - {{ id: paid, steps: [{{ id: hold, type: wait, wait: {{ event: order.paid, match: {{ id: '{{{{ id }}}}' }} }} }}] }}\n        \
         - {{ id: ok, steps: [{{ id: ask, type: approval, approval: {{ levels: [{{ approvers: ['role:finance'] }}] }} }}] }}\n    \
         next: done\n  - {{ id: done, type: set, set: {{ seen: '{{{{ stock.left }}}} {{{{ order.method }}}} {{{{ approval.by }}}}' }} }}\n",
        shop.address
    ))
    .await;
    shop.reply([Reply::Json(200, json!({ "left": 3 }))]);
    let events = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let run = start(&events, json!({ "id": "A1", "order": { "lines": 2 } })).await;
    let standing = bo.run_when(&run, |run| run["status"] == "waiting").await;
    let waits: Vec<&str> =
        standing["waits_for"].as_array().unwrap().iter().map(|w| w["step_id"].as_str().unwrap()).collect();
    assert_eq!(waits, ["hold", "ask"]);
    assert_eq!(standing["result"], "pending_approval");
    let asked = bo.get("approvals?mine=true").await.json(200)["items"][0].clone();
    assert_eq!(asked["if_approved"], json!(["This branch passes."]));
    let decide = json!({ "decision": "approve" });
    bo.post(&format!("approvals/{}/decisions", asked["approval_id"].as_str().unwrap()), decide)
        .await
        .json(200);
    let paid = json!({ "type": "order.paid", "payload": { "id": "A1", "order": { "method": "card" } } });
    events.post("events", paid).await.json(202);
    let run = bo.run_ended(&run).await;
    assert_eq!(run["context"]["seen"], "3 card bo.ek@example.com", "{run:#}");
    assert_eq!(run["context"]["order"], json!({ "lines": 2, "method": "card" }));
    assert_eq!(run["context"]["steps"]["both"]["branches"]["ok"]["outcome"], "passed");
    let fact = run["trace"].as_array().unwrap().iter().find(|fact| fact["step_id"] == "hold").unwrap();
    assert_eq!(fact["branch"], "paid");
    assert_eq!(fact["within"], json!([{ "step_id": "both", "visit": 1, "branch": "paid" }]));
    app.stop().await;
}

#[tokio::test]
async fn what_decides_early_cancels_the_rest_and_an_outcome_that_still_comes_is_late() {
    let shop = Shop::open().await;
    let allow = shop.address.to_string();
    let app = App::start_with(|config| config.outbound_allow = allow.parse().unwrap()).await;
    app.publish(&format!(
        "workflow_id: race\n{HEAD}steps:\n  - id: race\n    type: parallel\n    parallel:\n      strategy: any_can_pass\n      branches:\n        \
         - {{ id: slow, steps: [{{ id: call, type: execute, execute: [{{ type: webhook, url: 'http://{}/slow' }}] }}] }}\n        \
         - {{ id: ask, steps: [{{ id: ask, type: approval, approval: {{ levels: [{{ approvers: ['role:finance'] }}] }} }}] }}\n        \
         - {{ id: word, steps: [{{ id: hold, type: wait, wait: {{ event: word }} }}] }}\n    next: stay\n  \
         - {{ id: stay, type: wait, wait: {{ event: done }} }}\n",
        shop.address
    ))
    .await;
    shop.reply([Reply::Slow(Duration::from_millis(700))]);
    let events = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let run = start(&events, json!({})).await;
    events.post("events", json!({ "type": "word" })).await.json(202);
    let late = bo.run_when(&run, |run| trace(run).contains(&("call".into(), "late".into()))).await;
    assert_eq!(late["status"], "waiting");
    let states = trace(&late);
    assert!(states.contains(&("call".into(), "cancelled".into())), "{states:?}");
    assert!(states.contains(&("ask".into(), "cancelled".into())));
    let asked = bo.get("approvals?status=withdrawn").await.json(200)["items"][0].clone();
    assert_eq!(asked["withdrawn_because"], "The branch word passed", "{asked:#}");
    events.post("events", json!({ "type": "done" })).await.json(202);
    assert_eq!(bo.run_ended(&run).await["result"], "executed");
    app.stop().await;
}

async fn called(app: &App, child: &str) {
    app.publish(&format!(
        "workflow_id: parent\n{HEAD}subject: 'Parent {{{{ id }}}}'\nsteps:\n  - {{ id: run, type: call, call: {{ workflow_id: child, input: {{ id: '{{{{ id }}}}' }} }}, next: done, on_error: sorry }}\n  \
         - {{ id: done, type: set, set: {{ got: '{{{{ steps.run.result }}}} {{{{ steps.run.values.made }}}}' }} }}\n  \
         - {{ id: sorry, type: set, set: {{ got: '{{{{ error.code }}}}: {{{{ error.message }}}}' }} }}\n"
    ))
    .await;
    app.publish(child).await;
}

const CHILD: &str = "workflow_id: child\nname: Child\ntrigger: { type: manual, form: [{ name: id, type: text, required: true }] }\nenabled: true\nsteps:\n  \
    - { id: ask, type: approval, approval: { subject: 'Child {{ id }}', levels: [{ approvers: ['role:finance'] }] }, on_approved: make }\n  \
    - { id: make, type: set, set: { made: 'made {{ id }}' } }\n";

#[tokio::test]
async fn a_run_waits_for_the_run_that_it_calls_and_both_link_to_each_other() {
    let app = App::start().await;
    called(&app, CHILD).await;
    let events = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let event = json!({ "type": "go", "payload": { "id": "A1" } });
    // Whoever waits for the answer is told once the called run waits for people.
    let answer = events.post("events?wait=10s", event).await.json(200);
    assert_eq!(answer["runs"][0]["status"], "waiting");
    let run = answer["runs"][0]["execution_id"].clone();
    let parent = bo.run_when(&run, |run| run["waits_for"][0]["what"] == "the workflow child").await;
    let child = parent["trace"][0]["input"]["execution_id"].clone();
    let asked = bo.get("approvals?mine=true").await.json(200)["items"][0].clone();
    assert_eq!((&asked["execution_id"], &asked["subject"]), (&child, &json!("Child A1")));
    let path = format!("executions/{}", child.as_str().unwrap());
    let called = bo.get(&path).await.json(200);
    assert_eq!(called["called_by"], json!({ "execution_id": run, "step_id": "run" }));
    let decide = json!({ "decision": "approve" });
    bo.post(&format!("approvals/{}/decisions", asked["approval_id"].as_str().unwrap()), decide)
        .await
        .json(200);
    let parent = bo.run_ended(&run).await;
    assert_eq!(parent["context"]["got"], "executed made A1", "{parent:#}");
    app.stop().await;
}

/// A child that retries has neither waited nor ended: its caller doesn't know yet that it began.
#[tokio::test]
async fn a_run_that_was_called_goes_on_though_its_workflow_is_disabled_and_the_server_starts_again() {
    let shop = Shop::open().await;
    let allow = shop.address.to_string();
    let url = fresh_database().await;
    let app = App::start_on(&url, |config| config.outbound_allow = allow.parse().unwrap()).await;
    let child = format!(
        "workflow_id: child\nname: Child\ntrigger: {{ type: manual }}\nenabled: true\nsteps:\n  \
         - {{ id: call, type: execute, execute: [{{ type: webhook, url: 'http://{}/x' }}], retry: {{ max_attempts: 3, delay: 1s }}, next: make }}\n  \
         - {{ id: make, type: set, set: {{ made: 'made {{{{ id }}}}' }} }}\n",
        shop.address
    );
    called(&app, &child).await;
    shop.reply([Reply::Json(503, json!({})), Reply::Json(503, json!({}))]);
    let events = app.key(&["events:write"]).await;
    let run = start(&events, json!({ "id": "A1" })).await;
    eventually("the child calls", || async {
        if shop.calls().is_empty() { Err("not yet".to_owned()) } else { Ok(()) }
    })
    .await;
    app.admin().await.post("workflows/child/disable", json!({})).await.json(200);
    app.stop().await;
    let app = App::start_on(&url, |config| config.outbound_allow = allow.parse().unwrap()).await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    assert_eq!(reader.run_ended(&run).await["context"]["got"], "executed made A1");
    app.stop().await;
}

#[tokio::test]
async fn what_a_dead_server_left_undone_for_called_runs_is_done_by_one_that_lives() {
    let url = fresh_database().await;
    let app = App::start_on(&url, |_| {}).await;
    called(&app, CHILD).await;
    let events = app.key(&["events:write"]).await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    let run = start(&events, json!({ "id": "A1" })).await;
    let parent = reader.run_when(&run, |run| run["waits_for"][0]["what"] == "the workflow child").await;
    let child = parent["trace"][0]["input"]["execution_id"].clone();
    // The called run starts after its caller's commit.
    let path = format!("executions/{}", child.as_str().unwrap());
    eventually("the called run", || async {
        let status = reader.get(&path).await.status;
        if status == 200 { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
    // As one leaves it that died between the caller's commit and ending the other.
    let mut conn = sqlx::PgConnection::connect(&url).await.unwrap();
    sqlx::query("update child_runs set stop_reason = 'not needed any more'")
        .execute(&mut conn)
        .await
        .unwrap();
    sqlx::query("insert into servers values (gen_random_uuid(), now() - interval '1 minute')")
        .execute(&mut conn)
        .await
        .unwrap();
    assert_eq!(reader.run_ended(&child).await["result"], "cancelled");
    app.stop().await;
}

#[tokio::test]
async fn cancelling_and_timeouts_reach_the_run_that_was_called() {
    let app = App::start().await;
    called(&app, CHILD).await;
    app.publish(&format!(
        "workflow_id: bounded\n{}steps:\n  - {{ id: run, type: call, timeout: 300ms, call: {{ workflow_id: child, input: {{ id: B }} }} }}\n",
        HEAD.replace("event: go", "event: bound")
    ))
    .await;
    let events = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let run = start(&events, json!({ "id": "A1" })).await;
    let parent = bo.run_when(&run, |run| run["status"] == "waiting").await;
    let child = parent["trace"][0]["input"]["execution_id"].clone();
    let cancel = format!("executions/{}/cancel", run.as_str().unwrap());
    bo.post(&cancel, json!({ "reason": "no need" })).await.json(200);
    let child = bo.run_ended(&child).await;
    assert_eq!(child["result"], "cancelled");
    assert!(child["reason"].as_str().unwrap().contains("no need"), "{child:#}");
    let bound = events.post("events", json!({ "type": "bound" })).await.json(202);
    let bound = bo.run_ended(&bound["runs"][0]["execution_id"]).await;
    assert_eq!(bound["error"]["code"], "timeout", "{bound:#}");
    let child = bo.run_ended(&bound["trace"][0]["input"]["execution_id"]).await;
    assert_eq!(child["result"], "cancelled");
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_called_fails_its_step_plainly() {
    let app = App::start().await;
    called(&app, CHILD).await;
    let events = app.key(&["events:write"]).await;
    let author = app.person("Ada Lind", &["author", "operator"]).await;
    let run = start(&events, json!({})).await;
    assert_eq!(
        author.run_ended(&run).await["context"]["got"],
        "call.input: The input for child: `id` must be filled in."
    );
    author.post("workflows/child/disable", json!({})).await.json(200);
    let run = start(&events, json!({ "id": "A" })).await;
    assert_eq!(
        author.run_ended(&run).await["context"]["got"],
        "call.disabled: The workflow child is disabled."
    );
    let child = author.get("workflows/child").await.json(200);
    let etag = child["etag"].as_str().unwrap().to_owned();
    let archive = |r: reqwest::RequestBuilder| r.header("if-match", etag);
    assert_eq!(author.send(reqwest::Method::DELETE, "workflows/child", archive).await.status, 204);
    let run = start(&events, json!({ "id": "A" })).await;
    assert_eq!(
        author.run_ended(&run).await["context"]["got"],
        "call.archived: The workflow child is archived."
    );
    app.stop().await;
}

#[tokio::test]
async fn workflows_that_call_each_other_in_a_circle_are_found_at_saving_and_end_at_the_depth_limit() {
    let app = App::start().await;
    let text = |id: &str, other: &str, event: &str| {
        format!(
            "workflow_id: {id}\n{}steps: [{{ id: run, type: call, call: {{ workflow_id: {other} }} }}]\n",
            HEAD.replace("event: go", &format!("event: {event}"))
        )
    };
    app.publish(&text("ping", "pong", "go")).await;
    let author = app.person("Ada Lind", &["author", "operator"]).await;
    let yaml =
        |text: String| |r: reqwest::RequestBuilder| r.header("content-type", "application/yaml").body(text);
    let pong =
        author.send(reqwest::Method::POST, "workflows", yaml(text("pong", "ping", "never"))).await.json(201);
    let finding = &pong["findings"][0];
    assert_eq!(
        (&finding["code"], &finding["severity"]),
        (&json!("call.cycle"), &json!("warning")),
        "{pong:#}"
    );
    assert!(finding["message"].as_str().unwrap().contains("pong → ping → pong"));
    let events = app.key(&["events:write"]).await;
    let run = start(&events, json!({})).await;
    let run = author.run_ended(&run).await;
    assert_eq!(run["result"], "failed");
    let all = author.get("executions?limit=200").await.json(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 17, "the first and 16 below it");
    let deepest = all["items"].as_array().unwrap().iter().filter(|run| run["error"]["code"] == "call.depth");
    assert_eq!(deepest.count(), 1);
    app.stop().await;
}

const EACH: &str = "workflow_id: each\nname: Each\ntrigger: { type: event, event: each }\nenabled: true\nsteps:\n  \
    - { id: each, type: foreach, foreach: { items: '{{ list }}', item_var: line, steps: [{ id: price, type: set, set: { price: '{{ line.n }}' } }] }, next: done }\n  \
    - { id: done, type: set, set: { last: '{{ steps.each.items[9999].values.price }}', count: '{{ steps.each.items | length }}' } }\n";

#[tokio::test]
async fn ten_thousand_items_run_in_order_and_one_more_is_refused_with_the_limit() {
    let app = App::start().await;
    app.publish(EACH).await;
    let events = app.key(&["events:write"]).await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    let list = |n: u32| Value::Array((0..n).map(|n| json!({ "n": n })).collect());
    let send = async |n: u32| {
        let event = json!({ "type": "each", "payload": { "list": list(n) } });
        events.post("events", event).await.json(202)["runs"][0]["execution_id"].clone()
    };
    let run = reader.run_ended(&send(10_000).await).await;
    assert_eq!(
        (&run["result"], &run["context"]["last"]),
        (&json!("executed"), &json!(9999)),
        "{}",
        run["error"]
    );
    assert_eq!(run["context"]["count"], 10_000);
    // The trace comes in parts.
    assert_eq!(run["trace"].as_array().unwrap().len(), 1000);
    let mut seen = 1000;
    let mut cursor = run["trace_next_cursor"].as_str().map(str::to_owned);
    let id = run["execution_id"].as_str().unwrap();
    while let Some(at) = cursor {
        let part = reader.get(&format!("executions/{id}/trace?cursor={at}&limit=200")).await.json(200);
        let items = part["items"].as_array().unwrap();
        assert_eq!(items[0]["seq"], seen);
        seen += items.len();
        cursor = part["next_cursor"].as_str().map(str::to_owned);
    }
    assert_eq!(seen, 10_003);
    let run = reader.run_ended(&send(10_001).await).await;
    assert_eq!(
        run["error"],
        json!({ "step": "each", "code": "limit.items", "message": "10,001 items; a foreach takes at most 10,000." })
    );
    app.stop().await;
}

#[tokio::test]
async fn items_that_call_are_in_flight_together_and_a_failed_one_says_so_in_its_place() {
    let shop = Shop::open().await;
    let allow = shop.address.to_string();
    let app = App::start_with(|config| config.outbound_allow = allow.parse().unwrap()).await;
    app.publish(&format!(
        "workflow_id: each\n{HEAD}steps:\n  - id: each\n    type: foreach\n    foreach:\n      items: '{{{{ list }}}}'\n      concurrency: 4\n      on_item_error: continue\n      \
         steps: [{{ id: call, type: execute, execute: [{{ type: webhook, url: 'http://{}/{{{{ item }}}}', save_as: got }}] }}]\n",
        shop.address
    ))
    .await;
    shop.reply([Reply::Json(500, json!({}))]);
    let events = app.key(&["events:write"]).await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    let list: Vec<u32> = (0..40).collect();
    let run = start(&events, json!({ "list": list })).await;
    let run = reader.run_ended(&run).await;
    let items = run["context"]["steps"]["each"]["items"].as_array().unwrap();
    assert_eq!(items.len(), 40);
    let failed: Vec<&Value> = items.iter().filter(|item| item["outcome"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{items:#?}");
    assert_eq!(failed[0]["error"]["code"], "http.500");
    let mut paths: Vec<u32> = shop.calls().iter().map(|call| call.path.parse().unwrap()).collect();
    paths.sort_unstable();
    assert_eq!(paths, list);
    let keys: std::collections::BTreeSet<String> = shop.calls().into_iter().map(|call| call.key).collect();
    assert_eq!(keys.len(), 40, "each item's call has a key of its own");
    app.stop().await;
}

#[tokio::test]
async fn a_decision_in_a_branch_lets_only_one_of_two_at_once_through() {
    let app = App::start().await;
    app.publish(&format!(
        "workflow_id: two\n{HEAD}steps:\n  - id: two\n    type: parallel\n    parallel:\n      steps:\n        \
         - {{ id: a, type: approval, approval: {{ levels: [{{ approvers: ['role:finance'] }}] }} }}\n        \
         - {{ id: b, type: approval, approval: {{ levels: [{{ approvers: ['role:finance'] }}] }} }}\n"
    ))
    .await;
    let events = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let run = start(&events, json!({})).await;
    let asked = eventually("both are asked", || async {
        let list = bo.get("approvals?mine=true").await.json(200)["items"].clone();
        if list.as_array().unwrap().len() == 2 { Ok(list) } else { Err(list.to_string()) }
    })
    .await;
    let decide = |n: usize| {
        let path = format!("approvals/{}/decisions", asked[n]["approval_id"].as_str().unwrap());
        let bo = bo.clone();
        async move { bo.post(&path, json!({ "decision": "approve" })).await.status.as_u16() }
    };
    let mut answers = [decide(0).await, 0, 0];
    (answers[1], answers[2]) = tokio::join!(decide(1), decide(1));
    answers.sort_unstable();
    assert_eq!(answers, [200, 200, 409]);
    assert_eq!(bo.run_ended(&run).await["result"], "executed");
    app.stop().await;
}
