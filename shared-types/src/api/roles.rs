//! Roles of a workspace, and what people call them.

use super::{Access, NoBody, NoQuery, Page, Permission, endpoint};
use crate::label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

endpoint!(ListRoles: Get "roles", Access::Needs(Permission::ReadWorkflows), "roles", 200, "List the roles", (NoQuery, NoBody) => Page<Role>);
endpoint!(NameRole: Put "roles/{role}", Access::Needs(Permission::ManageUsers), "roles", 204, "Name a role", (NoQuery, RoleName) => NoBody);
endpoint!(UnnameRole: Delete "roles/{role}", Access::Needs(Permission::ManageUsers), "roles", 204, "Remove a role's name", (NoQuery, NoBody) => NoBody);

/// What a role is called in sentences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleName {
    /// One line of 1 to 200 characters, as in "one of head of sales".
    #[schemars(length(min = 1, max = label::MAX_LENGTH))]
    pub name: String,
}

/// A role that somebody has, or that has a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Role {
    /// Its id, as in `role:sales_manager`.
    pub role: String,
    /// What it is called; made from the id where nobody named it.
    pub name: String,
    /// How many active members have it.
    pub members: i64,
}
