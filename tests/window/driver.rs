//! The window, driven over `WebDriver` as a person would: what is seen, clicked and typed.

use driving::webdriver::Session;
use serde_json::json;
use std::{
    net::TcpListener,
    ops::Deref,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
};

pub(crate) struct Window {
    /// Ended before its driver is.
    session: Option<Session>,
    driver: Child,
    /// What the app keeps; nothing once another window has taken it over.
    data: Option<tempfile::TempDir>,
}

impl Window {
    /// Opens the app.
    pub(crate) async fn open(app: &str) -> Self {
        // What an app of another test kept is none of this one's.
        Self::open_with(app, tempfile::tempdir().unwrap()).await
    }

    /// Closes the app, and opens it again with what it kept.
    pub(crate) async fn again(self, app: &str) -> Self {
        Self::open_with(app, self.close()).await
    }

    /// Closes the app; what it kept stays.
    pub(crate) fn close(mut self) -> tempfile::TempDir {
        self.data.take().unwrap()
    }

    /// Opens the app with what another one kept.
    pub(crate) async fn open_with(app: &str, data: tempfile::TempDir) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .env("XDG_DATA_HOME", data.path())
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .stdin(Stdio::null())
            // A group of its own, so that the app can be ended with it.
            .process_group(0)
            .spawn()
            .unwrap();
        let base = format!("http://127.0.0.1:{port}");
        let wanted = json!({ "capabilities": { "alwaysMatch": { "webkitgtk:browserOptions": { "binary": app, "args": [] } } } });
        let session = Session::open(&base, &wanted).await;
        Self { session: Some(session), driver, data: Some(data) }
    }

    /// Goes to a page as a link does, without loading the app anew.
    pub(crate) async fn visit(&self, path: &str) {
        let script =
            format!("history.pushState(null, '', {path:?}); dispatchEvent(new PopStateEvent('popstate'))");
        self.script(&script).await.unwrap();
        self.holds(&format!("location.pathname === {path:?}")).await;
    }

    /// Makes the window so large, and waits until the page is.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "x": 0, "y": 0, "width": width, "height": height });
        self.post("window/rect", size).await.unwrap();
        self.holds(&format!("Math.abs(innerWidth - {width}) < 4")).await;
    }

    /// Clicks the choice that is labelled so.
    pub(crate) async fn click_on_label(&self, words: &str) {
        let label =
            format!("[...document.querySelectorAll('label')].find(l => l.innerText.trim() === {words:?})");
        self.holds(&format!("!!{label} && ({label}.click(), true)")).await;
    }

    /// Takes pictures of the display in both themes, into the folder that `IW_TEST_PICTURES` names, if it names one.
    pub(crate) async fn picture(&self, name: &str) {
        let Ok(folder) = std::env::var("IW_TEST_PICTURES") else { return };
        std::fs::create_dir_all(&folder).unwrap();
        let before = self.script("return document.documentElement.dataset.theme || ''").await.unwrap();
        for theme in ["light", "dark"] {
            self.paint(theme).await;
            scrot(&std::path::Path::new(&folder).join(format!("{name}-{theme}.png"))).await;
        }
        self.paint(before.as_str().unwrap()).await;
    }

    /// Shows a theme until the next page paints its own.
    pub(crate) async fn paint(&self, theme: &str) {
        self.script(&format!("document.documentElement.dataset.theme = '{theme}'")).await.unwrap();
        // What is painted is on the display two frames later.
        let painted =
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(true)))";
        self.script_async(painted).await.unwrap();
    }
}

impl Deref for Window {
    type Target = Session;

    #[expect(clippy::unwrap_used, reason = "a window has its session until it is dropped")]
    fn deref(&self) -> &Session {
        self.session.as_ref().unwrap()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        drop(self.session.take());
        // An app that asks before it closes, or doesn't hear, would take every later start to itself.
        let group = format!("-{}", self.driver.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.driver.wait();
    }
}

/// Takes a picture of the display. `WebKit`'s own now and then never comes on a display without a screen.
async fn scrot(file: &std::path::Path) {
    let taken = tokio::process::Command::new("scrot").arg("-o").arg(file).status().await.unwrap();
    assert!(taken.success(), "scrot takes no picture for {}", file.display());
}
