//! A server of its own for each test, on a database of its own, and clients of it.

use crate::left_behind;
use backend::{
    auth::seal::SecretKey,
    clock::Clock,
    config::{Config, Database},
    embedded::MIGRATIONS,
    role::Role,
    serve::{self, Running, StartOptions},
    setup,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shared_types::ids::{UserId, WorkspaceId};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use std::{future::Future, path::PathBuf, time::Duration};
use tokio::sync::OnceCell;

/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(20);

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

pub(crate) fn server_url() -> String {
    std::env::var("IW_TEST_DATABASE_URL")
        .expect("IW_TEST_DATABASE_URL names a PostgreSQL for tests; `cargo xtask test` starts one")
}

fn on_server(database: &str) -> String {
    let url = server_url();
    let (base, _) = url.rsplit_once('/').unwrap();
    format!("{base}/{database}")
}

/// A fresh database with the schema.
pub(crate) async fn fresh_database() -> String {
    let template = TEMPLATE
        .get_or_init(|| async {
            let template = format!("iw_template_{}", uuid::Uuid::new_v4().simple());
            let mut admin = PgConnection::connect(&server_url()).await.unwrap();
            admin.execute(AssertSqlSafe(format!("create database {template}"))).await.unwrap();
            let mut conn = PgConnection::connect(&on_server(&template)).await.unwrap();
            MIGRATIONS.run(&mut conn).await.unwrap();
            conn.close().await.unwrap();
            template
        })
        .await;
    let name = format!("iw_{}", uuid::Uuid::new_v4().simple());
    let mut admin = PgConnection::connect(&server_url()).await.unwrap();
    admin.execute(AssertSqlSafe(format!("create database {name} template {template}"))).await.unwrap();
    on_server(&name)
}

/// A database as a dump has it: schema, data and all.
pub(crate) async fn database_from(dump: &str) -> String {
    let name = format!("iw_{}", uuid::Uuid::new_v4().simple());
    let mut admin = PgConnection::connect(&server_url()).await.unwrap();
    admin.execute(AssertSqlSafe(format!("create database {name}"))).await.unwrap();
    let mut conn = PgConnection::connect(&on_server(&name)).await.unwrap();
    conn.execute(AssertSqlSafe(dump.to_owned())).await.unwrap();
    on_server(&name)
}

/// A fresh database as it was after a migration, and what brings it on from there.
pub(crate) async fn database_of(version: i64) -> (String, Vec<String>) {
    let name = format!("iw_{}", uuid::Uuid::new_v4().simple());
    let mut admin = PgConnection::connect(&server_url()).await.unwrap();
    admin.execute(AssertSqlSafe(format!("create database {name}"))).await.unwrap();
    let mut conn = PgConnection::connect(&on_server(&name)).await.unwrap();
    let mut later = Vec::new();
    for migration in MIGRATIONS.iter() {
        let sql = migration.sql.as_str().to_owned();
        if migration.version <= version {
            conn.execute(AssertSqlSafe(sql)).await.unwrap();
        } else {
            later.push(sql);
        }
    }
    (on_server(&name), later)
}

pub(crate) fn config(database_url: &str) -> Config {
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        public_url: "http://localhost".into(),
        trusted_proxies: "".parse().unwrap(),
        data_dir: PathBuf::new(),
        database: Database::Named(database_url.into()),
        connections: 8,
        key: SecretKey::of_text("a key for tests, and for nothing else"),
        admin_email: "admin@example.com".into(),
        admin_password: Some("admin-password".into()),
        outbound_allow: "127.0.0.1:1".parse().unwrap(),
        metrics_token: None,
        smtp_url: None,
        mail_from: "workflows@example.com".into(),
        limits: shared_types::machine::Limits::default(),
    }
}

/// A server under test.
pub(crate) struct App {
    pub(crate) running: Running,
    pub(crate) workspace: WorkspaceId,
    pub(crate) base: String,
    database_url: String,
}

