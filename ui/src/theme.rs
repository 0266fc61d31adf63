//! The theme of the pages.

use shared_types::desktop::{Settings, Theme};

/// Shows the theme that was chosen; the system's own where none was.
pub(crate) fn show_theme(chosen: Settings) {
    let root = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.document_element());
    if let Some(root) = root {
        let set = match chosen.theme {
            Theme::System => root.remove_attribute("data-theme"),
            Theme::Light => root.set_attribute("data-theme", "light"),
            Theme::Dark => root.set_attribute("data-theme", "dark"),
        };
        // The attribute's name is a good one.
        let _ = set;
    }
}
