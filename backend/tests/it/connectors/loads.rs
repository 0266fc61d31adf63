//! What workflows load before their first step: from which system, how old, and how many calls it takes.

use super::{app_for, put, set_secret};
use crate::{
    app::{App, Client, eventually, fresh_database, trace},
    moved_time::Ahead,
    shop::{Reply, Shop},
};
use backend::clock::Clock;
use chrono::Duration;
use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Notify;

const WORKFLOW: &str = "workflow_id: loads\nname: Loads\ntrigger: { type: event, event: loads }\nenabled: true\n\
    context: { load: [LOADS] }\nsubject: 'Order of {{ customer.name }}'\nsteps:\n  \
    - { id: tell, type: action, action: { type: allow, reason: '{{ customer.name }} is {{ customer.tier }}' } }\n";

fn crm(shop: &Shop) -> Value {
    json!({
        "name": "crm", "kind": "http", "settings": { "base_url": format!("http://{}/crm", shop.address) },
        "auth": { "type": "bearer", "secret": "crm_token" },
        "operations": [{ "id": "get", "path": "/customers/{id}", "output": "/customer" }],
        "loads": {
            "customer.profile": {
                "operation": "get", "input": { "id": "{{ customer.id }}" }, "retry": { "max_attempts": 2, "delay": "1s" },
            },
            "customer.score": { "operation": "get", "input": { "id": "score" }, "retry": { "max_attempts": 1 } },
        },
    })
}

fn profile(tier: &str) -> Reply {
    Reply::Json(200, json!({ "customer": { "name": "Ada Lind", "tier": tier } }))
}

/// A run of somebody who says that they are gold.
async fn sent(client: &Client, customer: &str) -> Value {
    let payload = json!({ "customer": { "id": customer, "name": "Me", "tier": "gold" } });
    let sent = client.post("events", json!({ "type": "loads", "payload": payload })).await.json(202);
    sent["runs"][0]["execution_id"].clone()
}

async fn run(admin: &Client) -> Value {
    admin.run_ended(&sent(admin, "c1").await).await
}

async fn set_up(app: &App, shop: &Shop, loads: &str) -> Client {
    let admin = app.admin().await;
    set_secret(&admin, "crm_token", "t0ken-of-the-crm").await;
    admin.post("connectors", crm(shop)).await.json(201);
    app.publish(&WORKFLOW.replace("LOADS", loads)).await;
    admin
}

/// What the trace says of the loading.
fn told(run: &Value) -> Vec<String> {
    trace(run).into_iter().filter(|(step, _)| step == "$context").map(|(_, state)| state).collect()
}

fn reasons(steps: &Value) -> Vec<&str> {
    let items = steps["items"].as_array().unwrap().iter();
    items.filter(|fact| fact["step_id"] == "$context").filter_map(|fact| fact["reason"].as_str()).collect()
}

async fn steps(admin: &Client, run: &Value) -> Value {
    admin.get(&format!("executions/{}/trace", run["execution_id"].as_str().unwrap())).await.json(200)
}

#[tokio::test]
async fn what_is_loaded_wins_over_the_event_and_names_the_run() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = set_up(&app, &shop, "customer.profile, { name: order.risk }").await;
    shop.reply([Reply::Json(503, json!({})), profile("silver")]);
    let run = run(&admin).await;
    assert_eq!(
        (&run["result"], &run["reason"]),
        (&json!("allowed"), &json!("Ada Lind is silver")),
        "{run:#}"
    );
    assert_eq!(run["subject"], "Order of Ada Lind", "its list shows what was loaded");
    assert_eq!(run["context"]["event"]["customer"]["tier"], "gold");
    let calls = shop.calls();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|call| {
        call.path == "crm/customers/c1"
            && call.authorization == "Bearer t0ken-of-the-crm"
            && call.key.is_empty()
    }));
    assert!(!run.to_string().contains("t0ken-of-the-crm"));
    // The name that nobody serves is told when the workflow is saved.
    let findings = &admin.get("workflows/loads").await.json(200)["findings"];
    let found = findings.as_array().unwrap().iter().map(|f| (f["code"].clone(), f["pointer"].clone()));
    assert_eq!(found.collect::<Vec<_>>(), [(json!("context.unserved"), json!("/context/load/1"))]);
    let used = admin.get("connectors/crm").await.json(200);
    assert_eq!(used["used_by"], json!(["loads"]));
    app.stop().await;
}

