//! Every page with a server that hangs, with none, and by keyboard alone.

use super::{
    Scene,
    looks::{Page, is_no_wider_than_its_place, pages, with_things_to_see},
};
use serde_json::json;

/// What a page may say while the server doesn't answer and nothing was seen before.
const WAITS: [&str; 3] = ["The server takes long to answer.", "Couldn’t load", "As of"];

/// Waits until a page says one of these in its own part of the window.
async fn says_one_of(scene: &Scene, page: &str, words: &[&str]) {
    let list = json!(words);
    scene
        .window
        .holds(&format!(
            "location.pathname === {page:?} && {list}.some(w => document.querySelector('main').innerText.includes(w))"
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_never_seen_says_what_it_waits_for_and_gives_a_way_on() {
    let scene = Scene::open().await;
    let things = with_things_to_see(&scene).await;
    scene.window.says("Order X-1").await;
    scene.wire.stick();
    scene.window.says("Offline, data from").await;
    for Page { path, says, .. } in pages(&things) {
        scene.window.visit(&path).await;
        says_one_of(&scene, &path, &[&WAITS[..], &[says]].concat()).await;
        is_no_wider_than_its_place(&scene, &path).await;
    }
    scene.wire.cut();
    for Page { path, says, is_here } in pages(&things) {
        scene.window.visit(&path).await;
        says_one_of(&scene, &path, &["Couldn’t load", "As of", if is_here { says } else { "As of" }]).await;
        is_no_wider_than_its_place(&scene, &path).await;
    }
    // What came meanwhile is read by itself.
    scene.wire.mend();
    scene.window.says("Live").await;
    for Page { path, says, .. } in pages(&things) {
        scene.window.visit(&path).await;
        says_one_of(&scene, &path, &[says]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_seen_is_there_without_a_server_with_its_age() {
    let scene = Scene::open().await;
    let things = with_things_to_see(&scene).await;
    scene.window.says("Order X-1").await;
    for Page { path, says, .. } in pages(&things) {
        scene.window.visit(&path).await;
        says_one_of(&scene, &path, &[says]).await;
    }
    scene.wire.cut();
    scene.window.says("Offline, data from").await;
    for Page { path, says, is_here } in pages(&things) {
        scene.window.visit(&path).await;
        says_one_of(&scene, &path, &[says]).await;
        if !is_here {
            says_one_of(&scene, &path, &["As of"]).await;
        }
        is_no_wider_than_its_place(&scene, &path).await;
    }
}

/// What somebody can press or write into, and no key reaches; a list's rows are reached by its own keys,
/// and what is folded is not there.
const NOT_REACHED: &str = "(() => { window.reached.add(document.activeElement); const all = document.querySelectorAll('main :is(button, a[href], input, select, textarea, \
     summary, [tabindex=\"0\"])'); return [...all].filter(e => !e.disabled && e.offsetParent && !window.reached.has(e) \
     && !e.closest('[role=listbox]') && !e.closest('details:not([open]) > :not(summary)') \
     && !(e.type === 'radio' && e.closest('section').querySelector('input:checked') !== e)) \
     .map(e => e.outerHTML.slice(0, 120)); })()";

#[tokio::test(flavor = "multi_thread")]
async fn everything_on_a_page_is_reached_by_keys() {
    let scene = Scene::open().await;
    let things = with_things_to_see(&scene).await;
    scene.window.says("Order X-1").await;
    let listen = "if (!window.reached) { window.reached = new Set(); \
                  document.addEventListener('focusin', e => window.reached.add(e.target)); } window.reached.clear(); \
                  document.activeElement.blur(); return true";
    for Page { path, says, .. } in pages(&things) {
        scene.window.visit(&path).await;
        says_one_of(&scene, &path, &[says]).await;
        scene.window.script(listen).await.unwrap();
        let mut left = json!(null);
        for _ in 0..60 {
            scene.window.press_tab().await;
            left = scene.window.script(&format!("return {NOT_REACHED}")).await.unwrap();
            if left == json!([]) {
                break;
            }
        }
        assert_eq!(left, json!([]), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_is_searched_and_opened_by_keys() {
    let scene = Scene::open().await;
    with_things_to_see(&scene).await;
    scene.world.order("Y-2").await;
    scene.window.says("Order Y-2").await;
    for (path, query, shown, hidden) in [
        ("/inbox", "y-2", "Order Y-2", "Order X-1"),
        ("/workflows", "value ord", "High-value order", "Restock"),
        ("/rules", "LARGE", "Large", "Tiny"),
    ] {
        scene.window.visit(path).await;
        says_one_of(&scene, path, &[hidden]).await;
        scene.window.press("/").await;
        scene.window.holds("document.activeElement.getAttribute('aria-label') === 'Search'").await;
        scene.window.type_text(query).await;
        let list = "document.querySelector('main .rows, main tbody').innerText";
        scene.window.holds(&format!("{list}.includes({shown:?}) && !{list}.includes({hidden:?})")).await;
        // What is looked for says nothing of how much waits.
        scene.window.holds("document.querySelector('.rail .count').innerText === '2'").await;
        let tab = "(document.querySelector('nav.tabs .count')?.innerText ?? '2')";
        scene.window.holds(&format!("{tab} === '2'")).await;
        scene.window.press("Escape").await;
        scene.window.press("j").await;
        scene.window.press("Enter").await;
        scene.window.holds(&format!("location.pathname.startsWith({path:?} + '/')")).await;
    }
    scene.window.visit("/rules").await;
    scene.window.press("/").await;
    scene.window.type_text(" and nothing").await;
    scene.window.says("No rules match “LARGE and nothing”.").await;
    scene.window.click_on("Clear").await;
    scene.window.says("Tiny").await;
}
