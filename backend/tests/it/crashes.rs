//! Kill -9 at every journaled point: after a restart the run ends the same.
//!
//! The server is a process of its own; `IW_CRASH_AT=n` (compiled for tests only) ends it hard at the n-th
//! point where something was just made durable or an outcome just came in.

use crate::{
    app::{Client, eventually, fresh_database},
    shop::{Reply, Shop},
};
use serde_json::{Value, json};
use sqlx::Connection as _;
use std::{
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::Duration,
};

const ADMIN: &str = "admin-password";
const WORKFLOW: &str = "workflow_id: whole\nname: Whole\ntrigger: { type: event, event: go }\nenabled: true\nsteps:\n  \
    - { id: check, type: condition, condition: { field: n, operator: gt, value: 0 }, on_true: first }\n  \
    - { id: first, type: execute, execute: [{ type: webhook, url: 'http://SHOP/first', save_as: answer }], next: hold }\n  \
    - { id: hold, type: wait, wait: { event: go.on, match: { n: '{{ n }}' } }, next: pause }\n  \
    - { id: pause, type: wait, wait: { for: 100ms }, next: second }\n  \
    - { id: second, type: execute, execute: [{ type: webhook, url: 'http://SHOP/second' }, { type: emit_event, event: went, payload: { n: '{{ n }}' } }], next: done }\n  \
    - { id: done, type: action, action: { type: allow } }\n";

/// A run that stands in many places: a branch that calls, one that waits for a run of another workflow, which
/// waits for an event, and items that call, two at once.
const MANY: &str = "workflow_id: many\nname: Many\ntrigger: { type: event, event: many }\nenabled: true\nsteps:\n  \
    - id: all\n    type: parallel\n    next: done\n    parallel:\n      branches:\n        \
    - { id: calls, steps: [{ id: call, type: execute, execute: [{ type: webhook, url: 'http://SHOP/call' }] }] }\n        \
    - { id: runs, steps: [{ id: run, type: call, call: { workflow_id: other, input: { n: '{{ n }}' } } }] }\n        \
    - { id: each, steps: [{ id: each, type: foreach, foreach: { items: [1, 2, 3], concurrency: 2, steps: [{ id: item, type: execute, execute: [{ type: webhook, url: 'http://SHOP/item/{{ item }}' }] }] } }] }\n  \
    - { id: done, type: condition, condition: { field: steps.run.values.got, operator: eq, value: '{{ n }}' }, on_true: allow }\n  \
    - { id: allow, type: action, action: { type: allow } }\n";
const OTHER: &str = "workflow_id: other\nname: Other\ntrigger: { type: manual }\nenabled: true\nsteps:\n  \
    - { id: hold, type: wait, wait: { event: go.on, match: { n: '{{ n }}' } }, next: keep }\n  \
    - { id: keep, type: set, set: { got: '{{ n }}' } }\n";

/// The server with fault points; it has a name of its own, and is built with the feature `faults` only.
const FAULTY_SERVER: Option<&str> = option_env!("CARGO_BIN_EXE_iw-server-faults");

