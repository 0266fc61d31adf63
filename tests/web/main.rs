//! The web pages in a real browser: without a script, at 360 px, by keyboard; and what axe-core finds.
//!
//! `cargo xtask test` brings the browser, the programs and the PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;

use browser::{Browser, Scripts};
use driving::world::{PASSWORD, World};

const INA: &str = "ina.berg@example.com";

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_decided_by_keyboard_without_a_script_on_a_small_screen() {
    let world = World::start().await;
    let (approval, _) = world.order("P-1").await;
    let browser = Browser::open(Scripts::Blocked, 360).await;
    browser.go(&format!("http://{}/a/{approval}", world.address)).await;
    browser.keys("#email", INA).await;
    browser.keys("#password", &format!("{PASSWORD}\u{e007}")).await;
    // Rejecting needs a word; then it is written, and taken.
    browser.keys("button[value=reject]", "\u{e007}").await;
    browser.keys("[role=alert] ~ form textarea", "Not this one").await;
    browser.keys("button[value=reject]", "\u{e007}").await;
    let ina = world.token(INA).await;
    let decided = world.approval_is(&ina, &approval, "rejected").await;
    assert_eq!(decided["levels"][0]["decisions"][0]["comment"], "Not this one");
    browser.shows(".banner.bad[role=status]").await;
    // The list, and out.
    browser.keys(".bar a", "\u{e007}").await;
    browser.shows("main p.muted").await;
    browser.keys(".bar button", "\u{e007}").await;
    browser.shows("#email").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_wider_than_the_screen_or_has_a_serious_fault() {
    let axe =
        std::fs::read_to_string(std::env::var("IW_TEST_AXE").expect("IW_TEST_AXE names axe-core")).unwrap();
    let world = World::start().await;
    let long = "Lund-Robotics-".repeat(12);
    let (approval, _) = world.order_of("P-2", &long).await;
    let mut found = Vec::new();
    for (width, is_dark) in [(360, false), (360, true), (1024, false)] {
        let browser = Browser::open(Scripts::Run { is_dark }, width).await;
        browser.go(&format!("http://{}/a/{approval}", world.address)).await;
        let mut look = async |page: &str| {
            let fits = browser.script("return document.documentElement.scrollWidth <= innerWidth").await;
            if fits != Ok(true.into()) {
                found.push(format!("{page} at {width}: wider than the screen"));
            }
            let serious = browser.serious_faults(&axe).await;
            found.extend(serious.into_iter().map(|what| format!("{page} at {width}: {what}")));
        };
        look("sign-in").await;
        browser.write("#email", INA).await;
        browser.write("#password", "wrong").await;
        browser.click("button.primary").await;
        browser.says("don't match").await;
        look("refused sign-in").await;
        browser.write("#password", PASSWORD).await;
        browser.click("button.primary").await;
        browser.says("If you approve").await;
        look("card").await;
        browser.click("button[value=reject]").await;
        browser.holds("!!document.querySelector('[role=alert]')").await;
        look("refused card").await;
        browser.go(&format!("http://{}/a", world.address)).await;
        browser.says("Waiting for you").await;
        look("list").await;
        browser.go(&format!("http://{}/a/nothing", world.address)).await;
        browser.says("nothing at this address").await;
        look("message").await;
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
