//! Several people: a request of two levels goes through quorum, edit, a level that opens again, and its outcome.

use super::Scene;
use serde_json::{Value, json};

const DEE: &str = "dee.holm@example.com";

/// An order on credit that finance and legal sign off.
pub(super) async fn credit(scene: &Scene, id: &str) -> (String, String) {
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
    // Dee's approval stands at the earlier level too, and says there what it made of what.
    let decisions = request["levels"][0]["decisions"].as_array().unwrap_or_else(|| panic!("{request}"));
    let dees = decisions.iter().find(|made| made["by"] == DEE).unwrap_or_else(|| panic!("{request}"));
    assert_eq!(
        (&dees["edited_from"]["credit_days"], &dees["edits"]["credit_days"]),
        (&json!(30), &json!(14))
    );
    scene.window.visit(&format!("/requests/others/{approval}")).await;
    scene.window.says("Something else is asked since.").await;
    scene.window.says("Dee Holm approved with edits for Eva Ström").await;
    scene.window.picture("levels-opened-again").await;
    // Dee's own approval counts at both levels: finance needs one more.
    scene.world.decide(&cy, &approval, approve.clone()).await;
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
    scene.window.says("snoozed no longer").await;
    scene.open_card(&approval).await;
    scene.window.press_until("a", "document.body.innerText.includes('approval is sent in')").await;
    scene.window.says("approval recorded").await;
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

#[tokio::test(flavor = "multi_thread")]
async fn several_requests_of_one_step_are_decided_together_and_each_has_its_own_outcome() {
    let scene = Scene::open().await;
    let mut asked = Vec::new();
    for (id, total) in [("B-1", "10000.10"), ("B-2", "11000.20"), ("B-3", "66000.00")] {
        let order = json!({ "id": id, "customer": "Lund Robotics", "total": total, "currency": "EUR" });
        let event = json!({ "type": "order.checkout.initiated", "id": id, "payload": { "order": order } });
        let answer = scene.world.event(&event).await;
        asked
            .push(answer["runs"][0]["approval_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned());
    }
    scene.window.visit("/inbox").await;
    for id in &asked {
        scene.window.click(&format!(".item[data-id='{id}']")).await;
        scene.window.holds(&format!("location.pathname === '/inbox/{id}'")).await;
        scene.window.press("x").await;
        scene.window.holds(&format!("!!document.querySelector('.item.is-marked[data-id=\"{id}\"]')")).await;
    }
    scene.window.says("3 selected").await;
    scene.window.click_on("Decide together").await;
    scene.window.says("Decide 3 requests together").await;
    scene.window.says("€87,000.30").await;
    scene.window.says("6.0 times the median of these").await;
    scene.window.picture("together-asked").await;
    // A rejection needs its reason, and decides nothing without one.
    scene.window.click_on("Reject 3").await;
    scene.window.says("Write a reason; whoever asked reads it.").await;
    // One of them is decided by another meanwhile: that one is told apart, and the others are recorded.
    let bo = scene.world.token("bo.ek@example.com").await;
    scene.world.decide(&bo, &asked[1], json!({ "decision": "reject", "comment": "Not now" })).await;
    scene.window.write("textarea[name=together]", "Month's end").await;
    scene.window.click_on("Approve 3").await;
    scene.window.says("your approval was not recorded").await;
    scene.window.holds("document.querySelectorAll('.together li .under[role=status]').length === 3").await;
    scene.window.picture("together-decided").await;
    for (id, status) in [(&asked[0], "approved"), (&asked[1], "rejected"), (&asked[2], "approved")] {
        scene.world.approval_is(&scene.ina, id, status).await;
    }
    scene.window.click_on("Close").await;
    scene.window.holds("!document.querySelector('.sheet')").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_made_offline_at_a_level_that_has_closed_is_told_and_decides_nothing() {
    let scene = Scene::open_as("bo.ek@example.com").await;
    let (approval, _) = credit(&scene, "A-7").await;
    scene.open_card(&approval).await;
    scene.wire.cut();
    scene.window.says("Offline, data from").await;
    scene
        .window
        .press_until("a", "document.body.innerText.includes('Approved: queued, not yet recorded')")
        .await;
    // Finance is filled by others meanwhile, and legal is asked.
    let approve = json!({ "decision": "approve" });
    for email in ["cy.roth@example.com", DEE] {
        let token = scene.world.token(email).await;
        scene.world.decide(&token, &approval, approve.clone()).await;
    }
    scene.wire.mend();
    scene.window.visit("/outbox").await;
    scene.window.says("The level finance isn't open").await;
    scene.window.picture("levels-closed-meanwhile").await;
    let request = scene.world.read(&scene.ina, &format!("approvals/{approval}")).await;
    let finance = request["levels"][0]["decisions"].as_array().unwrap_or_else(|| panic!("{request:#}"));
    assert_eq!((&request["status"], finance.len()), (&json!("pending"), 2));
    assert!(finance.iter().all(|made| made["name"] != "Bo Ek"), "{request:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_enters_the_absence_of_another_and_their_delegate_can_decide() {
    let scene = Scene::open_as("mia.falk@example.com").await;
    scene.window.visit("/settings").await;
    scene.window.says("Who is away").await;
    scene.window.write("input[name=absence-who]", "cy.roth@example.com").await;
    for (field, day) in [("from", "2026-01-01"), ("until", "2036-12-31")] {
        let set = format!(
            "(() => {{ const f = document.querySelector('input[name=absence-{field}]'); f.value = '{day}'; return f.value === '{day}'; }})()"
        );
        scene.window.holds(&set).await;
    }
    scene.window.write("input[name=absence-delegate]", "ina.berg@example.com").await;
    scene.window.click_on("Enter absence").await;
    scene.window.says("Cy Roth: ").await;
    scene.window.says("Ina Berg decides for them").await;
    scene.window.picture("absences-of-others").await;
    let (approval, _) = credit(&scene, "A-9").await;
    let request = scene.world.read(&scene.ina, &format!("approvals/{approval}")).await;
    assert_eq!(
        (&request["can_decide"], &request["you"]["for"]),
        (&json!(true), &json!(["cy.roth@example.com"]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_on_what_was_read_before_tells_the_difference_and_locks_until_it_is_read() {
    let scene = Scene::open_as("bo.ek@example.com").await;
    let (approval, _) = credit(&scene, "A-8").await;
    scene.open_card(&approval).await;
    scene.wire.cut();
    scene.window.says("Offline, data from").await;
    scene
        .window
        .press_until("a", "document.body.innerText.includes('Approved: queued, not yet recorded')")
        .await;
    // Cy changes the credit meanwhile.
    let cy = scene.world.token("cy.roth@example.com").await;
    let edit = json!({ "decision": "approve_with_edits", "edits": { "credit_days": 14 } });
    scene.world.decide(&cy, &approval, edit).await;
    scene.wire.mend();
    scene.window.visit(&format!("/inbox/{approval}")).await;
    scene.window.says("Credit days: 30 → 14").await;
    scene.window.holds("document.querySelector('.card .foot .btn').disabled").await;
    scene.window.picture("levels-changed-meanwhile").await;
    scene.window.press("a").await;
    scene.window.click_on("I have read it").await;
    scene.window.press_until("a", "document.body.innerText.includes('approval is sent in')").await;
    scene.window.says("approval recorded").await;
    let request = scene.world.read(&scene.ina, &format!("approvals/{approval}")).await;
    assert_eq!(
        (&request["levels"][0]["status"], &request["status"]),
        (&json!("approved"), &json!("pending"))
    );
}
