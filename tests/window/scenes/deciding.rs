//! Deciding: what was written stays, what was decided is named, and the next request comes at once.

use super::Scene;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_that_was_begun_is_there_again_and_an_empty_one_is_told() {
    let scene = Scene::open().await;
    let (first, _) = scene.world.order("R-1").await;
    let (second, _) = scene.world.order("R-2").await;
    scene.open_card(&first).await;
    scene.window.press_until("r", "!!document.querySelector('textarea[name=reason]')").await;
    scene.window.press_with_control("Enter").await;
    scene.window.says("Write a reason; whoever asked reads it.").await;
    scene
        .window
        .holds("document.querySelector('textarea[name=reason]').getAttribute('aria-invalid') === 'true'")
        .await;
    scene.window.write("textarea[name=reason]", "Too dear this month").await;
    let holds = "document.querySelector('textarea[name=reason]')?.value === 'Too dear this month'";
    // By another row, by Escape, and by another page.
    scene.window.click(&format!(".item[data-id='{second}']")).await;
    scene.window.holds("!document.querySelector('textarea[name=reason]')").await;
    scene.window.click(&format!(".item[data-id='{first}']")).await;
    scene.window.holds(holds).await;
    scene.window.press("Escape").await;
    scene.window.holds("!document.querySelector('textarea[name=reason]')").await;
    scene.window.press_until("r", holds).await;
    scene.window.visit("/runs").await;
    scene.open_card_with_reason(&first).await;
    scene.window.holds(holds).await;
    scene.window.press_with_control("Enter").await;
    scene.window.says("rejection recorded").await;
    let request = scene.world.approval_is(&scene.ina, &first, "rejected").await;
    assert_eq!(request["levels"][0]["decisions"][0]["comment"], "Too dear this month");
    // One's own rejection is told as such in the list, and the next request is shown.
    scene.window.says("Rejected by Ina Berg").await;
    scene.window.holds(&format!("location.pathname === '/inbox/{second}'")).await;
    assert!(!scene.window.text().await.contains("Not yours to decide any more"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_things_is_a_table_and_a_second_press_does_nothing() {
    let scene = Scene::open().await;
    let items =
        json!([{ "sku": "seal-8", "n": 1200, "price": 4.2 }, { "sku": "pump-40", "n": 2, "note": null }]);
    let order = json!({ "id": "T-1", "customer": "Lund Robotics", "total": "12400.10", "currency": "EUR", "items": items });
    let answer = scene
        .world
        .event(&json!({ "type": "order.checkout.initiated", "id": "T-1", "payload": { "order": order } }))
        .await;
    let approval = answer["runs"][0]["approval_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    scene.open_card(&approval).await;
    scene.window.holds("document.querySelectorAll('.table-of-facts tbody tr').length === 2").await;
    scene.window.holds("document.querySelector('.table-of-facts').innerText.includes('1,200')").await;
    // The card stays, since nothing else waits: whoever goes on pressing decides nothing more.
    scene.window.press_until("a", "document.body.innerText.includes('approval is sent in')").await;
    scene.window.says("approval recorded").await;
    for _ in 0..5 {
        scene.window.press("a").await;
    }
    scene.window.says("This isn't open any more.").await;
    scene.window.holds("!document.querySelector('.rail').innerText.includes('Outbox')").await;
    assert_eq!(scene.status(&approval).await, "approved");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_request_is_shown_before_the_server_answers() {
    let scene = Scene::open().await;
    let (first, _) = scene.world.order("N-1").await;
    let (second, _) = scene.world.order("N-2").await;
    scene.open_card(&first).await;
    scene.window.holds("document.querySelectorAll('.item').length === 2").await;
    scene.wire.stick();
    scene.window.press_until("a", &format!("location.pathname === '/inbox/{second}'")).await;
    scene.window.says("Approved: ").await;
    assert_eq!(scene.status(&first).await, "pending", "the server was told nothing yet");
    scene.window.says("Offline, data from").await;
    scene.window.says("approval queued, not yet recorded").await;
    // What is decided waits for nobody any more, and isn't shown as the next one either.
    let counted = "document.querySelector('.rail [aria-current] .count').innerText";
    scene.window.holds(&format!("{counted} === '1'")).await;
    scene.window.press_until("a", "document.querySelectorAll('.item.is-done').length === 2").await;
    scene.window.holds("!document.querySelector('.rail [aria-current] .count')").await;
    scene.window.holds(&format!("location.pathname === '/inbox/{second}'")).await;
    scene.wire.mend();
    scene.world.approval_is(&scene.ina, &first, "approved").await;
    scene.world.approval_is(&scene.ina, &second, "approved").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_decision_is_withdrawn_and_never_sent() {
    let scene = Scene::open().await;
    let (approval, _) = scene.world.order("W-1").await;
    scene.open_card(&approval).await;
    scene.wire.cut();
    scene.window.says("Offline, data from").await;
    scene
        .window
        .press_until("a", "document.body.innerText.includes('Approved: queued, not yet recorded')")
        .await;
    scene.go("o").await;
    scene.window.click_on("Withdraw").await;
    scene.window.says("Everything is on the server.").await;
    scene.wire.mend();
    scene.window.says("Live").await;
    scene.open_card(&approval).await;
    assert_eq!(scene.status(&approval).await, "pending");
}
