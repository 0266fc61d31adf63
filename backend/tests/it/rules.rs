//! Stored rules: tested before they are kept, pinned at publishing or read when asked, and kept while they are used.

use crate::app::App;
use reqwest::Method;
use serde_json::{Value, json};

fn rule(limit: u32) -> Value {
    json!({
        "rule_id": "large", "name": "Large order", "condition": { "expr": format!("order.total >= {limit}") },
        "tests": [{ "name": "a large one", "given": { "payload": { "order": { "total": 99999 } } }, "expect": true }],
    })
}

fn asking(id: &str, latest: &str) -> String {
    format!(
        "workflow_id: {id}\nname: {id}\ntrigger: {{ type: event, event: {id} }}\nenabled: true\nsteps:\n  \
         - {{ id: ask, type: condition, rule_id: large{latest}, on_true: no, on_false: yes }}\n  \
         - {{ id: no, type: action, action: {{ type: block }} }}\n  - {{ id: yes, type: action, action: {{ type: allow }} }}\n"
    )
}

#[tokio::test]
async fn a_run_asks_a_rule_as_published_or_as_it_stands_and_the_trace_names_the_version() {
    let app = App::start().await;
    let author = app.person("Ada Lind", &["author", "operator"]).await;
    let made = author.post("rules", rule(100)).await.json(201);
    assert_eq!((&made["version"], &made["expr"]), (&json!(1), &json!("order.total >= 100")));
    app.publish(&asking("pinned", "")).await;
    app.publish(&asking("latest", ", rule: latest")).await;
    let etag = made["etag"].as_str().unwrap().to_owned();
    let with = |r: reqwest::RequestBuilder| r.header("if-match", etag.as_str()).json(&rule(1000));
    let changed = author.send(Method::PUT, "rules/large", with).await.json(200);
    assert_eq!(changed["version"], 2);
    assert_eq!(
        changed["used_by"],
        json!([{ "workflow_id": "latest", "version": null }, { "workflow_id": "pinned", "version": 1 }])
    );
    for (id, result, version) in [("pinned", "blocked", 1), ("latest", "allowed", 2)] {
        let event = json!({ "type": id, "payload": { "order": { "total": 500 } } });
        let sent = author.post("events?wait=10s", event).await.json(200);
        assert_eq!(sent["runs"][0]["result"], result, "{id}");
        let run = author.run_ended(&sent["runs"][0]["execution_id"]).await;
        assert_eq!(run["trace"][0]["input"], json!({ "rule_id": "large", "version": version }));
        assert!(
            run["trace"][0]["reason"].as_str().unwrap().contains(&format!("version {version}")),
            "{run:#}"
        );
    }
    app.stop().await;
}

#[tokio::test]
async fn a_rule_is_given_back_as_its_author_wrote_it() {
    let app = App::start().await;
    let author = app.person("Ada Lind", &["author"]).await;
    let text = "# Ask finance before this is changed.\nrule_id: large\nname: Large order\ncondition: { expr: total >= 100 }\n";
    let yaml = |r: reqwest::RequestBuilder| r.header("content-type", "application/yaml").body(text);
    let made = author.send(Method::POST, "rules", yaml).await.json(201);
    assert_eq!((&made["source"], &made["format"]), (&json!(text), &json!("yaml")));
    let read = author.get("rules/large").await.json(200);
    assert_eq!((&read["source"], &read["format"]), (&json!(text), &json!("yaml")));
    assert_eq!(read["document"]["name"], "Large order");
    app.stop().await;
}

#[tokio::test]
async fn a_rule_that_fails_its_tests_is_refused_and_one_that_is_used_is_kept() {
    let app = App::start().await;
    let author = app.person("Ada Lind", &["author", "operator"]).await;
    let mut wrong = rule(100);
    wrong["tests"][0]["expect"] = json!(false);
    let refused = author.post("rules", wrong).await.problem(422);
    assert_eq!(
        (&refused["code"], &refused["findings"][0]["code"]),
        (&json!("rule.invalid"), &json!("test.failed"))
    );
    assert_eq!(refused["findings"][0]["pointer"], "/tests/0/expect");
    let mut broken = rule(100);
    broken["condition"] = json!({ "expr": "order.total >" });
    let refused = author.post("rules", broken).await.problem(422);
    assert_eq!(refused["findings"][0]["pointer"], "/condition/expr");
    let mut zero = rule(100);
    zero["name"] = json!("a\u{0}b");
    assert_eq!(author.post("rules", zero).await.problem(422)["code"], "field.bad");
    assert!(refused["detail"].as_str().unwrap().contains("column 14"), "{refused:#}");

    let made = author.post("rules", rule(100)).await.json(201);
    assert_eq!(author.post("rules", rule(100)).await.problem(409)["code"], "rule.exists");
    app.publish(&asking("pinned", "")).await;
    let delete = async |etag: Option<&str>| {
        author
            .send(Method::DELETE, "rules/large", |r| {
                etag.map_or(r.try_clone().unwrap(), |etag| r.header("if-match", etag))
            })
            .await
    };
    let etag = made["etag"].as_str().unwrap().to_owned();
    assert_eq!(delete(None).await.problem(428)["code"], "precondition.needed");
    let used = delete(Some(&etag)).await.problem(409);
    assert_eq!((&used["code"], &used["used_by"][0]["workflow_id"]), (&json!("rule.used"), &json!("pinned")));
    let workflow = author.get("workflows/pinned").await.json(200)["etag"].as_str().unwrap().to_owned();
    author.send(Method::DELETE, "workflows/pinned", |r| r.header("if-match", workflow)).await;
    assert_eq!(delete(Some(&etag)).await.status, 204);
    assert_eq!(author.get("rules/large").await.status, 404);
    // What is written again goes on from where it was.
    assert_eq!(author.post("rules", rule(5)).await.json(201)["version"], 2);

    let tried = author
        .post(
            "rules/try",
            json!({ "document": rule(100), "given": { "payload": { "order": { "total": 5 } } } }),
        )
        .await
        .json(200);
    assert_eq!(
        (&tried["result"], &tried["reason"]),
        (&json!(false), &json!("order.total is 5, at least 100: false"))
    );
    app.stop().await;
}

#[tokio::test]
async fn a_rule_that_is_not_there_is_a_warning_and_fails_the_step_that_asks_it() {
    let app = App::start().await;
    app.publish(&asking("pinned", "")).await;
    let author = app.person("Ada Lind", &["author", "operator"]).await;
    let workflow = author.get("workflows/pinned").await.json(200);
    assert_eq!(
        (&workflow["findings"][0]["code"], &workflow["findings"][0]["pointer"]),
        (&json!("rule.missing"), &json!("/steps/0/rule_id"))
    );
    let sent = author.post("events?wait=10s", json!({ "type": "pinned" })).await.json(200);
    let run = author.run_ended(&sent["runs"][0]["execution_id"]).await;
    assert_eq!(
        run["error"],
        json!({ "step": "ask", "code": "rule.missing", "message": "There is no rule large." })
    );
    app.stop().await;
}
