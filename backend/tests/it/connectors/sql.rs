//! Statements of a database: read in a read-only transaction, written with the call's key, bounded in time and rows.

use super::set_secret;
use crate::app::{App, Client, fresh_database};
use reqwest::Url;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// A database of a shop, beside the server's own.
struct Database {
    url: Url,
    conn: PgConnection,
    /// Where it is reached: the tests' server may listen at a socket of the file system alone.
    port: u16,
}

/// A port that leads to a server of databases.
async fn port_to(url: &Url) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let host = url.host_str().unwrap_or("127.0.0.1").replace("%2F", "/").replace("%2f", "/");
    let there = url.port().unwrap_or(5432);
    tokio::spawn(async move {
        while let Ok((mut here, _)) = listener.accept().await {
            let host = host.clone();
            tokio::spawn(async move {
                if host.starts_with('/') {
                    let mut there = UnixStream::connect(format!("{host}/.s.PGSQL.{there}")).await?;
                    tokio::io::copy_bidirectional(&mut here, &mut there).await
                } else {
                    let mut there = TcpStream::connect((host.as_str(), there)).await?;
                    tokio::io::copy_bidirectional(&mut here, &mut there).await
                }
            });
        }
    });
    port
}

impl Database {
    async fn open() -> Self {
        let url: Url = fresh_database().await.parse().unwrap();
        let mut conn = PgConnection::connect(url.as_str()).await.unwrap();
        let tables = "drop schema public cascade; create schema public;
            create table orders (id integer primary key, total numeric(12, 2), tags text[], note jsonb);
            insert into orders values (1, 12.50, array['a b', 'c'], '{\"vip\": true}'), (2, 99.90, '{}', null);
            create table calls (key text primary key);
            create function wipe() returns integer language sql as 'delete from orders returning id';";
        sqlx::raw_sql(tables).execute(&mut conn).await.unwrap();
        let port = port_to(&url).await;
        Self { url, conn, port }
    }

    async fn texts(&mut self, statement: &'static str) -> Vec<String> {
        sqlx::query_scalar(statement).fetch_all(&mut self.conn).await.unwrap()
    }

    fn connector(&self) -> Value {
        json!({
            "name": "shop_db", "kind": "sql",
            "settings": {
                "host": "127.0.0.1", "port": self.port, "database": self.url.path().trim_start_matches('/'),
                "tls": "off", "max_rows": 100,
            },
            "auth": { "type": "basic", "username": self.url.username(), "secret": "db_password" },
            "operations": [
                { "id": "find", "safe": true,
                  "statement": "select id, total, tags, note from orders where id = any(:ids) and total >= :least order by id -- all",
                  "input_schema": { "type": "object", "required": ["ids"], "properties": { "ids": { "type": "array", "items": { "type": "integer" } }, "least": { "type": "number" } } } },
                { "id": "add", "statement": "insert into orders (id, total, note) values (:id, :total, :note) returning id, note;" },
                { "id": "once", "statement": "insert into calls (key) values (:call_key)" },
                { "id": "many", "safe": true, "statement": "select n from generate_series(1, :n) n" },
                { "id": "large", "safe": true, "statement": "select repeat('x', 600000) as x from generate_series(1, 3)" },
                { "id": "slow", "safe": true, "statement": "select pg_sleep(60)" },
                { "id": "sneaky", "safe": true, "statement": "select wipe() as gone" },
                { "id": "named", "safe": true, "statement": "select 1 as a, null::text as answer; -- end" },
                { "id": "wide", "safe": true, "statement": "select string_agg(repeat('x', 1000), '') as x from generate_series(1, 20000)" },
                { "id": "broken", "safe": true, "statement": "select nothing from orders" },
            ],
            "loads": { "order.stored": { "operation": "find", "input": { "ids": ["{{ order.id }}"], "least": 0 } } },
        })
    }
}

const WORKFLOW: &str = "workflow_id: support\nname: Support\ntrigger: { type: event, event: support }\nenabled: true\nsteps:\n  \
    - { id: ask, type: execute, timeout: 2s, execute: [{ type: connector, connector: 'shop_db.OPERATION', input: '{{ input }}', save_as: got }] }\n";

