//! The main job in a real window: an order arrives, a notification is raised, its click opens the card, the
//! operator decides by keyboard, the shop is told; then the same with no server, and with somebody faster.
//!
//! `cargo xtask test` brings the display, the bus, the keyring, the programs and the PostgreSQL.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod branches;
mod budgets;
mod bus;
mod display;
mod driver;
mod editing;
mod invited;
mod scenes;

use bus::Notifications;
use driver::Window;
use driving::{wait, world};
use serde_json::json;
use wait::eventually;
use world::{FaultyProxy, PASSWORD, World};

pub(crate) const INA: &str = "ina.berg@example.com";
pub(crate) const BO: &str = "bo.ek@example.com";

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_decided_in_the_window_and_the_shop_is_told() {
    let app = std::env::var("IW_TEST_APP").expect("IW_TEST_APP names the app; `cargo xtask test` builds it");
    let notifications = Notifications::serve().await;
    let mut world = World::start().await;
    let wire = FaultyProxy::lay(world.address).await;
    let ina = world.token(INA).await;
    let window = Window::open(&app).await;

    sign_in(&window, &wire).await;
    decided_by_keyboard(&window, &world, &notifications).await;
    decided_without_a_server(&window, &mut world, &notifications, &ina).await;
    decided_by_another_meanwhile(&window, &world, &wire, &notifications).await;
    let raised = notifications.all();
    assert_eq!(raised.len(), 3, "one for each request, however often the line broke: {raised:?}");
    many_become_one(&window, &world, &notifications).await;
    a_server_that_hangs(&window, &wire).await;
    invited::an_invitation_is_accepted(&window, &world).await;
    branches::a_parallel_run_is_watched_to_its_end(&window, &world, &ina).await;
    editing::a_workflow_is_written(&window, &world, &wire).await;
}

/// What was seen is shown at once, with its age, though the server takes calls and answers none.
async fn a_server_that_hangs(window: &Window, wire: &FaultyProxy) {
    wire.stick();
    window.press("g").await;
    window.press("r").await;
    window.says("As of").await;
    window.says("Order A-1, Lund Robotics").await;
    wire.mend();
    window.says("Live").await;
    window.holds("!document.querySelector('main').innerText.includes('As of')").await;
}

/// More than three within a minute are told together, with their number; deciding one elsewhere counts it off.
async fn many_become_one(window: &Window, world: &World, notifications: &Notifications) {
    let (first, _) = world.order("A-4").await;
    for order in ["A-5", "A-6", "A-7"] {
        world.order(order).await;
    }
    let together = notifications.about("4 approvals wait").await;
    let bo = world.token(BO).await;
    world.decide(&bo, &first, json!({ "decision": "approve" })).await;
    assert_eq!(
        notifications.about("3 approvals wait").await.id,
        together.id,
        "it is changed, not raised anew"
    );
    let others: Vec<_> = notifications.all().into_iter().filter(|shown| shown.id != together.id).collect();
    assert!(others.iter().all(|shown| shown.closed), "{others:?}");
    click(window, notifications, together.id, "/inbox").await;
}

/// Clicks a notification until the page that it leads to is open: it may be shown before the app listens to it.
async fn click(window: &Window, notifications: &Notifications, id: u32, leads_to: &str) {
    eventually(leads_to, || async {
        notifications.click(id).await;
        let here = window.script("return location.pathname").await?;
        if here == json!(leads_to) { Ok(()) } else { Err(here.to_string()) }
    })
    .await;
}

async fn sign_in(window: &Window, wire: &FaultyProxy) {
    window.write("input[name=server]", &format!("http://{}", wire.address)).await;
    window.write("input[name=email]", INA).await;
    window.write("input[name=password]", "not-the-password").await;
    window.click("form .btn.primary").await;
    window.says("Email and password don't match.").await;
    window.write("input[name=password]", PASSWORD).await;
    window.click("form .btn.primary").await;
    window.says("Nothing waits for you.").await;
    window.says("Live").await;
}

pub(crate) async fn sign_in_as(window: &Window, wire: &FaultyProxy, email: &str) {
    window.write("input[name=server]", &format!("http://{}", wire.address)).await;
    window.write("input[name=email]", email).await;
    window.write("input[name=password]", PASSWORD).await;
    window.click("form .btn.primary").await;
    window.says("Live").await;
}

