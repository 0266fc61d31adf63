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

/// Endpoints without an id in their path: they list or change things of the caller's own workspace, or belong to nobody's.
/// A new one has to be placed here.
const WITHOUT_IDS: [&str; 28] = [
    "absences",
    "api-keys",
    "approvals",
    "approvals/decisions",
    "audit",
    "auth/login",
    "auth/logout",
    "auth/me",
    "auth/password",
    "auth/refresh",
    "calendars",
    "connectors",
    "deliveries",
    "events",
    "events/batch",
    "executions",
    "live",
    "me/invitations",
    "me/notifications",
    "notices",
    "roles",
    "rules",
    "rules/try",
    "secrets",
    "users",
    "workflows",
    "workflows/simulate",
    "workflows/validate",
];

#[test]
fn every_endpoint_without_an_id_is_placed() {
    let all = endpoints().into_iter().map(|endpoint| endpoint.path);
    let mut without_ids: Vec<&str> = all.filter(|path| !path.contains('{')).collect();
    without_ids.sort_unstable();
    without_ids.dedup();
    assert_eq!(without_ids, WITHOUT_IDS, "place what is new");
}

/// Endpoints whose id is a name that each workspace gives by itself: what they write is the caller's own.
const OWN_NAMES: [(&str, &str); 5] = [
    ("PUT", "secrets/{name}"),
    ("PUT", "calendars/{name}"),
    ("POST", "connectors/{name}/preview"),
    ("PUT", "roles/{role}"),
    ("DELETE", "roles/{role}"),
];

fn connector(name: &str) -> serde_json::Value {
    json!({
        "name": name, "kind": "http", "settings": { "base_url": "https://stock.example.com" },
        "operations": [{ "id": "get", "path": "/items" }],
    })
}

/// A body with which an endpoint would do its work, if the thing were there.
fn body(endpoint: &Described, path: &str) -> serde_json::Value {
    let id = path.rsplit('/').next();
    match endpoint.path {
        "approvals/{approval_id}/decisions" => json!({ "decision": "approve" }),
        "approvals/{approval_id}/delegate" => json!({ "to": "ina.berg@example.com" }),
        "approvals/{approval_id}/snooze" => json!({ "until": "2099-01-01T00:00:00Z" }),
        "users/{user_id}" => json!({ "roles": ["viewer"] }),
        "workflows/{workflow_id}" => json!({
            "workflow_id": id, "name": "W", "trigger": { "type": "manual" },
            "steps": [{ "id": "a", "type": "set", "set": { "b": 1 } }],
        }),
        "connectors/{name}" => connector(id.unwrap_or_default()),
        "rules/{rule_id}" => json!({ "rule_id": id, "name": "L", "condition": { "expr": "x > 1" } }),
        _ => json!({}),
    }
}

