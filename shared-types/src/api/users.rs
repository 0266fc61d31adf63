//! People and their roles.

use super::{Access, NoBody, NoQuery, Page, Permission, endpoint, limits};
use crate::ids::UserId;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

endpoint!(CreateUser: Post "users", Access::Needs(Permission::ManageUsers), "users", 201, "Add a person", (NoQuery, NewUser) => User);
endpoint!(ListUsers: Get "users", Access::Needs(Permission::ManageUsers), "users", 200, "List people", (UserQuery, NoBody) => Page<User>);
endpoint!(UpdateUser: Patch "users/{user_id}", Access::Needs(Permission::ManageUsers), "users", 200, "Change a person", (NoQuery, UserChange) => User);

/// A person to add.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their first password, 10 characters at least; not for somebody who has an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Base roles (`admin`, `author`, `operator`, `viewer`) and approver roles.
    pub roles: Vec<String>,
}

/// Which people to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserQuery {
    /// Where to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::CURSOR))]
    pub cursor: Option<String>,
    /// How many at most, up to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limits::PAGE))]
    pub limit: Option<u32>,
}

/// A person of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// The person.
    pub user_id: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their roles.
    pub roles: Vec<String>,
    /// Whether they may sign in.
    pub active: bool,
    /// Since when they belong to the workspace.
    pub created_at: DateTime<Utc>,
}

/// A change of a person; what is left out stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// Whether they may sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}
