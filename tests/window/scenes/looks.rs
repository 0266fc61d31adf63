//! How pages look: nothing is wider than its place, and what axe-core finds serious fails.

use super::Scene;
use serde_json::json;

/// The widths that pages are made for, in pixels.
const WIDTHS: [u32; 3] = [1440, 1024, 820];

/// What stands out of its place on the right, with nothing that lets one scroll to it.
const TOO_WIDE: &str = "(() => { const out = []; \
    for (const e of document.querySelectorAll('main *')) { \
      const r = e.getBoundingClientRect(); if (!r.width || !r.height) continue; \
      let limit = innerWidth; \
      for (let p = e.parentElement; p; p = p.parentElement) { \
        const o = getComputedStyle(p).overflowX; \
        if (o !== 'visible') { limit = o === 'hidden' && !p.matches('main, .scroll, .pane, body, html') ? Infinity : \
          (o === 'auto' || o === 'scroll') && p.scrollWidth > p.clientWidth + 1 && !p.matches('.scroll') ? Infinity : p.getBoundingClientRect().right; break; } } \
      if (r.right > limit + 1) out.push(e.tagName + '.' + e.className + ' ' + Math.round(r.right) + ' > ' + Math.round(limit)); } \
    return out.slice(0, 5).join('; '); })()";

/// A page that scenes walk through.
pub(super) struct Page {
    pub(super) path: String,
    /// What it says when it is there.
    pub(super) says: &'static str,
    /// Whether it needs no server.
    pub(super) is_here: bool,
}

/// What the pages show.
pub(super) struct Things {
    approval: String,
    /// A request of two levels.
    levels: String,
    run: String,
}

/// Two requests, a run and two rules.
pub(super) async fn with_things_to_see(scene: &Scene) -> Things {
    let (approval, run) = scene.world.order("X-1").await;
    let (levels, _) = super::levels::credit(scene, "X-2").await;
    let ada = scene.world.token(crate::editing::ADA).await;
    for rule in [
        "rule_id: large\nname: Large\ncondition: { expr: \"order.total >= 10000\" }\n",
        "rule_id: tiny\nname: Tiny\ncondition: { expr: \"order.total < 10\" }\n",
    ] {
        scene.world.add_document(&ada, "rules", rule).await;
    }
    Things { approval, levels, run }
}

/// Every route of `ui/src/route.rs`, in the order of the rail.
pub(super) fn pages(things: &Things) -> Vec<Page> {
    let of_server = |path: &str, says| Page { path: path.to_owned(), says, is_here: false };
    let here = |path: &str, says| Page { path: path.to_owned(), says, is_here: true };
    vec![
        of_server("/inbox", "Order X-1"),
        of_server(&format!("/inbox/{}", things.approval), "If you reject"),
        of_server(&format!("/requests/others/{}", things.levels), "2 of finance"),
        of_server("/messages", "Messages"),
        of_server("/runs", "Order X-1"),
        of_server(&format!("/runs/{}", things.run), "ask_manager"),
        of_server("/workflows", "High-value order"),
        of_server("/workflows/high_value_order", "ask_manager"),
        of_server("/rules", "Tiny"),
        of_server("/rules/large", "No workflow asks it."),
        here("/outbox", "Outbox"),
        here("/settings", "Account"),
        here("/edit", "Not saved yet"),
        here("/edit/high_value_order", "Draft on revision 1"),
        here("/rule", "Not saved yet"),
        here("/nowhere", "There is nothing at this address."),
    ]
}

pub(super) async fn is_no_wider_than_its_place(scene: &Scene, page: &str) {
    for width in WIDTHS {
        scene.window.resize(width, 800).await;
        let found = scene.window.script(&format!("return {TOO_WIDE}")).await.unwrap();
        assert_eq!(found, json!(""), "{page} at {width}");
        scene.window.picture(&format!("{}-{width}", page.trim_matches('/').replace('/', "-"))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_words_and_many_rows_fit_at_three_widths() {
    let scene = Scene::open().await;
    let long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".repeat(4);
    let things = with_things_to_see(&scene).await;
    let (approval, run) = scene.world.order_of("L-1", &long).await;
    for n in 0..25 {
        scene.world.order(&format!("L-{}", n + 2)).await;
    }
    scene.window.says("Order L-1").await;
    let long = Things { approval, levels: things.levels.clone(), run };
    for Page { path, says, .. } in pages(&long).into_iter().chain(pages(&things)) {
        scene.window.visit(&path).await;
        scene.window.says(says).await;
        is_no_wider_than_its_place(&scene, &path).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_serious_on_any_page_in_both_themes() {
    let scene = Scene::open().await;
    let things = with_things_to_see(&scene).await;
    scene.window.says("Order X-1").await;
    let axe =
        std::fs::read_to_string(std::env::var("IW_TEST_AXE").expect("IW_TEST_AXE names axe-core")).unwrap();
    let mut found = Vec::new();
    for theme in ["light", "dark"] {
        scene.window.paint(theme).await;
        for Page { path, says, .. } in pages(&things) {
            scene.window.visit(&path).await;
            scene.window.says(says).await;
            found.extend(
                scene
                    .window
                    .serious_faults(&axe)
                    .await
                    .into_iter()
                    .map(|what| format!("{theme} {path} {what}")),
            );
        }
        // What a page shows besides: a run's timeline and its list, a reason that is asked for, and what lies over a page.
        scene.window.visit(&format!("/runs/{}", things.run)).await;
        scene.window.says("Asks one of sales manager").await;
        scene.window.press_until("]", "!!document.querySelector('.timeline')").await;
        found.extend(
            scene
                .window
                .serious_faults(&axe)
                .await
                .into_iter()
                .map(|what| format!("{theme} timeline {what}")),
        );
        scene.window.click_on("As a list").await;
        found.extend(
            scene
                .window
                .serious_faults(&axe)
                .await
                .into_iter()
                .map(|what| format!("{theme} timeline's list {what}")),
        );
        scene.open_card(&things.approval).await;
        scene.window.press_until("r", "!!document.querySelector('textarea[name=reason]')").await;
        found.extend(
            scene.window.serious_faults(&axe).await.into_iter().map(|what| format!("{theme} reason {what}")),
        );
        scene.window.press("Escape").await;
        scene.window.press("?").await;
        scene.window.holds("!!document.querySelector('[role=dialog]')").await;
        found.extend(
            scene.window.serious_faults(&axe).await.into_iter().map(|what| format!("{theme} keys {what}")),
        );
        scene.window.press("Escape").await;
    }
    crate::sign_out(&scene.window).await;
    for theme in ["light", "dark"] {
        scene.window.paint(theme).await;
        found.extend(
            scene.window.serious_faults(&axe).await.into_iter().map(|what| format!("{theme} sign-in {what}")),
        );
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
