//! On whose behalf an event came, a run runs and people are asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// On whose behalf an event came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requester {
    /// What they are.
    pub kind: RequesterKind,
    /// What they are called.
    pub name: String,
    /// The person's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// What a requester is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequesterKind {
    /// A person.
    Person,
    /// Another system, by its API key.
    Key,
    /// A schedule.
    Schedule,
}
