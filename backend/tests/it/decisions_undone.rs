//! What a decision leaves behind when it doesn't count any more, or is opened again as it is made.

use crate::{
    app::{App, eventually},
    shop::{Reply, Shop},
};
use reqwest::Method;
use serde_json::{Value, json};

const FORM: &str = r#"workflow_id: ask
name: Ask
trigger: { type: event, event: ask }
enabled: true
steps:
  - id: ask
    type: approval
    approval:
      calendar: office
      form: [{ name: days, type: number, default: 30 }]
      levels: [{ name: finance, approvers: ['role:finance'], quorum: 2, expires_in: 4h }]
    on_approved: tell
    on_rejected: no
  - { id: tell, type: emit, emit: { event: told, payload: { days: '{{ approval.edits.days }}', by: "{{ 1 if approval.by == 'bo' else 2 }}" } }, next: yes }
  - { id: yes, type: action, action: { type: allow } }
  - { id: no, type: action, action: { type: block, reason: Refused } }
"#;

#[tokio::test]
async fn an_edit_that_is_taken_back_is_undone_and_a_key_counts_for_one_decision() {
    let app = App::start().await;
    let admin = app.admin().await;
    let office = json!({ "name": "office", "timezone": "UTC", "hours": { "mon": ["00:00-24:00"], "fri": ["00:00-24:00"] } });
    admin.send(Method::PUT, "calendars/office", |r| r.json(&office)).await.json(200);
    app.publish(FORM).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let cy = app.person("Cy Roth", &["operator", "finance"]).await;
    let run = shop.post("events?wait=5s", json!({ "type": "ask", "payload": {} })).await.json(200)["runs"][0]
        .clone();
    let id = run["approval_id"].as_str().unwrap().to_owned();
    let path = format!("approvals/{id}/decisions");
    let asked = cy.get(&format!("approvals/{id}")).await.json(200);
    assert_eq!(asked["effects"][0]["at_the_time"], json!(["/payload/by"]), "it depends on who decides");
    cy.post(&path, json!({ "decision": "approve_with_edits", "edits": { "days": 5 } })).await.json(200);
    let back = cy.post(&path, json!({ "decision": "retract" })).await.json(200);
    assert_eq!((&back["form"][0]["value"], &back["seen"]), (&json!(30), &asked["seen"]));
    assert_eq!(back["effects"][0]["request"]["payload"]["days"], 30);
    // A calendar in which an open request counts stays, also where its workflow is off.
    admin.post("workflows/ask/disable", json!({})).await.json(200);
    let used = admin.send(Method::DELETE, "calendars/office", |r| r).await.problem(409);
    assert_eq!(used["used_by"], json!(["ask"]), "{used}");
    let with_key = |decision: Value| {
        let bo = bo.clone();
        let path = path.clone();
        async move { bo.send(Method::POST, &path, |r| r.header("idempotency-key", "k-1").json(&decision)).await }
    };
    let edit = |days: u32, comment: &str| json!({ "decision": "approve_with_edits", "edits": { "days": days }, "comment": comment });
    with_key(edit(8, " Eight will do ")).await.json(200);
    with_key(edit(8, " Eight will do ")).await.json(200);
    for other in [
        edit(9, "Eight will do"),
        edit(8, "Nine"),
        json!({ "decision": "approve", "comment": "Eight will do" }),
        json!({ "decision": "reject", "comment": "No" }),
    ] {
        let reused = with_key(other.clone()).await.problem(409);
        assert_eq!(reused["code"], "idempotency.reused", "{other}");
    }
    let many: Vec<Value> =
        (0..101).map(|_| json!({ "approval_id": uuid::Uuid::new_v4(), "seen": null })).collect();
    let refused =
        bo.post("approvals/decisions", json!({ "decision": "approve", "items": many })).await.problem(422);
    assert!(refused["detail"].as_str().unwrap().contains("at most 100"), "{refused}");
    app.stop().await;
}

#[tokio::test]
async fn a_request_that_its_last_approval_opens_again_is_pending_and_goes_on_when_it_is_approved_anew() {
    let receiver = Shop::open().await;
    let allow = receiver.address.to_string();
    let app = App::start_with(|config| config.outbound_allow = allow.parse().unwrap()).await;
    let url = format!("http://{}", receiver.address);
    app.publish(&format!(
        "workflow_id: ask\nname: Ask\ntrigger: {{ type: event, event: ask }}\nenabled: true\nsteps:\n  \
         - id: ask\n    type: action\n    action: {{ type: require_approval, reason: Look }}\n    execute:\n      \
         - {{ type: create_approval_request, data: {{ approver_role: finance }} }}\n      \
         - {{ type: http_request, url: '{url}/look', save_as: total }}\n    on_approved: pay\n    on_rejected: no\n  \
         - {{ id: pay, type: execute, execute: [{{ type: http_request, method: POST, url: '{url}/pay', body: {{ total: '{{{{ total }}}}' }} }}] }}\n  \
         - {{ id: no, type: action, action: {{ type: block, reason: Refused }} }}\n"
    ))
    .await;
    receiver.reply([Reply::Json(200, json!(7))]);
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let event = json!({ "type": "ask", "payload": { "total": 5 } });
    let run = shop.post("events?wait=5s", event).await.json(200)["runs"][0].clone();
    let id = run["approval_id"].as_str().unwrap().to_owned();
    eventually("the lookup is answered", async || {
        let run = bo.get(&format!("executions/{}", run["execution_id"].as_str().unwrap())).await.json(200);
        if run["context"]["total"] == 7 { Ok(()) } else { Err(run.to_string()) }
    })
    .await;
    bo.post(&format!("approvals/{id}/decisions"), json!({ "decision": "approve" })).await.json(200);
    let again = bo.get(&format!("approvals/{id}")).await.json(200);
    assert_eq!((&again["status"], &again["closed_at"]), (&json!("pending"), &Value::Null), "{again:#}");
    assert_eq!(again["reopened"][0]["changes"], json!([{ "pointer": "/body/total", "from": 5, "to": 7 }]));
    assert!(receiver.calls().iter().all(|call| call.path != "pay"));
    bo.post(&format!("approvals/{id}/decisions"), json!({ "decision": "approve" })).await.json(200);
    bo.run_ended(&run["execution_id"]).await;
    let paid: Vec<Value> =
        receiver.calls().into_iter().filter(|call| call.path == "pay").map(|call| call.body).collect();
    assert_eq!(paid, [json!({ "total": 7 })]);
    app.stop().await;
}
