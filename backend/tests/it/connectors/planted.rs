//! Secrets that are planted in every way of letting calls in are found nowhere in the database or the log, whatever the systems send back.

use super::{app_for, set_secret};
use crate::{
    masking::capture_logs,
    shop::{Reply, Shop},
};
use serde_json::{Value, json};

const PLANTED: [(&str, &str); 5] = [
    ("bearer_key", "planted-bearer-8f3a"),
    ("basic_key", "planted-basic-41cc"),
    ("header_key", "planted-header-77de"),
    ("query_key", "planted-query-09bb"),
    ("client_key", "planted-client-5e21"),
];
const TOKEN: &str = "planted-token-c0de";

fn connector(shop: &Shop, name: &str, auth: &Value) -> Value {
    json!({
        "name": name, "kind": "http", "settings": { "base_url": format!("http://{}", shop.address) }, "auth": auth,
        "operations": [
            { "id": "read", "path": "/read" }, { "id": "make", "method": "POST", "path": "/make", "body": "{{ body }}" },
        ],
        "entities": { name: { "create": "make" } },
        "loads": { format!("{name}.read"): { "operation": "read", "max_age": "5m" } },
    })
}

fn workflow(name: &str) -> String {
    format!(
        "workflow_id: {name}\nname: N\ntrigger: {{ type: event, event: {name} }}\nenabled: true\ncontext: {{ load: [{name}.read] }}\nsteps:\n  \
         - {{ id: read, type: execute, execute: [{{ type: connector, connector: {name}.read, save_as: got }}], next: make, on_error: make }}\n  \
         - {{ id: make, type: execute, execute: [{{ type: create_record, entity: {name}, data: {{ said: '{{{{ got }}}}' }} }}] }}\n"
    )
}

#[tokio::test]
async fn no_column_of_the_database_and_no_log_holds_what_lets_us_in() {
    let logs = capture_logs();
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = app.admin().await;
    for (name, value) in PLANTED {
        set_secret(&admin, name, value).await;
    }
    let client = |client_auth: &str| {
        json!({
            "type": "oauth2_client_credentials", "token_url": format!("http://{}/token", shop.address),
            "client_id": "iw", "secret": "client_key", "client_auth": client_auth,
        })
    };
    for (name, auth, own) in [
        ("bearer", json!({ "type": "bearer", "secret": "bearer_key" }), PLANTED[0].1),
        ("basic", json!({ "type": "basic", "username": "iw", "secret": "basic_key" }), PLANTED[1].1),
        ("header", json!({ "type": "header", "name": "X-Key", "secret": "header_key" }), PLANTED[2].1),
        ("query", json!({ "type": "query", "name": "key", "secret": "query_key" }), PLANTED[3].1),
        ("client", client("body"), PLANTED[4].1),
    ] {
        admin.post("connectors", connector(&shop, name, &auth)).await.json(201);
        app.publish(&workflow(name)).await;
        let also = if name == "client" { TOKEN } else { own };
        let echo = json!({ "id": 1, "all": [own, also], "quoted": format!("{own} and {also}"), own: { "deep": also } });
        if name == "client" {
            shop.reply([Reply::Json(200, json!({ "access_token": TOKEN, "expires_in": 3600 }))]);
        }
        shop.reply([
            Reply::Json(200, echo.clone()),
            Reply::Raw(503, vec![("x-said", own.to_owned())], own.as_bytes().to_vec()),
            Reply::Json(201, echo.clone()),
        ]);
        let sent = admin.post("events", json!({ "type": name, "payload": {} })).await.json(202);
        let run = admin.run_ended(&sent["runs"][0]["execution_id"]).await;
        assert_eq!(run["result"], "executed", "{name}: {run:#}");
        shop.reply([Reply::Json(200, echo.clone()), Reply::Json(403, echo)]);
        let tried = admin.post(&format!("connectors/{name}/operations/read/try"), json!({})).await.json(200);
        let checked = admin.post(&format!("connectors/{name}/check"), json!({})).await.json(200);
        let calls = admin.get(&format!("connectors/{name}/calls")).await.json(200);
        let shown = admin.get(&format!("connectors/{name}")).await.json(200);
        for told in [&run, &tried, &checked, &calls, &shown] {
            assert!(!told.to_string().contains("planted-"), "{name}: {told:#}");
        }
    }
    let sent = shop.calls();
    for planted in PLANTED.iter().map(|(_, value)| *value).chain([TOKEN]) {
        let went_out = sent.iter().any(|call| format!("{call:?}").contains(planted));
        // A user's password goes out in base64.
        assert!(went_out || planted == PLANTED[1].1, "{planted} was sent");
    }
    // What was counted of calls is written as the server stops.
    let url = app.database_url();
    app.stop().await;
    let found = rows_with(&url, "planted-").await;
    assert_eq!(found, Vec::<String>::new());
    let logged = logs.text();
    assert!(logged.contains("DEBUG"), "the log is that of the servers");
    let line = logged.lines().find(|line| line.contains("planted-"));
    assert_eq!(line, None);
}

/// The tables that have a row with a text in any of its columns, however it is written.
async fn rows_with(url: &str, planted: &str) -> Vec<String> {
    use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
    let mut conn = PgConnection::connect(url).await.unwrap();
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
            .fetch_all(&mut conn)
            .await
            .unwrap();
    assert!(tables.len() > 30, "{tables:?}");
    let mut found = Vec::new();
    for table in tables {
        let statement = format!("select count(*) from \"{table}\" t where t::text like '%{planted}%'");
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(&mut conn).await.unwrap();
        if rows > 0 {
            found.push(format!("{table}: {rows}"));
        }
    }
    found
}
