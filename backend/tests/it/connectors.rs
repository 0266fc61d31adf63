//! Connectors: described, imported, called by workflows, and what happens when the other side misbehaves.

mod bad_descriptions;
mod crashed;
mod guarded;
mod guide;
mod limits;
mod loads;
mod mcp;
mod planted;
mod sql;
mod tokens;

use crate::{
    app::{App, Client},
    shop::{Reply, Shop},
};
use reqwest::Method;
use serde_json::{Value, json};

/// A customer system's document.
const DOCUMENT: &str = r##"
openapi: 3.0.3
info: { title: CRM, version: "1" }
servers: [{ url: "http://SHOP/crm" }]
paths:
  /customers/{id}:
    get:
      operationId: getCustomer
      summary: Read a customer
      parameters:
        - { name: id, in: path, required: true, schema: { type: string } }
        - { name: expand, in: query, explode: false, schema: { type: array, items: { type: string } } }
      responses: { "200": { description: It, content: { application/json: { schema: { $ref: "#/components/schemas/Customer" } } } } }
  /tickets:
    post:
      operationId: createTicket
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: "#/components/schemas/Ticket" } } }
      responses: { "201": { description: Made } }
  /tickets/{ticket_id}:
    patch:
      operationId: updateTicket
      parameters: [{ name: ticket_id, in: path, required: true, schema: { type: integer } }]
      requestBody: { content: { application/json: { schema: { type: object } } } }
      responses: { "200": { description: Changed } }
components:
  schemas:
    Customer: { type: object, properties: { id: { type: string }, level: { type: string } } }
    Ticket:
      type: object
      required: [title]
      properties: { title: { type: string, minLength: 1 }, priority: { type: integer, minimum: 1, maximum: 5 } }
"##;

const WORKFLOW: &str = "workflow_id: support\nname: Support\ntrigger: { type: event, event: support }\nenabled: true\nsteps:\n  \
    - { id: look, type: execute, execute: [{ type: connector, connector: crm.getCustomer, input: { id: '{{ customer }}', expand: [a, b] }, save_as: profile }], next: open }\n  \
    - { id: open, type: execute, execute: [{ type: create_record, entity: ticket, data: { title: '{{ profile.level }} asks', priority: '{{ priority }}' } }], next: close }\n  \
    - { id: close, type: execute, execute: [{ type: update_record, entity: ticket, entity_id: '{{ steps.open.record.id }}', data: { state: closed } }] }\n";

fn crm(shop: &Shop) -> Value {
    json!({
        "name": "crm", "kind": "openapi",
        "auth": { "type": "bearer", "secret": "crm_token" },
        "document": DOCUMENT.replace("SHOP", &shop.address.to_string()),
        "entities": { "ticket": { "create": "createTicket", "update": "updateTicket", "id": "/ticket/number" } },
    })
}

async fn app_for(shop: &Shop) -> App {
    let allow = shop.address.to_string();
    App::start_with(|config| config.outbound_allow = allow.parse().unwrap()).await
}

async fn set_secret(admin: &Client, name: &str, value: &str) {
    let set =
        admin.send(Method::PUT, &format!("secrets/{name}"), |r| r.json(&json!({ "value": value }))).await;
    assert_eq!(set.status, 204);
}

async fn put(admin: &Client, connector: &Value, etag: &str) -> crate::app::Answer {
    let path = format!("connectors/{}", connector["name"].as_str().unwrap());
    admin.send(Method::PUT, &path, |r| r.header("If-Match", etag).json(connector)).await
}

async fn run_of(admin: &Client, payload: Value) -> Value {
    let sent = admin.post("events", json!({ "type": "support", "payload": payload })).await.json(202);
    admin.run_ended(&sent["runs"][0]["execution_id"]).await
}

