//! Webhooks: signed, within five minutes, each message once; and batches of events.

use crate::app::{Answer, App, Client};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

const HOOK: &str = "workflow_id: hook\nname: Hook\ntrigger: { type: webhook, filter: { field: kind, operator: neq, value: noise } }\nenabled: true\nsteps: [{ id: a, type: set, set: { got: '{{ order.id }}' } }]\n";

struct Hook {
    client: Client,
    path: String,
}

impl Hook {
    async fn of(author: &Client, base: &str) -> Self {
        let webhook = author.get("workflows/hook/webhook").await.json(200);
        let token = webhook["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        Self { client: Client::new(base, None), path: format!("hooks/{token}") }
    }

    async fn send(&self, secret: &str, id: &str, age: i64, body: &str) -> Answer {
        let at = (backend::clock::Clock::default().now().timestamp() - age).to_string();
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{id}.{at}.{body}").as_bytes());
        let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.client
            .send(Method::POST, &self.path, |r| {
                r.header("webhook-id", id)
                    .header("webhook-timestamp", at)
                    .header("webhook-signature", signature)
                    .header("content-type", "application/json")
                    .body(body.to_owned())
            })
            .await
    }
}

async fn secret(author: &Client) -> (Value, String) {
    let made = author.post("workflows/hook/webhook/secrets", json!({})).await.json(201);
    (made["secret_id"].clone(), made["value"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_signed_message_starts_a_run_once_and_others_are_refused_and_counted() {
    let app = App::start().await;
    app.publish(HOOK).await;
    let author = app.person("Ada Lind", &["author"]).await;
    let hook = Hook::of(&author, &app.base).await;
    let (_, old) = secret(&author).await;
    let body = r#"{"order":{"id":"A1"}}"#;
    let accepted = hook.send(&old, "m1", 0, body).await.json(202);
    let run = author.run_ended(&accepted["runs"][0]["execution_id"]).await;
    assert_eq!(
        (&run["context"]["got"], &run["requester"]["name"]),
        (&json!("A1"), &json!("Webhook of hook"))
    );
    let again = hook.send(&old, "m1", 10, body).await.json(202);
    assert_eq!(
        (&again["duplicate"], &again["runs"][0]["execution_id"]),
        (&json!(true), &run["execution_id"])
    );
    assert_eq!(hook.send(&old, "m1", 0, "{}").await.problem(409)["code"], "event.id_reused");
    assert_eq!(hook.send(&old, "m2", 301, body).await.problem(401)["code"], "webhook.signature");
    assert_eq!(
        hook.send("whsec_AAAA", "m3", 0, r#"{"private":"words"}"#).await.problem(401)["code"],
        "webhook.signature"
    );
    let unreadable = hook.send(&old, "m4", 0, "no json").await.problem(422);
    assert!(unreadable["detail"].as_str().unwrap().contains("isn't JSON"), "{unreadable:#}");
    assert_eq!(hook.send(&old, "m5", 0, r#"{"kind":"noise"}"#).await.json(202)["runs"], json!([]));

    let webhook = author.get("workflows/hook/webhook").await.json(200);
    assert_eq!(webhook["refused"], 2);
    assert_eq!(
        verdicts(&webhook),
        ["filtered", "unreadable", "refused", "refused", "replayed", "replayed", "taken"]
    );
    // Neither a body that was refused nor a secret is kept or shown.
    assert!(!webhook.to_string().contains(&old));
    let mut conn = app.running.state.pool.acquire().await.unwrap();
    for (table, text) in
        [("webhook_deliveries", "words"), ("webhook_secrets", &old[6..]), ("audit", &old[6..])]
    {
        let query = format!("select count(*) from {table} t where t::text like '%{text}%'");
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&mut *conn).await.unwrap();
        assert_eq!(found, 0, "{table}");
    }
    drop(conn);
    // Calls that anybody can send wash none of the others out of sight.
    for n in 0..20 {
        assert_eq!(hook.send("whsec_d3JvbmcgaXQgaXM=", &format!("w{n}"), 0, body).await.status, 401);
    }
    let webhook = author.get("workflows/hook/webhook").await.json(200);
    let seen = verdicts(&webhook);
    assert_eq!(seen.iter().filter(|verdict| **verdict == "refused").count(), 10, "{seen:?}");
    assert!(seen.contains(&"taken"), "{seen:?}");
    app.stop().await;
}

/// What came of the calls that a webhook shows, newest first.
fn verdicts(webhook: &Value) -> Vec<&str> {
    webhook["deliveries"].as_array().unwrap().iter().map(|d| d["verdict"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn two_secrets_are_live_while_they_are_rotated_and_none_after_archiving() {
    let app = App::start().await;
    app.publish(HOOK).await;
    let author = app.person("Ada Lind", &["author"]).await;
    let hook = Hook::of(&author, &app.base).await;
    let (first, old) = secret(&author).await;
    let (_, new) = secret(&author).await;
    assert_eq!(
        author.post("workflows/hook/webhook/secrets", json!({})).await.problem(409)["code"],
        "webhook.two_secrets"
    );
    let body = r#"{"order":{"id":"A1"}}"#;
    for (secret, id) in [(&old, "m1"), (&new, "m2")] {
        hook.send(secret, id, 0, body).await.json(202);
    }
    let path = format!("workflows/hook/webhook/secrets/{}", first.as_str().unwrap());
    assert_eq!(author.send(Method::DELETE, &path, |r| r).await.status, 204);
    assert_eq!(hook.send(&old, "m3", 0, body).await.status, 401);
    author.post("workflows/hook/disable", json!({})).await.json(200);
    assert_eq!(hook.send(&new, "m4", 0, body).await.problem(409)["code"], "workflow.disabled");
    assert_eq!(hook.client.post("hooks/not-a-token", json!({})).await.status, 404);
    // What is archived and made again has another address, and none of the old secrets.
    let etag = author.get("workflows/hook").await.json(200)["etag"].as_str().unwrap().to_owned();
    let deleted = author.send(Method::DELETE, "workflows/hook", |r| r.header("if-match", etag)).await;
    assert_eq!(deleted.status, 204);
    app.publish(HOOK).await;
    assert_eq!(hook.send(&new, "m5", 0, body).await.status, 404);
    assert_eq!(author.get("workflows/hook/webhook").await.json(200)["secrets"], json!([]));
    app.stop().await;
}

const GO: &str = "workflow_id: go\nname: Go\ntrigger: { type: event, event: go }\nenabled: true\nsteps: [{ id: a, type: action, action: { type: allow } }]\n";

#[tokio::test]
async fn a_batch_answers_each_event_in_its_place_and_can_be_sent_again() {
    let app = App::start().await;
    app.publish(GO).await;
    let shop = app.key(&["events:write"]).await;
    let batch = json!([
        { "type": "go", "id": "1" },
        { "type": "" , "id": "2" },
        { "type": "go", "id": "1" },
        { "type": "go", "id": "1", "payload": { "other": true } },
        { "typo": 1 },
        { "type": "approval.decided" },
        { "type": "go", "id": "3", "payload": { "n": 3 } },
    ]);
    let answer = shop.post("events/batch", batch.clone()).await.json(202);
    let items = answer["items"].as_array().unwrap();
    assert_eq!(items.len(), 7);
    assert_eq!((&items[0]["event_id"], &items[0]["duplicate"]), (&json!("1"), &json!(false)));
    assert_eq!((&items[1]["code"], &items[1]["findings"][0]["pointer"]), (&json!("field.bad"), &json!("/1")));
    assert_eq!(items[2]["duplicate"], true);
    assert_eq!(items[2]["runs"][0]["execution_id"], items[0]["runs"][0]["execution_id"]);
    assert_eq!((&items[3]["code"], &items[3]["status"]), (&json!("event.id_reused"), &json!(409)));
    assert_eq!((&items[4]["code"], &items[5]["code"]), (&json!("body.unreadable"), &json!("event.reserved")));
    assert_eq!(items[6]["runs"].as_array().unwrap().len(), 1);
    let again = shop.post("events/batch", batch).await.json(202);
    assert_eq!(
        (&again["items"][0]["duplicate"], &again["items"][6]["duplicate"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(again["items"][6]["runs"], items[6]["runs"]);

    // NDJSON; a key for the request stands for ids that the events don't have.
    let lines = "{\"type\":\"go\"}\n\nnot json\n{\"type\":\"go\",\"id\":\"9\"}\n";
    let send = || {
        shop.send(Method::POST, "events/batch", |r| {
            r.header("content-type", "application/x-ndjson").header("idempotency-key", "k").body(lines)
        })
    };
    let first = send().await.json(202);
    assert_eq!(first["items"][0]["event_id"], "k:0");
    assert_eq!(
        (&first["items"][1]["code"], &first["items"][1]["findings"][0]["pointer"]),
        (&json!("body.unreadable"), &json!("/1"))
    );
    assert_eq!(send().await.json(202)["items"][0]["duplicate"], true);

    // A character that can't be kept spoils its own event only, in either form.
    let zero = json!([{ "type": "go", "payload": { "a": "\u{0}" } }, { "type": "go", "id": "after zero" }]);
    let lines = format!("{}\n{}\n", zero[0], zero[1]);
    let ndjson =
        |r: reqwest::RequestBuilder| r.header("content-type", "application/x-ndjson").body(lines.clone());
    for answer in [
        shop.post("events/batch", zero.clone()).await.json(202),
        shop.send(Method::POST, "events/batch", ndjson).await.json(202),
    ] {
        assert_eq!(
            (&answer["items"][0]["code"], &answer["items"][1]["event_id"]),
            (&json!("field.bad"), &json!("after zero")),
            "{answer:#}"
        );
    }

    let many: Vec<Value> = (0..1000).map(|n| json!({ "type": "go", "id": format!("m{n}") })).collect();
    let answer = shop.post("events/batch", json!(many)).await.json(202);
    assert!(answer["items"].as_array().unwrap().iter().all(|item| item["runs"][0]["result"] == "allowed"));
    let more: Vec<Value> = (0..1001).map(|_| json!({ "type": "go" })).collect();
    assert_eq!(shop.post("events/batch", json!(more)).await.problem(422)["code"], "batch.too_large");
    assert_eq!(
        shop.post("events/batch", json!({ "type": "go" })).await.problem(422)["code"],
        "body.unreadable"
    );
    app.stop().await;
}

#[tokio::test]
async fn a_secret_that_could_be_guessed_is_refused() {
    let app = App::start().await;
    app.publish("workflow_id: hook\nname: H\ntrigger: { type: webhook }\nenabled: true\nsteps: [{ id: a, type: set, set: { b: 1 } }]\n").await;
    let author = app.person("An Author", &["author"]).await;
    // Counted as bytes that sign: the last has 12 behind its prefix.
    for weak in ["x", "fifteen-letters", "   fifteen-letters   ", "whsec_MTIzNDU2Nzg5MDEy"] {
        let refused =
            author.post("workflows/hook/webhook/secrets", json!({ "value": weak })).await.problem(422);
        assert!(refused["detail"].as_str().unwrap().starts_with("`value`"), "{refused}");
    }
    author.post("workflows/hook/webhook/secrets", json!({ "value": "sixteen-letters!" })).await.json(201);
    app.stop().await;
}
