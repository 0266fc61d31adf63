//! A page, driven over `WebDriver` as a person would: what is seen, clicked and typed.

use crate::wait::eventually;
use serde_json::{Value, json};
use std::{
    process::{Command, Stdio},
    time::Duration,
};

/// The key by which `WebDriver` names an element (W3C `WebDriver`, 11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A session with a browser or an app.
pub struct Session {
    http: reqwest::Client,
    url: String,
}

impl Session {
    /// Opens a session at a driver's address, once the driver answers.
    pub async fn open(base: &str, wanted: &Value) -> Self {
        // A page that answers no more fails its test, and holds up no other.
        let http = reqwest::Client::builder().timeout(Duration::from_mins(1)).build().unwrap();
        let answer = eventually("a session", || async {
            let sent = http
                .post(format!("{base}/session"))
                .json(wanted)
                .send()
                .await
                .map_err(|error| error.to_string())?;
            let answer: Value = sent.json().await.map_err(|error| error.to_string())?;
            if answer["value"]["sessionId"].is_string() { Ok(answer) } else { Err(answer.to_string()) }
        })
        .await;
        let id = answer["value"]["sessionId"].as_str().unwrap();
        Self { http, url: format!("{base}/session/{id}") }
    }

    /// Sends a command; what it gives.
    pub async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        let sent = self.http.post(format!("{}/{path}", self.url)).json(&body).send().await;
        let answer: Value =
            sent.map_err(|error| error.to_string())?.json().await.map_err(|error| error.to_string())?;
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].clone()),
        }
    }

    /// What a script in the page gives.
    pub async fn script(&self, script: &str) -> Result<Value, String> {
        self.post("execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// What a script hands to its last argument, at some time.
    pub async fn script_async(&self, script: &str) -> Result<Value, String> {
        self.post("execute/async", json!({ "script": script, "args": [] })).await
    }

    /// The text of the whole page.
    pub async fn text(&self) -> String {
        let text = self.script("return document.body.innerText").await;
        text.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Waits until the page says something.
    pub async fn says(&self, words: &str) {
        eventually(words, || async {
            let text = self.text().await;
            if text.contains(words) { Ok(()) } else { Err(text) }
        })
        .await;
    }

    /// Waits until a script in the page gives true.
    pub async fn holds(&self, condition: &str) {
        eventually(condition, || async {
            match self.script(&format!("return {condition}")).await {
                Ok(Value::Bool(true)) => Ok(()),
                other => Err(format!("{other:?} {}", self.text().await)),
            }
        })
        .await;
    }

    /// The element that a selector finds first.
    pub async fn find(&self, selector: &str) -> Result<String, String> {
        let found = self.post("element", json!({ "using": "css selector", "value": selector })).await?;
        found[ELEMENT].as_str().map(str::to_owned).ok_or_else(|| found.to_string())
    }

    /// Clicks an element, once it is there.
    pub async fn click(&self, selector: &str) {
        eventually(selector, || async {
            let id = self.find(selector).await?;
            self.post(&format!("element/{id}/click"), json!({})).await
        })
        .await;
    }

    /// Clicks the button or link that says this, once it is there.
    pub async fn click_on(&self, words: &str) {
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

    /// Writes into a field, over what stands there. Clearing tells the page nothing, so that a page that draws itself anew
    /// before the first key puts the old text back: then it is written again.
    pub async fn write(&self, selector: &str, text: &str) {
        eventually(selector, || async {
            let id = self.find(selector).await?;
            self.post(&format!("element/{id}/clear"), json!({})).await?;
            self.post(&format!("element/{id}/value"), json!({ "text": text })).await?;
            let written = self.script(&format!("return document.querySelector({selector:?}).value")).await?;
            if written == json!(text) { Ok(()) } else { Err(format!("{selector} holds {written}")) }
        })
        .await;
    }

    /// What axe-core finds that is serious or worse.
    pub async fn serious_faults(&self, axe: &str) -> Vec<String> {
        self.script(axe).await.unwrap();
        let script = "const done = arguments[arguments.length - 1]; \
            axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }).then(r => done(r.violations \
            .filter(v => v.impact === 'serious' || v.impact === 'critical') \
            .map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(' | '))), e => done([String(e)]))";
        let violations = self.script_async(script).await.unwrap();
        let list = violations.as_array().cloned().unwrap_or_default();
        list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Presses and lets go of a key.
    pub async fn press(&self, key: &str) {
        let key = code(key);
        self.act(json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }])).await;
    }

    /// Presses a key while the control key is held.
    pub async fn press_with_control(&self, key: &str) {
        let (control, key) = ("\u{e009}", code(key));
        self.act(json!([
            { "type": "keyDown", "value": control }, { "type": "keyDown", "value": key },
            { "type": "keyUp", "value": key }, { "type": "keyUp", "value": control },
        ]))
        .await;
    }

    /// Types a text, key by key, into whatever has the focus.
    pub async fn type_text(&self, text: &str) {
        for letter in text.chars() {
            self.press(&letter.to_string()).await;
        }
    }

    /// Moves the focus on.
    pub async fn press_tab(&self) {
        self.press("Tab").await;
    }

    /// Presses a key until something holds: a card that just appeared takes none.
    pub async fn press_until(&self, key: &str, condition: &str) {
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

impl Drop for Session {
    fn drop(&mut self) {
        // The driver ends what it drives as it ends a session.
        let url = self.url.clone();
        let ended = std::thread::spawn(move || {
            Command::new("curl").args(["-s", "-m", "10", "-X", "DELETE", &url]).stdout(Stdio::null()).status()
        });
        drop(ended.join());
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
