//! How the app starts, and how one signs in.

use super::Scene;
use crate::{INA, display::Brightness, driver::Window, world::PASSWORD};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_dark_start_shows_nothing_bright() {
    let app = std::env::var("IW_TEST_APP").expect("IW_TEST_APP names the app");
    let scene = Scene::open().await;
    scene.world.order("D-1").await;
    scene.window.says("Order D-1").await;
    scene.go(",").await;
    scene.window.click_on_label("Dark").await;
    scene.window.holds("document.documentElement.dataset.theme === 'dark'").await;
    let Scene { world: _world, window, .. } = scene;
    let brightness = Brightness::watch();
    let window = window.again(&app).await;
    window.says("Order D-1").await;
    let seen = brightness.stop();
    assert!(seen.looks > 20, "{seen:?}");
    // A window that appears may be white for the moment in which it is mapped: three frames at most.
    assert!(seen.bright_for < Duration::from_millis(50), "something bright in a dark start: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_taken_as_people_write_it_and_a_silent_one_is_named() {
    let app = std::env::var("IW_TEST_APP").expect("IW_TEST_APP names the app");
    let scene = Scene::open().await;
    crate::sign_out(&scene.window).await;
    let Scene { wire, window, world: _world, .. } = scene;
    let sign_in = async |window: &Window, server: &str| {
        window.write("input[name=server]", server).await;
        window.write("input[name=email]", INA).await;
        window.write("input[name=password]", PASSWORD).await;
        window.press("Enter").await;
    };
    window.holds("document.activeElement.name === 'email'").await;
    sign_in(&window, "my server").await;
    window.says("“my server” is no address of a server; write it as in the browser").await;
    sign_in(&window, "127.0.0.1:9").await;
    window.says("Nothing answers at http://127.0.0.1:9. Check the address and the network.").await;
    sign_in(&window, &wire.address.to_string()).await;
    window.says("Live").await;
    let window = window.again(&app).await;
    window.says("Live").await;
}
