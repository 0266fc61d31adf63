//! What can't be stored is refused at the edge, with the place that is wrong: never a 500.

use super::{MANUAL, paths_with, plain_path, query_parameters, send};
use crate::app::{App, Client};
use reqwest::Method;
use serde_json::{Value, json};
use shared_types::api::{Access, openapi::endpoints};

#[tokio::test]
async fn no_path_and_no_parameter_with_what_can_not_be_stored_is_a_failure_of_the_server() {
    let app = App::start().await;
    let admin = app.admin().await;
    let nobody = Client::new(&app.base, None);
    for endpoint in endpoints() {
        let name = format!("{} {}", endpoint.method.as_str(), endpoint.path);
        for bad in ["%00", "a%00b", "%ff", "%c3%28", "%ed%a0%80"] {
            for path in paths_with(&endpoint, bad) {
                send(&admin, &endpoint, &path).await.problem(404);
                if endpoint.access == Access::Public {
                    send(&nobody, &endpoint, &path).await.problem(404);
                }
            }
            for parameter in query_parameters(&endpoint) {
                let path = format!("{}?{parameter}={bad}", plain_path(&endpoint));
                let problem = send(&admin, &endpoint, &path).await.problem(422);
                assert_eq!(problem["code"], "query.unreadable", "{name} {path}");
                assert!(problem["detail"].as_str().unwrap().contains(&parameter), "{name}: {problem}");
            }
        }
        let path = format!("{}?colour=red", plain_path(&endpoint));
        if endpoint.path != "hooks/{token}" {
            let problem = send(&admin, &endpoint, &path).await.problem(422);
            assert!(problem["detail"].as_str().unwrap().contains("`colour`"), "{name}: {problem}");
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn a_zero_character_is_refused_in_every_body_with_its_place() {
    let app = App::start().await;
    app.publish(MANUAL).await;
    let admin = app.admin().await;
    let id = "01900000-0000-7000-8000-000000000000";
    let bodies = [
        (Method::POST, "events".to_owned(), json!({ "type": "a", "payload": { "x": "\0" } }), "/payload/x"),
        (
            Method::POST,
            "events".into(),
            json!({ "type": "a", "payload": { "x": [{ "k\0": 1 }] } }),
            "/payload/x/0/k?",
        ),
        (Method::POST, "events".into(), json!({ "type": "a\0" }), "/type"),
        (Method::POST, "events".into(), json!({ "type": "a", "id": "\0" }), "/id"),
        (Method::POST, "events".into(), json!({ "type": "a", "source": "\0" }), "/source"),
        (Method::POST, "workflows/hand/executions".into(), json!({ "input": { "x": "\0" } }), "/input/x"),
        (Method::POST, format!("executions/{id}/cancel"), json!({ "reason": "\0" }), "/reason"),
        (
            Method::POST,
            format!("approvals/{id}/decisions"),
            json!({ "decision": "reject", "comment": "\0" }),
            "/comment",
        ),
        (
            Method::POST,
            "users".into(),
            json!({ "email": "n@example.com", "name": "\0", "password": "a-long-password", "roles": [] }),
            "/name",
        ),
        (Method::POST, "api-keys".into(), json!({ "name": "\0", "scopes": [] }), "/name"),
        (Method::POST, "auth/login".into(), json!({ "email": "\0", "password": "x" }), "/email"),
        (Method::PUT, "secrets/token".into(), json!({ "value": "\0" }), "/value"),
        (
            Method::POST,
            "rules/try".into(),
            json!({ "document": { "rule_id": "r" }, "given": { "payload": { "x": "\0" } } }),
            "/given/payload/x",
        ),
        (
            Method::POST,
            "workflows/simulate".into(),
            json!({ "workflow_id": "hand", "event": { "type": "a", "payload": { "x": "\0" } } }),
            "/event/payload/x",
        ),
    ];
    for (method, path, body, place) in bodies {
        let problem = admin.send(method, &path, |r| r.json(&body)).await.problem(422);
        assert_eq!(problem["findings"][0]["pointer"], place, "{path}: {problem}");
    }
    let document = MANUAL.replace("By hand", "{}").replace("name: {}", "name: \"a\\0b\"");
    for path in ["workflows", "rules"] {
        let yaml = document.clone();
        let problem = admin
            .send(Method::POST, path, |r| r.header("content-type", "application/yaml").body(yaml))
            .await
            .problem(422);
        assert_eq!(problem["findings"][0]["pointer"], "/name", "{problem}");
        let json = r#"{"workflow_id": "w", "rule_id": "r", "name": "a\u0000b", "trigger": {"type": "manual"}, "steps": []}"#;
        let problem = admin
            .send(Method::POST, path, |r| r.header("content-type", "application/json").body(json))
            .await
            .problem(422);
        assert_eq!(problem["findings"][0]["pointer"], "/name", "{problem}");
    }
    let found = admin
        .send(Method::POST, "workflows/validate", |r| {
            r.header("content-type", "application/yaml").body(document)
        })
        .await
        .json(200);
    assert_eq!(found["findings"][0]["code"], "text.zero", "{found}");
    app.stop().await;
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, n| if n % 2 == 0 { json!([inner]) } else { json!({ "a": inner }) })
}

#[tokio::test]
async fn a_value_nests_64_deep_and_no_deeper_wherever_it_comes_in() {
    let app = App::start().await;
    app.publish(MANUAL).await;
    app.publish(&MANUAL.replace("hand", "news").replace("type: manual", "type: event, event: a")).await;
    let admin = app.admin().await;
    let bodies = |depth: usize| {
        let payload = json!({ "deep": nested(depth) });
        [
            ("events", json!({ "type": "a", "payload": payload }), 202, "/payload/deep"),
            ("workflows/hand/executions", json!({ "input": payload }), 201, "/input/deep"),
            (
                "workflows/simulate",
                json!({ "workflow_id": "hand", "event": { "type": "a", "payload": payload } }),
                200,
                "/event/payload/deep",
            ),
            (
                "workflows/simulate",
                json!({ "workflow_id": "hand", "event": { "type": "a" }, "script": [{ "event": { "type": "b", "payload": payload } }] }),
                200,
                "/script/0/event/payload/deep",
            ),
            (
                "workflows/simulate",
                json!({ "workflow_id": "hand", "event": { "type": "a" }, "script": [{ "effect": "a", "response": { "status": 200, "body": nested(depth) } }] }),
                200,
                "/script/0/response/body",
            ),
        ]
    };
    for (path, body, status, _) in bodies(64) {
        admin.post(path, body).await.json(status);
    }
    for depth in [65, 100, 118] {
        for (path, body, _, place) in bodies(depth) {
            let problem = admin.post(path, body).await.problem(422);
            let finding = &problem["findings"][0];
            assert_eq!(finding["code"], "value.too_deep", "{path}: {problem}");
            assert!(finding["pointer"].as_str().unwrap().starts_with(place), "{path}: {problem}");
        }
    }
    // Deeper than any reader goes: still the same words, and the server lives.
    for depth in [200, 100_000] {
        let body =
            format!(r#"{{"type": "a", "payload": {{"deep": {}1{}}}}}"#, "[".repeat(depth), "]".repeat(depth));
        let answer = admin
            .send(Method::POST, "events", |r| r.header("content-type", "application/json").body(body.clone()))
            .await;
        assert_eq!(answer.problem(422)["findings"][0]["code"], "value.too_deep");
        let line = body.replace('\n', " ");
        let batch = admin
            .send(Method::POST, "events/batch", |r| {
                r.header("content-type", "application/x-ndjson")
                    .body(format!("{line}\n{{\"type\": \"a\"}}\n"))
            })
            .await
            .json(202);
        assert_eq!(batch["items"][0]["status"], 422, "{batch}");
        assert_eq!(batch["items"][1]["duplicate"], false, "one that is too deep spoils no other: {batch}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_time_that_the_database_can_not_hold_is_refused_and_one_without_a_zone_says_what_to_write() {
    let app = App::start().await;
    app.publish(MANUAL).await;
    let admin = app.admin().await;
    let id = "01900000-0000-7000-8000-000000000000";
    for (time, says) in [
        ("-5000-01-01T00:00:00Z", "years 1 to 9999"),
        ("+262142-01-01T00:00:00Z", "years 1 to 9999"),
        ("2026-03-01T10:00:00", "2026-03-01T10:00:00Z"),
        ("yesterday", "RFC 3339"),
    ] {
        let query = time.replace('+', "%2B");
        for path in [
            format!("executions?started_after={query}"),
            format!("executions?started_before={query}"),
            format!("audit?since={query}"),
        ] {
            let problem = admin.get(&path).await.problem(422);
            assert!(problem["detail"].as_str().unwrap().contains(says), "{path}: {problem}");
        }
        for (path, body) in [
            ("events".to_owned(), json!({ "type": "a", "time": time })),
            (
                "workflows/simulate".into(),
                json!({ "workflow_id": "hand", "event": { "type": "a", "time": time } }),
            ),
            (
                "workflows/simulate".into(),
                json!({ "workflow_id": "hand", "event": { "type": "a" }, "script": [{ "event": { "type": "b", "time": time } }] }),
            ),
            (format!("approvals/{id}/decisions"), json!({ "decision": "approve", "decided_at": time })),
            ("api-keys".into(), json!({ "name": "k", "scopes": [], "expires_at": time })),
        ] {
            let problem = admin.post(&path, body).await.problem(422);
            assert!(problem["detail"].as_str().unwrap().contains(says), "{path}: {problem}");
        }
    }
    let advance: Vec<Value> = (0..120).map(|_| json!({ "advance": "36500d" })).collect();
    let waiting = MANUAL.replace("type: set, set: { b: 1 }", "type: wait, wait: { event: never }");
    let far = json!({ "document": waiting, "event": { "type": "a", "time": "9000-01-01T00:00:00Z" }, "script": advance });
    let simulated = admin.post("workflows/simulate", far).await.json(200);
    assert!(simulated["unused"].to_string().contains("9999"), "{}", simulated["unused"]);
    app.stop().await;
}

#[tokio::test]
async fn a_list_is_never_read_as_an_object() {
    let app = App::start().await;
    let admin = app.admin().await;
    for (path, body) in [
        ("events", json!(["a.b", null, null, null, null, {}])),
        ("auth/login", json!(["admin@example.com", "admin-password", null, null])),
        ("auth/refresh", json!(["x"])),
        ("api-keys", json!(["k", ["events:write"], null, null])),
        ("users", json!(["n@example.com", "N", "a-long-password", []])),
    ] {
        let problem = admin.post(path, body).await.problem(422);
        assert!(problem["detail"].as_str().unwrap().contains("a list"), "{path}: {problem}");
    }
    let batch = admin.post("events/batch", json!([["a.b"], { "type": "a.b" }])).await.json(202);
    assert_eq!((&batch["items"][0]["status"], &batch["items"][1]["duplicate"]), (&json!(422), &json!(false)));
    app.stop().await;
}

#[tokio::test]
async fn every_text_has_a_length_and_the_field_is_named() {
    let app = App::start().await;
    let admin = app.admin().await;
    let id = "01900000-0000-7000-8000-000000000000";
    let long = |n: usize| "ö".repeat(n);
    for (method, path, body, field) in [
        (Method::POST, "events".to_owned(), json!({ "type": long(201) }), "type"),
        (Method::POST, "events".into(), json!({ "type": "a", "id": long(201) }), "id"),
        (Method::POST, "events".into(), json!({ "type": "a", "source": long(201) }), "source"),
        (Method::POST, format!("executions/{id}/cancel"), json!({ "reason": long(1001) }), "reason"),
        (
            Method::POST,
            format!("approvals/{id}/decisions"),
            json!({ "decision": "reject", "comment": long(10_001) }),
            "comment",
        ),
        (Method::PUT, "secrets/token".into(), json!({ "value": long(65_537) }), "value"),
        (Method::PUT, "secrets/token".into(), json!({ "value": "" }), "value"),
        (Method::PUT, format!("secrets/{}", "x".repeat(101)), json!({ "value": "long enough" }), "name"),
    ] {
        let problem = admin.send(method, &path, |r| r.json(&body)).await.problem(422);
        assert!(problem["detail"].as_str().unwrap().contains(field), "{path}: {problem}");
    }
    let document = |name: String, tag: String| json!({ "workflow_id": "w", "name": name, "tags": [tag], "trigger": { "type": "manual" }, "steps": [{ "id": "a", "type": "set", "set": { "b": 1 } }] });
    for (document, place) in
        [(document(long(301), "t".into()), "/name"), (document("W".into(), long(101)), "/tags/0")]
    {
        let problem = admin.post("workflows", document).await.problem(422);
        assert_eq!(problem["findings"][0]["pointer"], place, "{problem}");
    }
    admin.post("events", json!({ "type": long(200), "id": long(200), "source": long(200) })).await.json(202);
    app.stop().await;
}