#[tokio::test]
async fn a_workflow_calls_what_was_imported_and_makes_and_changes_records() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = app.admin().await;
    set_secret(&admin, "crm_token", "t0ken-of-the-crm").await;
    let made = admin.post("connectors", crm(&shop)).await.json(201);
    assert_eq!(
        (&made["revision"], &made["operation_count"], &made["findings"]),
        (&json!(1), &json!(3), &json!([]))
    );
    app.publish(WORKFLOW).await;
    shop.reply([
        Reply::Json(200, json!({ "id": "c 1", "level": "Gold" })),
        Reply::Json(201, json!({ "ticket": { "number": 17 } })),
        Reply::Json(200, json!({})),
    ]);
    let run = run_of(&admin, json!({ "customer": "c 1", "priority": 2 })).await;
    assert_eq!(run["result"], "executed", "{run:#}");
    let calls = shop.calls();
    let sent: Vec<(&str, &str, &str, &Value)> = calls
        .iter()
        .map(|call| (call.method.as_str(), call.path.as_str(), call.query.as_str(), &call.body))
        .collect();
    assert_eq!(
        sent,
        [
            ("GET", "crm/customers/c 1", "expand=a,b", &json!("")),
            ("POST", "crm/tickets", "", &json!({ "title": "Gold asks", "priority": 2 })),
            ("PATCH", "crm/tickets/17", "", &json!({ "state": "closed" })),
        ]
    );
    assert!(calls.iter().all(|call| call.authorization == "Bearer t0ken-of-the-crm" && !call.key.is_empty()));
    assert_eq!(run["context"]["steps"]["open"]["record"], json!({ "id": 17 }));
    assert!(!run.to_string().contains("t0ken-of-the-crm"));
    let used = admin.get("connectors/crm").await.json(200);
    assert_eq!(used["used_by"], json!(["support"]));
    app.stop().await;
}

#[tokio::test]
async fn an_input_that_does_not_fit_is_told_at_save_and_fails_its_step_without_a_call() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = app.admin().await;
    set_secret(&admin, "crm_token", "t0ken-of-the-crm").await;
    admin.post("connectors", crm(&shop)).await.json(201);
    let author = app.person("Ada Lind", &["author"]).await;
    let text = "workflow_id: w\nname: W\ntrigger: { type: event, event: w }\nsteps:\n  \
        - id: a\n    type: execute\n    execute:\n      \
        - { type: connector, connector: crm.getCustomer, input: { expand: x, more: 1 } }\n      \
        - { type: connector, connector: crm.gone }\n      \
        - { type: connector, connector: erp.get }\n      \
        - { type: create_record, entity: ticket, data: { title: '{{ t }}', priority: 9 } }\n      \
        - { type: update_record, entity: invoice, entity_id: '1' }\n";
    let yaml =
        |request: reqwest::RequestBuilder| request.header("Content-Type", "application/yaml").body(text);
    let checked = author.send(Method::POST, "workflows/validate", yaml).await.json(200);
    let told: Vec<String> = checked["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            format!(
                "{} {} {}",
                finding["severity"].as_str().unwrap(),
                finding["pointer"].as_str().unwrap(),
                finding["message"].as_str().unwrap()
            )
        })
        .collect();
    for expected in [
        "warning /steps/0/execute/0/input getCustomer: it needs `id`.",
        "warning /steps/0/execute/0/input getCustomer: it takes no `more`.",
        "warning /steps/0/execute/0/input/expand getCustomer: it is not of type \"array\".",
        "warning /steps/0/execute/1 The connector crm has no operation gone.",
        "warning /steps/0/execute/2 There is no connector erp.",
        "warning /steps/0/execute/3/data/priority createTicket: it is greater than the maximum of 5.",
        "warning /steps/0/execute/4 No connector serves the record invoice.",
    ] {
        assert!(told.iter().any(|told| told == expected), "{expected}\nin {told:#?}");
    }
    app.publish(WORKFLOW).await;
    shop.reply([Reply::Json(200, json!({ "level": "Gold" }))]);
    let run = run_of(&admin, json!({ "customer": "c", "priority": 8 })).await;
    assert_eq!(run["result"], "failed", "{run:#}");
    assert_eq!(run["error"]["code"], "connector.input", "{run:#}");
    let message = run["error"]["message"].as_str().unwrap();
    assert_eq!(
        message,
        "The input of crm.createTicket doesn't fit: /body/priority: it is greater than the maximum of 5."
    );
    assert_eq!(shop.calls().len(), 1);
    app.stop().await;
}

