//! The shapes that clients rely on, as the API's description shows them: every example of it is asked for here
//! and held against what the server answers, field by field.

use crate::app::{App, Client};
use reqwest::Method;
use serde_json::{Value, json};

const ORDER: &str = include_str!("../../../shared-types/tests/documents/high_value_order.yaml");

/// Whether a value has the shape of an example: the same keys all the way down, and the same values where the
/// example's isn't `…`.
#[track_caller]
fn is_like(seen: &Value, example: &Value) {
    if let Err(at) = like(seen, example) {
        panic!("{at}\nseen: {seen:#}\nexample: {example:#}");
    }
}

fn like(seen: &Value, example: &Value) -> Result<(), String> {
    match (seen, example) {
        (Value::Null, Value::String(any)) if any == "…" => {
            Err("null where the example has something".into())
        }
        (_, Value::String(any)) if any == "…" => Ok(()),
        (Value::String(seen), Value::String(start)) if start.ends_with('…') => {
            let start = start.trim_end_matches('…');
            seen.starts_with(start).then_some(()).ok_or_else(|| format!("{seen} isn't {start}…"))
        }
        (Value::Object(seen), Value::Object(example)) => example.iter().try_for_each(|(key, value)| {
            let seen = seen.get(key).ok_or_else(|| format!("no `{key}`"))?;
            like(seen, value).map_err(|at| format!("{key}: {at}"))
        }),
        (Value::Array(seen), Value::Array(example)) if seen.len() == example.len() => {
            seen.iter().zip(example).try_for_each(|(seen, example)| like(seen, example))
        }
        _ => (seen == example).then_some(()).ok_or_else(|| format!("{seen} isn't {example}")),
    }
}

struct Scene {
    app: App,
    shop: Client,
    bo: Client,
}

impl Scene {
    /// The order workflow, the shop's key, and Bo Ek, who is asked.
    async fn set() -> Self {
        let app = App::start().await;
        app.publish(ORDER).await;
        let shop = app.key(&["events:write"]).await;
        let bo = app.person("Bo Ek", &["operator", "sales_manager"]).await;
        Self { app, shop, bo }
    }

    async fn order(&self) -> Value {
        let order = json!({ "id": "A1", "total": 12400.10 });
        let event =
            json!({ "type": "order.checkout.initiated", "id": "A1-checkout", "payload": { "order": order } });
        self.shop.post("events?wait=5s", event).await.json(200)
    }

