//! The server, the stand-in shop, and a line between app and server that can be cut.

use crate::wait::eventually;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use std::{
    env,
    io::Write as _,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
};
use tokio::{io::copy_bidirectional, net, sync::watch};

pub const PASSWORD: &str = "sample-password";
const SECRET_KEY: &str = "a key for tests, and for nothing else";
const SHOP: &str = "http://127.0.0.1:7401";
/// An address that may be called and at which nobody listens.
pub const NOBODY: &str = "127.0.0.1:9";
const SHOP_KEY: &str = "iw_sample_shop_key";

pub struct World {
    database_url: String,
    pub address: SocketAddr,
    server: Option<Child>,
    shop: Child,
    http: reqwest::Client,
}

fn program() -> String {
    env::var("IW_TEST_SERVER").expect("IW_TEST_SERVER names the server; `cargo xtask test` builds it")
}

impl World {
    /// A server with the sample shop on a database of its own.
    pub async fn start() -> Self {
        let url =
            env::var("IW_TEST_DATABASE_URL").expect("IW_TEST_DATABASE_URL names a PostgreSQL for tests");
        let name = format!("iw_window_{}", uuid::Uuid::new_v4().simple());
        let mut admin = PgConnection::connect(&url).await.unwrap();
        admin.execute(AssertSqlSafe(format!("create database {name}"))).await.unwrap();
        let (base, _) = url.rsplit_once('/').unwrap();
        let shop = Command::new(program()).arg("sample-shop").stdin(Stdio::null()).spawn().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut world = Self {
            database_url: format!("{base}/{name}"),
            address,
            server: None,
            shop,
            http: reqwest::Client::new(),
        };
        world.server_up().await;
        world
    }

    pub async fn server_up(&mut self) {
        let server = Command::new(program())
            .args(["serve", "--sample-data"])
            .env("IW_DATABASE_URL", &self.database_url)
            .env("IW_SECRET_KEY", SECRET_KEY)
            .env("IW_LISTEN", self.address.to_string())
            .env("IW_ADMIN_PASSWORD", "admin-password")
            .env("IW_OUTBOUND_ALLOW", NOBODY)
            .stdin(Stdio::null())
            .spawn();
        self.server = Some(server.unwrap());
        let url = format!("http://{}/readyz", self.address);
        eventually("the server is ready", || async {
            let answer = self.http.get(&url).send().await.map_err(|error| error.to_string())?;
            if answer.status().is_success() { Ok(()) } else { Err(answer.status().to_string()) }
        })
        .await;
    }

