//! What was approved counts by revision: a called workflow, and a rule that is asked as it stands, that are others when they
//! come due than those that people saw, open the request again.

use crate::{
    app::{App, Client, eventually},
    shop::{Reply, Shop},
};
use reqwest::Method;
use serde_json::{Value, json};

const ASKS: &str = "workflow_id: ask
name: Ask
trigger: { type: event, event: ask }
enabled: true
steps:
  - id: ask
    type: approval
    approval: { levels: [{ name: finance, approvers: ['role:finance'] }] }
    on_approved: limit
    on_rejected: no
  - { id: limit, type: condition, rule_id: limit, rule: latest, on_true: pay, on_false: no }
  - { id: pay, type: call, call: { workflow_id: pay, input: { total: '{{ total }}' } }, next: yes }
  - { id: yes, type: action, action: { type: allow } }
  - { id: no, type: action, action: { type: block, reason: Refused } }
";

fn pays(note: &str) -> String {
    format!(
        "workflow_id: pay\nname: Pay\ntrigger: {{ type: manual }}\nenabled: true\nsteps:\n  \
         - {{ id: note, type: set, set: {{ note: {note} }} }}\n"
    )
}

fn limit(value: u32) -> Value {
    json!({ "rule_id": "limit", "name": "Limit", "condition": { "field": "total", "operator": "lte", "value": value } })
}

async fn card(who: &Client, id: &str) -> Value {
    who.get(&format!("approvals/{id}")).await.json(200)
}

async fn approve(who: &Client, id: &str) -> Value {
    who.post(&format!("approvals/{id}/decisions"), json!({ "decision": "approve" })).await.json(200)
}

async fn asked_again(who: &Client, id: &str, times: usize) -> Value {
    eventually("it is asked again", async || {
        let card = card(who, id).await;
        let reopened = card["reopened"].as_array().map_or(0, Vec::len);
        if reopened == times && card["status"] == "pending" { Ok(card) } else { Err(card.to_string()) }
    })
    .await
}