async fn app_for(database: &Database) -> (App, Client) {
    let allow = format!("127.0.0.1:{}", database.port);
    let app = App::start_with(|config| config.outbound_allow = allow.parse().unwrap()).await;
    let admin = app.admin().await;
    set_secret(&admin, "db_password", database.url.password().unwrap_or("nobody-asks-for-it")).await;
    admin.post("connectors", database.connector()).await.json(201);
    for operation in ["find", "add", "once", "many", "large", "slow", "sneaky", "named", "wide", "broken"] {
        let text = WORKFLOW.replace("OPERATION", operation);
        app.publish(
            &text
                .replace(": support\n", &format!(": {operation}\n"))
                .replace("event: support", &format!("event: {operation}")),
        )
        .await;
    }
    (app, admin)
}

async fn run(admin: &Client, operation: &str, input: Value) -> Value {
    let sent =
        admin.post("events", json!({ "type": operation, "payload": { "input": input } })).await.json(202);
    admin.run_ended(&sent["runs"][0]["execution_id"]).await
}

#[tokio::test]
async fn statements_read_and_write_with_the_values_of_their_input() {
    let mut database = Database::open().await;
    let (app, admin) = app_for(&database).await;
    let found = run(&admin, "find", json!({ "ids": [1, 2, 7], "least": 12.5 })).await;
    assert_eq!(
        found["context"]["got"],
        json!({ "count": 2, "rows": [
            { "id": 1, "total": 12.50, "tags": ["a b", "c"], "note": { "vip": true } },
            { "id": 2, "total": 99.90, "tags": [], "note": null },
        ] }),
        "{found:#}"
    );
    let added =
        run(&admin, "add", json!({ "id": 3, "total": "7.25", "note": { "from": "it's \"us\"" } })).await;
    assert_eq!(
        added["context"]["got"]["rows"],
        json!([{ "id": 3, "note": { "from": "it's \"us\"" } }]),
        "{added:#}"
    );
    assert_eq!(database.texts("select total::text from orders where id = 3").await, ["7.25"]);
    let named = run(&admin, "named", json!({})).await;
    assert_eq!(named["context"]["got"]["rows"], json!([{ "a": 1, "answer": null }]), "{named:#}");
    let once = run(&admin, "once", json!({})).await;
    assert_eq!(once["context"]["got"], json!({ "count": 1, "rows": [] }), "{once:#}");
    let key = format!("{}:ask:1:0", once["execution_id"].as_str().unwrap());
    assert_eq!(database.texts("select key from calls").await, [key]);
    let tried = admin
        .post("connectors/shop_db/operations/find/try", json!({ "input": { "ids": [2] } }))
        .await
        .json(200);
    assert_eq!(
        tried["body"]["count"], 0,
        "what isn't given is null, and null is at least nothing: {tried:#}"
    );
    assert_eq!(tried["request"]["parameters"], json!({ "ids": [2], "least": null }));
    let checked = admin.post("connectors/shop_db/check", json!({})).await.json(200);
    assert_eq!((&checked["answers"], &checked["let_in"]), (&json!(true), &json!(true)), "{checked:#}");
    app.stop().await;
}

#[tokio::test]
async fn a_statement_is_bounded_and_one_that_reads_changes_nothing() {
    let mut database = Database::open().await;
    let (app, admin) = app_for(&database).await;
    for (operation, input, code) in [
        ("many", json!({ "n": 101 }), "sql.rows"),
        ("large", json!({}), "answer.too_large"),
        ("slow", json!({}), "timeout"),
        ("sneaky", json!({}), "sql.error"),
        ("wide", json!({}), "answer.too_large"),
        ("broken", json!({}), "sql.error"),
        ("many", json!({ "n": "many" }), "sql.error"),
        ("many", json!({ "m": 1 }), "connector.input"),
        ("add", json!({ "id": 1, "total": 1 }), "sql.error"),
        ("find", json!({ "ids": "1" }), "connector.input"),
    ] {
        let failed = run(&admin, operation, input).await;
        assert_eq!(failed["error"]["code"], code, "{operation}: {failed:#}");
    }
    let full = run(&admin, "many", json!({ "n": 100 })).await;
    assert_eq!(full["context"]["got"]["count"], 100);
    assert_eq!(database.texts("select id::text from orders order by id").await, ["1", "2"]);
    app.stop().await;
}

