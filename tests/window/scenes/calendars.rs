//! Calendars: set in the settings by whoever may, and counted in while a workflow is written.

use super::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_is_set_and_its_dates_are_shown_while_a_workflow_is_written() {
    let scene = Scene::open_as("mia.falk@example.com").await;
    scene.window.visit("/settings").await;
    scene.window.says("business_hours").await;
    scene.window.click_on("New calendar").await;
    scene.window.write("input[name=calendar-name]", "night shift").await;
    scene.window.write("input[name=calendar-timezone]", "Europe/Stockholm").await;
    for day in ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] {
        scene.window.write(&format!("input[name=calendar-{day}]"), "20:00-24:00").await;
    }
    scene.window.click_on("Save").await;
    // What is wrong is said, and what was typed stays.
    scene.window.says("small letters, digits").await;
    scene.window.picture("calendar-wrong").await;
    scene.window.write("input[name=calendar-name]", "night_shift").await;
    scene.window.click_on("Save").await;
    scene.window.says("night_shift is set").await;
    scene.window.says("Mon–Sun 20:00-24:00").await;
    scene.window.picture("calendars").await;
    scene.window.visit("/edit/order_sign_off").await;
    scene.window.says("Deadlines, if each level opened now").await;
    scene.window.says("(business_hours)").await;
    scene.window.says("expires").await;
    scene.window.picture("ladder").await;
}
