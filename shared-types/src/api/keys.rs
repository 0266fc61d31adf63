//! API keys.

use super::{Access, NoBody, NoQuery, Page, Permission, endpoint};
use crate::ids::{KeyId, WorkflowId};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

endpoint!(CreateKey: Post "api-keys", Access::Needs(Permission::ManageKeys), "api-keys", 201, "Make an API key", (NoQuery, NewKey) => CreatedKey);
endpoint!(ListKeys: Get "api-keys", Access::Needs(Permission::ManageKeys), "api-keys", 200, "List API keys", (NoQuery, NoBody) => Page<Key>);
endpoint!(RevokeKey: Delete "api-keys/{key_id}", Access::Needs(Permission::ManageKeys), "api-keys", 204, "Revoke an API key", (NoQuery, NoBody) => NoBody);

/// A key to make.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// What uses it.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// What it may do.
    #[schemars(length(min = 1), extend("items" = { "type": "string", "enum": super::SCOPES.map(|(name, _)| name) }))]
    pub scopes: Vec<String>,
    /// The only workflows that it may touch; null for all.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub workflows: Option<Vec<WorkflowId>>,
    /// When it stops working, a time to come; null for never.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// The key's id.
    pub key_id: KeyId,
    /// What uses it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The only workflows that it may touch; null for all.
    pub workflows: Option<Vec<WorkflowId>>,
    /// When it stops working; null for never.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A key that was just made: the only time that its secret is shown.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CreatedKey {
    /// The secret, `iw_…`.
    pub key: String,
    /// What else there is to it.
    #[serde(flatten)]
    pub about: Key,
}
