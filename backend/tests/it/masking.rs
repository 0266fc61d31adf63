//! No secret is kept, shown or logged, in whatever encoding it comes back.

use crate::{
    app::{App, Client},
    shop::{Reply, Shop},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::{
    fmt::Write as _,
    io,
    sync::{Arc, LazyLock, Mutex},
};

const SECRETS: [(&str, &str); 3] =
    [("token", "Xq7/Vz+k?Lm~9"), ("tail", "Xq7/Vz+k?Lm~9-TAIL"), ("host", "hq-host-name")];

const WORKFLOW: &str = "workflow_id: call\nname: Call\ntrigger: { type: event, event: call }\nenabled: true\nsteps:\n  \
    - id: call\n    type: execute\n    execute:\n      - type: webhook\n        url: '{{ url }}'\n        \
    headers: { Authorization: 'Bearer {{ secrets.token }}', X-Tail: '{{ secrets.tail }}', X-Host: '{{ secrets.host }}' }\n        \
    save_as: answer\n    next: keep\n  \
    - { id: keep, type: set, set: { seen: '{{ answer }}', headers: '{{ steps.call.response.headers }}' } }\n";

/// What the server logs, for as long as the tests run.
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// All that was logged so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log of all servers of this process, from the first call on.
pub(crate) fn capture_logs() -> &'static Logs {
    static LOGS: LazyLock<Logs> = LazyLock::new(|| {
        let logs = Logs::default();
        let writer = logs.clone();
        tracing_subscriber::fmt()
            .with_env_filter(backend::telemetry::filter("debug,sqlx=info"))
            .with_writer(move || writer.clone())
            .init();
        logs
    });
    &LOGS
}

/// A secret in every encoding in which a receiver may repeat it.
fn encodings(secret: &str) -> Vec<String> {
    let escape = |upper: bool, all: bool| {
        secret.bytes().fold(String::new(), |mut out, byte| {
            match (byte.is_ascii_alphanumeric() && !all, upper) {
                (true, _) => out.push(char::from(byte)),
                (false, true) => write!(out, "%{byte:02X}").unwrap(),
                (false, false) => write!(out, "%{byte:02x}").unwrap(),
            }
            out
        })
    };
    let hex = secret.bytes().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    });
    let mut all = vec![
        secret.to_owned(),
        secret.to_uppercase(),
        secret.to_lowercase(),
        secret.chars().rev().collect(),
        hex.to_uppercase(),
        hex,
        secret.replace('/', "\\/"),
        escape(true, true),
        escape(false, true),
        escape(true, false),
        escape(false, false),
    ];
    for before in ["", "u", "us"] {
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            all.push(engine.encode(format!("{before}{secret}")));
            all.push(STANDARD.encode(format!("{before}{}", engine.encode(secret))));
        }
    }
    all
}

/// Every encoding with what must not be seen of it: base64 of a text shares the bits at its ends with its neighbours.
fn planted() -> Vec<String> {
    SECRETS.iter().flat_map(|(_, secret)| encodings(secret)).collect()
}

#[track_caller]
fn assert_unseen(place: &str, text: &str) {
    for needle in planted() {
        // A text that is shown inside of JSON has its own quotes escaped.
        let escaped = json!(needle).to_string();
        for needle in [needle.as_str(), escaped.trim_matches('"')] {
            assert!(!text.contains(needle), "{needle} is in {place}");
        }
    }
    assert!(!text.contains("-TAIL"), "-TAIL is in {place}");
}

async fn start(events: &Client, url: &str) -> Value {
    let event = json!({ "type": "call", "payload": { "url": url } });
    events.post("events", event).await.json(202)["runs"][0]["execution_id"].clone()
}

/// The text of every column that holds text, of every table.
async fn database_text(app: &App) -> Vec<(String, String)> {
    let mut conn = app.running.state.pool.acquire().await.unwrap();
    let columns: Vec<(String, String)> = sqlx::query_as(
        "select table_name::text, column_name::text from information_schema.columns \
         where table_schema = 'public' and data_type in ('text', 'character varying', 'json', 'jsonb', 'ARRAY')",
    )
    .fetch_all(&mut *conn)
    .await
    .unwrap();
    assert!(columns.len() > 40, "{columns:?}");
    let mut texts = Vec::new();
    for (table, column) in columns {
        let query = format!("select coalesce(string_agg(\"{column}\"::text, E'\\n'), '') from \"{table}\"");
        let text = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&mut *conn).await.unwrap();
        texts.push((format!("{table}.{column}"), text));
    }
    texts
}

