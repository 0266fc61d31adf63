//! Each code of a problem is met by a test, by its name.

use crate::app::{App, Client};
use backend::store::people;
use reqwest::Method;
use serde_json::{Value, json};
use shared_types::{api::problem::Code, ids::UserId};
use std::{collections::BTreeMap, fs, path::Path};

/// Codes that no request can provoke, and why.
const NOT_PROVOKED: [(Code, &str); 1] = [(Code::Internal, "it stands for faults of the server itself")];

/// The text of every file below a folder.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts =
        entries.map(|path| if path.is_dir() { sources(&path) } else { fs::read_to_string(path).unwrap() });
    texts.collect()
}

#[test]
fn every_code_of_a_problem_is_met_by_a_test() {
    let tests = sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it")));
    let is_met = |code: Code| {
        let is_excused = NOT_PROVOKED.iter().any(|(excused, _)| *excused == code);
        is_excused || tests.contains(&format!("\"{}", code.as_str()))
    };
    let missing: Vec<&str> =
        Code::ALL.iter().filter(|code| !is_met(**code)).map(|code| code.as_str()).collect();
    assert!(missing.is_empty(), "no test meets {missing:?}");
}

const MANUAL: &str = "workflow_id: manual\nname: Manual\ntrigger: { type: manual, form: [{ name: total, type: number, required: true }] }\n\
    enabled: true\nsteps: [{ id: a, type: set, set: { b: 1 } }]\n";

/// Puts a text of YAML.
async fn put(client: &Client, path: &str, yaml: &'static str, etag: &'static str) -> (u16, Value) {
    let answer = client.put_yaml(path, yaml, Some(etag)).await;
    let status = answer.status.as_u16();
    (status, answer.problem(status)["code"].clone())
}

#[tokio::test]
async fn documents_and_inputs_are_refused_by_these_codes() {
    let app = App::start().await;
    let admin = app.admin().await;
    let author = app.person("Ada Lind", &["author", "operator"]).await;
    app.publish(MANUAL).await;
    let mut met = BTreeMap::new();
    let bad = json!({ "workflow_id": "bad", "name": "B", "trigger": { "type": "manual" }, "steps": [] });
    met.insert("workflow.invalid", author.post("workflows", bad).await.problem(422)["code"].clone());
    let other = MANUAL.replace("workflow_id: manual", "workflow_id: other").leak();
    met.insert("workflow.id_differs", put(&author, "workflows/manual", other, "\"1\"").await.1);
    met.insert("precondition.failed", put(&author, "workflows/manual", MANUAL, "\"7\"").await.1);
    let rule = json!({ "rule_id": "large", "name": "L", "condition": { "expr": "x > 1" } });
    author.post("rules", rule).await.json(201);
    let other = "rule_id: small\nname: S\ncondition: { expr: 'x < 1' }\n";
    met.insert("rule.id_differs", put(&author, "rules/large", other, "\"1\"").await.1);
    let start = author.post("workflows/manual/executions", json!({ "input": { "total": "many" } })).await;
    met.insert("input.invalid", start.problem(422)["code"].clone());
    met.insert(
        "workflow.no_webhook",
        author.get("workflows/manual/webhook").await.problem(404)["code"].clone(),
    );
    met.insert("not_found", admin.get("workflows/no_such").await.problem(404)["code"].clone());
    for (code, got) in met {
        assert_eq!(got, code);
    }
    app.stop().await;
}

#[tokio::test]
async fn callers_and_requests_are_refused_by_these_codes() {
    let app = App::start().await;
    let admin = app.admin().await;
    let viewer = app.person("Per Dahl", &["viewer"]).await;
    let mut met = BTreeMap::new();
    let refused = viewer.post("api-keys", json!({ "name": "k", "scopes": ["events:write"] })).await;
    met.insert("auth.forbidden", refused.problem(403)["code"].clone());
    let answer = viewer.send(Method::PATCH, "executions", |r| r).await;
    met.insert("method.not_allowed", answer.problem(405)["code"].clone());
    let events = app.key(&["events:write"]).await;
    let text =
        events.send(Method::POST, "events", |r| r.header("content-type", "text/plain").body("x")).await;
    met.insert("body.type", text.problem(415)["code"].clone());
    let key = |name: &'static str| {
        admin.send(Method::POST, "api-keys", move |r| {
            r.header("Idempotency-Key", "one").json(&json!({ "name": name, "scopes": ["events:write"] }))
        })
    };
    key("k").await.json(201);
    met.insert("idempotency.reused", key("another").await.problem(409)["code"].clone());
    met.insert("request.bad", viewer.get("live").await.problem(400)["code"].clone());
    let administrators = admin.get("users").await.json(200)["items"].clone();
    let is_admin = |user: &&Value| user["roles"].as_array().unwrap().contains(&json!("admin"));
    let ids: Vec<String> = administrators
        .as_array()
        .unwrap()
        .iter()
        .filter(is_admin)
        .map(|user| user["user_id"].as_str().unwrap().to_owned())
        .collect();
    let mut last = Value::Null;
    // Whoever demotes herself can't go on, so hers is the last.
    let me = admin.get("auth/me").await.json(200)["user_id"].as_str().unwrap().to_owned();
    for id in ids.iter().filter(|id| **id != me).chain([&me]) {
        let answer = admin.patch(&format!("users/{id}"), json!({ "roles": ["viewer"] })).await;
        let status = answer.status.as_u16();
        last = serde_json::from_str(&answer.text).unwrap_or_default();
        assert!(matches!(status, 200 | 409), "{status} {last}");
    }
    met.insert("user.last_admin", last["code"].clone());
    for (code, got) in met {
        assert_eq!(got, code);
    }
    app.stop().await;
}

#[tokio::test]
async fn an_old_token_and_a_person_of_two_workspaces_are_refused_by_these_codes() {
    let app = App::start().await;
    let person = app.person("Per Dahl", &["viewer"]).await;
    let me = person.get("auth/me").await.json(200);
    let user: UserId = serde_json::from_value(me["user_id"].clone()).unwrap();
    let yesterday = backend::clock::Clock::default().now() - chrono::Duration::days(1);
    let old = app.running.state.tokens.sign(user, app.workspace, yesterday).unwrap();
    let expired = Client::new(&app.base, Some(old)).get("auth/me").await.problem(401);
    assert_eq!(expired["code"], "auth.expired");
    let nobody = Client::new(&app.base, None);
    let login = json!({ "email": "admin@example.com", "password": "admin-password" });
    let signed_in = nobody.post("auth/login", login.clone()).await.json(200);
    let admin: UserId = serde_json::from_value(signed_in["user"]["user_id"].clone()).unwrap();
    let mut conn = app.running.state.pool.acquire().await.unwrap();
    let other = backend::setup::ensure_workspace(&mut conn, &backend::clock::Clock::default(), "other")
        .await
        .unwrap();
    let roles = ["viewer".to_owned()];
    people::insert_membership(&mut conn, other, admin, &roles, backend::clock::Clock::default().now())
        .await
        .unwrap();
    drop(conn);
    let asked = nobody.post("auth/login", login).await.problem(422);
    assert_eq!(asked["code"], "auth.workspace_needed");
    app.stop().await;
}