pub(crate) async fn sign_out(window: &Window) {
    window.press("g").await;
    window.press(",").await;
    window.click_on("Sign out").await;
    window
        .holds("!!document.querySelector('input[name=password]') && !document.querySelector('.rail')")
        .await;
}

async fn decided_by_keyboard(window: &Window, world: &World, notifications: &Notifications) {
    let (approval, run) = world.order("A-1").await;
    let shown = notifications.about("Order A-1").await;
    assert_eq!(shown.summary, "Approve €12,400.10 for Order A-1, Lund Robotics?");
    assert!(shown.body.starts_with("Order over 10,000. Until "), "{}", shown.body);
    assert!(!shown.body.contains("UTC"), "its deadline is in the person's own time: {}", shown.body);
    click(window, notifications, shown.id, &format!("/inbox/{approval}")).await;
    window.says("Approve €12,400.10 for Order A-1, Lund Robotics?").await;
    window.says("order.total is €12,400.10, at least €10,000.00: true").await;
    window.says("Tells the shop: order A-1 is approved.").await;
    window.says("Still needed: one of sales manager (").await;
    approve(window).await;
    window.says("approval recorded").await;
    world.shop_was_told("orders/A-1/approve").await;
    window.press("g").await;
    window.press("r").await;
    window.says("Order A-1, Lund Robotics").await;
    window.click("table.runs tbody td:nth-child(3)").await;
    window.holds(&format!("location.pathname === '/runs/{run}'")).await;
    window.says("Allowed: Order A-1, Lund Robotics").await;
    window.holds("document.querySelector('.step[data-step=release_order]').dataset.state === 'Done'").await;
}

/// Presses `a` on a card that has been shown long enough to take it.
async fn approve(window: &Window) {
    eventually("the decision leaves the card", || async {
        window.press("a").await;
        let gone = window.script("return !document.querySelector('.card .btn.primary')").await?;
        if gone == json!(true) { Ok(()) } else { Err(gone.to_string()) }
    })
    .await;
}

async fn open_card(window: &Window, approval: &str) {
    window.press("g").await;
    window.press("i").await;
    window.click(&format!(".item[data-id='{approval}']")).await;
    window.holds("!!document.querySelector('.card .btn.primary')").await;
}

async fn decided_without_a_server(
    window: &Window,
    world: &mut World,
    notifications: &Notifications,
    ina: &str,
) {
    let (approval, _) = world.order("A-2").await;
    notifications.about("Order A-2").await;
    open_card(window, &approval).await;
    world.server_down();
    window.says("Offline, data from").await;
    approve(window).await;
    window.says("queued, not yet recorded").await;
    window.holds("document.querySelector('.rail').innerText.includes('Outbox')").await;
    world.server_up().await;
    window.says("Live").await;
    let recorded = world.approval_is(ina, &approval, "approved").await;
    assert!(recorded["levels"][0]["decisions"][0]["decided_at"].is_string(), "{recorded}");
    world.shop_was_told("orders/A-2/approve").await;
    window.says("recorded").await;
}

async fn decided_by_another_meanwhile(
    window: &Window,
    world: &World,
    wire: &FaultyProxy,
    notifications: &Notifications,
) {
    let (approval, _) = world.order("A-3").await;
    notifications.about("Order A-3").await;
    open_card(window, &approval).await;
    wire.cut();
    window.says("Offline, data from").await;
    approve(window).await;
    window.says("queued, not yet recorded").await;
    let bo = world.token(BO).await;
    world.decide(&bo, &approval, json!({ "decision": "reject", "comment": "Entered twice" })).await;
    wire.mend();
    window.says("Yours was not recorded. Bo Ek rejected it").await;
    window.says("What you wrote is kept in Outbox.").await;
    window.press("g").await;
    window.press("o").await;
    window.says("Not recorded.").await;
    eventually("the notification is withdrawn", || async {
        let shown = notifications.about("Order A-3").await;
        if shown.closed { Ok(()) } else { Err(format!("{shown:?}")) }
    })
    .await;
}