#[tokio::test]
async fn a_system_that_gives_nothing_fails_the_run_unless_it_is_optional() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = set_up(&app, &shop, "customer.profile").await;
    shop.reply([Reply::Json(404, json!({}))]);
    let failed = run(&admin).await;
    assert_eq!(
        (&failed["result"], &failed["error"]["code"], &failed["error"]["message"]),
        (
            &json!("failed"),
            &json!("context.failed"),
            &json!("customer.profile could not be loaded: Answered 404.")
        )
    );
    shop.reply([Reply::Raw(200, vec![("content-type", "text/html".to_owned())], b"<p>sign in".to_vec())]);
    let page = run(&admin).await;
    assert!(page["error"]["message"].as_str().unwrap().contains("a page of HTML"), "{page:#}");
    let nobody = admin.post("events", json!({ "type": "loads", "payload": {} })).await.json(202);
    let nobody = admin.run_ended(&nobody["runs"][0]["execution_id"]).await;
    assert_eq!(nobody["error"]["code"], "context.failed", "{nobody:#}");
    let author = app.person("Ada Lind", &["author"]).await;
    let etag = author.get("workflows/loads").await.json(200)["etag"].clone();
    let text = WORKFLOW.replace("LOADS", "{ name: customer.profile, optional: true }");
    author.put_yaml("workflows/loads", &text, etag.as_str()).await.json(200);
    shop.reply([Reply::Json(404, json!({}))]);
    let left_out = run(&admin).await;
    assert_eq!((&left_out["result"], &left_out["reason"]), (&json!("allowed"), &json!("Me is gold")));
    assert_eq!(told(&left_out), ["entered", "done", "done"]);
    app.stop().await;
}

