//! Who did what to what, when, from where.

use super::{Access, NoBody, Page, Permission, endpoint, limits};
use crate::ids::AuditId;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

endpoint!(ListAudit: Get "audit", Access::Needs(Permission::ReadAudit), "audit", 200, "Read the audit log", (AuditQuery, NoBody) => Page<AuditEntry>);

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEntry {
    /// Its id, a `UUIDv7`.
    pub audit_id: AuditId,
    /// When it happened, in UTC.
    pub at: DateTime<Utc>,
    /// Who, by address or a key's name.
    pub actor: String,
    /// What: `workflow.published`.
    pub action: String,
    /// What was acted on: an id, a name or an email address.
    pub subject: String,
    /// IP address that the request came from.
    pub from: Option<String>,
    /// Further details, which depend on the action.
    pub detail: Value,
}

/// Which entries to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// The `next_cursor` of the previous page; leave it out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::CURSOR))]
    pub cursor: Option<String>,
    /// How many at most, up to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limits::PAGE))]
    pub limit: Option<u32>,
    /// By this actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::NAME_FILTER))]
    pub actor: Option<String>,
    /// Of this action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::NAME_FILTER))]
    pub action: Option<String>,
    /// On this subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::NAME_FILTER))]
    pub subject: Option<String>,
    /// Since this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
}
