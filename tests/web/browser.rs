//! A browser without a screen.

use driving::{wait::eventually, webdriver::Session};
use serde_json::json;
use std::{
    net::TcpListener,
    ops::Deref,
    process::{Child, Command, Stdio},
};

/// What becomes of scripts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scripts {
    /// They are switched off. Then the driver neither clicks nor reads: what is done is done by keys.
    Blocked,
    /// They run, as far as a page's policy lets them.
    Run { is_dark: bool },
}

pub(crate) struct Browser {
    /// Ended before its driver is.
    session: Option<Session>,
    driver: Child,
}

impl Browser {
    /// Opens a page of this width.
    pub(crate) async fn open(scripts: Scripts, width: u32) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut arguments = vec!["--headless=new", "--no-sandbox", "--hide-scrollbars"];
        let mut preferences = json!({});
        match scripts {
            Scripts::Blocked => {
                preferences = json!({ "profile.managed_default_content_settings.javascript": 2 });
            }
            Scripts::Run { is_dark: true } => arguments.push("--blink-settings=preferredColorScheme=0"),
            Scripts::Run { is_dark: false } => arguments.push("--blink-settings=preferredColorScheme=1"),
        }
        let screen =
            json!({ "deviceMetrics": { "width": width, "height": 800, "pixelRatio": 1, "mobile": false } });
        let options = json!({ "args": arguments, "prefs": preferences, "mobileEmulation": screen });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "browserName": "chrome", "goog:chromeOptions": options } } });
        let session = Session::open(&format!("http://127.0.0.1:{port}"), &wanted).await;
        Self { session: Some(session), driver }
    }

    /// Goes to an address.
    pub(crate) async fn go(&self, url: &str) {
        self.post("url", json!({ "url": url })).await.unwrap();
    }

    /// Presses keys in an element, once it is there.
    pub(crate) async fn keys(&self, selector: &str, keys: &str) {
        eventually(selector, || async {
            let id = self.find(selector).await?;
            self.post(&format!("element/{id}/value"), json!({ "text": keys })).await
        })
        .await;
    }

    /// Waits until an element is there.
    pub(crate) async fn shows(&self, selector: &str) {
        eventually(selector, || self.find(selector)).await;
    }
}

impl Deref for Browser {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session.as_ref().unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.session.take());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