    async fn asked(&self) -> String {
        self.order().await["runs"][0]["approval_id"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_session() {
    let app = App::start().await;
    let nobody = Client::new(&app.base, None);
    let login = json!({ "email": "admin@example.com", "password": "admin-password" });
    let session = nobody.post("auth/login", login).await.json(200);
    let user = json!({ "user_id": "…", "email": "admin@example.com", "name": "…", "roles": ["admin"], "workspace": "…" });
    is_like(&session, &json!({ "access_token": "…", "expires_in": "…", "refresh_token": "…", "user": user }));
    app.stop().await;
}

#[tokio::test]
async fn people_keys_and_secrets() {
    let app = App::start().await;
    let admin = app.admin().await;
    let new = json!({ "email": "cy@example.com", "name": "Cy Roth", "password": "a-long-password", "roles": ["operator", "sales_manager"] });
    let user = admin.post("users", new).await.json(201);
    is_like(
        &user,
        &json!({ "user_id": "…", "email": "cy@example.com", "name": "Cy Roth", "roles": ["operator", "sales_manager"], "active": true }),
    );
    let path = format!("users/{}", user["user_id"].as_str().unwrap());
    is_like(&admin.patch(&path, json!({ "active": false })).await.json(200), &json!({ "active": false }));
    let new = json!({ "name": "Till", "scopes": ["events:write", "executions:read"], "workflows": null, "expires_at": null });
    let key = admin.post("api-keys", new).await.json(201);
    is_like(
        &key,
        &json!({ "key_id": "…", "key": "iw_…", "name": "Till", "workflows": null, "expires_at": null }),
    );
    let listed = admin.get("api-keys").await.json(200);
    assert!(listed["items"][0].get("key").is_none(), "it is shown once");
    let put = admin.send(Method::PUT, "secrets/token", |r| r.json(&json!({ "value": "hush-hush" }))).await;
    assert_eq!(put.status, 204);
    let secrets = admin.get("secrets").await.json(200);
    is_like(&secrets, &json!({ "items": [{ "name": "token" }], "next_cursor": null }));
    assert!(!secrets.to_string().contains("hush"));
    app.stop().await;
}

#[tokio::test]
async fn a_workflow_and_a_finding() {
    let scene = Scene::set().await;
    let workflow = scene.bo.get("workflows/high_value_order").await.json(200);
    is_like(
        &workflow,
        &json!({
            "workflow_id": "high_value_order", "name": "High-value order", "revision": 1, "enabled": true, "format": "yaml",
            "source": ORDER, "document": { "workflow_id": "high_value_order" }, "etag": "…", "updated_at": "…",
            "updated_by": "…", "findings": "…",
        }),
    );
    let author = scene.app.person("Ada Lind", &["author"]).await;
    let lost = "workflow_id: w\nname: W\ntrigger: { type: manual }\nsteps:\n  - { id: a, type: set, set: { b: 1 }, next: nowhere }\n";
    let checked = author
        .send(Method::POST, "workflows/validate", |r| r.header("content-type", "application/yaml").body(lost))
        .await
        .json(200);
    let finding = json!({ "code": "link.nowhere", "severity": "error", "pointer": "/steps/0/next", "message": "…", "line": 5, "column": "…" });
    is_like(&checked, &json!({ "findings": [finding] }));
    assert!(checked["findings"][0].get("fix").is_some());
    scene.app.stop().await;
}

#[tokio::test]
async fn an_event_and_its_repetition() {
    let scene = Scene::set().await;
    let run = json!({ "execution_id": "…", "workflow_id": "high_value_order", "status": "waiting", "result": "pending_approval", "reason": "Order over 10,000", "approval_id": "…" });
    is_like(&scene.order().await, &json!({ "event_id": "A1-checkout", "duplicate": false, "runs": [run] }));
    is_like(&scene.order().await, &json!({ "event_id": "A1-checkout", "duplicate": true, "runs": [run] }));
    scene.app.stop().await;
}

#[tokio::test]
async fn an_execution_and_its_trace() {
    let scene = Scene::set().await;
    let id = scene.order().await["runs"][0]["execution_id"].as_str().unwrap().to_owned();
    let run = scene.bo.get(&format!("executions/{id}")).await.json(200);
    is_like(
        &run,
        &json!({
            "execution_id": id, "workflow_id": "high_value_order", "revision": 1, "status": "waiting",
            "result": "pending_approval", "decision": null, "subject": "Order A1", "amount": "12400.1", "currency": "EUR",
            "reason": "Order over 10,000", "event_id": "A1-checkout", "requester": { "kind": "key", "name": "Web shop" },
            "started_at": "…", "ended_at": null,
            "waits_for": [{ "step_id": "ask_manager", "what": "…", "until": "…" }], "error": null, "context": "…",
        }),
    );
    is_like(
        &run["trace"][0],
        &json!({
            "seq": 0, "at": "…", "step_id": "check_value", "visit": 1, "branch": null, "item": null, "attempt": 1,
            "state": "done", "duration_ms": "…", "reason": "order.total is 12,400.1, at least 10,000: true",
            "why": { "op": "gte", "field": "order.total", "seen": 12400.1, "value": 10000, "result": true },
            "input": null, "output": { "next": "ask_manager" },
        }),
    );
    scene.app.stop().await;
}

#[tokio::test]
async fn an_approval_its_decision_and_who_comes_too_late() {
    let scene = Scene::set().await;
    let id = scene.asked().await;
    let path = format!("approvals/{id}");
    let approval = scene.bo.get(&path).await.json(200);
    let level = json!({ "name": "sales_manager", "approvers": ["role:sales_manager"], "quorum": 1, "status": "open", "decisions": [] });
    is_like(
        &approval,
        &json!({
            "approval_id": id, "execution_id": "…", "workflow_id": "high_value_order", "step_id": "ask_manager",
            "status": "pending", "subject": "Order A1", "reason": "…", "amount": "12400.1", "currency": "EUR",
            "entity": "order", "entity_id": "A1", "data": { "order_total": 12400.1 },
            "requester": { "kind": "key", "name": "Web shop" }, "asked_at": "…", "expires_at": "…", "levels": [level],
            "still_needed": "One of sales_manager (Bo Ek).", "can_decide": true, "cannot_because": null,
            "why": [{ "step_id": "check_value", "reason": "…", "why": { "op": "gte" } }],
            "if_approved": "…", "if_rejected": ["…"], "seen": "sha256:…",
        }),
    );
    let decisions = format!("{path}/decisions");
    let other = json!({ "decision": "approve", "seen": "sha256:other" });
    is_like(
        &scene.bo.post(&decisions, other).await.problem(409),
        &json!({ "code": "approval.changed", "now": { "seen": approval["seen"] } }),
    );
    assert_eq!(
        scene.bo.post(&decisions, json!({ "decision": "reject" })).await.problem(422)["code"],
        "approval.comment_needed"
    );
    let decided =
        json!({ "decision": "approve", "seen": approval["seen"], "decided_at": "2026-03-01T10:00:00Z" });
    let after = scene.bo.post(&decisions, decided).await.json(200);
    is_like(
        &after["levels"][0]["decisions"][0],
        &json!({ "decision": "approve", "by": "bo.ek@example.com", "at": "…", "decided_at": "2026-03-01T10:00:00Z" }),
    );
    assert_eq!(after["status"], "approved");
    let cy = scene.app.person("Cy Roth", &["operator", "sales_manager"]).await;
    let late = cy.post(&decisions, json!({ "decision": "approve" })).await.problem(409);
    is_like(
        &late,
        &json!({ "code": "approval.already_decided", "decided": { "decision": "approve", "by": "bo.ek@example.com", "at": "…" } }),
    );
    scene.app.stop().await;
}

#[tokio::test]
async fn notices_deliveries_and_the_audit_log() {
    let scene = Scene::set().await;
    let id = scene.asked().await;
    let notices = scene.bo.get("notices").await.json(200);
    is_like(
        &notices["items"][0],
        &json!({ "notice_id": "…", "message": "Order A1 waits", "approval_id": id, "at": "…", "read_at": null }),
    );
    let admin = scene.app.admin().await;
    let lost = admin.get("deliveries?status=undeliverable").await.json(200);
    is_like(
        &lost["items"][0],
        &json!({ "delivery_id": "…", "recipient": "slack:#sales", "status": "undeliverable", "reason": "…" }),
    );
    scene.bo.post(&format!("approvals/{id}/decisions"), json!({ "decision": "approve" })).await.json(200);
    let audit = admin.get(&format!("audit?action=approval.decided&subject={id}")).await.json(200);
    is_like(
        &audit["items"][0],
        &json!({ "audit_id": "…", "actor": "…", "action": "approval.decided", "subject": id, "at": "…", "from": "127.0.0.1" }),
    );
    scene.app.stop().await;
}

#[tokio::test]
async fn a_problem_and_what_is_refused() {
    let scene = Scene::set().await;
    let nobody = Client::new(&scene.app.base, None);
    let problem = nobody.get("executions").await.problem(401);
    is_like(
        &problem,
        &json!({ "type": "urn:iw:problem:…", "title": "…", "status": 401, "detail": "…", "code": "…" }),
    );
    assert_eq!(scene.bo.get("executions?colour=red").await.problem(422)["status"], 422);
    assert_eq!(scene.bo.get("executions?cursor=nonsense").await.problem(422)["status"], 422);
    let author = scene.app.person("Ada Lind", &["author"]).await;
    assert_eq!(author.put_yaml("workflows/high_value_order", ORDER, None).await.problem(428)["status"], 428);
    assert_eq!(
        author.put_yaml("workflows/high_value_order", ORDER, Some("\"r9\"")).await.problem(412)["status"],
        412
    );
    let own = json!({ "type": "execution.ended" });
    assert_eq!(scene.shop.post("events", own).await.problem(422)["code"], "event.reserved");
    let reused = json!({ "type": "order.checkout.initiated", "id": "A1-checkout", "payload": {} });
    scene.order().await;
    assert_eq!(scene.shop.post("events", reused).await.problem(409)["code"], "event.id_reused");
    scene.app.stop().await;
}
