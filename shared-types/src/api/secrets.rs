//! Secrets: usable by workflows, readable by nobody.

use super::{Access, NoBody, NoQuery, Page, Permission, endpoint, limits};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

endpoint!(PutSecret: Put "secrets/{name}", Access::Needs(Permission::ManageSecrets), "secrets", 204, "Set a secret", (NoQuery, SecretValue) => NoBody);
endpoint!(ListSecrets: Get "secrets", Access::Needs(Permission::ManageSecrets), "secrets", 200, "List the names of secrets", (NoQuery, NoBody) => Page<SecretName>);
endpoint!(DeleteSecret: Delete "secrets/{name}", Access::Needs(Permission::ManageSecrets), "secrets", 204, "Delete a secret", (NoQuery, NoBody) => NoBody);

/// A secret's value.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretValue {
    /// The value.
    #[schemars(length(min = 1, max = limits::SECRET_VALUE))]
    pub value: String,
}

/// A secret's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretName {
    /// `secrets.<name>` in a template.
    pub name: String,
    /// When it was last set.
    pub updated_at: DateTime<Utc>,
}