    /// Kills the server, as hard as can be.
    pub fn server_down(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    fn api(&self, path: &str) -> String {
        format!("http://{}/api/v1/{path}", self.address)
    }

    /// Places an order as the shop does; the request that waits for a person, and the run.
    pub async fn order(&self, id: &str) -> (String, String) {
        self.order_of(id, "Lund Robotics").await
    }

    /// Places an order that needs nobody.
    pub async fn small_order(&self, id: &str) {
        let order = json!({ "id": id, "customer": "Lund Robotics", "total": "120.00", "currency": "EUR" });
        self.event(&json!({ "type": "order.checkout.initiated", "id": id, "payload": { "order": order } }))
            .await;
    }

    /// Places many orders that need nobody, a thousand at a time.
    pub async fn many_small_orders(&self, count: usize) {
        for from in (0..count).step_by(1000) {
            let event = |n: usize| {
                let id = format!("M-{n}");
                let order =
                    json!({ "id": id, "customer": "Lund Robotics", "total": "120.00", "currency": "EUR" });
                json!({ "type": "order.checkout.initiated", "id": id, "payload": { "order": order } })
            };
            let events: Vec<Value> = (from..count.min(from + 1000)).map(event).collect();
            let request = self.http.post(self.api("events/batch")).header("x-api-key", SHOP_KEY);
            let sent = request.json(&events).send().await.unwrap();
            assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
        }
    }

    /// Places an order of a customer.
    pub async fn order_of(&self, id: &str, customer: &str) -> (String, String) {
        let order = json!({ "id": id, "customer": customer, "total": "12400.10", "currency": "EUR" });
        let event = json!({ "type": "order.checkout.initiated", "id": id, "payload": { "order": order } });
        let answer = self.event(&event).await;
        let text =
            |key: &str| answer["runs"][0][key].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        (text("approval_id"), text("execution_id"))
    }

    /// Sends an event as the shop does, and waits until its runs have settled.
    pub async fn event(&self, event: &Value) -> Value {
        let request = self.http.post(self.api("events?wait=5s")).header("x-api-key", SHOP_KEY);
        request.json(event).send().await.unwrap().json().await.unwrap()
    }

    /// Reads something as somebody.
    pub async fn read(&self, token: &str, path: &str) -> Value {
        self.http.get(self.api(path)).bearer_auth(token).send().await.unwrap().json().await.unwrap()
    }

    /// Sends something as somebody.
    pub async fn send(&self, token: &str, path: &str, body: &Value) {
        let sent = self.http.post(self.api(path)).bearer_auth(token).json(body).send().await.unwrap();
        assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
    }

    /// Runs a command of the server with something on its standard input.
    pub fn command(&self, arguments: &[&str], input: &str) {
        let mut command = Command::new(program())
            .args(arguments)
            .env("IW_DATABASE_URL", &self.database_url)
            .env("IW_SECRET_KEY", SECRET_KEY)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        command.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        assert!(command.wait().unwrap().success(), "{arguments:?}");
    }

    /// A run's trace as a tree.
    pub async fn tree(&self, token: &str, run: &str) -> Value {
        self.read(token, &format!("executions/{run}/tree")).await
    }

    pub async fn token(&self, email: &str) -> String {
        self.token_with(email, PASSWORD).await
    }

    /// The access token of somebody with a password of their own.
    pub async fn token_with(&self, email: &str, password: &str) -> String {
        let body = json!({ "email": email, "password": password });
        let sent = self.http.post(self.api("auth/login")).json(&body).send().await.unwrap();
        let session: Value = sent.json().await.unwrap();
        session["access_token"].as_str().unwrap_or_else(|| panic!("{session}")).to_owned()
    }

    pub async fn decide(&self, token: &str, approval: &str, decision: Value) {
        let path = self.api(&format!("approvals/{approval}/decisions"));
        let sent = self.http.post(path).bearer_auth(token).json(&decision).send().await.unwrap();
        assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
    }

    /// Adds a workflow or a rule.
    pub async fn add_document(&self, token: &str, kind: &str, document: &str) {
        let post =
            self.http.post(self.api(kind)).bearer_auth(token).header("content-type", "application/yaml");
        let sent = post.body(document.to_owned()).send().await.unwrap();
        assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
    }

    /// Publishes a revision of a workflow over the one with this tag.
    pub async fn publish(&self, token: &str, id: &str, document: &str, over: &str) {
        let put =
            self.http.put(self.api(&format!("workflows/{id}"))).bearer_auth(token).header("if-match", over);
        let sent =
            put.header("content-type", "application/yaml").body(document.to_owned()).send().await.unwrap();
        assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
    }

    /// A request, once its status is this.
    pub async fn approval_is(&self, token: &str, approval: &str, status: &str) -> Value {
        eventually(status, || async {
            let sent =
                self.http.get(self.api(&format!("approvals/{approval}"))).bearer_auth(token).send().await;
            let answer: Value =
                sent.map_err(|error| error.to_string())?.json().await.map_err(|e| e.to_string())?;
            if answer["status"] == status { Ok(answer) } else { Err(answer.to_string()) }
        })
        .await
    }

    /// Waits until the shop was told something.
    pub async fn shop_was_told(&self, path: &str) {
        eventually(path, || async {
            let sent =
                self.http.get(format!("{SHOP}/calls")).send().await.map_err(|error| error.to_string())?;
            let calls: Value = sent.json().await.map_err(|error| error.to_string())?;
            let told = calls.as_array().unwrap().iter().any(|call| call["path"] == path);
            if told { Ok(()) } else { Err(calls.to_string()) }
        })
        .await;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.server_down();
        let _ = self.shop.kill();
        let _ = self.shop.wait();
    }
}

/// A line between the app and the server that can be cut and mended.
pub struct FaultyProxy {
    pub address: SocketAddr,
    state: watch::Sender<WireState>,
}

#[derive(Clone, Copy, PartialEq)]
enum WireState {
    Whole,
    /// Nobody can connect, and who was is not any more.
    Cut,
    /// Whoever connects can, and hears nothing.
    Stuck,
}

impl FaultyProxy {
    pub async fn lay(to: SocketAddr) -> Self {
        let listener = net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, seen) = watch::channel(WireState::Whole);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, to, seen.clone()));
            }
        });
        Self { address, state }
    }

    pub fn cut(&self) {
        self.state.send_replace(WireState::Cut);
    }

    pub fn stick(&self) {
        self.state.send_replace(WireState::Stuck);
    }

    pub fn mend(&self) {
        self.state.send_replace(WireState::Whole);
    }
}

/// Carries a connection as long as the wire is whole; one that got stuck ends when the wire changes again.
async fn carry(mut near: net::TcpStream, to: SocketAddr, mut state: watch::Receiver<WireState>) {
    if *state.borrow() == WireState::Cut {
        return;
    }
    let Ok(mut far) = net::TcpStream::connect(to).await else { return };
    if *state.borrow() == WireState::Whole {
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => return,
            _ = state.wait_for(|state| *state != WireState::Whole) => {}
        }
    }
    // An error means that the test is over.
    let _ = state.wait_for(|state| *state != WireState::Stuck).await;
}
