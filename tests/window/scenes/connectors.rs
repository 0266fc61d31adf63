//! Another system is connected in the window, tried, used by a workflow that is written with completion, and seen in its run.

use super::{Scene, looks::is_no_wider_than_its_place};
use crate::{driver::Window, editing::type_over, wait::eventually};
use serde_json::{Value, json};

const MIA: &str = "mia.falk@example.com";
/// What the stand-in shop offers.
const DOCUMENT: &str = include_str!("../../../docs/examples/shop_openapi.yaml");
/// A workflow whose last line waits to be written.
const BEGUN: &str = "workflow_id: look_up\nname: Look somebody up\ntrigger: { type: manual }\nenabled: true\nsteps:\n  - id: look\n    \
    type: execute\n    execute:\n      - type: connector\n        save_as: found\n        connector: ";

/// What the editor offers first. A key that comes at the moment when it appears is a key of the text still.
const OFFERED: &str = ".cm-tooltip-autocomplete li[aria-selected]";

/// Waits until the editor offers a word.
async fn is_offered(window: &Window, word: &str) {
    let labels = "[...document.querySelectorAll('.cm-completionLabel')]";
    window.holds(&format!("{labels}.some(label => label.innerText === '{word}')")).await;
}

/// Puts a text into a field of many lines, as a person who pastes.
async fn paste(scene: &Scene, selector: &str, text: &str) {
    let script = format!(
        "const field = document.querySelector({}); field.focus(); field.select(); return document.execCommand('insertText', false, {});",
        json!(selector),
        json!(text)
    );
    assert_eq!(scene.window.script(&script).await, Ok(json!(true)));
}

