//! Opening the window: it and its page have their theme from the first frame on.

use shared_types::desktop::Theme;
use tauri::{AppHandle, Manager as _, WebviewWindowBuilder, window::Color};

const LIGHT: Color = Color(0xf5, 0xf6, 0xf8, 0xff);
const DARK: Color = Color(0x1c, 0x20, 0x24, 0xff);

/// Makes the window as `tauri.conf.json` has it, in the theme that the person chose.
pub(crate) fn open(app: &AppHandle, chosen: Theme) -> anyhow::Result<()> {
    let config =
        app.config().app.windows.first().ok_or_else(|| anyhow::anyhow!("no window is configured"))?;
    WebviewWindowBuilder::from_config(app, config)?
        .background_color(ground(chosen, tauri::Theme::Light))
        .initialization_script(first_words(chosen))
        .build()?;
    paint(app, chosen);
    Ok(())
}

/// Gives the window the ground of a theme: it is seen before there is a page, and after.
pub(crate) fn paint(app: &AppHandle, chosen: Theme) {
    if let Some(window) = app.get_webview_window("main") {
        let system = window.theme().unwrap_or(tauri::Theme::Light);
        // Where the system takes no colour, the page's own follows a moment later.
        let _ = window.set_background_color(Some(ground(chosen, system)));
    }
}

/// What the page runs before anything else, so that its style sheet knows the theme.
fn first_words(chosen: Theme) -> &'static str {
    match chosen {
        Theme::System => "",
        Theme::Light => "document.documentElement.dataset.theme = 'light'",
        Theme::Dark => "document.documentElement.dataset.theme = 'dark'",
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
