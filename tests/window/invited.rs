//! An invitation to another workspace, as the one who is invited sees and answers it.

use crate::{INA, driver::Window, world::World};
use serde_json::json;

const OTHER_ADMIN: &str = "olle.berg@example.com";

pub(crate) async fn an_invitation_is_accepted(window: &Window, world: &World) {
    world.command(&["admin", "workspace", "north"], "");
    let user =
        ["admin", "user", OTHER_ADMIN, "--name", "Olle Berg", "--role", "admin", "--workspace", "north"];
    world.command(&user, "olles-own-password\n");
    let olle = world.token_with(OTHER_ADMIN, "olles-own-password").await;
    let ina =
        json!({ "email": INA, "name": "Ina B. Berg", "password": "another-of-inas", "roles": ["operator"] });
    world.send(&olle, "users", &ina).await;

    window.press("g").await;
    window.press(",").await;
    window.says("north, as Ina B. Berg with operator").await;
    window.says(&format!("{OTHER_ADMIN} invited you.")).await;
    window.picture("invitations").await;
    window.click_on("Accept").await;
    window.says("You belong to north").await;
    window.says("No invitations.").await;
    window.picture("invitations-none").await;
}