/// Connects the shop under another name, as an administrator.
async fn connect(scene: &Scene) {
    let window = &scene.window;
    window.visit("/connectors").await;
    window.says("http://127.0.0.1:7401/api").await;
    window.says("Well").await;
    window.click_on("Add connector").await;
    window.says("Name it and say where it is").await;
    window.write("#connector-name", "desk").await;
    paste(scene, "#connector-document", "openapi: 2").await;
    window.says("1 finding").await;
    paste(scene, "#connector-document", DOCUMENT).await;
    window.says("8 operations appear").await;
    window.click_on("Bearer token: token").await;
    window.write("#auth-secret", "desk_token").await;
    window.says("It isn’t set yet").await;
    window.write("[aria-label='Value of desk_token']", "sample-shop-token").await;
    window.click_on("Set secret").await;
    window.says("It is set").await;
    window.picture("connector-new").await;
    window.says("8 operations appear").await;
    window.click(".foot .btn.primary").await;
    window.says("desk is saved as revision 1").await;
    window.holds("location.pathname === '/connectors/desk'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_is_imported_tried_and_used_by_a_workflow_that_is_written_with_completion() {
    let scene = Scene::open_as(MIA).await;
    let window = &scene.window;
    connect(&scene).await;

    // It answers, and an operation gives what it has.
    window.click_on("Check").await;
    window.says("lets us in").await;
    window.write("[aria-label=Search]", "find").await;
    window.click("[role=option]").await;
    window.holds("document.querySelector('.card h2').innerText === 'findCustomer'").await;
    window.write("#input-name", "Lund Robotics").await;
    window.click_on("Try it").await;
    window.says("It answered 200.").await;
    window.says("\"level\": \"gold\"").await;
    window.picture("connector-tried").await;

    // What isn't there is marked, and what is there is offered.
    window.visit("/edit").await;
    window.says("Not saved yet").await;
    type_over(window, &format!("{BEGUN}desk.gone")).await;
    window.says("The connector desk has no operation gone.").await;
    type_over(window, BEGUN).await;
    window.type_text("desk.findC").await;
    is_offered(window, "desk.findCustomer").await;
    window.picture("completion").await;
    window.click(OFFERED).await;
    window.says("desk.findCustomer").await;
    window.holds("!document.querySelector('.cm-tooltip-autocomplete')").await;
    window.says("findCustomer: it needs name.").await;
    window.press("Enter").await;
    window.type_text("input:").await;
    window.press("Enter").await;
    window.type_text("  na").await;
    is_offered(window, "name").await;
    window.click(OFFERED).await;
    window.type_text("Lund Robotics").await;
    window.says("No findings").await;
    window.click_on("Save").await;
    window.says("Saved as revision 1").await;

    // It runs, and the trace and the connector say what was called.
    let mia = scene.world.token(MIA).await;
    scene.world.send(&mia, "workflows/look_up/executions", &json!({ "input": {} })).await;
    window.visit("/runs").await;
    window.says("Look somebody up").await;
    let runs = scene.world.read(&mia, "executions?workflow_id=look_up").await;
    let run = runs["items"][0]["execution_id"].as_str().unwrap().to_owned();
    window.visit(&format!("/runs/{run}")).await;
    window.click("[data-step=look]").await;
    window.says("desk.findCustomer").await;
    let found = scene.world.read(&mia, &format!("executions/{run}")).await;
    assert_eq!(found["context"]["found"]["level"], "gold", "{found:#}");
    window.picture("connector-run").await;
    eventually("the calls are noted", || async {
        let calls = scene.world.read(&mia, "connectors/desk/calls").await;
        if calls["items"].as_array().is_some_and(|calls| calls.len() == 2) {
            Ok(())
        } else {
            Err(calls.to_string())
        }
    })
    .await;
    window.visit("/connectors/desk/calls").await;
    window.says("a trial").await;
    window.says("a run").await;
    window.picture("connector-calls").await;
    window.click_on("a run").await;
    window.holds(&format!("location.pathname === '/runs/{run}'")).await;

    // What saving another document would take from the workflow is said before it is saved.
    window.visit("/connectors/desk/settings").await;
    window.says("The operations stay as they are.").await;
    paste(
        &scene,
        "#connector-document",
        &DOCUMENT.replace("operationId: findCustomer", "operationId: seekCustomer"),
    )
    .await;
    window.says("1 operation appears").await;
    window.says("1 operation goes").await;
    window
        .holds("document.querySelector('[aria-label=\"What saving changes\"]').innerText.includes('look_up')")
        .await;
    window.picture("connector-preview").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connectors_stay_readable_and_the_editor_knows_them_without_a_server() {
    let mut scene = Scene::open_as(MIA).await;
    let mia = scene.world.token(MIA).await;
    let dead = json!({ "name": "dead", "kind": "http", "settings": { "base_url": "http://127.0.0.1:9" },
        "operations": [{ "id": "get", "path": "/things" }] });
    scene.world.send(&mia, "connectors", &dead).await;
    for _ in 0..6 {
        scene.world.send(&mia, "connectors/dead/operations/get/try", &json!({ "input": {} })).await;
    }
    let axe =
        std::fs::read_to_string(std::env::var("IW_TEST_AXE").expect("IW_TEST_AXE names axe-core")).unwrap();
    let mut found: Vec<String> = Vec::new();
    for (path, says) in [
        ("/connectors", "127.0.0.1:7401"),
        ("/connectors/shop", "findCustomer"),
        ("/connectors/dead/calls", "a trial"),
        ("/connectors/shop/settings", "The operations stay as they are."),
        ("/connector", "Name it and say where it is"),
    ] {
        scene.window.visit(path).await;
        scene.window.says(says).await;
        is_no_wider_than_its_place(&scene, path).await;
        for theme in ["light", "dark"] {
            scene.window.paint(theme).await;
            found.extend(
                scene
                    .window
                    .serious_faults(&axe)
                    .await
                    .into_iter()
                    .map(|what| format!("{theme} {path} {what}")),
            );
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    scene.window.visit("/edit").await;
    scene.window.says("Not saved yet").await;
    type_over(&scene.window, &format!("{BEGUN}shop.gone")).await;
    scene.window.says("The connector shop has no operation gone.").await;

    scene.world.server_down();
    scene.window.says("Offline").await;
    scene.window.visit("/connectors/shop").await;
    scene.window.says("As of").await;
    scene.window.says("findCustomer").await;
    scene.window.visit("/edit").await;
    scene.window.says("kept on this machine").await;
    type_over(&scene.window, BEGUN).await;
    scene.window.type_text("shop.getC").await;
    is_offered(&scene.window, "shop.getCustomer").await;
    scene.window.click(OFFERED).await;
    scene.window.says("getCustomer: it needs id.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_decided_with_what_the_shop_knows_of_the_customer_and_opens_a_ticket() {
    let scene = Scene::open().await;
    let (approval, run) = scene.world.order("K-1").await;
    scene.open_card(&approval).await;
    scene.window.says("gold").await;
    scene.window.picture("order-with-profile").await;
    scene.world.decide(&scene.ina, &approval, json!({ "decision": "approve" })).await;
    scene.world.shop_was_told("api/tickets").await;
    scene.window.visit(&format!("/runs/{run}")).await;
    scene.window.says("open_ticket").await;
    scene.window.says("customer.profile from shop.findCustomer (revision 1)").await;
    scene.window.picture("run-with-profile").await;
    let found: Value = scene.world.read(&scene.ina, &format!("executions/{run}")).await;
    assert_eq!(found["context"]["customer"]["level"], "gold", "{found:#}");
}