impl App {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let database_url = fresh_database().await;
        Self::start_on(&database_url, change).await
    }

    pub(crate) async fn start_on(database_url: &str, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_as(Role::All, database_url, change).await
    }

    pub(crate) async fn start_as(role: Role, database_url: &str, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_with_options(StartOptions::from(role), database_url, change).await
    }

    /// A server on a fresh database whose time is told by this clock.
    pub(crate) async fn start_by(clock: Clock) -> Self {
        Self::start_by_with(clock, |_| {}).await
    }

    pub(crate) async fn start_by_with(clock: Clock, change: impl FnOnce(&mut Config)) -> Self {
        let options = StartOptions { clock, ..StartOptions::default() };
        Self::start_with_options(options, &fresh_database().await, change).await
    }

    pub(crate) async fn start_with_options(
        options: StartOptions,
        database_url: &str,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = config(database_url);
        change(&mut config);
        let running = serve::start(&config, options).await.unwrap();
        let base = format!("http://{}/api/v1", running.address);
        let mut conn = running.state.pool.acquire().await.unwrap();
        let workspace =
            setup::ensure_workspace(&mut conn, &running.state.clock, setup::FIRST_WORKSPACE).await.unwrap();
        drop(conn);
        Self { running, workspace, base, database_url: database_url.to_owned() }
    }

    pub(crate) fn database_url(&self) -> String {
        self.database_url.clone()
    }

    /// Stops the server, and looks that it leaves nothing behind.
    pub(crate) async fn stop(self) {
        self.running.shut_down().await.unwrap();
        left_behind::check(&self.database_url).await;
    }

    /// A person with these roles, signed in.
    pub(crate) async fn person(&self, name: &str, roles: &[&str]) -> Client {
        self.person_in(self.workspace, name, roles).await
    }

    pub(crate) async fn person_in(&self, workspace: WorkspaceId, name: &str, roles: &[&str]) -> Client {
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        let user = self.add(workspace, &email, name, &roles).await;
        let token = self.running.state.tokens.sign(user, workspace, self.running.state.clock.now()).unwrap();
        Client::new(&self.base, Some(token))
    }

    async fn add(&self, workspace: WorkspaceId, email: &str, name: &str, roles: &[String]) -> UserId {
        use backend::store::people::{Account, insert_account, insert_membership};
        let mut conn = self.running.state.pool.acquire().await.unwrap();
        let clock = &self.running.state.clock;
        let (user_id, at) = (UserId(clock.new_id()), clock.now());
        let account = Account { user_id, email: email.into(), name: name.into(), password_hash: None };
        insert_account(&mut conn, &account, at).await.unwrap();
        insert_membership(&mut conn, workspace, user_id, roles, at).await.unwrap();
        user_id
    }

    /// A person who is there already, signed in again: a token lasts a while only.
    pub(crate) async fn signed_in(&self, name: &str) -> Client {
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
        let state = &self.running.state;
        let mut conn = state.pool.acquire().await.unwrap();
        let account = backend::store::people::find_account(&mut conn, &email).await.unwrap().unwrap();
        let token = state.tokens.sign(account.user_id, self.workspace, state.clock.now()).unwrap();
        Client::new(&self.base, Some(token))
    }

    pub(crate) async fn admin(&self) -> Client {
        self.person("Mia Falk", &["admin"]).await
    }

    /// An API key with these scopes.
    pub(crate) async fn key(&self, scopes: &[&str]) -> Client {
        let admin =
            self.person(&format!("Key Maker {}", scopes.join(" ").replace(':', "-")), &["admin"]).await;
        let made = admin.post("api-keys", json!({ "name": "Web shop", "scopes": scopes })).await.json(201);
        Client::new(&self.base, made["key"].as_str().map(str::to_owned))
    }

    /// Publishes a workflow that is on.
    pub(crate) async fn publish(&self, yaml: &str) {
        let name = format!("Author {}", uuid::Uuid::new_v4().simple());
        let author = self.person(&name, &["author"]).await;
        let answer = author
            .send(Method::POST, "workflows", |r| {
                r.header("content-type", "application/yaml").body(yaml.to_owned())
            })
            .await;
        let workflow = answer.json(201);
        assert_eq!(workflow["enabled"], true, "{workflow:#}");
    }
}

/// A client of a server.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    pub(crate) token: Option<String>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body, if the status is this one.
    #[track_caller]
    pub(crate) fn json(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// A problem's code, if the status is this one.
    #[track_caller]
    pub(crate) fn problem(self, status: u16) -> Value {
        assert_eq!(
            self.headers.get("content-type").and_then(|v| v.to_str().ok()),
            Some("application/problem+json"),
            "{} {}",
            self.status,
            self.text
        );
        self.json(status)
    }
}

impl Client {
    pub(crate) fn new(base: &str, token: Option<String>) -> Self {
        Self { http: reqwest::Client::new(), base: base.into(), token }
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        with: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Answer {
        let mut request = self.http.request(method, format!("{}/{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = with(request).send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, |r| r).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, |r| r.json(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, |r| r.json(&body)).await
    }

    pub(crate) async fn put_yaml(&self, path: &str, yaml: &str, if_match: Option<&str>) -> Answer {
        self.send(Method::PUT, path, |r| {
            let r = r.header("content-type", "application/yaml").body(yaml.to_owned());
            if_match.map_or_else(
                || r.try_clone().unwrap(),
                |etag| r.try_clone().unwrap().header("if-match", etag),
            )
        })
        .await
    }

    /// The run, once this holds for it.
    pub(crate) async fn run_when(&self, id: &Value, holds: impl Fn(&Value) -> bool) -> Value {
        let path = format!("executions/{}", id.as_str().unwrap());
        eventually(&path, || async {
            let run = self.get(&path).await.json(200);
            if holds(&run) { Ok(run) } else { Err(run.to_string()) }
        })
        .await
    }

    pub(crate) async fn run_ended(&self, id: &Value) -> Value {
        self.run_when(id, |run| run["status"] == "ended").await
    }
}

/// Waits until something succeeds; its last failure says what it waited for.
pub(crate) async fn eventually<T, F: Future<Output = Result<T, String>>>(
    what: &str,
    mut attempt: impl FnMut() -> F,
) -> T {
    let begun = std::time::Instant::now();
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(last) if begun.elapsed() > PATIENCE => panic!("{what} did not come true: {last}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// The steps of a run's trace with their states, in order.
pub(crate) fn trace(run: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    run["trace"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fact| (text(&fact["step_id"]), text(&fact["state"])))
        .collect()
}
