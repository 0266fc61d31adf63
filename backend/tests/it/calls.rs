//! Calls of other systems: tried again, bounded, guarded, with secrets that nobody sees.

use crate::{
    app::{App, Client},
    shop::{Reply, Shop},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

fn workflow(step: &str) -> String {
    format!(
        "workflow_id: call\nname: Call\ntrigger: {{ type: event, event: call }}\nenabled: true\nsteps:\n  \
         - id: call\n    type: execute\n{step}    execute:\n      - type: webhook\n        url: '{{{{ url }}}}/orders/{{{{ id }}}}'\n        \
         headers: {{ Authorization: 'Bearer {{{{ secrets.token }}}}' }}\n        body: {{ id: '{{{{ id }}}}' }}\n        save_as: answer\n    next: done\n  \
         - {{ id: done, type: set, set: {{ seen: '{{{{ answer.ok }}}}' }} }}\n"
    )
}

async fn set_secret(app: &App) {
    let admin = app.admin().await;
    let set = admin.send(Method::PUT, "secrets/token", |r| r.json(&json!({ "value": "s3cret-value" }))).await;
    assert_eq!(set.status, 204);
    let names = admin.get("secrets").await;
    assert!(!names.text.contains("s3cret-value"));
}

async fn start(shop: &Client, url: &str) -> Value {
    let event = json!({ "type": "call", "payload": { "id": "A1", "url": url } });
    shop.post("events", event).await.json(202)["runs"][0]["execution_id"].clone()
}

async fn app_with(shop: &Shop, step: &str) -> (App, Client, Client) {
    let allow = shop.address.to_string();
    let app = App::start_with(|config| config.outbound_allow = allow.parse().unwrap()).await;
    set_secret(&app).await;
    app.publish(&workflow(step)).await;
    let (events, reader) = (app.key(&["events:write"]).await, app.person("Per Dahl", &["viewer"]).await);
    (app, events, reader)
}

#[tokio::test]
async fn a_failing_call_is_made_again_with_the_same_bytes_and_key() {
    let shop = Shop::open().await;
    let (app, events, reader) = app_with(&shop, "    retry: { max_attempts: 3, delay: 50ms }\n").await;
    shop.reply([
        Reply::Json(503, json!({})),
        Reply::Json(500, json!({})),
        Reply::Json(200, json!({ "ok": true })),
    ]);
    let run = start(&events, &format!("http://{}", shop.address)).await;
    let run = reader.run_ended(&run).await;
    assert_eq!(run["result"], "executed", "{run:#}");
    assert_eq!(run["context"]["seen"], true);
    let calls = shop.calls();
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|call| call.key == calls[0].key && call.body == json!({ "id": "A1" })));
    assert_eq!(
        (calls[0].path.as_str(), calls[0].authorization.as_str()),
        ("orders/A1", "Bearer s3cret-value")
    );
    app.stop().await;
}

#[tokio::test]
async fn no_secret_is_kept_or_shown_even_where_the_answer_repeats_it() {
    let shop = Shop::open().await;
    let (app, events, reader) = app_with(&shop, "").await;
    shop.reply([Reply::Json(200, json!({ "ok": "you said Bearer s3cret-value" }))]);
    let run = start(&events, &format!("http://{}", shop.address)).await;
    let run = reader.run_ended(&run).await;
    assert_eq!(run["context"]["seen"], "you said Bearer •••");
    assert!(!run.to_string().contains("s3cret-value"));
    let mut conn = app.running.state.pool.acquire().await.unwrap();
    for table in ["journal", "executions", "events", "audit", "secrets"] {
        let query = format!("select count(*) from {table} t where t::text like '%s3cret-value%'");
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&mut *conn).await.unwrap();
        assert_eq!(found, 0, "{table}");
    }
    drop(conn);
    app.stop().await;
}