#[tokio::test]
async fn runs_that_start_at_once_and_need_the_same_make_one_call_on_each_server() {
    let shop = Shop::open().await;
    let url = fresh_database().await;
    let allow = shop.address.to_string();
    let on = || App::start_on(&url, |config| config.outbound_allow = allow.parse().unwrap());
    let (app, other) = (on().await, on().await);
    let admin = set_up(&app, &shop, "{ name: customer.profile, max_age: 5m }").await;
    let mut patient = crm(&shop);
    patient["loads"]["customer.profile"]["timeout"] = json!("2m");
    put(&admin, &patient, "\"r1\"").await.json(200);
    let there = other.signed_in("Mia Falk").await;
    let released = Arc::new(Notify::new());
    let answer = json!({ "customer": { "name": "Ada Lind", "tier": "silver" } });
    shop.reply([
        Reply::Held(Arc::clone(&released), answer.clone()),
        Reply::Held(Arc::clone(&released), answer),
    ]);
    let runs: Vec<Value> = stream::iter(0..1_000)
        .map(async |n| sent(if n % 2 == 0 { &admin } else { &there }, "c1").await)
        .buffer_unordered(40)
        .collect()
        .await;
    // All of them wait for the answer.
    let waiting = async || {
        let stats = admin.get("executions?status=running&limit=1").await.json(200);
        (stats["items"].as_array().unwrap().len() == 1).then_some(()).ok_or_else(|| stats.to_string())
    };
    eventually("they wait", waiting).await;
    let made = shop.calls().len();
    assert!(made <= 2, "{made} calls for 1,000 runs on two servers");
    let release = tokio::spawn({
        let released = Arc::clone(&released);
        async move {
            loop {
                released.notify_waiters();
                released.notify_one();
                tokio::task::yield_now().await;
            }
        }
    });
    for id in runs {
        let run = admin.run_ended(&id).await;
        assert_eq!(run["reason"], "Ada Lind is silver", "{run:#}");
    }
    release.abort();
    let made = shop.calls().len();
    assert!(made <= 2, "{made} calls for 1,000 runs on two servers");
    app.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn an_answer_is_taken_again_until_it_is_older_than_max_age_also_where_the_system_fails() {
    let shop = Shop::open().await;
    let ahead = Ahead::default();
    let allow = shop.address.to_string();
    let app =
        App::start_by_with(Clock::of(ahead.clone()), |config| config.outbound_allow = allow.parse().unwrap())
            .await;
    let admin = set_up(&app, &shop, "{ name: customer.profile, max_age: 5m }").await;
    app.publish(
        &WORKFLOW
            .replace("LOADS", "{ name: customer.profile, max_age: 30s }")
            .replace(": loads\n", ": strict\n")
            .replace("event: loads", "event: strict"),
    )
    .await;
    shop.reply([profile("silver")]);
    let first = run(&admin).await;
    assert_eq!(first["reason"], "Ada Lind is silver");
    ahead.by(Duration::seconds(61));
    // Who takes none that old asks anew, and the system is down.
    shop.reply([Reply::Json(404, json!({}))]);
    let payload = json!({ "customer": { "id": "c1" } });
    let strict = admin.post("events", json!({ "type": "strict", "payload": payload })).await.json(202);
    let strict = admin.run_ended(&strict["runs"][0]["execution_id"]).await;
    assert_eq!(strict["error"]["code"], "context.failed", "{strict:#}");
    // A failed refresh takes nothing from those who take the older one.
    let second = run(&admin).await;
    assert_eq!(second["reason"], "Ada Lind is silver");
    let steps = steps(&admin, &second).await;
    assert!(
        reasons(&steps)
            .iter()
            .any(|reason| reason.starts_with("customer.profile from crm.get (revision 1), 1\u{a0}min")),
        "{steps:#}"
    );
    assert_eq!(shop.calls().len(), 2);
    ahead.by(Duration::seconds(240));
    shop.reply([Reply::Json(404, json!({}))]);
    assert_eq!(run(&admin).await["error"]["code"], "context.failed", "never older");
    // Another input is another answer; a purge and a new revision forget.
    shop.reply([profile("gold"), profile("iron"), profile("tin"), profile("lead")]);
    let tier = async |run: Value| run["context"]["customer"]["tier"].as_str().unwrap_or_default().to_owned();
    assert_eq!(tier(run(&admin).await).await, "gold");
    assert_eq!(tier(run(&admin).await).await, "gold");
    let id = sent(&admin, "c2").await;
    assert_eq!(tier(admin.run_ended(&id).await).await, "iron");
    let purged = admin.send(Method::POST, "connectors/crm/purge", |r| r).await;
    assert_eq!(purged.status, 204);
    assert_eq!(tier(run(&admin).await).await, "tin");
    let etag = admin.get("connectors/crm").await.json(200)["etag"].as_str().unwrap().to_owned();
    put(&admin, &crm(&shop), &etag).await.json(200);
    assert_eq!(tier(run(&admin).await).await, "lead");
    assert_eq!(shop.calls().len(), 7);
    app.stop().await;
}

#[tokio::test]
async fn a_name_is_served_by_one_connector_and_what_uses_it_is_told() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = set_up(&app, &shop, "customer.profile").await;
    let mut second = crm(&shop);
    second["name"] = json!("second");
    let refused = admin.post("connectors", second).await.problem(422);
    assert_eq!(refused["findings"][0]["pointer"], "/loads/customer.profile", "{refused:#}");
    let mut changed = crm(&shop);
    changed["operations"][0]["path"] = json!("/people/{id}");
    let preview = admin.post("connectors/crm/preview", changed).await.json(200);
    assert_eq!(preview["used_by"], json!([{ "operation": "get", "workflow_id": "loads" }]));
    let kept = admin.send(Method::DELETE, "connectors/crm", |r| r).await.problem(409);
    assert_eq!(kept["used_by"], json!(["loads"]));
    let posts = json!({
        "name": "posts", "kind": "http", "settings": { "base_url": "https://posts.example.com" },
        "operations": [{ "id": "search", "method": "POST", "path": "/search" }],
        "loads": { "posts.found": { "operation": "search" } },
    });
    let made = admin.post("connectors", posts).await.json(201);
    assert_eq!(made["findings"][0]["code"], "connector.load_unsafe", "{made:#}");
    let operator = app.person("Bo Ek", &["operator"]).await;
    let purge = operator.send(Method::POST, "connectors/crm/purge", |r| r).await;
    assert_eq!(purge.status, 403);
    let gone = admin.send(Method::POST, "connectors/nothing/purge", |r| r).await;
    assert_eq!(gone.status, 404);
    app.stop().await;
}
