//! Tokens of OAuth 2.0: asked for once by many, renewed once where they aren't taken, and never seen.

use super::{app_for, set_secret};
use crate::shop::{Reply, Shop};
use serde_json::{Value, json};

const WORKFLOW: &str = "workflow_id: support\nname: Support\ntrigger: { type: event, event: support }\nenabled: true\nsteps:\n  \
    - { id: a, type: execute, RETRY execute: [{ type: connector, connector: erp.get, input: {}, save_as: got }] }\n";

fn erp(shop: &Shop, client_auth: &str) -> Value {
    json!({
        "name": "erp", "kind": "http", "settings": { "base_url": format!("http://{}/erp", shop.address) },
        "auth": {
            "type": "oauth2_client_credentials", "token_url": format!("http://{}/token", shop.address),
            "client_id": "iw client", "secret": "erp_secret", "scopes": ["read", "write"], "client_auth": client_auth,
        },
        "operations": [{ "id": "get", "path": "/things" }],
    })
}

fn token(text: &str, life: u64) -> Reply {
    Reply::Json(200, json!({ "access_token": text, "token_type": "Bearer", "expires_in": life }))
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_renewed_once_where_it_is_not_taken() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = app.admin().await;
    set_secret(&admin, "erp_secret", "s3cret/of the erp").await;
    admin.post("connectors", erp(&shop, "header")).await.json(201);
    app.publish(&WORKFLOW.replace("RETRY", "")).await;
    shop.reply([token("first-token-1", 3600)]);
    let run = super::run_of(&admin, json!({})).await;
    assert_eq!(run["result"], "executed", "{run:#}");
    shop.reply([Reply::Json(200, json!({ "you": "first-token-1" }))]);
    let run = super::run_of(&admin, json!({})).await;
    assert_eq!(run["context"]["got"], json!({ "you": "•••" }), "{run:#}");
    // It was taken away: asked for anew, and the call made again under its key.
    shop.reply([
        Reply::Json(401, json!({})),
        token("second-token-2", 3600),
        Reply::Json(200, json!({ "ok": 1 })),
    ]);
    let run = super::run_of(&admin, json!({})).await;
    assert_eq!(run["context"]["got"], json!({ "ok": 1 }), "{run:#}");
    let calls = shop.calls();
    let paths: Vec<&str> = calls.iter().map(|call| call.path.as_str()).collect();
    assert_eq!(paths, ["token", "erp/things", "erp/things", "erp/things", "token", "erp/things"]);
    assert_eq!(calls[0].body, json!("grant_type=client_credentials&scope=read+write"));
    // "iw+client:s3cret%2Fof+the+erp"
    assert_eq!(calls[0].authorization, "Basic aXcrY2xpZW50OnMzY3JldCUyRm9mK3RoZStlcnA=");
    assert!(calls[0].key.is_empty());
    assert_eq!(calls[3].key, calls[5].key);
    assert_eq!(calls[5].authorization, "Bearer second-token-2");
    // A second refusal is the answer.
    shop.reply([Reply::Json(401, json!({})), token("third-token-3", 3600), Reply::Json(401, json!({}))]);
    let run = super::run_of(&admin, json!({})).await;
    assert_eq!(run["error"]["code"], "http.401", "{run:#}");
    app.stop().await;
}

#[tokio::test]
async fn many_calls_at_once_share_one_token() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = app.admin().await;
    set_secret(&admin, "erp_secret", "s3cret/of the erp").await;
    admin.post("connectors", erp(&shop, "body")).await.json(201);
    app.publish(&WORKFLOW.replace("RETRY", "")).await;
    shop.reply([token("shared-token-1", 3600)]);
    let events = app.key(&["events:write"]).await;
    let many: Vec<Value> = (0..50).map(|n| json!({ "type": "support", "id": format!("s{n}") })).collect();
    let sent = events.post("events/batch", json!(many)).await;
    let sent = if sent.status == 404 { events.post("events", json!(many)).await } else { sent };
    assert_eq!(sent.status, 202, "{}", sent.text);
    let seen = || async {
        let calls = shop.calls();
        if calls.len() >= 51 { Ok(calls) } else { Err(format!("{} calls", calls.len())) }
    };
    let calls = crate::app::eventually("all runs have called", seen).await;
    assert_eq!(calls.iter().filter(|call| call.path == "token").count(), 1);
    let body = calls[0].body.as_str().unwrap();
    assert!(body.ends_with("&client_id=iw+client&client_secret=s3cret%2Fof+the+erp"), "{body}");
    app.stop().await;
}

#[tokio::test]
async fn a_token_endpoint_that_fails_is_the_reason_of_the_step() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = app.admin().await;
    set_secret(&admin, "erp_secret", "s3cret/of the erp").await;
    admin.post("connectors", erp(&shop, "header")).await.json(201);
    app.publish(&WORKFLOW.replace("RETRY", "retry: { max_attempts: 2, delay: 10ms },")).await;
    for (replies, code, said) in [
        (
            vec![Reply::Json(500, json!({})), Reply::Json(500, json!({}))],
            "connection",
            "No token: 127.0.0.1 answered 500",
        ),
        (
            vec![Reply::Json(400, json!({ "error": "invalid_client" }))],
            "connector.auth",
            "it answered 400 (invalid_client)",
        ),
        (vec![Reply::Json(200, json!({ "token": "x" }))], "connector.auth", "has no `access_token`"),
    ] {
        shop.reply(replies);
        let run = super::run_of(&admin, json!({})).await;
        assert_eq!(run["error"]["code"], code, "{run:#}");
        assert!(run["error"]["message"].as_str().unwrap().contains(said), "{run:#}");
    }
    // A try that failed for want of a token is made again as a retry.
    shop.reply([Reply::Json(503, json!({})), token("late-token-1", 1), Reply::Json(200, json!({ "ok": 1 }))]);
    let run = super::run_of(&admin, json!({})).await;
    assert_eq!(run["context"]["got"], json!({ "ok": 1 }), "{run:#}");
    app.stop().await;
}
