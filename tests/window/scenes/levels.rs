//! Several people: a request of two levels goes through quorum, edit, a level that opens again, and its outcome.

use super::Scene;
use serde_json::{Value, json};

const DEE: &str = "dee.holm@example.com";

/// An order on credit that finance and legal sign off.
async fn credit(scene: &Scene, id: &str) -> (String, String) {
    let order = json!({ "id": id, "customer": "Lund Robotics", "total": "23760.00", "currency": "EUR", "credit_days": 30, "open_invoices": "8120.00" });
    let event = json!({ "type": "order.credit.requested", "id": id, "payload": { "order": order } });
    let answer = scene.world.event(&event).await;
    let text = |key: &str| answer["runs"][0][key].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    (text("approval_id"), text("execution_id"))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_levels_with_a_delegate_an_edit_and_a_level_that_opens_again() {
    let scene = Scene::open_as(DEE).await;
    let (bo, cy) =
        (scene.world.token("bo.ek@example.com").await, scene.world.token("cy.roth@example.com").await);
    let approve = json!({ "decision": "approve", "comment": "Known customer" });
    let (approval, run) = credit(&scene, "A-20416").await;
    // Dee decides for Eva, who is away; the calendar says how much working time is left.
    scene.open_card(&approval).await;
    scene.window.says("2 of finance (Bo Ek, Cy Roth or Dee Holm for Eva Ström)").await;
    scene.window.says("You sign for Eva Ström, away until").await;
    scene.window.says("of working time left, until").await;
    scene.window.holds("document.querySelectorAll('.ladder > li').length === 2").await;
    scene.window.picture("levels-asked").await;
    scene.world.decide(&bo, &approval, approve.clone()).await;
    scene.window.says("1 more of finance").await;
    scene.world.decide(&cy, &approval, approve.clone()).await;
    scene.window.says("One of legal (Dee Holm)").await;
    // The form holds its limits, and says what an edit makes of a value.
    scene.window.write("#field-credit_days", "61").await;
    scene.window.says("It must be at most 60.").await;
    scene.window.holds("document.querySelector('.card .btn.primary').disabled").await;
    scene.window.write("#field-credit_days", "14").await;
    scene.window.holds("!document.querySelector('.card .btn.primary').disabled").await;
    scene.window.picture("levels-edit").await;
    scene.window.click_on("Approve with edits").await;
    scene.window.says("approval recorded").await;
    let request = scene.world.read(&bo, &format!("approvals/{approval}")).await;
    assert_eq!((&request["status"], &request["levels"][0]["status"]), (&json!("pending"), &json!("open")));
    scene.window.visit(&format!("/requests/others/{approval}")).await;
    scene.window.says("Something else is asked since.").await;
    scene.window.picture("levels-opened-again").await;
    for who in [&bo, &cy] {
        scene.world.decide(who, &approval, approve.clone()).await;
    }
    let closed = scene.world.approval_is(&bo, &approval, "approved").await;
    assert_eq!(closed["levels"][1]["decisions"][0]["edits"], json!({ "credit_days": 14 }));
    let ended: Value = scene.world.read(&bo, &format!("executions/{run}")).await;
    assert_eq!(ended["context"]["approval"]["edits"]["credit_days"], 14);
    scene.window.says("Approved").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_put_off_handed_over_and_taken_back() {
    let scene = Scene::open_as("bo.ek@example.com").await;
    let (approval, _) = credit(&scene, "A-1").await;
    scene.open_card(&approval).await;
    scene.window.press_until("s", "document.body.innerText.includes('snoozed until')").await;
    scene.window.visit("/requests/snoozed").await;
    scene.window.click(&format!(".item[data-id='{approval}']")).await;
    scene.window.says("Snoozed until").await;
    scene.window.picture("levels-snoozed").await;
    scene.window.click_on("More").await;
    scene.window.click_on("Snooze no longer").await;
    scene.window.says("not snoozed any more").await;
    scene.open_card(&approval).await;
    scene.window.press_until("a", "document.body.innerText.includes('approval recorded')").await;
    scene.window.visit(&format!("/requests/others/{approval}")).await;
    scene.window.click_on("Take back").await;
    scene.window.says("your decision is taken back").await;
    scene.open_card(&approval).await;
    scene.window.click_on("More").await;
    scene.window.click_on("Hand over…").await;
    scene.window.write("input[name=to]", "per.dahl@example.com").await;
    scene.window.press("Enter").await;
    scene.window.says("whose role doesn't allow deciding").await;
    scene.window.picture("levels-hand-over").await;
    scene.window.write("input[name=to]", "ina.berg@example.com").await;
    scene.window.press("Enter").await;
    scene.window.says("handed over to ina.berg@example.com").await;
    let request = scene.world.read(&scene.ina, &format!("approvals/{approval}")).await;
    assert_eq!(
        (&request["can_decide"], &request["you"]["for"]),
        (&json!(true), &json!(["bo.ek@example.com"]))
    );
}
