//! Documents are checked beside the threads that serve, once for each revision.

use crate::app::{App, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor as _};
use std::time::{Duration, Instant};

const ORDER: &str = include_str!("../../../shared-types/tests/documents/high_value_order.yaml");

fn large(steps: usize) -> String {
    let steps: Vec<String> =
        (0..steps).map(|n| format!("  - {{ id: s{n}, type: set, set: {{ v: 1 }}, next: gone }}")).collect();
    format!("workflow_id: large\nname: L\ntrigger: {{ type: manual }}\nsteps:\n{}\n", steps.join("\n"))
}

async fn change(app: &App, sql: &str) {
    let mut conn = app.running.state.pool.acquire().await.unwrap();
    conn.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
}

async fn reviewed_by(app: &App) -> Option<i32> {
    let mut conn = app.running.state.pool.acquire().await.unwrap();
    sqlx::query_scalar("select reviewed_by from workflow_revisions").fetch_one(&mut *conn).await.unwrap()
}

async fn median_of_ready(app: &App, readings: usize) -> Duration {
    let url = app.base.replace("/api/v1", "/readyz");
    let http = reqwest::Client::new();
    let mut durations = Vec::new();
    for _ in 0..readings {
        let begun = Instant::now();
        assert_eq!(http.get(&url).send().await.unwrap().status(), 200);
        durations.push(begun.elapsed());
    }
    durations.sort();
    durations[durations.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_documents_that_are_checked_keep_nobody_waiting() {
    let app = App::start().await;
    let ada = app.person("Ada Lind", &["author"]).await;
    let idle = median_of_ready(&app, 20).await;
    let checks: Vec<_> = (0..3)
        .map(|_| {
            let ada = ada.clone();
            tokio::spawn(async move {
                ada.send(Method::POST, "workflows/validate", |r| {
                    r.header("content-type", "application/yaml").body(large(10_000))
                })
                .await
            })
        })
        .collect();
    let mut readings = Vec::new();
    while !checks.iter().all(tokio::task::JoinHandle::is_finished) {
        readings.push(median_of_ready(&app, 3).await);
    }
    readings.sort();
    let busy = readings[readings.len() / 2];
    assert!(busy < 20 * idle.max(Duration::from_millis(5)), "idle {idle:?}, busy {busy:?}");
    for check in checks {
        let answer = check.await.unwrap();
        // On a slow machine the last in the queue is told to come back.
        if answer.status == 503 {
            assert_eq!(answer.headers["retry-after"], "5");
            assert_eq!(answer.problem(503)["code"], "server.busy");
        } else {
            let found = answer.json(200);
            let findings = found["findings"].as_array().unwrap();
            assert_eq!(findings.len(), 201);
            assert_eq!(findings[200]["message"], "There are 9800 more findings; correct these first.");
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn a_workflow_is_read_without_being_checked_again() {
    let app = App::start().await;
    let ada = app.person("Ada Lind", &["author"]).await;
    app.publish(ORDER).await;
    let validated = ada
        .send(Method::POST, "workflows/validate", |r| {
            r.header("content-type", "application/yaml").body(ORDER)
        })
        .await
        .json(200);
    // Nothing of this can be read as a document.
    change(&app, "update workflow_revisions set source = '{{{', document = '{\"name\": \"N\"}'").await;
    let read = ada.get("workflows/high_value_order").await.json(200);
    assert_eq!((&read["source"], &read["name"]), (&json!("{{{"), &json!("N")));
    assert!(!read["findings"].as_array().unwrap().is_empty());
    assert_eq!(read["findings"], validated["findings"]);
    app.stop().await;
}

#[tokio::test]
async fn what_is_missing_around_a_workflow_is_looked_up_at_each_read() {
    let app = App::start().await;
    let mia = app.admin().await;
    app.publish(
        "workflow_id: w\nname: W\ntrigger: { type: manual }\nenabled: true\nsteps:\n  - id: a\n    type: execute\n    execute:\n      - { type: webhook, url: 'https://example.com', headers: { authorization: '{{ secrets.hook }}' } }\n    next: b\n  - { id: b, type: call, call: { workflow_id: other } }\n",
    )
    .await;
    let codes = async || {
        let read = mia.get("workflows/w").await.json(200);
        let findings = read["findings"].as_array().unwrap().clone();
        findings
            .iter()
            .map(|f| (f["code"].as_str().unwrap().to_owned(), f["line"].as_u64().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(codes().await, [("secret.missing".to_owned(), 6), ("call.unknown".to_owned(), 11)]);
    let put = mia.send(Method::PUT, "secrets/hook", |r| r.json(&json!({ "value": "a-secret-value" }))).await;
    assert!(put.status.is_success(), "{}", put.text);
    app.publish("workflow_id: other\nname: O\ntrigger: { type: manual }\nenabled: true\nsteps: [{ id: a, type: set, set: {} }]\n").await;
    assert_eq!(codes().await, []);
    app.stop().await;
}

#[tokio::test]
async fn a_revision_of_older_checks_is_reviewed_once_and_kept() {
    let app = App::start().await;
    let ada = app.person("Ada Lind", &["author"]).await;
    app.publish(ORDER).await;
    let fresh = ada.get("workflows/high_value_order").await.json(200);
    change(&app, "update workflow_revisions set findings = null, refers_to = null, reviewed_by = null").await;
    assert_eq!(ada.get("workflows/high_value_order").await.json(200), fresh);
    assert_eq!(reviewed_by(&app).await, Some(shared_types::machine::review::CHECKS_VERSION));

    change(&app, "update workflow_revisions set findings = null, refers_to = null, reviewed_by = 0").await;
    let database = app.running.state.pool.connect_options().get_database().unwrap().to_owned();
    app.stop().await;
    let url = crate::app::server_url();
    let (base, _) = url.rsplit_once('/').unwrap();
    let again = App::start_on(&format!("{base}/{database}"), |_| {}).await;
    eventually("the review at the start", async || match reviewed_by(&again).await {
        Some(0) | None => Err("not yet".to_owned()),
        Some(_) => Ok(()),
    })
    .await;
    again.stop().await;
}

#[tokio::test]
async fn a_stored_document_that_the_checks_would_refuse_by_now_is_read_and_runs() {
    let app = App::start().await;
    let ada = app.person("Ada Lind", &["author", "operator"]).await;
    app.publish("workflow_id: m\nname: M\ntrigger: { type: manual }\nenabled: true\nsteps: [{ id: a, type: set, set: {} }]\n").await;
    for (source, code) in [
        ("workflow_id: m\nname: M\ntrigger: { type: manual }\nsteps: [{ id: a, type: set, set: {}, next: b }]\n".to_owned(), "link.nowhere"),
        (format!("{}1{}", "{not: ".repeat(6_437), "}".repeat(6_437)), ""),
    ] {
        change(
            &app,
            &format!("update workflow_revisions set source = '{source}', findings = null, refers_to = null, reviewed_by = null"),
        )
        .await;
        let read = ada.get("workflows/m").await.json(200);
        assert_eq!(read["enabled"], true);
        let found = &read["findings"][0];
        assert_eq!(found["severity"], "error", "{found:#}");
        assert!(code.is_empty() || found["code"] == code, "{found:#}");
        let run = ada.post("workflows/m/executions", json!({ "input": {} })).await.json(201);
        assert_eq!(run["result"], "executed");
    }
    app.stop().await;
}

#[tokio::test]
async fn tests_that_waited_for_a_rule_are_run_when_it_is_there() {
    let app = App::start().await;
    let mia = app.admin().await;
    app.publish(
        "workflow_id: r\nname: R\ntrigger: { type: manual }\nenabled: true\nsteps: [{ id: a, type: condition, rule_id: big, on_true: b }, { id: b, type: set, set: {} }]\ntests: [{ name: large, given: { payload: { x: 5 } }, expect: { path: [a] } }]\n",
    )
    .await;
    let codes = async || {
        let read: Value = mia.get("workflows/r").await.json(200);
        let findings = read["findings"].as_array().unwrap().clone();
        findings.iter().filter_map(|f| f["code"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let mut before = codes().await;
    before.sort();
    assert_eq!(before, ["rule.missing", "tests.not_run"]);
    mia.post("rules", json!({ "rule_id": "big", "name": "Big", "condition": { "field": "x", "operator": "gt", "value": 1 } }))
        .await
        .json(201);
    assert_eq!(codes().await, ["test.failed"], "the test goes on to b by now");
    app.stop().await;
}
