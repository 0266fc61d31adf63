//! Signing in and out.

use super::{Access, NoBody, NoQuery, endpoint};
use crate::ids::UserId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

endpoint!(Login: Post "auth/login", Access::Public, "auth", 200, "Sign in", (NoQuery, LoginRequest) => Session);
endpoint!(Refresh: Post "auth/refresh", Access::Public, "auth", 200, "Get a fresh access token", (NoQuery, RefreshRequest) => Session);
endpoint!(Logout: Post "auth/logout", Access::Public, "auth", 204, "Sign out", (NoQuery, RefreshRequest) => NoBody);
endpoint!(Me: Get "auth/me", Access::Person, "auth", 200, "Who is signed in", (NoQuery, NoBody) => SignedIn);
endpoint!(ChangePassword: Post "auth/password", Access::Person, "auth", 204, "Change one's password", (NoQuery, PasswordChange) => NoBody);

/// How a person signs in: with email and password, or with a one-time code.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// Email address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254))]
    pub email: Option<String>,
    /// Their password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    pub password: Option<String>,
    /// A code that works once, for 60 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Which workspace, where they belong to several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub workspace: Option<String>,
    /// The `device` of an earlier sign-in here: with it, others' failed tries don't slow this one down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    pub device: Option<String>,
}

/// A refresh token.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// The token.
    pub refresh_token: String,
}

/// A signed-in session.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// For the `Authorization` header.
    pub access_token: String,
    /// How long it works, in seconds.
    pub expires_in: u64,
    /// For the next access token; it works until its successor is used.
    pub refresh_token: String,
    /// To be kept, and sent with the next sign-in of this person from here; only given with a sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Who is signed in.
    pub user: SignedIn,
}

/// Who is signed in, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignedIn {
    /// Id of the person.
    pub user_id: UserId,
    /// Email address.
    pub email: String,
    /// Display name.
    pub name: String,
    /// Their roles in the workspace.
    pub roles: Vec<String>,
    /// The workspace's name.
    pub workspace: String,
}

/// A change of one's own password.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The current password.
    #[schemars(length(max = 1000))]
    pub old: String,
    /// The new password.
    #[schemars(length(min = 10, max = 1000))]
    pub new: String,
}