#[tokio::test]
async fn a_new_revision_is_compared_before_and_used_at_once() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = app.admin().await;
    set_secret(&admin, "crm_token", "t0ken-of-the-crm").await;
    let made = admin.post("connectors", crm(&shop)).await.json(201);
    app.publish(WORKFLOW).await;
    let mut changed = crm(&shop);
    let text = DOCUMENT.replace("SHOP", &shop.address.to_string());
    let text = text
        .replace("name: expand", "name: fields")
        .replace("/crm", "/v2")
        .replace("operationId: createTicket", "operationId: openTicket");
    changed["document"] = json!(text);
    changed["entities"]["ticket"]["create"] = json!("openTicket");
    let preview = admin.post("connectors/crm/preview", changed.clone()).await.json(200);
    assert_eq!(
        (&preview["added"], &preview["changed"], &preview["removed"]),
        (&json!(["openTicket"]), &json!(["getCustomer"]), &json!(["createTicket"]))
    );
    let uses = |operation: &str| json!({ "operation": operation, "workflow_id": "support" });
    assert_eq!(preview["used_by"], json!([uses("createTicket"), uses("getCustomer")]));
    assert_eq!(put(&admin, &changed, "\"r7\"").await.problem(412)["code"], "precondition.failed");
    let etag = made["etag"].as_str().unwrap();
    let second = put(&admin, &changed, etag).await.json(200);
    assert_eq!(second["revision"], 2);
    // Settings alone: the document stays.
    changed.as_object_mut().unwrap().remove("document");
    changed["auth"] = json!({ "type": "header", "name": "X-Token", "secret": "crm_token" });
    let third = put(&admin, &changed, second["etag"].as_str().unwrap()).await.json(200);
    assert_eq!((&third["revision"], &third["operation_count"]), (&json!(3), &json!(3)));
    let operations = admin.get("connectors/crm/operations").await.json(200);
    let ids: Vec<&Value> = operations["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["getCustomer", "openTicket", "updateTicket"]);
    assert_eq!(operations["items"][1]["input_schema"]["$defs"]["Ticket"]["required"], json!(["title"]));
    let run = run_of(&admin, json!({ "customer": "c", "priority": 2 })).await;
    let message = run["error"]["message"].as_str().unwrap();
    assert_eq!(message, "The input of crm.getCustomer doesn't fit: it takes no `expand`.", "{run:#}");
    let refused = admin.send(Method::DELETE, "connectors/crm", |r| r).await.problem(409);
    assert_eq!((&refused["code"], &refused["used_by"]), (&json!("connector.used"), &json!(["support"])));
    admin.post("workflows/support/disable", json!({})).await;
    assert_eq!(admin.send(Method::DELETE, "connectors/crm", |r| r).await.status, 204);
    admin.get("connectors/crm").await.problem(404);
    app.stop().await;
}

#[tokio::test]
async fn an_operation_is_tried_and_only_an_administrator_tries_what_changes_something() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = app.admin().await;
    set_secret(&admin, "crm_token", "t0ken-of-the-crm").await;
    admin.post("connectors", crm(&shop)).await.json(201);
    let author = app.person("Ada Lind", &["author"]).await;
    shop.reply([Reply::Json(200, json!({ "echo": "Bearer t0ken-of-the-crm" }))]);
    let path = |id: &str| format!("connectors/crm/operations/{id}/try");
    let tried = author.post(&path("getCustomer"), json!({ "input": { "id": "c1" } })).await.json(200);
    assert_eq!(
        (&tried["status"], &tried["body"]),
        (&json!(200), &json!({ "echo": "Bearer •••" })),
        "{tried:#}"
    );
    assert_eq!(tried["request"]["url"], format!("http://{}/crm/customers/c1", shop.address));
    assert!(!tried.to_string().contains("t0ken"));
    let refused = author.post(&path("getCustomer"), json!({ "input": {} })).await.problem(422);
    assert_eq!(refused["findings"][0]["message"], "it needs `id`.", "{refused:#}");
    let change = json!({ "input": { "body": { "title": "T" } } });
    author.post(&path("createTicket"), change.clone()).await.problem(403);
    shop.reply([Reply::Json(201, json!({ "ticket": {} }))]);
    assert_eq!(admin.post(&path("createTicket"), change).await.json(200)["status"], 201);
    let audit = admin.get("audit").await.json(200);
    let tried: Vec<&Value> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["action"] == "connector.tried")
        .collect();
    assert_eq!(tried.len(), 1, "what only reads is no entry: {audit:#}");
    assert_eq!(
        (&tried[0]["subject"], &tried[0]["detail"]),
        (&json!("crm"), &json!({ "operation": "createTicket" }))
    );
    author.post(&path("gone"), json!({})).await.problem(404);
    author.post("connectors", crm(&shop)).await.problem(403);
    app.person("Per Dahl", &["viewer"]).await.get("connectors").await.problem(403);
    app.stop().await;
}

