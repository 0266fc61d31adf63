//! Writing workflows and rules: nothing that is done by one click is without a way back, and what several people changed
//! is told apart.

use super::Scene;
use crate::editing::{ADA, type_over};
use serde_json::json;

/// A workflow of several lines.
const GREET: &str = "workflow_id: greet\nname: Greet\ntrigger: { type: manual }\nenabled: true\nsteps:\n  - id: hello\n    \
                     type: set\n    set: { said: hello }\n  - id: again\n    type: set\n    set: { more: hello }\n";
const RULE: &str = "rule_id: large\nname: Large\ncondition: { expr: \"order.total >= 10000\" }\n";

/// Ada, who writes workflows, with one of them.
async fn ada() -> Scene {
    let scene = Scene::open_as(ADA).await;
    let ada = scene.world.token(ADA).await;
    scene.world.add_document(&ada, "workflows", GREET).await;
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_people_changed_is_shown_against_what_both_began_from() {
    let scene = ada().await;
    scene.window.visit("/edit/greet").await;
    scene.window.says("Draft on revision 1").await;
    type_over(&scene.window, &GREET.replace("said: hello", "said: mine")).await;
    scene.window.says("No findings").await;
    let mia = scene.world.token("mia.falk@example.com").await;
    scene.world.publish(&mia, "greet", &GREET.replace("more: hello", "more: theirs"), "\"r1\"").await;
    scene.window.click_on("Save").await;
    for line in
        ["What you changed", "−     set: { said: hello }", "+     set: { said: mine }", "What they changed"]
    {
        scene.window.says(line).await;
    }
    scene.window.says("−     set: { more: hello }").await;
    scene.window.says("+     set: { more: theirs }").await;
    // The text stays readable beside the question, however narrow the window is.
    for width in [1440, 1024, 820] {
        scene.window.resize(width, 800).await;
        scene.window.holds("document.querySelector('.cm-scroller').clientHeight > 160").await;
    }
    scene.window.click_on("Take both").await;
    scene.window.click_on("Save").await;
    scene.window.says("Saved as revision 3").await;
    let merged = scene.world.read(&mia, "workflows/greet").await;
    let source = merged["source"].as_str().unwrap();
    assert!(source.contains("said: mine") && source.contains("more: theirs"), "{source}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_done_by_one_click_can_be_taken_back() {
    let scene = ada().await;
    let ada = scene.world.token(ADA).await;
    scene.window.visit("/workflows/greet").await;
    scene.window.click_on("Disable").await;
    scene.window.says("Greet is disabled: it starts no runs").await;
    scene.window.press("z").await;
    scene.window.says("Greet is enabled").await;
    assert_eq!(scene.world.read(&ada, "workflows/greet").await["enabled"], json!(true));

    scene.window.click_on("Archive").await;
    scene.window.holds("document.activeElement.innerText === 'Keep it'").await;
    scene.window.press("Escape").await;
    scene.window.holds("!document.querySelector('[role=alertdialog]')").await;
    scene.window.click_on("Archive").await;
    scene.window.click("[role=alertdialog] .btn:last-child").await;
    scene.window.says("Greet is archived").await;
    scene.window.click_on("Undo").await;
    scene.window.holds("location.pathname === '/workflows/greet'").await;
    assert_eq!(scene.world.read(&ada, "workflows/greet").await["name"], "Greet");

    scene.window.visit("/edit/greet").await;
    scene.window.says("Draft on revision").await;
    type_over(&scene.window, &GREET.replace("said: hello", "said: draft")).await;
    scene.window.says("kept on this machine").await;
    scene.window.click_on("Discard draft").await;
    scene.window.says("The draft is discarded").await;
    scene.window.click_on("Undo").await;
    scene.window.says("said: draft").await;

    scene.world.add_document(&ada, "rules", RULE).await;
    scene.window.visit("/rules/large").await;
    scene.window.click_on("Delete").await;
    scene.window.says("The rule large is deleted").await;
    scene.window.click_on("Undo").await;
    scene.window.holds("location.pathname === '/rules/large'").await;
    assert_eq!(scene.world.read(&ada, "rules/large").await["document"]["name"], "Large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_leads_to_its_line_and_what_cannot_be_tried_says_why() {
    let scene = ada().await;
    let ada = scene.world.token(ADA).await;
    let step = |n: usize| {
        let next = if n == 59 { "end".to_owned() } else { format!("s{}", n + 1) };
        format!("  - {{ id: s{n}, type: set, set: {{ n: {n} }}, next: {next} }}\n")
    };
    let steps: String = (0..60).map(step).collect();
    let long = format!(
        "workflow_id: long\nname: Long\ntrigger: {{ type: manual }}\nsteps:\n{steps}  - {{ id: end, type: action, action: {{ \
         type: allow }} }}\n  - {{ id: nowhere, type: action, action: {{ type: allow }} }}\n"
    );
    scene.world.add_document(&ada, "workflows", &long).await;
    let in_sight = |row: &str| {
        format!(
            "(() => {{ const row = {row}; if (!row) return false; const r = row.getBoundingClientRect(); \
             return r.top > 0 && r.bottom < innerHeight; }})()"
        )
    };
    scene.window.visit("/workflows/long").await;
    scene.window.says("1 finding").await;
    scene.window.click(".finding-go").await;
    scene.window.holds(&in_sight("document.querySelector('.src .is-shown')")).await;
    scene.window.says("line 66").await;

    scene.window.visit("/edit/long").await;
    scene.window.says("1 warning").await;
    scene.window.click(".finding-go").await;
    let line = "[...document.querySelectorAll('.cm-line')].find(l => l.innerText.includes('nowhere'))";
    scene.window.holds(&in_sight(line)).await;
    scene.window.holds("document.querySelector('.cm-activeLine').innerText.includes('nowhere')").await;

    scene.window.write("textarea[aria-label=Event]", "{ \"type\":").await;
    scene.window.click_on("Try it").await;
    scene.window.says("The event ends at line 1, column 9 before its JSON is complete.").await;
    scene.window.holds("!document.body.innerText.includes('IW-')").await;
    scene.window.holds("!document.body.innerText.includes('Start over')").await;
    type_over(&scene.window, "workflow_id: long\n").await;
    scene.window.says("keep it from being saved").await;
    scene.window.write("textarea[aria-label=Event]", "{ \"type\": \"x\" }").await;
    scene.window.click_on("Try it").await;
    scene.window.says("It can be tried when it has no errors.").await;
    scene.window.holds("!document.body.innerText.includes('IW-')").await;
}