#[tokio::test]
async fn no_encoding_of_a_secret_is_kept_shown_or_logged() {
    let logs = capture_logs();
    let shop = Shop::open().await;
    let allow = shop.address.to_string();
    let app = App::start_with(|config| config.outbound_allow = allow.parse().unwrap()).await;
    let admin = app.admin().await;
    for (name, value) in SECRETS {
        let secret = json!({ "value": value });
        let set = admin.send(Method::PUT, &format!("secrets/{name}"), |r| r.json(&secret)).await;
        assert_eq!(set.status, 204, "{}", set.text);
    }
    app.publish(WORKFLOW).await;
    let events = app.key(&["events:write"]).await;
    let all = planted();
    let keys: Map<String, Value> =
        all.iter().enumerate().map(|(n, text)| (format!("{n} {text}"), json!([text]))).collect();
    let text = all.join(" | ");
    let headers: Vec<(&'static str, String)> = all.iter().map(|text| ("x-echo", text.clone())).collect();
    let mut runs = Vec::new();
    for reply in [
        Reply::Json(200, Value::Object(keys.clone())),
        Reply::Raw(200, headers.clone(), text.clone().into_bytes()),
        Reply::Raw(
            200,
            vec![("content-type", "text/html".to_owned())],
            Value::Object(keys).to_string().into(),
        ),
        Reply::Raw(400, headers, text.into_bytes()),
    ] {
        shop.reply([reply]);
        let run = start(&events, &format!("http://{}/here", shop.address)).await;
        runs.push(admin.run_ended(&run).await);
    }
    assert_eq!(runs[0]["result"], "executed", "{:#}", runs[0]);
    assert!(runs[0].to_string().contains("•••"));
    for path in ["executions", "audit", "secrets", "workflows", "workflows/call", "deliveries", "notices"] {
        assert_unseen(path, &admin.get(path).await.text);
    }
    for run in &runs {
        assert_unseen("a run", &run.to_string());
    }
    for (place, text) in database_text(&app).await {
        assert_unseen(&place, &text);
    }
    app.stop().await;
    assert_unseen("the log", &logs.text());
}

#[tokio::test]
async fn a_failed_call_never_quotes_an_address_that_a_secret_was_put_into() {
    let app = App::start().await;
    let admin = app.admin().await;
    let secret = json!({ "value": "Hq-Host-Name" });
    admin.send(Method::PUT, "secrets/host", |r| r.json(&secret)).await;
    let events = app.key(&["events:write"]).await;
    for (n, url) in [
        "http://{{ secrets.host }}.invalid/orders",
        "http://127.0.0.1:9/{{ secrets.host }}",
        "http://{{ secrets.host }}:99999/",
        "{{ secrets.host }}://example.com",
        "{{ secrets.host }}",
        "http://[{{ secrets.host }}]/",
        "http://{{ secrets.host }}@127.0.0.1:9/",
    ]
    .iter()
    .enumerate()
    {
        app.publish(&format!(
            "workflow_id: call{n}\nname: Call\ntrigger: {{ type: event, event: call.{n} }}\nenabled: true\nsteps:\n  \
             - {{ id: call, type: execute, execute: [{{ type: http_request, url: '{url}' }}] }}\n"
        ))
        .await;
        let started = events.post("events", json!({ "type": format!("call.{n}") })).await.json(202);
        let run = admin.run_ended(&started["runs"][0]["execution_id"]).await;
        assert_eq!(run["result"], "failed", "{url}");
        assert!(!run.to_string().to_lowercase().contains("hq-host-name"), "{url}: {run:#}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_secret_has_at_least_eight_characters_and_a_shorter_one_of_before_goes_on_working() {
    let shop = Shop::open().await;
    let allow = shop.address.to_string();
    let app = App::start_with(|config| config.outbound_allow = allow.parse().unwrap()).await;
    let admin = app.admin().await;
    for (value, status) in
        [("", 422), ("1234567", 422), ("ä234567", 422), ("12345678", 204), ("ä2345678", 204)]
    {
        let secret = json!({ "value": value });
        let set = admin.send(Method::PUT, "secrets/token", |r| r.json(&secret)).await;
        assert_eq!(set.status.as_u16(), status, "{value:?}: {}", set.text);
    }
    let short = backend::auth::seal::SecretKey::of_text("a key for tests, and for nothing else");
    let short = short.seal(app.workspace, "token", "pin7");
    let mut conn = app.running.state.pool.acquire().await.unwrap();
    sqlx::query("update secrets set sealed = $1").bind(short).execute(&mut *conn).await.unwrap();
    drop(conn);
    app.publish(
        "workflow_id: call\nname: Call\ntrigger: { type: event, event: call }\nenabled: true\nsteps:\n  \
         - { id: call, type: execute, execute: [{ type: webhook, url: '{{ url }}', headers: { X-Pin: '{{ secrets.token }}' }, save_as: answer }] }\n",
    )
    .await;
    shop.reply([Reply::Json(200, json!({ "said": "pin7 and PIN7" }))]);
    let run = start(&app.key(&["events:write"]).await, &format!("http://{}/here", shop.address)).await;
    let run = admin.run_ended(&run).await;
    assert_eq!(run["context"]["answer"]["said"], "••• and •••");
    assert_eq!(shop.calls()[0].header("x-pin"), ["pin7"]);
    app.stop().await;
}
