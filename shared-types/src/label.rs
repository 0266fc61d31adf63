//! What people call something: a person, a key, a workspace.

use std::{fmt, str::FromStr};

/// The most characters that a label has.
pub const MAX_LENGTH: usize = 200;

/// A name that people read: one line of 1 to 200 characters, without blanks at its ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(String);

/// Why a text can't be a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLabel {
    /// There is nothing.
    #[error("it is empty; write 1 to {MAX_LENGTH} characters")]
    Empty,
    /// It is too long.
    #[error("it has {0} characters; write {MAX_LENGTH} at most")]
    Long(usize),
    /// It holds a line break or another control character.
    #[error("it holds a line break or another control character; write it on one line")]
    Control,
}

impl Label {
    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The label's text itself.
    pub fn into_text(self) -> String {
        self.0
    }
}

impl FromStr for Label {
    type Err = BadLabel;

    fn from_str(text: &str) -> Result<Self, BadLabel> {
        let text = text.trim();
        match text.chars().count() {
            0 => Err(BadLabel::Empty),
            long if long > MAX_LENGTH => Err(BadLabel::Long(long)),
            _ if text.contains(char::is_control) => Err(BadLabel::Control),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_one_line_of_bounded_length() {
        assert_eq!(" Web shop ".parse::<Label>().unwrap().as_str(), "Web shop");
        assert!("ö".repeat(MAX_LENGTH).parse::<Label>().is_ok());
        assert_eq!("ö".repeat(MAX_LENGTH + 1).parse::<Label>(), Err(BadLabel::Long(MAX_LENGTH + 1)));
        assert_eq!("  ".parse::<Label>(), Err(BadLabel::Empty));
        assert_eq!("Web\nshop".parse::<Label>(), Err(BadLabel::Control));
    }
}
