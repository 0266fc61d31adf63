//! Every endpoint, as every role, as a key of each scope, as nobody, and from another workspace.

use crate::app::{App, Client};
use reqwest::Method;
use serde_json::json;
use shared_types::api::{
    Access, BASE_ROLES, HttpMethod, Permissions, SCOPES,
    openapi::{Described, endpoints},
};

fn method(endpoint: &Described) -> Method {
    match endpoint.method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Delete => Method::DELETE,
    }
}

/// The path with ids that lead nowhere.
fn path(endpoint: &Described) -> String {
    let parts = endpoint.path.split('/').map(|part| match part {
        "{workflow_id}" => "no_such_workflow",
        "{name}" => "no_such_secret",
        id if id.starts_with('{') => "01900000-0000-7000-8000-000000000000",
        other => other,
    });
    parts.collect::<Vec<_>>().join("/")
}

async fn status(client: &Client, endpoint: &Described) -> u16 {
    let body = if endpoint.method == HttpMethod::Get { None } else { Some(json!({ "value": "" })) };
    let answer = client
        .send(method(endpoint), &path(endpoint), |r| match body {
            Some(body) => r.json(&body),
            None => r,
        })
        .await;
    answer.status.as_u16()
}

fn expect(endpoint: &Described, is_person: bool, permissions: &Permissions) -> bool {
    match endpoint.access {
        Access::Public => true,
        Access::Person => is_person,
        Access::Needs(permission) => permissions.allow(permission),
    }
}

#[tokio::test]
async fn every_endpoint_lets_in_whom_its_definition_names_and_nobody_else() {
    let app = App::start().await;
    let nobody = Client::new(&app.base, None);
    let mut callers = Vec::new();
    for (role, _) in BASE_ROLES {
        callers.push((
            role.to_owned(),
            app.person(&format!("A {role}"), &[role]).await,
            true,
            Permissions::of_roles([role]),
        ));
    }
    let approver = app.person("An approver", &["sales_manager"]).await;
    callers.push(("approver alone".into(), approver, true, Permissions::of_roles(["sales_manager"])));
    for (scope, _) in SCOPES {
        callers.push((scope.to_owned(), app.key(&[scope]).await, false, Permissions::of_scopes([scope])));
    }
    for endpoint in endpoints() {
        let name = format!("{} {}", endpoint.method.as_str(), endpoint.path);
        if endpoint.access != Access::Public {
            assert_eq!(status(&nobody, &endpoint).await, 401, "{name} as nobody");
        }
        for (who, client, is_person, permissions) in &callers {
            let status = status(client, &endpoint).await;
            if expect(&endpoint, *is_person, permissions) {
                let refused = endpoint.access != Access::Public && matches!(status, 401 | 403);
                assert!(!refused && status < 500, "{name} as {who}: {status}");
            } else {
                assert_eq!(status, 403, "{name} as {who}");
            }
        }
    }
    app.stop().await;
}

fn hook(id: &str) -> String {
    format!(
        "workflow_id: {id}\nname: W\ntrigger: {{ type: webhook }}\nenabled: true\nsteps: [{{ id: a, type: set, set: {{ b: 1 }} }}]\n"
    )
}

