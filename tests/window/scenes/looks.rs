//! How pages look: nothing is wider than its place, and what axe-core finds serious fails.

use super::Scene;
use serde_json::{Value, json};

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

/// The pages, each with what it says when it is there.
fn pages<'w>(approval: &str, run: &str, order: &'w str) -> [(String, &'w str); 10] {
    [
        ("/inbox".to_owned(), order),
        (format!("/inbox/{approval}"), "If you reject"),
        ("/messages".to_owned(), "Messages"),
        ("/runs".to_owned(), order),
        (format!("/runs/{run}"), "ask_manager"),
        ("/workflows".to_owned(), "High-value order"),
        ("/workflows/high_value_order".to_owned(), "ask_manager"),
        ("/rules".to_owned(), "Rules"),
        ("/outbox".to_owned(), "Outbox"),
        ("/settings".to_owned(), "Account"),
    ]
}

async fn is_no_wider_than_its_place(scene: &Scene, page: &str) {
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
    let (approval, run) = scene.world.order_of("L-1", &long).await;
    for n in 0..25 {
        scene.world.order(&format!("L-{}", n + 2)).await;
    }
    scene.window.says("Order L-1").await;
    for (page, words) in pages(&approval, &run, "Order L-1") {
        scene.window.visit(&page).await;
        scene.window.says(words).await;
        is_no_wider_than_its_place(&scene, &page).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_serious_on_any_page_in_both_themes() {
    let scene = Scene::open().await;
    let (approval, run) = scene.world.order("X-1").await;
    scene.window.says("Order X-1").await;
    let axe =
        std::fs::read_to_string(std::env::var("IW_TEST_AXE").expect("IW_TEST_AXE names axe-core")).unwrap();
    let mut found = Vec::new();
    for theme in ["light", "dark"] {
        scene.window.script(&format!("document.documentElement.dataset.theme = '{theme}'")).await.unwrap();
        for (page, words) in pages(&approval, &run, "Order X-1") {
            scene.window.visit(&page).await;
            scene.window.says(words).await;
            scene.window.script(&axe).await.unwrap();
            let script = "const done = arguments[arguments.length - 1]; \
                axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }).then(r => done(r.violations \
                .filter(v => v.impact === 'serious' || v.impact === 'critical') \
                .map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(' | '))), e => done([String(e)]))";
            let violations = scene.window.script_async(script).await.unwrap();
            let list = violations.as_array().cloned().unwrap_or_default();
            found.extend(list.iter().filter_map(Value::as_str).map(|what| format!("{theme} {page} {what}")));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
