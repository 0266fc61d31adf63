//! Addresses of people: read by one rule, compared in one normal form.

use std::{fmt, str::FromStr};

/// The most characters that an address has.
pub const MAX_LENGTH: usize = 254;

/// A person's e-mail address in its normal form: trimmed and in small letters.
///
/// Two spellings of one address are equal, so that an account, an approver and a requester are the same person
/// however each was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

/// Why a text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// There is nothing.
    #[error("it is empty; write an address such as ada@example.com")]
    Empty,
    /// A name stands beside the address.
    #[error("write the address alone, such as ada@example.com, without a name, brackets or quotes")]
    DisplayName,
    /// A blank stands inside it.
    #[error("an address has no blanks inside")]
    Blank,
    /// A character that nobody sees stands in it.
    #[error("an address has no invisible characters")]
    Invisible,
    /// It has no `@`.
    #[error("an address has an @, such as ada@example.com")]
    NoAt,
    /// It has more than one `@`.
    #[error("an address has one @ only")]
    ManyAts,
    /// Nothing stands before the `@`, or a part of the host's name is empty.
    #[error("a part of it is empty; write an address such as ada@example.com")]
    EmptyPart,
    /// The host's name isn't one.
    #[error("what stands behind the @ is no host's name; write an address such as ada@example.com")]
    BadHost,
    /// It is too long.
    #[error("an address has {MAX_LENGTH} characters at most")]
    Long,
}

impl EmailAddress {
    /// The address as text, in its normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let address = normal_form(text);
        if address.is_empty() {
            return Err(BadAddress::Empty);
        }
        if address.chars().count() > MAX_LENGTH {
            return Err(BadAddress::Long);
        }
        if address.contains(|c| "<>()[]\",;:\\".contains(c)) {
            return Err(BadAddress::DisplayName);
        }
        if address.contains(char::is_whitespace) {
            return Err(BadAddress::Blank);
        }
        if address.contains(is_invisible) {
            return Err(BadAddress::Invisible);
        }
        let (name, host) = address.split_once('@').ok_or(BadAddress::NoAt)?;
        if host.contains('@') {
            return Err(BadAddress::ManyAts);
        }
        if name.split('.').chain(host.split('.')).any(str::is_empty) {
            return Err(BadAddress::EmptyPart);
        }
        let is_label = |label: &str| {
            !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        if !host.split('.').all(is_label) {
            return Err(BadAddress::BadHost);
        }
        Ok(Self(address))
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The form in which addresses are compared: trimmed, in small letters.
///
/// Also of a text that the rule for new addresses would refuse, since such texts were stored before there was one.
pub fn normal_form(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Whether two texts are the same address.
pub fn is_same(one: &str, other: &str) -> bool {
    normal_form(one) == normal_form(other)
}

/// Control characters, and those that have no width or change the direction of what follows.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_equal() {
        let ina: EmailAddress = "ina@example.com".parse().unwrap();
        for spelling in
            ["INA@Example.com", " ina@example.com", "ina@example.com\n", "\u{a0}Ina@EXAMPLE.COM\t"]
        {
            assert_eq!(spelling.parse(), Ok(ina.clone()), "{spelling:?}");
            assert!(is_same(spelling, ina.as_str()));
        }
        assert_eq!("Åsa@Example.se".parse::<EmailAddress>().unwrap().as_str(), "åsa@example.se");
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_rule() {
        for (text, why) in [
            ("", BadAddress::Empty),
            (".ina@example.com", BadAddress::EmptyPart),
            ("ina..berg@example.com", BadAddress::EmptyPart),
            ("ina.@example.com", BadAddress::EmptyPart),
            ("ina@-example.com", BadAddress::BadHost),
            ("ina@example-.com", BadAddress::BadHost),
            ("ina@exa_mple!.com", BadAddress::BadHost),
            (" \t", BadAddress::Empty),
            ("Ina Berg <ina@example.com>", BadAddress::DisplayName),
            ("\"ina\"@example.com", BadAddress::DisplayName),
            ("mailto:ina@example.com", BadAddress::DisplayName),
            ("ina@example.com,bo@example.com", BadAddress::DisplayName),
            ("ina berg@example.com", BadAddress::Blank),
            ("ina@exam\tple.com", BadAddress::Blank),
            ("ina\u{3000}@example.com", BadAddress::Blank),
            ("ina\u{7}@example.com", BadAddress::Invisible),
            ("ina\u{200b}@example.com", BadAddress::Invisible),
            ("ina\0@example.com", BadAddress::Invisible),
            ("ina", BadAddress::NoAt),
            ("ina@@example.com", BadAddress::ManyAts),
            ("ina@example.com@example.com", BadAddress::ManyAts),
            ("@example.com", BadAddress::EmptyPart),
            ("ina@", BadAddress::EmptyPart),
            ("ina@example..com", BadAddress::EmptyPart),
            ("ina@.example.com", BadAddress::EmptyPart),
            ("ina@example.com.", BadAddress::EmptyPart),
        ] {
            assert_eq!(text.parse::<EmailAddress>(), Err(why), "{text:?}");
        }
        let host = "@example.com";
        let longest = format!("{}{host}", "a".repeat(MAX_LENGTH - host.len()));
        assert!(longest.parse::<EmailAddress>().is_ok());
        assert_eq!(format!("a{longest}").parse::<EmailAddress>(), Err(BadAddress::Long));
        assert!("admin@localhost".parse::<EmailAddress>().is_ok());
    }
}
