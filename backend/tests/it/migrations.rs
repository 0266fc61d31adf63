//! What earlier versions stored is read, and goes on where it stood.

use crate::app::{Answer, App, Client, database_from, trace};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const OF_MIGRATION_8: &str = include_str!("databases/migration_8.sql");

async fn sign_in(app: &App, email: &str) -> Client {
    let login = json!({ "email": email, "password": "sample-password" });
    let tokens = Client::new(&app.base, None).post("auth/login", login).await.json(200);
    Client::new(&app.base, tokens["access_token"].as_str().map(str::to_owned))
}

async fn decide(client: &Client, approval: &Value, key: &str, decision: Value) -> Answer {
    let path = format!("approvals/{}/decisions", approval["approval_id"].as_str().unwrap());
    client.send(Method::POST, &path, |r| r.header("idempotency-key", key).json(&decision)).await
}

/// Everything of a list that is asked for.
async fn all(client: &Client, list: &str, key: &str) -> BTreeMap<String, Value> {
    let items = client.get(list).await.json(200)["items"].as_array().unwrap().clone();
    items.into_iter().map(|item| (item[key].as_str().unwrap_or("none").to_owned(), item)).collect()
}

#[tokio::test]
async fn what_a_server_of_migration_8_left_is_shown_decided_and_ended() {
    let app = App::start_on(&database_from(OF_MIGRATION_8).await, |_| {}).await;
    let (mia, cy) = (sign_in(&app, "mia.falk@example.com").await, sign_in(&app, "cy.roth@example.com").await);
    let bo = sign_in(&app, "bo.ek@example.com").await;
    let workflows = all(&mia, "workflows", "workflow_id").await;
    assert_eq!(workflows.len(), 10, "{:?}", workflows.keys());
    for id in workflows.keys() {
        let workflow = mia.get(&format!("workflows/{id}")).await.json(200);
        assert!(workflow["source"].as_str().is_some_and(|source| source.contains(id.as_str())), "{id}");
    }

    // Decisions of then, with their keys.
    let approvals = all(&mia, "approvals", "subject").await;
    let approved = &approvals["Order O-1"];
    assert_eq!(
        (&approved["status"], &approved["levels"][0]["decisions"].as_array().unwrap().len()),
        (&json!("approved"), &1)
    );
    let made = &approved["levels"][0]["decisions"][0];
    assert_eq!(
        (&made["decision"], &made["by"], &made["comment"]),
        (&json!("approve"), &json!("cy.roth@example.com"), &json!("Fine"))
    );
    decide(&cy, approved, "k-1", json!({ "decision": "approve", "comment": "Fine" })).await.json(200);
    let late =
        decide(&bo, approved, "k-2", json!({ "decision": "reject", "comment": "No" })).await.problem(409);
    assert!(late["detail"].as_str().unwrap().starts_with("Cy Roth approved it at "), "{late}");
    assert_eq!(approvals["Order O-2"]["levels"][0]["decisions"][0]["comment"], "Too much");

    // Requests that were open then are decided now, that of a called run among them.
    let order = decide(&bo, &approvals["Order O-3"], "k-3", json!({ "decision": "approve" })).await.json(200);
    let order = mia.run_ended(&order["execution_id"]).await;
    assert_eq!(
        (&order["result"], &order["reason"]),
        (&json!("allowed"), &json!("Approved by bo.ek@example.com"))
    );
    assert_eq!(trace(&order).last(), Some(&("accept".into(), "done".into())));
    let money =
        decide(&cy, &approvals["Winter coats"], "k-4", json!({ "decision": "approve" })).await.json(200);
    decide(&bo, &approvals["none"], "k-5", json!({ "decision": "approve" })).await.json(200);
    let checks = mia.run_ended(&money["execution_id"]).await;
    assert_eq!((&checks["result"], &checks["reason"]), (&json!("allowed"), &json!("All good")));

    // A run that waited for an event then gets it now; a call that was to be made again still is.
    let paid = json!({ "type": "invoice.paid", "id": "p-1", "payload": { "invoice": { "id": "I-1" }, "paid_on": "Friday" } });
    mia.post("events", paid).await.json(202);
    let executions = all(&mia, "executions?workflow_id=wait_for_payment", "subject").await;
    let invoice = mia.run_ended(&executions["Invoice I-1"]["execution_id"]).await;
    assert_eq!(invoice["reason"], "Paid on Friday");
    let calls = all(&mia, "executions?workflow_id=slow_call", "workflow_id").await;
    assert_eq!(calls["slow_call"]["status"], "running");
    app.stop().await;
}
