//! A request with an `Idempotency-Key` acts once, however often and however closely it is sent.

use crate::app::{Answer, App, Client};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashSet;

const MANUAL: &str = "workflow_id: m\nname: M\ntrigger: { type: manual }\nenabled: true\n\
                      steps: [{ id: a, type: set, set: { b: 1 } }]\n";

async fn keyed(client: &Client, path: &str, key: &str, body: &Value) -> Answer {
    client.send(Method::POST, path, |r| r.header("idempotency-key", key).json(body)).await
}

/// Sends the same twelve times at once; all answers are the one answer.
async fn once(client: &Client, path: &str, body: &Value) -> Value {
    let answers = join_all((0..12).map(|_| keyed(client, path, "k-1", body))).await;
    let bodies: Vec<Value> = answers.into_iter().map(|answer| answer.json(201)).collect();
    let different: HashSet<String> = bodies.iter().map(Value::to_string).collect();
    assert_eq!(different.len(), 1, "{path}: {different:#?}");
    let again = keyed(client, path, "k-1", body).await.json(201);
    assert_eq!(again, bodies[0], "{path}, later");
    again
}

#[tokio::test]
async fn a_request_sent_many_times_at_once_acts_once() {
    let app = App::start().await;
    let admin = app.admin().await;
    let new = json!({ "name": "Bo Ek", "email": "bo@example.com", "password": "a-long-password", "roles": ["viewer"] });
    once(&admin, "users", &new).await;
    // One key is one request: another path under it is a reuse.
    assert_eq!(keyed(&admin, "api-keys", "k-1", &json!({ "name": "Till", "scopes": [] })).await.status, 409);

    let other = app.person("Lea Ny", &["admin"]).await;
    let key = once(&other, "api-keys", &json!({ "name": "Till", "scopes": ["events:write"] })).await;
    let keys = admin.get("api-keys").await.json(200);
    assert_eq!(keys["items"].as_array().map(Vec::len), Some(1));
    let till = Client::new(&app.base, key["key"].as_str().map(str::to_owned));
    till.post("events", json!({ "type": "ping" })).await.json(202);

    let author = app.person("Ada Lind", &["author"]).await;
    let document: Value = json!({
        "workflow_id": "w", "name": "W", "trigger": { "type": "manual" },
        "steps": [{ "id": "a", "type": "set", "set": { "b": 1 } }]
    });
    once(&author, "workflows", &document).await;
    app.stop().await;
}

#[tokio::test]
async fn a_start_by_hand_sent_many_times_at_once_starts_one_run() {
    let app = App::start().await;
    app.publish(MANUAL).await;
    let ina = app.person("Ina Berg", &["operator"]).await;
    let run = once(&ina, "workflows/m/executions", &json!({ "input": {} })).await;
    let all = ina.get("executions").await.json(200);
    assert_eq!(all["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(all["items"][0]["execution_id"], run["execution_id"]);
    let started = app.admin().await.get("audit?action=execution.started").await.json(200);
    assert_eq!(started["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(started["items"][0]["subject"], run["execution_id"]);
    let another = json!({ "input": { "x": 1 } });
    assert_eq!(keyed(&ina, "workflows/m/executions", "k-1", &another).await.status, 409);
    // Another person's key is another key.
    let bo = app.person("Bo Ek", &["operator"]).await;
    let theirs = once(&bo, "workflows/m/executions", &json!({ "input": {} })).await;
    assert_ne!(theirs["execution_id"], run["execution_id"]);
    app.stop().await;
}
