//! How one is told: said in the settings, kept by the server.

use super::Scene;
use driving::wait::eventually;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn how_one_is_told_is_said_in_the_settings() {
    let scene = Scene::open().await;
    scene.window.visit("/settings").await;
    scene.window.says("How I am told").await;
    scene.window.holds("!!document.querySelector('select[name=told-mail]')").await;
    let choose = "(() => { const s = document.querySelector('select[name=told-mail]'); s.value = 'all'; \
        s.dispatchEvent(new Event('change', { bubbles: true })); return s.value === 'all' })()";
    scene.window.holds(choose).await;
    scene.window.click("input[name=quiet]").await;
    scene.window.write("input[name=quiet-until]", "25:00").await;
    scene.window.write("input[name=quiet-zone]", "Europe/Stockholm").await;
    scene.window.click("input[name=quiet-sat]").await;
    scene.window.click_on("Save").await;
    // What is wrong is said, and what was written stays.
    scene.window.says("\"25:00\" is no time of the day; write one such as 22:00.").await;
    scene
        .window
        .script("document.querySelector('input[name=quiet]').scrollIntoView({ block: 'center' })")
        .await
        .unwrap();
    scene.window.picture("told-wrong").await;
    scene.window.write("input[name=quiet-until]", "06:30").await;
    scene.window.click_on("Save").await;
    scene.window.says("How you are told is saved").await;
    let wanted = json!({ "app": "all", "mail": "all", "slack": "all", "quiet_hours": {
        "from": "22:00", "until": "06:30", "timezone": "Europe/Stockholm",
        "days": ["mon", "tue", "wed", "thu", "fri", "sun"], "urgent": false,
    } });
    eventually("the server knows", || async {
        let said = scene.world.read(&scene.ina, "me/notifications").await;
        if said == wanted { Ok(()) } else { Err(said.to_string()) }
    })
    .await;
    scene.window.picture("told").await;
}
