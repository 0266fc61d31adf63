//! Who is asked or told: entries such as `role:finance` or `slack:#sales`, parsed once, where the text comes in.

use crate::{
    email::{self, BadAddress, EmailAddress},
    role,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{borrow::Cow, fmt, str::FromStr};

/// The longest name of a role that can be asked, in bytes: requests are found by it, and an index holds no more.
const MAX_ROLE: usize = 200;

/// Who may decide a request: everybody with a role, or one person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Approver {
    /// Every member with this role, by the id of the role: `role:finance`.
    Role(String),
    /// A member, by email address in normal form: `user:ada@example.com`.
    Person(String),
}

/// Why an entry names no approver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadApprover {
    /// There is no name after `role:`.
    #[error("`role:` needs a role's name after it")]
    NoRole,
    /// The role's name is longer than any role's.
    #[error("a role's name has {MAX_ROLE} characters at most")]
    LongRole,
    /// The text after `user:`, or the whole text, is no address.
    #[error("a person is named by an address, such as user:ada@example.com: {0}")]
    NoAddress(#[from] BadAddress),
    /// It is neither a role nor a person.
    #[error("write role:NAME for a role, or user:ADDRESS for a person")]
    NoKind,
}

impl FromStr for Approver {
    type Err = BadApprover;

    fn from_str(entry: &str) -> Result<Self, BadApprover> {
        let entry = entry.trim();
        let person = |address: &str| Ok(Self::Person(address.parse::<EmailAddress>()?.to_string()));
        match entry.split_once(':') {
            Some(("role", role)) if role.trim().is_empty() => Err(BadApprover::NoRole),
            Some(("role", role)) if role.trim().len() > MAX_ROLE => Err(BadApprover::LongRole),
            Some(("role", role)) => Ok(Self::Role(role.trim().to_owned())),
            Some(("user", address)) => person(address),
            None if entry.contains('@') => person(entry),
            Some(_) | None => Err(BadApprover::NoKind),
        }
    }
}

impl Approver {
    /// An entry that was stored. Entries from before there was a rule for them are read as well: a text that isn't a
    /// role is an address.
    fn of_stored(entry: &str) -> Self {
        match entry.split_once(':') {
            Some(("role", role)) => Self::Role(role.to_owned()),
            Some(("user", address)) => Self::Person(email::normal_form(address)),
            Some(_) | None => Self::Person(email::normal_form(entry)),
        }
    }

    /// The id of the role, or the address.
    pub fn name(&self) -> &str {
        match self {
            Self::Role(name) | Self::Person(name) => name,
        }
    }

    /// True if a person with this address and these roles is meant.
    pub fn includes(&self, address: &str, roles: &[String]) -> bool {
        match self {
            Self::Role(role) => roles.contains(role),
            Self::Person(person) => email::is_same(person, address),
        }
    }

    /// Every stored entry that names a person: each of their roles, and their address in both forms.
    pub fn entries_of(address: &str, roles: &[String]) -> Vec<String> {
        let address = email::normal_form(address);
        let roles = roles.iter().map(|role| Self::Role(role.clone()).to_string());
        roles.chain([Self::Person(address.clone()).to_string(), address]).collect()
    }
}

impl fmt::Display for Approver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => write!(f, "role:{role}"),
            Self::Person(address) => write!(f, "user:{address}"),
        }
    }
}

/// Who gets a message. The text of an entry is kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recipient {
    /// Every member with this role: `role:finance`.
    Role(String),
    /// A member: `user:ada@example.com`.
    Person(String),
    /// An address outside of the workspace: `ops@example.com`.
    Address(String),
    /// A channel of Slack: `slack:#sales`.
    SlackChannel(String),
    /// A service of `PagerDuty`: `pagerduty:payments`.
    PagerDuty(String),
    /// A text that names nobody. It is kept, so that people see what was written.
    Unknown(String),
}

impl From<String> for Recipient {
    fn from(entry: String) -> Self {
        match entry.split_once(':') {
            Some(("role", name)) => Self::Role(name.to_owned()),
            Some(("user", name)) => Self::Person(name.to_owned()),
            Some(("slack", name)) => Self::SlackChannel(name.to_owned()),
            Some(("pagerduty", name)) => Self::PagerDuty(name.to_owned()),
            None if entry.contains('@') => Self::Address(entry),
            Some(_) | None => Self::Unknown(entry),
        }
    }
}

