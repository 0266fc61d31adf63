//! How requests are written: keys, types of bodies, preconditions, repetition.

use super::{MANUAL, method, plain_path};
use crate::app::{App, Client};
use reqwest::Method;
use serde_json::{Value, json};
use shared_types::api::{Access, HttpMethod, openapi::endpoints};
use std::time::Duration;

#[tokio::test]
async fn an_idempotency_key_is_printable_ascii_sent_once_or_the_request_is_refused() {
    let app = App::start().await;
    let admin = app.admin().await;
    let long = vec![b'x'; 201];
    let bad: [&[&[u8]]; 6] = [
        &["bestellung-ü1".as_bytes()],
        &[b""],
        &[&long],
        &[b"tab\there"],
        &[b"one", b"one"],
        &[b"one", b"two"],
    ];
    for endpoint in endpoints() {
        if endpoint.method == HttpMethod::Get || endpoint.access == Access::Public {
            continue;
        }
        for keys in bad {
            let answer = admin
                .send(method(&endpoint), &plain_path(&endpoint), |r| {
                    keys.iter().fold(r.json(&json!({})), |r, key| r.header("idempotency-key", *key))
                })
                .await;
            let problem = answer.problem(422);
            let detail = problem["detail"].as_str().unwrap();
            assert_eq!(problem["code"], "header.bad", "{} {keys:?}", endpoint.path);
            assert!(
                detail.starts_with("Idempotency-Key must be 1 to 200 printable ASCII characters"),
                "{detail}"
            );
        }
    }
    let with = |key: String| {
        let admin = admin.clone();
        async move {
            admin
                .send(Method::POST, "events", |r| {
                    r.header("idempotency-key", key).json(&json!({ "type": "a.b" }))
                })
                .await
        }
    };
    with("x".repeat(200)).await.json(202);
    let batch = admin
        .send(Method::POST, "events/batch", |r| {
            r.header("idempotency-key", "y".repeat(200)).json(&json!([{ "type": "a.b" }, { "type": "a.b" }]))
        })
        .await
        .json(202);
    assert_eq!(batch["items"][1]["duplicate"], false, "a key of the full length names each event: {batch}");
    app.stop().await;
}

#[tokio::test]
async fn a_body_says_what_it_is() {
    let app = App::start().await;
    let admin = app.admin().await;
    let post = |path: &'static str, kind: Option<&'static str>, body: &'static str| {
        let admin = admin.clone();
        async move {
            admin
                .send(Method::POST, path, |r| {
                    let r = r.body(body);
                    kind.map_or_else(
                        || r.try_clone().unwrap(),
                        |kind| r.try_clone().unwrap().header("content-type", kind),
                    )
                })
                .await
        }
    };
    let event = r#"{"type": "a.b"}"#;
    post("events", None, event).await.json(202);
    post("events", Some("application/json; charset=utf-8"), event).await.json(202);
    post("events", Some("application/cloudevents+json"), event).await.json(202);
    post("events", Some("application/json"), "\u{feff}{\"type\": \"a.b\"}").await.json(202);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/yaml"] {
        let problem = post("events", Some(kind), event).await.problem(415);
        assert!(problem["detail"].as_str().unwrap().contains("application/json"), "{problem}");
        let problem = post("events/batch", Some(kind), "[]").await.problem(415);
        assert!(problem["detail"].as_str().unwrap().contains("application/x-ndjson"), "{problem}");
    }
    for (kind, body) in [(None, MANUAL), (Some("application/x-www-form-urlencoded"), MANUAL)] {
        for path in ["workflows", "workflows/validate", "rules"] {
            let problem = post(path, kind, body).await.problem(415);
            assert!(problem["detail"].as_str().unwrap().contains("YAML as application/yaml"), "{problem}");
        }
    }
    post("workflows", Some("text/yaml; charset=utf-8"), MANUAL).await.json(201);
    let problem = post("events", Some("application/json"), "{\"type\": \"a.b\",\n  oops}").await.problem(422);
    assert!(problem["detail"].as_str().unwrap().contains("line 2, column 3"), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("oops"), "{problem}");
    let latin = admin
        .send(Method::POST, "events", |r| {
            r.header("content-type", "application/json").body(b"{\"type\": \"\xe4\"}".to_vec())
        })
        .await
        .problem(422);
    assert!(latin["detail"].as_str().unwrap().contains("UTF-8"), "{latin}");
    app.stop().await;
}

