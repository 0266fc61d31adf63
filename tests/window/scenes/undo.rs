//! A decision can be undone for some seconds; closing the app sends it; what is handed over offline waits.

use super::Scene;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_undone_and_the_card_is_there_again_as_it_was() {
    let scene = Scene::open().await;
    let (first, _) = scene.world.order("U-1").await;
    let (second, _) = scene.world.order("U-2").await;
    scene.open_card(&first).await;
    scene.window.holds("document.querySelectorAll('.item').length === 2").await;
    scene.window.press_until("a", &format!("location.pathname === '/inbox/{second}'")).await;
    scene.window.says("approval is sent in 5 s").await;
    scene.window.says("Approved: sent in a moment").await;
    scene.window.picture("undo-bar").await;
    scene.window.press("z").await;
    scene.window.says("undone, nothing was sent").await;
    scene.window.holds(&format!("location.pathname === '/inbox/{first}'")).await;
    scene.window.holds("!document.querySelector('.card .btn.primary').disabled").await;
    scene.window.holds("!document.querySelector('.rail').innerText.includes('Outbox')").await;
    assert_eq!(scene.status(&first).await, "pending");
    // The next decision sends the one before at once.
    scene.window.press_until("a", &format!("location.pathname === '/inbox/{second}'")).await;
    scene.window.press_until("a", "document.querySelectorAll('.item.is-done').length === 2").await;
    scene.world.approval_is(&scene.ina, &first, "approved").await;
    scene.world.approval_is(&scene.ina, &second, "approved").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_handed_over_offline_and_the_receiver_gets_it_when_the_server_answers() {
    let scene = Scene::open_as("bo.ek@example.com").await;
    let (approval, _) = scene.world.order("U-3").await;
    scene.open_card(&approval).await;
    scene.wire.cut();
    scene.window.says("Offline, data from").await;
    scene.window.click_on("More").await;
    scene.window.click_on("Hand over…").await;
    scene.window.write("input[name=to]", "ina.berg@example.com").await;
    scene.window.press("Enter").await;
    scene.window.says("queued and not yet recorded").await;
    scene.window.visit("/outbox").await;
    scene.window.says("you handed it over to ina.berg@example.com").await;
    scene.window.picture("undo-handed-over-offline").await;
    scene.wire.mend();
    scene.window.says("Recorded").await;
    let request = scene.world.read(&scene.ina, &format!("approvals/{approval}")).await;
    assert_eq!(request["levels"][0]["handovers"][0]["to"], json!("ina.berg@example.com"), "{request:#}");
}