/// A server in a process of its own.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn spawn(database_url: &str, shop: SocketAddr, fault: Option<(&str, u32)>) -> Self {
        // A free port, given up for the server to take.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let program = FAULTY_SERVER
            .expect("there is no server with fault points: run the tests with `--features backend/faults`");
        let mut command = Command::new(program);
        command
            .arg("serve")
            .env("IW_DATABASE_URL", database_url)
            .env("IW_SECRET_KEY", "a key for tests, and for nothing else")
            .env("IW_LISTEN", address.to_string())
            .env("IW_ADMIN_EMAIL", "admin@example.com")
            .env("IW_ADMIN_PASSWORD", ADMIN)
            .env("IW_DATABASE_CONNECTIONS", "6")
            .env("IW_OUTBOUND_ALLOW", shop.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some((fault, n)) = fault {
            command.env(fault, n.to_string());
        }
        Self { child: command.spawn().unwrap(), address }
    }

    pub(crate) fn client(&self, token: Option<String>) -> Client {
        Client::new(&format!("http://{}/api/v1", self.address), token)
    }

    fn is_down(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub(crate) async fn ready(&mut self) -> bool {
        let url = format!("http://{}/readyz", self.address);
        for _ in 0..1000 {
            if self.is_down() {
                return false;
            }
            if reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the server did not come up");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) async fn admin_token(server: &Server) -> String {
    let body = json!({ "email": "admin@example.com", "password": ADMIN });
    let session = server.client(None).post("auth/login", body).await.json(200);
    session["access_token"].as_str().unwrap().to_owned()
}

/// When the awaited event comes, seen from the run that waits for it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Awaited {
    /// At once after the start, while the run makes its first call: before the wait, or just as it begins.
    Early,
    /// Once the run waits.
    Late,
}

/// A server that is started again whenever it died.
pub(crate) struct RestartingServer {
    server: Server,
    url: String,
    shop: SocketAddr,
    token: String,
    http: reqwest::Client,
    pub(crate) died: bool,
}

impl RestartingServer {
    /// Starts it with one fault.
    pub(crate) fn start(fault: (&str, u32), shop: &Shop, url: &str, token: &str) -> Self {
        Self {
            server: Server::spawn(url, shop.address, Some(fault)),
            url: url.into(),
            shop: shop.address,
            token: token.into(),
            http: reqwest::Client::new(),
            died: false,
        }
    }

    /// Whoever asks from now on.
    pub(crate) fn act_as(&mut self, token: &str) {
        token.clone_into(&mut self.token);
    }

    /// Starts it again, if it is down.
    async fn revive(&mut self) {
        while self.server.is_down() || !self.server.ready().await {
            self.died = true;
            self.server = Server::spawn(&self.url, self.shop, None);
        }
    }

    /// Sends an event until it is answered; its id makes it once.
    pub(crate) async fn send(&mut self, event: &Value) {
        self.post("events", event, "").await;
    }

    /// Posts under a key until it is answered with a success.
    pub(crate) async fn post(&mut self, path: &str, body: &Value, key: &str) {
        loop {
            self.revive().await;
            let path = format!("http://{}/api/v1/{path}", self.server.address);
            let mut request = self.http.post(path).bearer_auth(&self.token).json(body);
            if !key.is_empty() {
                request = request.header("Idempotency-Key", key);
            }
            if let Ok(answer) = request.send().await {
                let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
                if status.is_success() {
                    return;
                }
                // Another test's server may listen by now where a dead one did.
                assert!(!status.is_client_error() || self.server.is_down(), "{text}");
            }
        }
    }

    /// Whether the fault came: the server died, or says that it let something break.
    async fn is_hit(&mut self) -> bool {
        if self.died {
            return true;
        }
        let metrics = reqwest::get(format!("http://{}/metrics", self.server.address)).await.unwrap();
        metrics.text().await.unwrap().contains("iw_faults_total 1")
    }

    /// Reads something, however often the server dies over it.
    pub(crate) async fn get(&mut self, path: &str) -> Value {
        loop {
            self.revive().await;
            let path = format!("http://{}/api/v1/{path}", self.server.address);
            let answer = self.http.get(path).bearer_auth(&self.token).send().await;
            if let Ok(answer) = answer
                && let Ok(value) = answer.json().await
                && !self.server.is_down()
            {
                return value;
            }
        }
    }

    /// The run that an event started, once this holds for it.
    pub(crate) async fn run_when(&mut self, event_id: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let begun = std::time::Instant::now();
        loop {
            let list = self.get(&format!("executions?q={event_id}&limit=1")).await;
            if let Some(run) = list["items"].get(0).filter(|run| run["event_id"] == event_id)
                && holds(run)
            {
                return run.clone();
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "{event_id} stands still: {list:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// One run with one fault of the server; whether the fault came.
async fn runs_with(fault: (&str, u32), awaited: Awaited, shop: &Shop, url: &str, token: &str) -> bool {
    let mut server = RestartingServer::start(fault, shop, url, token);
    let (kind, n) = fault;
    let id = format!("go-{kind}-{awaited:?}-{n}");
    let go = json!({ "type": "go", "id": id, "payload": { "n": n } });
    let go_on = json!({ "type": "go.on", "id": format!("on-{id}"), "payload": { "n": n } });
    server.send(&go).await;
    if awaited == Awaited::Late {
        server.run_when(&id, |run| run["waits_for"][0]["step_id"] == "hold").await;
    }
    server.send(&go_on).await;
    let run = server.run_when(&id, |run| run["status"] == "ended").await;
    ended_well(&mut server, shop, &run, &format!("{awaited:?}, {kind} {n}")).await;
    server.is_hit().await
}

async fn ended_well(server: &mut RestartingServer, shop: &Shop, run: &Value, what: &str) {
    assert_eq!(run["result"], "allowed", "{what}: {run:#}");
    let id = run["execution_id"].as_str().unwrap();
    let detail = server.get(&format!("executions/{id}")).await;
    let done: Vec<String> = crate::app::trace(&detail)
        .into_iter()
        .filter(|(_, state)| state == "done")
        .map(|(step, _)| step)
        .collect();
    assert_eq!(done, ["check", "first", "hold", "pause", "second", "second", "done"], "{what}: {detail:#}");
    let keys = shop.calls().into_iter().map(|call| call.key).filter(|key| key.starts_with(id));
    let distinct: std::collections::BTreeSet<String> = keys.collect();
    assert_eq!(distinct.len(), 2, "{what}: each call has one key, however often it is made: {distinct:?}");
}

/// A database with the workflows, and an administrator's token.
async fn set(shop: &Shop) -> (String, String) {
    set_with(shop, &[WORKFLOW, OTHER, MANY]).await
}

/// A database with these workflows, and an administrator's token.
pub(crate) async fn set_with(shop: &Shop, workflows: &[&str]) -> (String, String) {
    let (url, token, _) = set_with_two(shop, workflows).await;
    (url, token)
}

/// The same with a second person, Bo, and their token.
pub(crate) async fn set_with_two(shop: &Shop, workflows: &[&str]) -> (String, String, String) {
    let url = fresh_database().await;
    let mut server = Server::spawn(&url, shop.address, None);
    assert!(server.ready().await);
    let token = admin_token(&server).await;
    let admin = server.client(Some(token.clone()));
    for text in workflows {
        let text = text.replace("SHOP", &shop.address.to_string());
        let yaml = |r: reqwest::RequestBuilder| r.header("content-type", "application/yaml").body(text);
        admin.send(reqwest::Method::POST, "workflows", yaml).await.json(201);
    }
    let bo = json!({ "email": "bo@example.com", "name": "Bo Ek", "password": "a long enough secret", "roles": ["operator"] });
    admin.post("users", bo).await.json(201);
    let login = json!({ "email": "bo@example.com", "password": "a long enough secret" });
    let session = server.client(None).post("auth/login", login).await.json(200);
    (url, token, session["access_token"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_run_ends_the_same_whichever_point_the_server_dies_at() {
    let shop = Shop::open().await;
    let (url, token) = set(&shop).await;
    for awaited in [Awaited::Early, Awaited::Late] {
        let mut n = 1;
        while runs_with(("IW_CRASH_AT", n), awaited, &shop, &url, &token).await {
            n += 1;
            assert!(n < 60, "the run has more points than are tried");
        }
        assert!(n > 10, "{awaited:?}: only {n} points were tried");
    }
}

#[tokio::test]
async fn a_run_in_many_places_ends_the_same_whichever_point_the_server_dies_at() {
    let shop = Shop::open().await;
    let (url, token) = set(&shop).await;
    let mut n = 1;
    while many_with(n, &shop, &url, &token).await {
        n += 1;
        assert!(n < 80, "the run has more points than are tried");
    }
    assert!(n > 15, "only {n} points were tried");
}

/// One run in many places, with a server that dies at one point; whether it did.
async fn many_with(n: u32, shop: &Shop, url: &str, token: &str) -> bool {
    let mut server = RestartingServer::start(("IW_CRASH_AT", n), shop, url, token);
    let id = format!("many-{n}");
    server.send(&json!({ "type": "many", "id": id, "payload": { "n": n } })).await;
    server.send(&json!({ "type": "go.on", "id": format!("on-{id}"), "payload": { "n": n } })).await;
    let run = server.run_when(&id, |run| run["status"] == "ended").await;
    assert_eq!(run["result"], "allowed", "{n}: {run:#}");
    let id = run["execution_id"].as_str().unwrap();
    let detail = server.get(&format!("executions/{id}")).await;
    let mut done: Vec<String> = crate::app::trace(&detail)
        .into_iter()
        .filter(|(_, state)| state == "done")
        .map(|(step, _)| step)
        .collect();
    done.sort();
    let expected = ["all", "allow", "call", "done", "each", "item", "item", "item", "run"];
    assert_eq!(done, expected, "{n}: {detail:#}");
    let keys = shop.calls().into_iter().map(|call| call.key).filter(|key| key.starts_with(id));
    let distinct: std::collections::BTreeSet<String> = keys.collect();
    assert_eq!(distinct.len(), 4, "{n}: each call has one key, however often it is made: {distinct:?}");
    server.died
}

/// One server calls in one branch, another goes on in the other: the first one's call isn't forgotten with it.
#[tokio::test]
async fn a_call_of_a_dead_server_is_made_again_though_another_went_on_with_the_run() {
    let shop = Shop::open().await;
    let (url, token) = set(&shop).await;
    let (mut one, mut two) =
        (Server::spawn(&url, shop.address, None), Server::spawn(&url, shop.address, None));
    assert!(one.ready().await && two.ready().await);
    let (first, second) = (one.client(Some(token.clone())), two.client(Some(token)));
    let text = format!(
        "workflow_id: both\nname: Both\ntrigger: {{ type: event, event: both }}\nenabled: true\nsteps:\n  \
         - id: both\n    type: parallel\n    parallel:\n      branches:\n        \
         - {{ id: a, steps: [{{ id: a, type: execute, execute: [{{ type: webhook, url: 'http://{0}/a' }}] }}] }}\n        \
         - {{ id: b, steps: [{{ id: hold, type: wait, wait: {{ event: b.go }}, next: b }}, {{ id: b, type: execute, execute: [{{ type: webhook, url: 'http://{0}/b' }}] }}] }}\n",
        shop.address
    );
    let yaml = |r: reqwest::RequestBuilder| r.header("content-type", "application/yaml").body(text);
    first.send(reqwest::Method::POST, "workflows", yaml).await.json(201);
    shop.reply([Reply::Slow(Duration::from_mins(1))]);
    let called = |path: &'static str| shop.calls().iter().filter(|call| call.path == path).count();
    let is_called = async |path| {
        eventually(path, || async {
            (called(path) == 1).then_some(()).ok_or_else(|| "not called".to_owned())
        })
        .await;
    };
    let run =
        first.post("events", json!({ "type": "both" })).await.json(202)["runs"][0]["execution_id"].clone();
    is_called("a").await;
    second.post("events", json!({ "type": "b.go" })).await.json(202);
    is_called("b").await;
    second.run_when(&run, |run| crate::app::trace(run).contains(&("b".into(), "done".into()))).await;
    drop(one);
    let run = second.run_ended(&run).await;
    assert_eq!(run["result"], "executed", "{run:#}");
    assert_eq!((called("a"), called("b")), (2, 1), "what was out is made again, and nothing else");
}

/// A connection that breaks under a commit leaves open whether it was written: what follows is done all the same.
#[tokio::test]
async fn a_run_ends_the_same_whichever_commits_answer_is_lost() {
    let shop = Shop::open().await;
    let (url, token) = set(&shop).await;
    let mut n = 1;
    while runs_with(("IW_LOSE_ANSWER_AT", n), Awaited::Late, &shop, &url, &token).await {
        n += 1;
        assert!(n < 40, "the run has more commits than are tried");
    }
    assert!(n > 5, "only {n} commits lost their answer");
}

#[tokio::test]
async fn without_its_database_the_server_says_so_and_goes_on_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    make_reachable(folder.path());
    let settings = embedded_postgres::Settings { data_dir: folder.path().to_path_buf(), options: Vec::new() };
    let postgres = embedded_postgres::Postgres::start(&settings).unwrap();
    let app = crate::app::App::start_on(&postgres.url("postgres"), |_| {}).await;
    app.publish("workflow_id: nap\nname: Nap\ntrigger: { type: event, event: nap }\nenabled: true\nsteps: [{ id: a, type: wait, wait: { for: 1s }, next: b }, { id: b, type: action, action: { type: allow } }]\n").await;
    let events = app.key(&["events:write"]).await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    let run = events.post("events", json!({ "type": "nap", "id": "nap" })).await.json(202)["runs"][0]["execution_id"].clone();
    postgres.stop().unwrap();
    let down = reader.get("executions").await;
    assert!(down.headers.contains_key("retry-after"));
    assert_eq!(down.problem(503)["code"], "server.no_database");
    let postgres = embedded_postgres::Postgres::start(&settings).unwrap();
    let ended = eventually("the run goes on", || async {
        let answer = reader.get(&format!("executions/{}", run.as_str().unwrap())).await;
        if answer.text.contains("\"status\":\"ended\"") { Ok(answer.json(200)) } else { Err(answer.text) }
    })
    .await;
    assert_eq!(ended["result"], "allowed");
    app.stop().await;
    postgres.stop().unwrap();
}

#[tokio::test]
async fn runs_end_though_the_servers_connections_are_cut_again_and_again() {
    const RUNS: u32 = 30;
    let shop = Shop::open().await;
    let url = fresh_database().await;
    let allow = shop.address.to_string();
    let app = crate::app::App::start_on(&url, |config| config.outbound_allow = allow.parse().unwrap()).await;
    app.publish(&WORKFLOW.replace("SHOP", &shop.address.to_string())).await;
    let events = app.key(&["events:write"]).await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    let cutting = tokio::spawn(async move {
        let mut conn = sqlx::PgConnection::connect(&url).await.unwrap();
        loop {
            sqlx::query(
                "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and application_name = 'iw-server'",
            )
            .execute(&mut conn)
            .await
            .unwrap();
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
    });
    for n in 1..=RUNS {
        for event in [
            json!({ "type": "go", "id": format!("go-{n}"), "payload": { "n": n } }),
            json!({ "type": "go.on", "id": format!("on-{n}"), "payload": { "n": n } }),
        ] {
            eventually("the event is taken", || async {
                let answer = events.post("events", event.clone()).await;
                if answer.status.is_success() { Ok(()) } else { Err(answer.text) }
            })
            .await;
        }
    }
    cutting.abort();
    eventually("every run ends", || async {
        let all = reader.get("executions?result=allowed&limit=200").await;
        let ended = all.text.matches("\"status\":\"ended\"").count();
        if ended == RUNS as usize {
            return Ok(());
        }
        // What stands still says where.
        let mut still = String::new();
        for status in ["running", "waiting"] {
            still += &reader.get(&format!("executions?status={status}&limit=200")).await.text;
        }
        Err(format!("{ended} of {RUNS}: {still}"))
    })
    .await;
    app.stop().await;
}

/// PostgreSQL may run as another user, who must be able to come to the folder.
fn make_reachable(folder: &std::path::Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}
