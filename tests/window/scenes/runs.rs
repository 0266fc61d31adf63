//! A run says what went wrong and where, in its trace as in its timeline.

use super::Scene;
use crate::wait::eventually;
use serde_json::json;

/// Nobody listens where it calls (`world::NOBODY`).
const FAILS: &str = "workflow_id: fails\nname: Fails\ntrigger: { type: event, event: fail }\nenabled: true\nsubject: Fails\n\
                     steps:\n  - id: pay\n    type: execute\n    execute: [{ type: webhook, url: \"http://127.0.0.1:9/pay\" }]\n    \
                     retry: { max_attempts: 3, delay: 100ms, backoff: fixed }\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_names_the_host_and_every_attempt_in_both_views() {
    let scene = Scene::open_as(crate::editing::ADA).await;
    let ada = scene.world.token(crate::editing::ADA).await;
    scene.world.add_document(&ada, "workflows", FAILS).await;
    let answer = scene.world.event(&json!({ "type": "fail", "payload": {} })).await;
    let run = answer["runs"][0]["execution_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    eventually("the run fails", || async {
        let read = scene.world.read(&ada, &format!("executions/{run}")).await;
        if read["result"] == "failed" { Ok(()) } else { Err(read.to_string()) }
    })
    .await;
    scene.window.visit(&format!("/runs/{run}")).await;
    scene.window.says("At pay: No connection to 127.0.0.1").await;
    scene.window.holds("document.querySelectorAll('.step.is-sub').length === 3").await;
    scene.window.says("attempt 3").await;
    scene.window.press("]").await;
    scene.window.says("3 failed attempts").await;
    scene.window.holds("document.querySelectorAll('.bars line.attempt').length === 3").await;
    // The words beside the bars fit, also after the window changed.
    let fits = "(() => { const pane = document.querySelector('.gantt').getBoundingClientRect(); \
                const words = [...document.querySelectorAll('.beside span')]; \
                return words.length > 0 && words.every(w => w.getBoundingClientRect().right <= pane.right + 1); })()";
    for width in [1440, 820, 1024] {
        scene.window.resize(width, 800).await;
        scene.window.holds(fits).await;
    }
}
