//! Opening the window: it comes up with its first page there, in its theme, and never as an empty flash.

use crate::shell::Shell;
use shared_types::desktop::Theme;
use std::time::Duration;
use tauri::{AppHandle, Manager as _, window::Color};

/// After this long the window is shown as it is: a page that doesn't come must not hide it.
const AT_LATEST: Duration = Duration::from_secs(3);
const LIGHT: Color = Color(0xf5, 0xf6, 0xf8, 0xff);
const DARK: Color = Color(0x1c, 0x20, 0x24, 0xff);

/// Gives the window the ground of its theme, and has it shown at the latest after a while.
pub(crate) fn prepare(app: &AppHandle, shell: &Shell) {
    let (app, shell) = (app.clone(), shell.clone());
    tauri::async_runtime::spawn(async move {
        paint(&app, shell.cache().settings().await.unwrap_or_default().theme);
        tokio::time::sleep(AT_LATEST).await;
        show(&app);
    });
}

/// Gives the window the ground of a theme: it is seen before there is a page, and after.
pub(crate) fn paint(app: &AppHandle, chosen: Theme) {
    if let Some(window) = app.get_webview_window("main") {
        let system = window.theme().unwrap_or(tauri::Theme::Light);
        // Where the system takes no colour, the page's own follows a moment later.
        let _ = window.set_background_color(Some(ground(chosen, system)));
    }
}

/// Shows the window, if it isn't yet.
pub(crate) fn show(app: &AppHandle) {
    if let Some(window) =
        app.get_webview_window("main").filter(|window| !window.is_visible().unwrap_or_default())
    {
        // A window manager may refuse; the tray and a second start bring it to the front all the same.
        let _ = window.show();
    }
}

/// The ground that is painted before there is a page.
fn ground(chosen: Theme, system: tauri::Theme) -> Color {
    let is_dark = match chosen {
        Theme::Light => false,
        Theme::Dark => true,
        Theme::System => system == tauri::Theme::Dark,
    };
    if is_dark { DARK } else { LIGHT }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_painted_first_has_the_theme_of_the_page() {
        assert_eq!(ground(Theme::System, tauri::Theme::Dark), DARK);
        assert_eq!(ground(Theme::System, tauri::Theme::Light), LIGHT);
        assert_eq!(ground(Theme::Light, tauri::Theme::Dark), LIGHT);
        assert_eq!(ground(Theme::Dark, tauri::Theme::Light), DARK);
    }
}