#[tokio::test]
async fn a_system_that_misbehaves_fails_the_step_with_the_reason() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = app.admin().await;
    set_secret(&admin, "crm_token", "t0ken-of-the-crm").await;
    admin.post("connectors", crm(&shop)).await.json(201);
    app.publish(WORKFLOW).await;
    let html = Reply::Raw(
        200,
        vec![("content-type", "text/html; charset=utf-8".to_owned())],
        b"<p>Sign in</p>".to_vec(),
    );
    for (replies, code, said) in [
        (vec![html], "connector.html", "with a page of HTML"),
        (vec![Reply::Json(404, json!({ "error": "no" }))], "http.404", "Answered 404"),
        (vec![Reply::Large(3 << 20)], "answer.too_large", "larger than"),
        (
            vec![Reply::Json(200, json!({})), Reply::Json(201, json!({ "id": 3 }))],
            "connector.record_id",
            "without an identifier at /ticket/number",
        ),
    ] {
        shop.reply(replies);
        let run = run_of(&admin, json!({ "customer": "c", "priority": 2 })).await;
        assert_eq!(run["error"]["code"], code, "{run:#}");
        assert!(run["error"]["message"].as_str().unwrap().contains(said), "{run:#}");
    }
    // Some systems say of answers without a body that they are pages.
    let empty = || Reply::Raw(200, vec![("content-type", "text/html".to_owned())], Vec::new());
    shop.reply([empty(), Reply::Json(201, json!({ "ticket": { "number": 1 } })), empty()]);
    let run = run_of(&admin, json!({ "customer": "c", "priority": 2 })).await;
    assert_eq!(run["result"], "executed", "{run:#}");
    app.stop().await;
}

#[tokio::test]
async fn operations_by_hand_are_called_as_they_are_written() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = app.admin().await;
    set_secret(&admin, "api_key", "k3y-of-the-shop").await;
    let connector = json!({
        "name": "stock", "kind": "http",
        "settings": { "base_url": format!("http://{}/api/", shop.address) },
        "auth": { "type": "query", "name": "key", "secret": "api_key" },
        "operations": [
            { "id": "level", "path": "/items/{sku}", "query": { "at": "{{ place }}" }, "output": "/data/level",
              "input_schema": { "type": "object", "required": ["sku"], "properties": { "sku": { "type": "string" } } } },
            { "id": "order", "method": "POST", "path": "/orders", "body": { "sku": "{{ sku }}", "count": "{{ count }}" } },
        ],
    });
    let made = admin.post("connectors", connector).await.json(201);
    assert_eq!(made["operation_count"], 2);
    app.publish(
        "workflow_id: stock\nname: Stock\ntrigger: { type: event, event: support }\nenabled: true\nsteps:\n  \
        - { id: a, type: execute, execute: [{ type: connector, connector: stock.level, input: { sku: '{{ sku }}' }, save_as: level }, { type: connector, connector: stock.order, input: { sku: '{{ sku }}', count: '{{ level }}' } }] }\n",
    )
    .await;
    shop.reply([Reply::Json(200, json!({ "data": { "level": 4 } })), Reply::Json(200, json!({}))]);
    let run = run_of(&admin, json!({ "sku": "A/1" })).await;
    assert_eq!((&run["result"], &run["context"]["level"]), (&json!("executed"), &json!(4)), "{run:#}");
    let calls = shop.calls();
    assert_eq!((calls[0].path.as_str(), calls[0].query.as_str()), ("api/items/A/1", "key=k3y-of-the-shop"));
    assert_eq!(calls[1].body, json!({ "sku": "A/1", "count": 4 }));
    assert!(!run.to_string().contains("k3y-of-the-shop"));
    app.stop().await;
}