#[tokio::test]
async fn another_revision_of_a_called_workflow_or_of_a_rule_is_asked_again() {
    let app = App::start().await;
    let author = app.person("Per Alm", &["author"]).await;
    author.post("rules", limit(100)).await.json(201);
    app.publish(&pays("first")).await;
    app.publish(ASKS).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let event = json!({ "type": "ask", "payload": { "total": 5 } });
    let run = shop.post("events?wait=5s", event).await.json(200)["runs"][0].clone();
    let id = run["approval_id"].as_str().unwrap().to_owned();
    let first = card(&bo, &id).await;
    let listed: Vec<(&Value, &Value)> = first["effects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|effect| (&effect["type"], &effect["request"]))
        .collect();
    assert_eq!(
        listed,
        [
            (&json!("rule_version"), &json!({ "rule_id": "limit", "version": 1 })),
            (&json!("call"), &json!({ "workflow_id": "pay", "input": { "total": 5 } })),
            (&json!("workflow_revision"), &json!({ "workflow_id": "pay", "revision": 1 })),
        ]
    );
    assert_eq!(first["if_approved"], json!(["Runs pay.", "The run is allowed."]));
    let changed = |r: reqwest::RequestBuilder| r.header("if-match", "\"r1\"").json(&limit(50));
    author.send(Method::PUT, "rules/limit", changed).await.json(200);
    author.put_yaml("workflows/pay", &pays("second"), Some("\"r1\"")).await.json(200);
    approve(&bo, &id).await;
    let again = asked_again(&bo, &id, 1).await;
    assert_eq!(again["reopened"][0]["changes"], json!([{ "pointer": "/version", "from": 1, "to": 2 }]));
    // What is asked now is what stands now: the workflow's new revision too.
    assert_eq!(again["effects"][2]["request"], json!({ "workflow_id": "pay", "revision": 2 }));
    author.put_yaml("workflows/pay", &pays("third"), Some("\"r2\"")).await.json(200);
    approve(&bo, &id).await;
    let again = asked_again(&bo, &id, 2).await;
    assert_eq!(again["reopened"][1]["changes"], json!([{ "pointer": "/revision", "from": 2, "to": 3 }]));
    approve(&bo, &id).await;
    let ended = bo.run_ended(&run["execution_id"]).await;
    assert_eq!(
        (&ended["result"], &ended["context"]["steps"]["pay"]["values"]["note"]),
        (&json!("allowed"), &json!("third"))
    );
    app.stop().await;
}

#[tokio::test]
async fn what_a_called_workflow_calls_and_asks_in_turn_counts_as_well() {
    let app = App::start().await;
    let author = app.person("Per Alm", &["author"]).await;
    author.post("rules", limit(100)).await.json(201);
    app.publish(&pays("first")).await;
    let between = "workflow_id: between\nname: Between\ntrigger: { type: manual }\nenabled: true\nsteps:\n  \
         - { id: within, type: condition, rule_id: limit, rule: latest, on_true: deeper }\n  \
         - { id: deeper, type: call, call: { workflow_id: pay } }\n";
    app.publish(between).await;
    app.publish(
        "workflow_id: ask\nname: Ask\ntrigger: { type: event, event: ask }\nenabled: true\nsteps:\n  \
         - { id: ask, type: approval, approval: { levels: [{ approvers: ['role:finance'] }] }, on_approved: run }\n  \
         - { id: run, type: call, call: { workflow_id: between, input: { total: '{{ total }}' } } }\n",
    )
    .await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let event = json!({ "type": "ask", "payload": { "total": 5 } });
    let run = shop.post("events?wait=5s", event).await.json(200)["runs"][0].clone();
    let id = run["approval_id"].as_str().unwrap().to_owned();
    let below = &card(&bo, &id).await["effects"][2];
    assert_eq!(
        (&below["type"], &below["request"]),
        (&json!("called_below"), &json!({ "workflows": { "pay": 1 }, "rules": { "limit": 1 } }))
    );
    author.put_yaml("workflows/pay", &pays("second"), Some("\"r1\"")).await.json(200);
    approve(&bo, &id).await;
    let again = asked_again(&bo, &id, 1).await;
    assert_eq!(again["reopened"][0]["changes"], json!([{ "pointer": "/workflows/pay", "from": 1, "to": 2 }]));
    let changed = |r: reqwest::RequestBuilder| r.header("if-match", "\"r1\"").json(&limit(50));
    author.send(Method::PUT, "rules/limit", changed).await.json(200);
    approve(&bo, &id).await;
    let again = asked_again(&bo, &id, 2).await;
    assert_eq!(again["reopened"][1]["changes"], json!([{ "pointer": "/rules/limit", "from": 1, "to": 2 }]));
    approve(&bo, &id).await;
    assert_eq!(bo.run_ended(&run["execution_id"]).await["result"], "executed");
    app.stop().await;
}

#[tokio::test]
async fn an_operation_that_makes_another_request_is_asked_again_and_is_called_as_it_was_approved() {
    let shop = Shop::open().await;
    let allow = shop.address.to_string();
    let app = App::start_with(|config| config.outbound_allow = allow.parse().unwrap()).await;
    let admin = app.admin().await;
    let stock = |path: &str| {
        json!({
            "name": "stock", "kind": "http", "settings": { "base_url": format!("http://{}", shop.address) },
            "operations": [
                { "id": "order", "method": "POST", "path": path, "body": { "sku": "{{ sku }}" } },
                { "id": "change", "method": "PATCH", "path": "/items/{id}", "body": "{{ body }}" },
            ],
            "entities": { "item": { "update": "change" } },
        })
    };
    let put = async |path: &str, etag: &str| {
        let change = |r: reqwest::RequestBuilder| r.header("If-Match", etag).json(&stock(path));
        admin.send(Method::PUT, "connectors/stock", change).await.json(200)
    };
    admin.post("connectors", stock("/orders")).await.json(201);
    app.publish(
        "workflow_id: ask\nname: Ask\ntrigger: { type: event, event: ask }\nenabled: true\nsteps:\n  \
        - { id: ask, type: approval, approval: { levels: [{ approvers: ['role:finance'] }] }, on_approved: send }\n  \
        - id: send\n    type: execute\n    retry: { max_attempts: 2, delay: 200ms }\n    execute:\n      \
        - { type: connector, connector: stock.order, input: { sku: '{{ sku }}' } }\n      \
        - { type: update_record, entity: item, entity_id: '{{ sku }}', data: { state: ordered } }\n",
    )
    .await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let event = json!({ "type": "ask", "payload": { "sku": "A1" } });
    let sender = app.key(&["events:write"]).await;
    let run = sender.post("events?wait=5s", event).await.json(200)["runs"][0].clone();
    let id = run["approval_id"].as_str().unwrap().to_owned();
    let first = card(&bo, &id).await;
    let url = |path: &str| format!("http://{}{path}", shop.address);
    let requests: Vec<&Value> =
        first["effects"].as_array().unwrap().iter().map(|effect| &effect["request"]).collect();
    assert_eq!(
        requests,
        [
            &json!({ "method": "POST", "url": url("/orders"), "body": { "sku": "A1" } }),
            &json!({ "method": "PATCH", "url": url("/items/A1"), "body": { "state": "ordered" } }),
        ]
    );
    // Another revision with the same request is no difference; one with another is.
    put("/orders", "\"r1\"").await;
    put("/v2/orders", "\"r2\"").await;
    approve(&bo, &id).await;
    let again = asked_again(&bo, &id, 1).await;
    let change = json!([{ "pointer": "/url", "from": url("/orders"), "to": url("/v2/orders") }]);
    assert_eq!(again["reopened"][0]["changes"], change);
    assert_eq!(shop.calls().len(), 0);
    // The call fails once; what is called again is what was approved, whatever is current by then.
    let held = std::sync::Arc::new(tokio::sync::Notify::new());
    shop.reply([Reply::HeldFailure(held.clone())]);
    approve(&bo, &id).await;
    eventually(
        "the call is out",
        async || {
            if shop.calls().len() == 1 { Ok(()) } else { Err("no call".to_owned()) }
        },
    )
    .await;
    put("/v3/orders", "\"r3\"").await;
    held.notify_one();
    bo.run_ended(&run["execution_id"]).await;
    let paths: Vec<String> = shop.calls().into_iter().map(|call| call.path).collect();
    assert_eq!(paths, ["v2/orders", "v2/orders", "items/A1"]);
    app.stop().await;
}

#[tokio::test]
async fn a_connector_that_was_made_anew_is_not_called_with_what_was_approved_of_the_one_before() {
    let shop = Shop::open().await;
    let allow = shop.address.to_string();
    let app = App::start_with(|config| config.outbound_allow = allow.parse().unwrap()).await;
    let admin = app.admin().await;
    let stock = json!({
        "name": "stock", "kind": "http", "settings": { "base_url": format!("http://{}", shop.address) },
        "operations": [{ "id": "order", "method": "POST", "path": "/orders", "body": { "sku": "{{ sku }}" } }],
    });
    admin.post("connectors", stock.clone()).await.json(201);
    app.publish(
        "workflow_id: ask\nname: Ask\ntrigger: { type: event, event: ask }\nenabled: true\nsteps:\n  \
        - { id: ask, type: approval, approval: { levels: [{ approvers: ['role:finance'] }] }, on_approved: send }\n  \
        - id: send\n    type: execute\n    retry: { max_attempts: 2, delay: 200ms }\n    execute:\n      \
        - { type: connector, connector: stock.order, input: { sku: '{{ sku }}' } }\n",
    )
    .await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let sender = app.key(&["events:write"]).await;
    let event = json!({ "type": "ask", "payload": { "sku": "A1" } });
    let run = sender.post("events?wait=5s", event).await.json(200)["runs"][0].clone();
    let held = std::sync::Arc::new(tokio::sync::Notify::new());
    shop.reply([Reply::HeldFailure(held.clone())]);
    approve(&bo, run["approval_id"].as_str().unwrap()).await;
    let called = async || if shop.calls().len() == 1 { Ok(()) } else { Err("no call".to_owned()) };
    eventually("the call is out", called).await;
    admin.post("workflows/ask/disable", json!({})).await.json(200);
    assert_eq!(admin.send(Method::DELETE, "connectors/stock", |r| r).await.status, 204);
    admin.post("connectors", stock).await.json(201);
    held.notify_one();
    let ended = bo.run_ended(&run["execution_id"]).await;
    assert_eq!(ended["error"]["code"], "connector.replaced", "{ended:#}");
    assert_eq!(shop.calls().len(), 1);
    app.stop().await;
}