#[tokio::test]
async fn a_key_that_stands_twice_is_refused_in_every_body_with_its_place() {
    let app = App::start().await;
    let admin = app.admin().await;
    for (path, body, pointer) in [
        ("events", r#"{"type": "a.b", "type": "c.d"}"#, "/type"),
        (
            "events",
            r#"{"type": "a.b", "payload": {"order": [{"total": 1, "total": 2}]}}"#,
            "/payload/order/0/total",
        ),
        ("events", r#"{"type": "a.b", "payload": {"a/b": 1, "a\u002fb": 2}}"#, "/payload/a~1b"),
        ("events/batch", r#"[{"type": "a.b", "id": "1", "id": "2"}]"#, "/0/id"),
        ("auth/login", r#"{"email": "x@example.com", "email": "y@example.com", "password": "p"}"#, "/email"),
        ("users", r#"{"email": "x@example.com", "name": "X", "roles": [], "roles": ["admin"]}"#, "/roles"),
        (
            "rules/try",
            r#"{"condition": {"field": "a", "field": "b", "operator": "exists"}}"#,
            "/condition/field",
        ),
    ] {
        let problem = admin
            .send(Method::POST, path, |r| r.header("content-type", "application/json").body(body))
            .await
            .problem(422);
        let finding = &problem["findings"][0];
        assert_eq!(
            (&finding["code"], &finding["pointer"]),
            (&json!("key.twice"), &json!(pointer)),
            "{problem}"
        );
        assert!(problem["detail"].as_str().unwrap().contains("stands twice"), "{problem}");
    }
    app.stop().await;
}

#[tokio::test]
async fn what_a_library_refuses_is_a_problem_too() {
    let app = App::start().await;
    app.publish(&MANUAL.replace("hand", "news").replace("type: manual", "type: webhook")).await;
    let admin = app.admin().await;
    let live = admin.get("live").await.problem(400);
    assert!(live["detail"].as_str().unwrap().contains("WebSocket"), "{live}");
    admin.send(Method::DELETE, "workflows/news/webhook/secrets/0", |r| r).await.problem(404);
    admin.send(Method::DELETE, "api-keys/0", |r| r).await.problem(404);
    admin.send(Method::PATCH, "executions", |r| r).await.problem(405);
    let base = format!("http://{}", app.running.address);
    let missing = reqwest::get(format!("{base}/docs/nothing.js")).await.unwrap();
    assert_eq!(missing.headers()["content-type"], "application/problem+json");
    app.stop().await;
}

#[tokio::test]
async fn a_replayed_creation_has_its_etag_and_if_match_may_be_a_list() {
    let app = App::start().await;
    let author = app.person("Ada Lind", &["author"]).await;
    let create = || {
        author.send(Method::POST, "workflows", |r| {
            r.header("content-type", "application/yaml").header("idempotency-key", "once").body(MANUAL)
        })
    };
    let (first, second) = (create().await, create().await);
    assert_eq!(first.headers["etag"], "\"r1\"");
    assert_eq!(second.headers["etag"], "\"r1\"");
    assert_eq!(first.json(201), second.json(201));
    author.put_yaml("workflows/hand", MANUAL, Some("\"r0\", \"r1\"")).await.json(200);
    author.put_yaml("workflows/hand", MANUAL, Some("*")).await.json(200);
    author.put_yaml("workflows/hand", MANUAL, Some("\"r1\", \"r2\"")).await.problem(412);
    assert_eq!(
        author.put_yaml("workflows/hand", MANUAL, Some("r3")).await.problem(422)["code"],
        "header.bad"
    );
    let rule = json!({ "rule_id": "large", "name": "Large", "condition": { "expr": "total > 1" } });
    author.post("rules", rule.clone()).await.json(201);
    let put = author
        .send(Method::PUT, "rules/large", |r| {
            r.json(&rule).header("if-match", "\"r9\"").header("if-match", "\"r1\"")
        })
        .await;
    put.json(200);
    app.stop().await;
}

#[tokio::test]
async fn a_thousand_events_of_one_id_are_answered_at_once() {
    let app = App::start().await;
    let admin = app.admin().await;
    let same: Vec<Value> =
        (0..1000).map(|_| json!({ "type": "a", "id": "one", "payload": { "n": 1 } })).collect();
    let begun = std::time::Instant::now();
    let answer = admin.post("events/batch", json!(same)).await.json(202);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let items = answer["items"].as_array().unwrap();
    assert_eq!(items.iter().filter(|item| item["duplicate"] == false).count(), 1);
    assert_eq!(items.iter().filter(|item| item["duplicate"] == true).count(), 999);
    let other: Vec<Value> =
        (0..1000).map(|n| json!({ "type": "a", "id": "two", "payload": { "n": n } })).collect();
    let answer = admin.post("events/batch", json!(other)).await.json(202);
    assert_eq!(answer["items"][0]["duplicate"], false);
    let refused = answer["items"].as_array().unwrap()[1..].iter();
    assert!(refused.into_iter().all(|item| item["code"] == "event.id_reused"), "{answer}");
    app.stop().await;
}

#[tokio::test]
async fn two_keys_of_one_name_have_idempotency_keys_of_their_own() {
    let app = App::start().await;
    app.publish(MANUAL).await;
    let admin = app.admin().await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        let made =
            admin.post("api-keys", json!({ "name": "Shop", "scopes": ["executions:write"] })).await.json(201);
        let key = Client::new(&app.base, made["key"].as_str().map(str::to_owned));
        let start = || {
            key.send(Method::POST, "workflows/hand/executions", |r| {
                r.header("idempotency-key", "k1").json(&json!({ "input": { "a": 1 } }))
            })
        };
        let (first, again) = (start().await.json(201), start().await.json(201));
        assert_eq!(first["execution_id"], again["execution_id"]);
        runs.push(first["execution_id"].clone());
    }
    assert_ne!(runs[0], runs[1]);
    app.stop().await;
}

#[tokio::test]
async fn a_workflow_or_rule_can_not_be_called_like_a_path_of_the_api() {
    let app = App::start().await;
    let author = app.person("Ada Lind", &["author"]).await;
    for id in ["validate", "simulate"] {
        let workflow = json!({ "workflow_id": id, "name": "W", "trigger": { "type": "manual" }, "steps": [{ "id": "a", "type": "set", "set": { "b": 1 } }] });
        let problem = author.post("workflows", workflow.clone()).await.problem(422);
        assert_eq!(problem["findings"][0]["code"], "id.reserved", "{problem}");
        let answer = author
            .send(Method::PUT, &format!("workflows/{id}"), |r| r.json(&workflow).header("if-none-match", "*"))
            .await;
        // PUT has no path `validate`, so that the path of a workflow takes it, and the document is refused.
        assert!(matches!(answer.status.as_u16(), 405 | 422), "{}", answer.text);
    }
    let rule = json!({ "rule_id": "try", "name": "R", "condition": { "expr": "x > 1" } });
    assert_eq!(author.post("rules", rule).await.problem(422)["findings"][0]["code"], "id.reserved");
    app.stop().await;
}