/// The path of an endpoint with these ids in it.
fn with_ids(endpoint: &Described, id: impl Fn(&str) -> String) -> String {
    let parts = endpoint.path.split('/').map(|part| match part.strip_prefix('{') {
        Some(name) => id(name.trim_end_matches('}')),
        None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn another_workspaces_things_are_not_there_whatever_check_approver_them() {
    let app = App::start().await;
    app.publish(include_str!("../../../shared-types/tests/documents/high_value_order.yaml")).await;
    app.publish(&hook("news")).await;
    let admin = app.admin().await;
    let rule = json!({ "rule_id": "large", "name": "Large", "condition": { "expr": "total > 1" } });
    admin.post("rules", rule).await.json(201);
    admin.send(Method::PUT, "secrets/shop", |r| r.json(&json!({ "value": "x" }))).await;
    let hook_secret = admin.post("workflows/news/webhook/secrets", json!({})).await.json(201);
    let key = admin.post("api-keys", json!({ "name": "k", "scopes": ["events:write"] })).await.json(201);
    let manager = app.person("Ina Berg", &["operator", "sales_manager"]).await;
    let shop = app.key(&["events:write"]).await;
    let event =
        json!({ "type": "order.checkout.initiated", "payload": { "order": { "id": "A1", "total": 20000 } } });
    let run = shop.post("events?wait=5s", event).await.json(200)["runs"][0].clone();
    let notice = manager.get("notices").await.json(200)["items"][0]["notice_id"].clone();
    let office = json!({ "name": "office", "timezone": "UTC", "hours": { "mon": ["09:00-17:00"] } });
    admin.send(Method::PUT, "calendars/office", |r| r.json(&office)).await.json(200);
    admin.post("connectors", connector("stock")).await.json(201);
    let away = json!({ "from": "2099-01-01T00:00:00Z", "until": "2099-01-02T00:00:00Z" });
    let absence = manager.post("absences", away).await.json(201);
    let user = admin.get("users").await.json(200)["items"][0]["user_id"].clone();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned();
    let real = |endpoint: &Described, name: &str| match name {
        "workflow_id" if endpoint.path.contains("webhook") => "news".to_owned(),
        "workflow_id" => "high_value_order".to_owned(),
        "rule_id" => "large".to_owned(),
        "name" if endpoint.path.starts_with("calendars") => "office".to_owned(),
        "name" if endpoint.path.starts_with("connectors") => "stock".to_owned(),
        "id" => "get".to_owned(),
        "name" => "shop".to_owned(),
        "role" => "sales_manager".to_owned(),
        "revision" | "version" => "1".to_owned(),
        "execution_id" => text(&run["execution_id"]),
        "approval_id" => text(&run["approval_id"]),
        "notice_id" => text(&notice),
        "user_id" => text(&user),
        "key_id" => text(&key["key_id"]),
        "secret_id" => text(&hook_secret["secret_id"]),
        "absence_id" => text(&absence["absence_id"]),
        "invitation_id" => "01900000-0000-7000-8000-000000000000".to_owned(),
        other => panic!("{}: what is a {other} of another workspace? Place it here.", endpoint.path),
    };
    let unreal = |name: &str| match name {
        "workflow_id" | "rule_id" | "name" | "role" | "id" => "no_such".to_owned(),
        "revision" | "version" => "1".to_owned(),
        _ => "01900000-0000-7000-8000-000000000001".to_owned(),
    };
    let mut conn = app.running.state.pool.acquire().await.unwrap();
    let other = backend::setup::ensure_workspace(&mut conn, &backend::clock::Clock::default(), "other")
        .await
        .unwrap();
    drop(conn);
    let stranger = app.person_in(other, "Other Admin", &["admin", "sales_manager"]).await;
    let ask = async |endpoint: &Described, path: &str| {
        let answer = stranger
            .send(method(endpoint), path, |r| {
                let query: &[(&str, &str)] = if path.ends_with("/due") {
                    &[("from", "2099-01-01T00:00:00Z"), ("span", "1h")]
                } else {
                    &[]
                };
                let r = r.header("If-Match", "\"1\"").query(query);
                if endpoint.method == HttpMethod::Get { r } else { r.json(&body(endpoint, path)) }
            })
            .await;
        (answer.status.as_u16(), answer.text)
    };
    for endpoint in endpoints() {
        let name = (endpoint.method.as_str(), endpoint.path);
        let has_id = endpoint.path.contains('{');
        if !has_id || endpoint.access == Access::Public || OWN_NAMES.contains(&name) {
            continue;
        }
        let there = ask(&endpoint, &with_ids(&endpoint, |name| real(&endpoint, name))).await;
        let nowhere = ask(&endpoint, &with_ids(&endpoint, unreal)).await;
        assert_eq!(there.0, 404, "{name:?}: {there:?}");
        assert_eq!(there, nowhere, "{name:?} tells that the thing is there");
    }
    for list in [
        "executions",
        "approvals",
        "workflows",
        "rules",
        "users",
        "deliveries",
        "api-keys",
        "secrets",
        "notices",
        "connectors",
    ] {
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