#[tokio::test]
async fn a_database_at_a_private_address_is_not_reached_and_a_dead_one_is_tried_again() {
    let database = Database::open().await;
    let app = App::start().await;
    let admin = app.admin().await;
    set_secret(&admin, "db_password", "nobody-asks-for-it").await;
    for host in [
        "127.0.0.1",
        "localhost",
        "::1",
        "2130706433",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "10.0.0.1",
    ] {
        let mut connector = database.connector();
        connector["settings"]["host"] = json!(host);
        connector["name"] = json!("private");
        connector["loads"] = json!({});
        admin.post("connectors", connector).await.json(201);
        let checked = admin.post("connectors/private/check", json!({})).await.json(200);
        assert_eq!(checked["answers"], false, "{host}: {checked:#}");
        let detail = checked["detail"].as_str().unwrap();
        assert!(detail.contains("private") || detail.starts_with("No connection to"), "{host}: {detail}");
        admin.send(reqwest::Method::DELETE, "connectors/private", |r| r).await;
    }
    app.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_database_is_told_by_field() {
    let database = Database::open().await;
    let app = App::start().await;
    let admin = app.admin().await;
    let with = |pointer: &str, value: Value| {
        let mut body = database.connector();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).unwrap();
        match key.parse::<usize>() {
            Ok(n) => parent[n] = value,
            Err(_) => parent[key] = value,
        }
        body
    };
    for (body, code, pointer) in [
        (with("/settings/host", json!("db.example.com/shop")), "connector.invalid", "/settings/host"),
        (with("/settings/host", json!("")), "field.bad", "/settings/host"),
        (with("/settings/port", json!(0)), "field.bad", "/settings/port"),
        (with("/settings/max_rows", json!(0)), "field.bad", "/settings/max_rows"),
        (with("/settings/tls", json!("maybe")), "body.unreadable", "/settings/tls"),
        (with("/auth", json!({ "type": "bearer", "secret": "s" })), "connector.invalid", "/auth/type"),
        (with("/operations/0/statement", json!("select 'a")), "connector.invalid", "/operations/0/statement"),
        (with("/operations/0/statement", json!("select $1")), "connector.invalid", "/operations/0/statement"),
        (
            with("/operations/0/statement", json!("select :call_key")),
            "connector.invalid",
            "/operations/0/statement",
        ),
        (
            with("/operations/0/statement", json!("select 1; select 2")),
            "connector.invalid",
            "/operations/0/statement",
        ),
        (
            with("/operations/0/statement", json!("delete from orders")),
            "connector.invalid",
            "/operations/0/statement",
        ),
        (
            with("/operations/0/statement", json!("explain select 1")),
            "connector.invalid",
            "/operations/0/statement",
        ),
        (
            with(
                "/operations/1/statement",
                json!("with a as (delete from orders returning id) select id from a"),
            ),
            "connector.invalid",
            "/operations/1/statement",
        ),
        (
            with("/loads/order.stored/operation", json!("once")),
            "connector.invalid",
            "/loads/order.stored/operation",
        ),
        (with("/operations/1/id", json!("find")), "connector.invalid", "/operations/1/id"),
        (
            with("/operations/0/input_schema", json!({ "type": "nothing" })),
            "connector.invalid",
            "/operations/0/input_schema",
        ),
        (with("/operations/0/sql", json!("select 1")), "body.unreadable", "/operations/0/sql"),
    ] {
        super::bad_descriptions::refuses(&admin, body, code, pointer).await;
    }
    app.stop().await;
}