impl From<Approver> for Recipient {
    fn from(approver: Approver) -> Self {
        match approver {
            Approver::Role(role) => Self::Role(role),
            Approver::Person(address) => Self::Person(address),
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(name) => write!(f, "role:{name}"),
            Self::Person(name) => write!(f, "user:{name}"),
            Self::SlackChannel(name) => write!(f, "slack:{name}"),
            Self::PagerDuty(name) => write!(f, "pagerduty:{name}"),
            Self::Address(text) | Self::Unknown(text) => f.write_str(text),
        }
    }
}

impl Recipient {
    /// The recipient in a sentence: a role by its default name, anybody else as written.
    pub fn in_words(&self) -> String {
        match self {
            Self::Role(role) => role::default_name(role),
            Self::Person(name)
            | Self::SlackChannel(name)
            | Self::PagerDuty(name)
            | Self::Address(name)
            | Self::Unknown(name) => name.clone(),
        }
    }

    /// The members that are meant, where members are; `None` for somebody outside of the workspace.
    pub fn members(&self) -> Option<Approver> {
        match self {
            Self::Role(role) => Some(Approver::Role(role.clone())),
            Self::Person(address) => Some(Approver::Person(email::normal_form(address))),
            Self::Address(_) | Self::SlackChannel(_) | Self::PagerDuty(_) | Self::Unknown(_) => None,
        }
    }
}

impl Serialize for Approver {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Approver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|entry| Self::of_stored(&entry))
    }
}

impl Serialize for Recipient {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Recipient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl JsonSchema for Approver {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Approver".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// Entries as they are written in documents, in a list: `role:finance, ops@example.com`.
pub fn listed<T: fmt::Display>(entries: &[T]) -> String {
    entries.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approver_is_a_role_or_a_person_however_the_address_is_written() {
        for (entry, approver) in [
            ("role:finance", "role:finance"),
            (" role: Finance ", "role:Finance"),
            ("user: INA@Example.com", "user:ina@example.com"),
            ("Ada@Example.com", "user:ada@example.com"),
        ] {
            assert_eq!(
                entry.parse::<Approver>().map(|approver| approver.to_string()),
                Ok(approver.to_owned())
            );
        }
        for (entry, fault) in [
            ("role: ", BadApprover::NoRole),
            ("slack:#sales", BadApprover::NoKind),
            ("finance", BadApprover::NoKind),
            ("user:ada", BadApprover::NoAddress(BadAddress::NoAt)),
        ] {
            assert_eq!(entry.parse::<Approver>(), Err(fault), "{entry}");
        }
    }

    #[test]
    fn what_was_stored_before_there_was_a_rule_is_read() {
        let read = |entry: &str| serde_json::from_value::<Approver>(entry.into()).unwrap();
        assert!(read("user: INA@Example.com").includes("ina@example.com", &[]));
        assert!(read("Cy@Example.com ").includes("CY@example.com", &[]));
        assert!(read("role:finance").includes("cy@example.com", &["finance".to_owned()]));
        assert_eq!(
            Approver::entries_of("INA@Example.com", &["finance".to_owned()]),
            ["role:finance", "user:ina@example.com", "ina@example.com"]
        );
    }

    #[test]
    fn a_recipients_text_is_kept_as_it_was_written() {
        for entry in [
            "role:sales_manager",
            "user: Ada@Example.com",
            "ops@example.com",
            "slack:#sales",
            "pagerduty:pay",
            "nobody",
            "x:y",
            "",
        ] {
            assert_eq!(Recipient::from(entry.to_owned()).to_string(), entry);
        }
        let words = |entry: &str| Recipient::from(entry.to_owned()).in_words();
        assert_eq!(words("role:sales_manager"), "sales manager");
        assert_eq!(words("user:ada@example.com"), "ada@example.com");
        assert_eq!(words("ada@example.com"), "ada@example.com");
    }
}
