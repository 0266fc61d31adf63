//! Keys act in the view that the person sees, and nowhere else.

use super::Scene;
use serde_json::json;
use shared_types::desktop::keys::{Action, BINDINGS, GO, View};

/// Presses a key as the table names it.
async fn press(scene: &Scene, keys: &str) {
    if let Some(key) = keys.strip_prefix("Ctrl+") {
        scene.window.press_with_control(key).await;
    } else if let Some(key) = keys.strip_prefix(&format!("{GO} ")) {
        scene.go(key).await;
    } else {
        scene.window.press(keys).await;
    }
}

/// Presses every key that isn't among these.
async fn press_all_but(scene: &Scene, left_out: &[Action]) {
    for binding in BINDINGS.iter().filter(|binding| !left_out.contains(&binding.action)) {
        for keys in binding.keys {
            press(scene, keys).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_reaches_below_the_list_of_keys() {
    let scene = Scene::open().await;
    let (first, _) = scene.world.order("K-1").await;
    let (second, _) = scene.world.order("K-2").await;
    scene.open_card(&first).await;
    scene.window.press("?").await;
    scene.window.holds("!!document.querySelector('[role=dialog][aria-modal=true]')").await;
    scene.window.holds("document.querySelector('[role=dialog]').contains(document.activeElement)").await;
    // Enter and the closing keys are the dialog's own.
    press_all_but(&scene, &[Action::Back, Action::Keys, Action::Open]).await;
    scene.window.press("o").await;
    scene.window.holds(&format!("location.pathname === '/inbox/{first}'")).await;
    scene
        .window
        .holds("!!document.querySelector('[role=dialog]') && !document.querySelector('textarea')")
        .await;
    for _ in 0..3 {
        scene.window.press_tab().await;
        scene.window.holds("document.querySelector('[role=dialog]').contains(document.activeElement)").await;
    }
    scene.window.press("Escape").await;
    scene.window.holds("!document.querySelector('[role=dialog]')").await;
    scene.window.holds(&format!("location.pathname === '/inbox/{first}'")).await;
    for approval in [&first, &second] {
        assert_eq!(scene.status(approval).await, "pending");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_reaches_below_a_question_and_escape_is_the_safe_answer() {
    let scene = Scene::open().await;
    let (queued, _) = scene.world.order("K-3").await;
    let (open, _) = scene.world.order("K-4").await;
    scene.open_card(&queued).await;
    scene.wire.cut();
    scene.window.says("Offline, data from").await;
    scene.window.press_until("a", "document.body.innerText.includes('queued, not yet recorded')").await;
    scene.go(",").await;
    // By keyboard, since a click doesn't give a button the focus everywhere.
    let sign_out = "[...document.querySelectorAll('button')].find(b => b.innerText === 'Sign out')";
    scene.window.holds(&format!("!!{sign_out} && ({sign_out}.focus(), true)")).await;
    scene.window.press("Enter").await;
    scene.window.holds("!!document.querySelector('[role=alertdialog]')").await;
    scene.window.holds("document.activeElement.innerText === 'Stay'").await;
    press_all_but(&scene, &[Action::Back, Action::Open]).await;
    scene.window.holds("location.pathname === '/settings'").await;
    scene.window.holds("!!document.querySelector('[role=alertdialog]')").await;
    scene.window.press("Escape").await;
    scene
        .window
        .holds("!document.querySelector('[role=alertdialog]') && !!document.querySelector('.rail')")
        .await;
    scene.window.holds("document.activeElement.innerText.startsWith('Sign out')").await;
    scene.wire.mend();
    scene.world.approval_is(&scene.ina, &queued, "approved").await;
    assert_eq!(scene.status(&open).await, "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_a_card_do_nothing_where_no_card_is_seen() {
    let scene = Scene::open().await;
    let (approval, run) = scene.world.order("K-5").await;
    scene.window.says("Order K-5").await;
    for place in [
        "inbox",
        "messages",
        "workflows",
        "workflows/high_value_order",
        "rules",
        "runs",
        "outbox",
        "settings",
    ] {
        scene.window.visit(&format!("/{place}")).await;
        for binding in BINDINGS.iter().filter(|binding| matches!(binding.view, View::Card | View::Reason)) {
            for keys in binding.keys {
                press(&scene, keys).await;
            }
        }
        scene.window.holds("!document.querySelector('textarea[name=reason]')").await;
    }
    scene.window.visit(&format!("/runs/{run}")).await;
    scene.window.says("Waiting: Order K-5").await;
    press(&scene, "a").await;
    // At this width the card covers the list; where the list is seen, the card isn't.
    scene.window.resize(820, 800).await;
    scene.go("i").await;
    press(&scene, "a").await;
    assert_eq!(scene.status(&approval).await, "pending");
    scene.open_card(&approval).await;
    scene.window.press_until("a", "document.body.innerText.includes('approval is sent in')").await;
    scene.window.says("approval recorded").await;
    scene.world.approval_is(&scene.ina, &approval, "approved").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_selected_row_stays_in_sight_and_only_one_row_is_a_tab_stop() {
    let scene = Scene::open().await;
    for n in 0..30 {
        scene.world.order(&format!("J-{n}")).await;
    }
    scene.window.holds("document.querySelectorAll('.item').length === 30").await;
    let seen = "(() => { const row = document.querySelector('.item[aria-selected=true]'); if (!row) return false; \
                const r = row.getBoundingClientRect(), p = row.closest('.scroll').getBoundingClientRect(); \
                return r.top >= p.top - 1 && r.bottom <= p.bottom + 1; })()";
    for _ in 0..30 {
        scene.window.press("j").await;
        scene.window.holds(seen).await;
    }
    scene
        .window
        .holds("[...document.querySelectorAll('.item')].at(-1).getAttribute('aria-selected') === 'true'")
        .await;
    scene.window.holds("document.querySelectorAll('.item[tabindex=\"0\"]').length === 1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_held_moves_on_and_breaks_nothing() {
    let scene = Scene::open().await;
    for n in 0..3 {
        scene.world.order(&format!("R-{n}")).await;
    }
    scene.window.holds("document.querySelectorAll('.item').length === 3").await;
    // More presses than WebKit lets change the address.
    let held = "for (let n = 0; n < 150; n++) dispatchEvent(new KeyboardEvent('keydown', \
                { key: n % 2 ? 'k' : 'j', bubbles: true, repeat: true })); return true";
    scene.window.script(held).await.unwrap();
    scene.window.press("j").await;
    scene.window.press("j").await;
    scene.window.press("j").await;
    let last = "[...document.querySelectorAll('.item')].at(-1).getAttribute('aria-selected') === 'true'";
    scene.window.holds(last).await;
    // The address waits for a pause; what is shown doesn't.
    let moved = "const done = arguments[arguments.length - 1]; const was = location.pathname; \
                 dispatchEvent(new KeyboardEvent('keydown', { key: 'k', bubbles: true })); \
                 requestAnimationFrame(() => requestAnimationFrame(() => done([location.pathname === was, \
                 [...document.querySelectorAll('.item')].at(-2).getAttribute('aria-selected') === 'true'])))";
    assert_eq!(scene.window.script_async(moved).await.unwrap(), json!([true, true]));
    let id = "document.querySelector('.item[aria-selected=true]').dataset.id";
    scene.window.holds(&format!("location.pathname === '/inbox/' + {id}")).await;
    scene.go("r").await;
    scene.window.says("Order R-2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_where_it_was_left_and_enter_opens_a_step() {
    let scene = Scene::open().await;
    for n in 0..40 {
        scene.world.small_order(&format!("S-{n}")).await;
    }
    scene.go("r").await;
    scene.window.holds("document.querySelectorAll('table.runs tbody tr[data-id]').length >= 40").await;
    let at = "document.querySelector('main > .scroll').scrollTop";
    scene.window.holds("(document.querySelector('main > .scroll').scrollTop = 600, true)").await;
    scene.window.holds("(document.querySelectorAll('table.runs tbody tr[data-id]')[24].focus(), true)").await;
    let id = scene.window.script("return document.activeElement.dataset.id").await.unwrap();
    scene.window.press("Enter").await;
    scene.window.says("Allowed: Order S-").await;
    scene.window.press("j").await;
    scene.window.press("Enter").await;
    scene.window.holds("!!document.querySelector('.step.is-open') && !!document.querySelector('.io')").await;
    scene.window.press("Escape").await;
    scene.window.holds(&format!("document.activeElement.dataset.id === {id}")).await;
    scene.window.holds(&format!("{at} > 300")).await;
}
