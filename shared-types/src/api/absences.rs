//! Times in which people are away, and who decides for them.

use super::{Access, NoBody, NoQuery, Page, endpoint, limits};
use crate::ids::AbsenceId;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

endpoint!(
    /// A person enters absences for themselves, an administrator for anyone.
    CreateAbsence: Post "absences", Access::Person, "absences", 201, "Enter an absence", (NoQuery, NewAbsence) => Absence
);
endpoint!(ListAbsences: Get "absences", Access::Person, "absences", 200, "List absences", (AbsenceQuery, NoBody) => Page<Absence>);
endpoint!(UpdateAbsence: Patch "absences/{absence_id}", Access::Person, "absences", 200, "Change an absence", (NoQuery, AbsenceChange) => Absence);
endpoint!(DeleteAbsence: Delete "absences/{absence_id}", Access::Person, "absences", 204, "Delete an absence", (NoQuery, NoBody) => NoBody);

/// A time in which a person is away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Absence {
    /// Its id, a `UUIDv7`.
    pub absence_id: AbsenceId,
    /// The address of the person who is away.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// The first instant of the absence, in UTC.
    pub from: DateTime<Utc>,
    /// The first instant at which they are there again.
    pub until: DateTime<Utc>,
    /// The address of the person who decides for them.
    pub delegate: Option<String>,
    /// What that person is called.
    pub delegate_name: Option<String>,
    /// What is noted.
    pub note: Option<String>,
    /// Who entered it.
    pub created_by: String,
    /// When it was entered.
    pub created_at: DateTime<Utc>,
}

/// An absence to enter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAbsence {
    /// The first instant of the absence, in UTC.
    pub from: DateTime<Utc>,
    /// The first instant at which they are there again.
    pub until: DateTime<Utc>,
    /// The address of the person who decides for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::ADDRESS))]
    pub delegate: Option<String>,
    /// What is noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::CANCEL_REASON))]
    pub note: Option<String>,
    /// The address of the person who is away; the caller without it. Only an administrator names another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::ADDRESS))]
    pub email: Option<String>,
}

/// What changes of an absence.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AbsenceChange {
    /// The first instant of the absence, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// The first instant at which they are there again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// The address of the person who decides for them; null for nobody.
    #[serde(default, skip_serializing_if = "TextChange::is_none")]
    #[schemars(with = "Option<String>")]
    pub delegate: TextChange,
    /// What is noted; null for nothing.
    #[serde(default, skip_serializing_if = "TextChange::is_none")]
    #[schemars(with = "Option<String>")]
    pub note: TextChange,
}

/// What becomes of a text that may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TextChange {
    /// It stays as it is: the field isn't there.
    #[default]
    None,
    /// It goes: the field is null.
    Clear,
    /// It is this from now on.
    Set(String),
}

impl TextChange {
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

impl<'de> Deserialize<'de> for TextChange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

impl Serialize for TextChange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None | Self::Clear => serializer.serialize_none(),
            Self::Set(text) => serializer.serialize_str(text),
        }
    }
}

/// Which absences to list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AbsenceQuery {
    /// The `next_cursor` of the previous page; leave it out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::CURSOR))]
    pub cursor: Option<String>,
    /// How many at most, up to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limits::PAGE))]
    pub limit: Option<u32>,
    /// Of the person with this address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::ADDRESS))]
    pub email: Option<String>,
    /// Those that run at this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
}
