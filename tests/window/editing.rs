//! Writing a workflow in the window: what is wrong is found and mended as one types, what another published
//! meanwhile is shown, and only those who may write are shown how.

use crate::{
    driver::Window,
    sign_in_as, sign_out,
    wait::eventually,
    world::{FaultyProxy, World},
};
use serde_json::json;

pub(crate) const ADA: &str = "ada.lind@example.com";
/// `steps` has a misspelt key.
const MISSPELT: &str = r#"{ "workflow_id": "greet", "name": "Greet", "trigger": { "type": "manual" }, "enabled": true, "steps": [ { "id": "hello", "type": "set", "sets": { "said": "hello" } } ] }"#;

pub(crate) async fn a_workflow_is_written(window: &Window, world: &World, wire: &FaultyProxy) {
    // An operator switches workflows off, and writes none.
    window.press("g").await;
    window.press("w").await;
    window.says("High-value order").await;
    assert!(!window.text().await.contains("New workflow"));
    sign_out(window).await;
    sign_in_as(window, wire, ADA).await;
    window.says("Nothing waits for you.").await;

    window.press("g").await;
    window.press("w").await;
    window.click_on("New workflow").await;
    window.says("Not saved yet").await;
    type_over(window, MISSPELT).await;
    window.says("2 errors keep it from being saved").await;
    window.click_on("Fix").await;
    window.says("No findings").await;
    window.click_on("Save").await;
    window.says("Saved as revision 1").await;
    window.holds("location.pathname === '/workflows/greet'").await;

    // Somebody else is quicker.
    window.click_on("Edit").await;
    window.says("Draft on revision 1").await;
    type_over(window, &saying("mine")).await;
    window.says("No findings").await;
    let mia = world.token("mia.falk@example.com").await;
    world.publish(&mia, "greet", &saying("theirs"), "\"r1\"").await;
    window.click_on("Save").await;
    window.says("mia.falk@example.com").await;
    window.says("What they changed").await;
    window.says(&format!("+ {}", saying("theirs"))).await;
    window.click_on("Keep only mine").await;
    window.click_on("Save").await;
    window.says("Saved as revision 3").await;
    window.says(r#""said": "mine""#).await;
    sign_out(window).await;
}

/// The workflow without the mistake, saying this.
fn saying(words: &str) -> String {
    MISSPELT.replace("sets", "set").replace(r#""said": "hello""#, &format!(r#""said": "{words}""#))
}

/// Puts a text in the place of what the editor holds, as a person who selects all and pastes.
pub(crate) async fn type_over(window: &Window, text: &str) {
    let script = format!(
        "const field = document.querySelector('.cm-content'); if (!field) return false; field.focus(); \
         document.execCommand('selectAll'); const data = new DataTransfer(); data.setData('text/plain', {}); \
         field.dispatchEvent(new ClipboardEvent('paste', {{ clipboardData: data, bubbles: true, cancelable: true }})); return true;",
        json!(text)
    );
    eventually("the editor takes text", || async {
        let taken = window.script(&script).await?;
        if taken == json!(true) { Ok(()) } else { Err(taken.to_string()) }
    })
    .await;
}
