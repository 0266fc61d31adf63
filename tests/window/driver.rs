//! The window, driven over `WebDriver` as a person would: what is seen, clicked and typed.

use crate::wait::eventually;
use serde_json::{Value, json};
use std::{
    net::TcpListener,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// The key by which `WebDriver` names an element (W3C `WebDriver`, 11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub(crate) struct Window {
    driver: Child,
    http: reqwest::Client,
    session: String,
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
        // A page that answers no more fails its test, and holds up no other.
        let http = reqwest::Client::builder().timeout(Duration::from_mins(1)).build().unwrap();
        let wanted = json!({ "capabilities": { "alwaysMatch": { "webkitgtk:browserOptions": { "binary": app, "args": [] } } } });
        let answer = eventually("a session with the window", || async {
            let sent = http
                .post(format!("{base}/session"))
                .json(&wanted)
                .send()
                .await
                .map_err(|error| error.to_string())?;
            let answer: Value = sent.json().await.map_err(|error| error.to_string())?;
            if answer["value"]["sessionId"].is_string() { Ok(answer) } else { Err(answer.to_string()) }
        })
        .await;
        let id = answer["value"]["sessionId"].as_str().unwrap();
        Self { driver, http, session: format!("{base}/session/{id}"), data: Some(data) }
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        let sent = self.http.post(format!("{}/{path}", self.session)).json(&body).send().await;
        let answer: Value =
            sent.map_err(|error| error.to_string())?.json().await.map_err(|error| error.to_string())?;
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].clone()),
        }
    }

    /// What a script in the page gives.
    pub(crate) async fn script(&self, script: &str) -> Result<Value, String> {
        self.post("execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// What a script hands to its last argument, at some time.
    pub(crate) async fn script_async(&self, script: &str) -> Result<Value, String> {
        self.post("execute/async", json!({ "script": script, "args": [] })).await
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

    /// The text of the whole page.
    pub(crate) async fn text(&self) -> String {
        let text = self.script("return document.body.innerText").await;
        text.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Waits until the page says something.
    pub(crate) async fn says(&self, words: &str) {
        eventually(words, || async {
            let text = self.text().await;
            if text.contains(words) { Ok(()) } else { Err(text) }
        })
        .await;
    }

    /// Waits until a script in the page gives true.
    pub(crate) async fn holds(&self, condition: &str) {
        eventually(condition, || async {
            match self.script(&format!("return {condition}")).await {
                Ok(Value::Bool(true)) => Ok(()),
                other => Err(format!("{other:?} {}", self.text().await)),
            }
        })
        .await;
    }

    async fn find(&self, selector: &str) -> Result<String, String> {
        let found = self.post("element", json!({ "using": "css selector", "value": selector })).await?;
        found[ELEMENT].as_str().map(str::to_owned).ok_or_else(|| found.to_string())
    }

    /// Clicks an element, once it is there.
    pub(crate) async fn click(&self, selector: &str) {
        eventually(selector, || async {
            let id = self.find(selector).await?;
            self.post(&format!("element/{id}/click"), json!({})).await
        })
        .await;
    }

    /// Clicks the button or link that says this, once it is there.
    pub(crate) async fn click_on(&self, words: &str) {
        let script = format!(
            "const all = [...document.querySelectorAll('button:not([disabled]), a')]; \
             const it = all.find(e => e.innerText.trim().startsWith({words:?})); if (it) it.click(); return !!it;"
        );
        eventually(words, || async {
            let clicked = self.script(&script).await?;
            if clicked == json!(true) { Ok(()) } else { Err(self.text().await) }
        })
        .await;
    }

    /// Clicks the choice that is labelled so.
    pub(crate) async fn click_on_label(&self, words: &str) {
        let label =
            format!("[...document.querySelectorAll('label')].find(l => l.innerText.trim() === {words:?})");
        self.holds(&format!("!!{label} && ({label}.click(), true)")).await;
    }

    /// Writes into a field, over what stands there. Clearing tells the page nothing, so that a page that draws itself anew
    /// before the first key puts the old text back: then it is written again.
    pub(crate) async fn write(&self, selector: &str, text: &str) {
        eventually(selector, || async {
            let id = self.find(selector).await?;
            self.post(&format!("element/{id}/clear"), json!({})).await?;
            self.post(&format!("element/{id}/value"), json!({ "text": text })).await?;
            let written = self.script(&format!("return document.querySelector({selector:?}).value")).await?;
            if written == json!(text) { Ok(()) } else { Err(format!("{selector} holds {written}")) }
        })
        .await;
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

    /// Presses and lets go of a key.
    pub(crate) async fn press(&self, key: &str) {
        let key = code(key);
        self.act(json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }])).await;
    }

    /// Presses a key while the control key is held.
    pub(crate) async fn press_with_control(&self, key: &str) {
        let (control, key) = ("\u{e009}", code(key));
        self.act(json!([
            { "type": "keyDown", "value": control }, { "type": "keyDown", "value": key },
            { "type": "keyUp", "value": key }, { "type": "keyUp", "value": control },
        ]))
        .await;
    }

    /// Types a text, key by key, into whatever has the focus.
    pub(crate) async fn type_text(&self, text: &str) {
        for letter in text.chars() {
            self.press(&letter.to_string()).await;
        }
    }

    /// Moves the focus on.
    pub(crate) async fn press_tab(&self) {
        self.press("Tab").await;
    }

    /// Presses a key until something holds: a card that just appeared takes none.
    pub(crate) async fn press_until(&self, key: &str, condition: &str) {
        eventually(condition, || async {
            if self.script(&format!("return {condition}")).await? == json!(true) {
                return Ok(());
            }
            self.press(key).await;
            Err(self.text().await)
        })
        .await;
    }

    async fn act(&self, actions: Value) {
        let keys = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] });
        self.post("actions", keys).await.unwrap();
    }
}

/// A key as `WebDriver` names it (W3C `WebDriver`, 15.4.2).
fn code(key: &str) -> &str {
    match key {
        "Tab" => "\u{e004}",
        "Enter" => "\u{e007}",
        "Escape" => "\u{e00c}",
        key => key,
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // The driver ends the app as it ends a session.
        let url = self.session.clone();
        let ended = std::thread::spawn(move || {
            Command::new("curl").args(["-s", "-m", "10", "-X", "DELETE", &url]).stdout(Stdio::null()).status()
        });
        drop(ended.join());
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
