//! Single scenes in the real window, each with a server and an app of its own, so that one that fails hides no other.

mod calendars;
mod connectors;
mod deciding;
mod keys;
mod levels;
mod looks;
mod notifications;
mod offline;
mod pages;
mod runs;
mod start;
mod undo;
mod writing;

use crate::{
    INA,
    driver::Window,
    sign_in_as,
    world::{FaultyProxy, World},
};

/// A server, the line to it, and the app with Ina signed in.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) wire: FaultyProxy,
    pub(crate) window: Window,
    /// Ina's access token.
    pub(crate) ina: String,
}

impl Scene {
    pub(crate) async fn open() -> Self {
        Self::open_as(INA).await
    }

    /// With somebody else signed in.
    pub(crate) async fn open_as(email: &str) -> Self {
        let app = std::env::var("IW_TEST_APP").expect("IW_TEST_APP names the app");
        let world = World::start().await;
        let wire = FaultyProxy::lay(world.address).await;
        let ina = world.token(INA).await;
        let window = Window::open(&app).await;
        sign_in_as(&window, &wire, email).await;
        Self { world, wire, window, ina }
    }

    /// Goes to a page by its keys.
    pub(crate) async fn go(&self, place: &str) {
        self.window.press("g").await;
        self.window.press(place).await;
    }

    /// Opens a request's card, with its buttons.
    pub(crate) async fn open_card(&self, approval: &str) {
        self.go("i").await;
        self.window.click(&format!(".item[data-id='{approval}']")).await;
        self.window.holds(&format!("location.pathname === '/inbox/{approval}'")).await;
        self.window.holds("!!document.querySelector('.card .btn.primary')").await;
    }

    /// Opens a request's card, with the reason that was begun for it.
    pub(crate) async fn open_card_with_reason(&self, approval: &str) {
        self.go("i").await;
        self.window.click(&format!(".item[data-id='{approval}']")).await;
        self.window.holds("!!document.querySelector('textarea[name=reason]')").await;
    }

    /// How a request stands on the server.
    pub(crate) async fn status(&self, approval: &str) -> String {
        let request = self.world.read(&self.ina, &format!("approvals/{approval}")).await;
        request["status"].as_str().unwrap_or_else(|| panic!("{request}")).to_owned()
    }
}
