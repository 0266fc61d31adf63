//! People and their roles.

use super::{Access, NoBody, NoQuery, Page, Permission, endpoint, limits};
use crate::ids::{InvitationId, UserId};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

endpoint!(
    /// 201 with the person; where the address has an account already, 202 with an invitation, which its owner accepts.
    CreateUser: Post "users", Access::Needs(Permission::ManageUsers), "users", 201, "Add a person", (NoQuery, NewUser) => AddedUser,
    { const ALSO: &[u16] = &[202]; }
);
endpoint!(ListUsers: Get "users", Access::Needs(Permission::ManageUsers), "users", 200, "List people", (UserQuery, NoBody) => Page<User>);
endpoint!(UpdateUser: Patch "users/{user_id}", Access::Needs(Permission::ManageUsers), "users", 200, "Change a person", (NoQuery, UserChange) => User);

/// A person to add.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Email address.
    #[schemars(length(max = 254))]
    pub email: String,
    /// What the workspace calls them.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// Their first password; not used for somebody who has an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 10, max = 1000))]
    pub password: Option<String>,
    /// Base roles (`admin`, `author`, `operator`, `viewer`) and approver roles.
    pub roles: Vec<String>,
}

/// What came of adding a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum AddedUser {
    /// They have a new account, and belong to the workspace.
    Added(User),
    /// They have an account already, and are invited.
    Invited(Invited),
}

/// A person who is invited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invited {
    /// The invitation.
    pub invitation_id: InvitationId,
}

/// Which people to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserQuery {
    /// The `next_cursor` of the previous page; leave it out for the first page.
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
    /// Id of the person.
    pub user_id: UserId,
    /// Email address.
    pub email: String,
    /// Display name.
    pub name: String,
    /// Base role and roles of the workspace, by id.
    pub roles: Vec<String>,
    /// Whether they may sign in.
    pub active: bool,
    /// Since when they belong to the workspace.
    pub created_at: DateTime<Utc>,
}

/// A change of a person in this workspace alone; what is left out stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// What the workspace calls them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub name: Option<String>,
    /// Base role and roles of the workspace, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// Whether they may sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}