#[tokio::test]
async fn calls_are_bounded_in_time_and_size_and_end_plainly() {
    let shop = Shop::open().await;
    let (app, events, reader) = app_with(&shop, "    timeout: 300ms\n").await;
    let url = format!("http://{}", shop.address);
    for (reply, code) in [
        (Reply::Slow(Duration::from_secs(5)), "timeout"),
        (Reply::Large(1_100_000), "answer.too_large"),
        (Reply::Json(404, json!({})), "http.404"),
        (Reply::Header(302, "location", "http://127.0.0.1:9/".into()), "outbound.private"),
        (Reply::Header(302, "location", "ftp://example.com/".into()), "redirect.bad"),
    ] {
        shop.reply([reply]);
        let run = start(&events, &url).await;
        let run = reader.run_ended(&run).await;
        assert_eq!((&run["result"], &run["error"]["code"]), (&json!("failed"), &json!(code)), "{run:#}");
    }
    app.stop().await;
}

#[tokio::test]
async fn private_addresses_are_refused_unless_allowed() {
    let shop = Shop::open().await;
    let app = App::start().await;
    set_secret(&app).await;
    app.publish(&workflow("")).await;
    let (events, reader) = (app.key(&["events:write"]).await, app.person("Per Dahl", &["viewer"]).await);
    for url in [
        format!("http://{}", shop.address),
        format!("http://localhost:{}", shop.address.port()),
        "http://169.254.169.254/latest".to_owned(),
        "http://[::1]:80".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let run = start(&events, &url).await;
        let run = reader.run_ended(&run).await;
        let code = run["error"]["code"].as_str().unwrap();
        assert!(matches!(code, "outbound.private" | "url.bad"), "{url}: {run:#}");
    }
    assert!(shop.calls().is_empty());
    app.stop().await;
}

#[tokio::test]
async fn an_outcome_that_comes_after_a_cancel_is_recorded_as_late() {
    let shop = Shop::open().await;
    let (app, events, reader) = app_with(&shop, "").await;
    shop.reply([Reply::Slow(Duration::from_millis(700))]);
    let run = start(&events, &format!("http://{}", shop.address)).await;
    let operator = app.person("Ina Berg", &["operator"]).await;
    operator.post(&format!("executions/{}/cancel", run.as_str().unwrap()), json!({})).await.json(200);
    let late = |run: &Value| run["trace"].as_array().unwrap().iter().any(|fact| fact["state"] == "late");
    let run = reader.run_when(&run, late).await;
    assert_eq!(run["result"], "cancelled");
    app.stop().await;
}

#[tokio::test]
async fn notices_reach_people_and_what_cannot_go_out_is_kept_with_the_reason() {
    let app = App::start().await;
    let ina = app.person("Ina Berg", &["operator", "sales"]).await;
    app.publish(
        "workflow_id: tell\nname: Tell\ntrigger: { type: manual }\nenabled: true\nsteps:\n  - id: tell\n    type: execute\n    \
         execute:\n      - type: notify\n        recipients: ['role:sales', 'role:nobody', 'slack:#sales', 'a@example.com']\n        message: Hello\n",
    )
    .await;
    let run = ina.post("workflows/tell/executions", json!({ "input": {} })).await.json(201);
    assert_eq!(run["result"], "executed");
    let notices = ina.get("notices").await.json(200);
    assert_eq!(notices["items"][0]["message"], "Hello");
    let read = format!("notices/{}/read", notices["items"][0]["notice_id"].as_str().unwrap());
    assert_eq!(ina.post(&read, json!({})).await.status, 204);
    assert_eq!(ina.get("notices?unread=true").await.json(200)["items"], json!([]));
    let undeliverable = ina.get("deliveries?status=undeliverable").await.json(200);
    let reasons: Vec<&str> =
        undeliverable["items"].as_array().unwrap().iter().filter_map(|d| d["reason"].as_str()).collect();
    assert_eq!(reasons, ["Mail isn't set up.", "Slack isn't set up.", "Nobody has the role nobody."]);
    app.stop().await;
}
