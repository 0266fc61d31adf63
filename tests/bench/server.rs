//! The server under load: a process of its own, with its ordinary settings.

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::{
    env, fs,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const PASSWORD: &str = "bench-password";

pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
    pub(crate) start_ms: f64,
    token: String,
    http: reqwest::Client,
}

impl Server {
    /// Starts the server and makes a key to send events with.
    pub(crate) async fn start(database_url: &str, echo: u16) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let program = env::var("IW_BENCH_SERVER").context("IW_BENCH_SERVER; `cargo xtask bench` sets it")?;
        let http = reqwest::Client::new();
        let begun = Instant::now();
        let child = Command::new(program)
            .args(["serve", "--sample-data"])
            .env("IW_DATABASE_URL", database_url)
            .env("IW_SECRET_KEY", "a key for benches, and for nothing else")
            .env("IW_LISTEN", address.to_string())
            .env("IW_ADMIN_EMAIL", "admin@example.com")
            .env("IW_ADMIN_PASSWORD", PASSWORD)
            .env("IW_OUTBOUND_ALLOW", format!("127.0.0.1:{echo}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let mut server =
            Self { child, address, key: String::new(), start_ms: 0.0, token: String::new(), http };
        server.wait_until_ready(begun).await?;
        server.sign_in().await?;
        Ok(server)
    }

    async fn wait_until_ready(&mut self, begun: Instant) -> anyhow::Result<()> {
        let url = format!("http://{}/readyz", self.address);
        while begun.elapsed() < Duration::from_mins(1) {
            if self.http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                self.start_ms = (begun.elapsed().as_secs_f64() * 1000.0).round();
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        bail!("the server did not come up");
    }

    async fn sign_in(&mut self) -> anyhow::Result<()> {
        let login = json!({ "email": "admin@example.com", "password": PASSWORD });
        let session: Value = self.post("auth/login", &login).await?;
        session["access_token"].as_str().context("no token")?.clone_into(&mut self.token);
        let key = json!({ "name": "bench", "scopes": ["events:write"] });
        let key: Value = self.post("api-keys", &key).await?;
        key["key"].as_str().context("no key")?.clone_into(&mut self.key);
        Ok(())
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request =
            self.http.post(format!("http://{}/api/v1/{path}", self.address)).bearer_auth(&self.token);
        Ok(request.json(body).send().await?.error_for_status()?.json().await?)
    }

    /// Publishes workflows.
    pub(crate) async fn publish(&self, documents: &[&str]) -> anyhow::Result<()> {
        for document in documents {
            let url = format!("http://{}/api/v1/workflows", self.address);
            let request =
                self.http.post(url).bearer_auth(&self.token).header("content-type", "application/yaml");
            request.body((*document).to_owned()).send().await?.error_for_status()?;
        }
        Ok(())
    }

    /// The server's resident memory, in MB.
    pub(crate) fn rss_mb(&self) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kb: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok((kb / 1024.0 * 10.0).round() / 10.0)
    }

    /// Stops the server in order.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        while self.child.try_wait()?.is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
