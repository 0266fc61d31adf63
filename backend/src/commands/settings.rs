//! `iw-server config`: all settings, with what they are set to and by what.

use crate::config::{ConfigError, SETTINGS, Sources};
use std::io::Write;

/// Prints every setting; secrets only as set or not.
pub fn print(sources: &Sources, out: &mut impl Write) -> Result<(), ConfigError> {
    for setting in SETTINGS {
        let (value, from) = sources.get(setting.name);
        let shown = match (value.is_empty(), setting.is_secret) {
            (true, _) => "(not set)".to_owned(),
            (false, true) => "(set)".to_owned(),
            (false, false) => value,
        };
        // A reader that went away is no failure of the settings.
        let _ = writeln!(out, "{:<24} {shown}  [{from}]\n{:<24} {}", setting.name, "", setting.help);
    }
    Ok(())
}
