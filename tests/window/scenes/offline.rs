//! How the line stands is one state, and is honest.

use super::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_told_and_what_takes_long_can_be_cancelled() {
    let scene = Scene::open().await;
    scene.world.order("H-1").await;
    scene.window.says("Order H-1").await;
    scene.wire.stick();
    // What was never seen can't be shown; the wait is told, and can be ended.
    scene.go("w").await;
    scene.window.says("Offline, data from").await;
    scene.window.says("The server takes long to answer.").await;
    scene.window.click_on("Cancel").await;
    scene.window.says("Loading workflows was cancelled.").await;
    scene.wire.mend();
    scene.window.says("Live").await;
    scene.window.says("High-value order").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said_and_nothing_else() {
    let scene = Scene::open().await;
    scene.window.visit("/runs/01900000-0000-7000-8000-000000000000").await;
    scene.window.says("There is no longer the run here.").await;
    let text = scene.window.text().await;
    assert!(!text.contains("Retry") && !text.contains("Outbox."), "{text}");
}
