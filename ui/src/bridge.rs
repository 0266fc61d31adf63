//! The only door to the shell: the commands, and the one event.

use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use shared_types::desktop::{
    Failure, OutboxItem, QueuedDecision, SHELL_EVENT, ShellEvent,
    commands::{Command, ListOutbox},
};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["window", "__TAURI__", "core"], catch)]
    async fn invoke(command: &str, args: JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = ["window", "__TAURI__", "event"], catch)]
    async fn listen(event: &str, handler: &Closure<dyn FnMut(JsValue)>) -> Result<JsValue, JsValue>;
}

/// What a command gives.
pub(crate) type Answer<T> = Result<T, Failure>;

/// Asks the shell.
pub(crate) async fn ask<C: Command>(args: C) -> Answer<C::Answer> {
    #[derive(Serialize)]
    struct Carried<C> {
        command: &'static str,
        args: C,
    }
    let carried = Carried { command: C::NAME, args };
    let carried = carried
        .serialize(&Serializer::json_compatible())
        .map_err(|error| Failure::Shell(error.to_string()))?;
    let answer = invoke("ask", carried).await.map_err(failure)?;
    serde_wasm_bindgen::from_value(answer).map_err(|error| Failure::Shell(error.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failure(value: JsValue) -> Failure {
    serde_wasm_bindgen::from_value(value.clone()).unwrap_or_else(|_| {
        Failure::Shell(value.as_string().unwrap_or_else(|| "The shell doesn't answer.".to_owned()))
    })
}

/// Calls `callback` with each event of the shell for as long as the app runs, and `ready` once it listens.
pub(crate) fn on_shell_event(mut callback: impl FnMut(ShellEvent) + 'static, ready: impl FnOnce() + 'static) {
    #[derive(serde::Deserialize)]
    struct Event {
        payload: ShellEvent,
    }
    let handler = Closure::new(move |event: JsValue| {
        if let Ok(event) = serde_wasm_bindgen::from_value::<Event>(event) {
            callback(event.payload);
        }
    });
    wasm_bindgen_futures::spawn_local(async move {
        // Without the event nothing arrives unasked; the pages still work.
        let _ = listen(SHELL_EVENT, &handler).await;
        handler.forget();
        ready();
    });
}

/// The decisions in the Outbox of whoever is signed in.
pub(crate) async fn own_queued() -> Answer<Vec<QueuedDecision>> {
    Ok(ask(ListOutbox {}).await?.iter().filter_map(OutboxItem::own).cloned().collect())
}
