//! Calendars: the hours in which deadlines are counted.

use super::{Access, BodyKind, NoBody, NoQuery, Page, Permission, endpoint, limits};
use crate::workflow::calendar::Calendar;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

endpoint!(
    /// Open requests that count in it are counted again.
    PutCalendar: Put "calendars/{name}", Access::Needs(Permission::ManageCalendars), "calendars", 200, "Set a calendar", (NoQuery, Calendar) => StoredCalendar
);
endpoint!(ListCalendars: Get "calendars", Access::Needs(Permission::ReadWorkflows), "calendars", 200, "List calendars", (NoQuery, NoBody) => Page<StoredCalendar>);
endpoint!(GetCalendar: Get "calendars/{name}", Access::Needs(Permission::ReadWorkflows), "calendars", 200, "Read a calendar", (NoQuery, NoBody) => StoredCalendar);
endpoint!(
    /// 409 where enabled workflows count in it.
    DeleteCalendar: Delete "calendars/{name}", Access::Needs(Permission::ManageCalendars), "calendars", 204, "Delete a calendar", (NoQuery, NoBody) => NoBody
);
endpoint!(
    /// The whole days of an iCalendar file become the calendar's closed days, in place of those that it has. Days with hours of
    /// their own stay.
    PutHolidays: Put "calendars/{name}/holidays", Access::Needs(Permission::ManageCalendars), "calendars", 200, "Import holidays", (NoQuery, NoBody) => ImportedHolidays,
    { const BODY: BodyKind = BodyKind::ICalendar; }
);
endpoint!(CalendarDue: Get "calendars/{name}/due", Access::Needs(Permission::ReadWorkflows), "calendars", 200, "Count a deadline", (DueQuery, NoBody) => Due);

/// A calendar as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StoredCalendar {
    /// Its name, zone, hours and holidays.
    #[serde(flatten)]
    pub calendar: Calendar,
    /// The enabled workflows that count in it.
    pub used_by: Vec<String>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    /// Address of the person, or name of the key, that changed it last.
    pub updated_by: String,
}

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ImportedHolidays {
    /// The calendar after it.
    pub calendar: StoredCalendar,
    /// How many days were taken.
    pub days: usize,
    /// How many entries were left out, since they aren't whole days.
    pub left_out: usize,
    /// The last day up to which days that come again were taken: `2032-12-31`.
    pub until: String,
}

/// What to count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DueQuery {
    /// From when; by default from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// How long, such as `2d4h`.
    #[schemars(length(max = limits::SPAN))]
    pub span: String,
    /// How often people are reminded in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::SPAN))]
    pub remind_every: Option<String>,
}

/// When it is due.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Due {
    /// The deadline.
    pub due: DateTime<Utc>,
    /// The reminders before it, at most 50.
    pub reminders: Vec<DateTime<Utc>>,
}