#[tokio::test]
async fn another_workspaces_things_are_not_there_in_the_same_bytes() {
    let app = App::start().await;
    let order = include_str!("../../../shared-types/tests/documents/high_value_order.yaml");
    app.publish(order).await;
    app.publish(&hook("news")).await;
    let rule = json!({ "rule_id": "large", "name": "Large", "condition": { "expr": "total > 1" } });
    app.admin().await.post("rules", rule).await.json(201);
    let shop = app.key(&["events:write"]).await;
    let event =
        json!({ "type": "order.checkout.initiated", "payload": { "order": { "id": "A1", "total": 20000 } } });
    let run = shop.post("events?wait=5s", event).await.json(200)["runs"][0].clone();
    let mut conn = app.running.state.pool.acquire().await.unwrap();
    let other = backend::setup::ensure_workspace(&mut conn, "other").await.unwrap();
    drop(conn);
    let stranger = app.person_in(other, "Other Admin", &["admin", "sales_manager"]).await;
    let (execution, approval) = (run["execution_id"].as_str().unwrap(), run["approval_id"].as_str().unwrap());
    let real = [
        format!("executions/{execution}"),
        format!("approvals/{approval}"),
        "workflows/high_value_order".into(),
        format!("executions/{execution}/trace"),
        format!("executions/{execution}/tree"),
        "workflows/high_value_order/activity".into(),
        "workflows/high_value_order/revisions".into(),
        "workflows/news/webhook".into(),
        "rules/large".into(),
        "rules/large/versions".into(),
    ];
    let unreal = "01900000-0000-7000-8000-000000000000";
    let missing = [
        format!("executions/{unreal}"),
        format!("approvals/{unreal}"),
        "workflows/no_such".into(),
        format!("executions/{unreal}/trace"),
        format!("executions/{unreal}/tree"),
        "workflows/no_such/activity".into(),
        "workflows/no_such/revisions".into(),
        "workflows/no_such/webhook".into(),
        "rules/no_such".into(),
        "rules/no_such/versions".into(),
    ];
    for (path, missing) in real.iter().zip(&missing) {
        let (real, missing) = (stranger.get(path).await, stranger.get(missing).await);
        assert_eq!((real.status.as_u16(), real.text), (404, missing.text), "{path}");
    }
    for (path, body) in [
        (format!("approvals/{approval}/decisions"), json!({ "decision": "approve" })),
        (format!("executions/{execution}/cancel"), json!({})),
        ("workflows/high_value_order/disable".into(), json!({})),
        ("workflows/news/webhook/secrets".into(), json!({})),
    ] {
        stranger.post(&path, body).await.problem(404);
    }
    for list in ["executions", "approvals", "workflows", "rules", "users", "deliveries"] {
        let items = stranger.get(list).await.json(200)["items"].as_array().unwrap().len();
        assert_eq!(items, usize::from(list == "users"), "{list}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_key_for_one_workflow_touches_no_other() {
    let app = App::start().await;
    let simple = |id: &str| {
        format!(
            "workflow_id: {id}\nname: W\ntrigger: {{ type: event, event: go }}\nenabled: true\nsteps: [{{ id: a, type: set, set: {{ b: 1 }} }}]\n"
        )
    };
    app.publish(&simple("one")).await;
    app.publish(&simple("two")).await;
    app.publish(&hook("three")).await;
    let admin = app.admin().await;
    let scopes = ["events:write", "executions:read", "workflows:read", "workflows:write"];
    let made = admin
        .post("api-keys", json!({ "name": "k", "scopes": scopes, "workflows": ["one"] }))
        .await
        .json(201);
    let key = Client::new(&app.base, made["key"].as_str().map(str::to_owned));
    let runs = key.post("events?wait=5s", json!({ "type": "go" })).await.json(200)["runs"].clone();
    assert_eq!(
        runs.as_array().unwrap().iter().map(|r| r["workflow_id"].as_str().unwrap()).collect::<Vec<_>>(),
        ["one"]
    );
    key.get("workflows/two").await.problem(404);
    for path in ["workflows/two/activity", "workflows/two/revisions", "workflows/three/webhook"] {
        key.get(path).await.problem(404);
    }
    key.post("workflows/two/disable", json!({})).await.problem(404);
    key.post("workflows/three/webhook/secrets", json!({})).await.problem(404);
    let rule = json!({ "rule_id": "large", "name": "Large", "condition": { "expr": "total > 1" } });
    key.post("rules", rule).await.problem(403);
    assert_eq!(key.get("workflows").await.json(200)["items"].as_array().unwrap().len(), 1);
    app.stop().await;
}
