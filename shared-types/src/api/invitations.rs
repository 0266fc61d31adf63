//! Invitations to other workspaces, as the person who is invited sees them.

use super::{Access, NoBody, NoQuery, Page, endpoint};
use crate::ids::InvitationId;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

endpoint!(ListInvitations: Get "me/invitations", Access::Person, "invitations", 200, "List one's invitations", (NoQuery, NoBody) => Page<Invitation>);
endpoint!(
    /// Whoever accepts belongs to the workspace from then on, with the roles that were offered.
    AcceptInvitation: Post "me/invitations/{invitation_id}/accept", Access::Person, "invitations", 204, "Accept an invitation", (NoQuery, NoBody) => NoBody
);
endpoint!(DeclineInvitation: Post "me/invitations/{invitation_id}/decline", Access::Person, "invitations", 204, "Decline an invitation", (NoQuery, NoBody) => NoBody);

/// An invitation that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invitation {
    /// Its id, a `UUIDv7`.
    pub invitation_id: InvitationId,
    /// The workspace's name.
    pub workspace: String,
    /// What the workspace would call the person.
    pub name: String,
    /// The roles that they would have.
    pub roles: Vec<String>,
    /// Who invites, by address.
    pub invited_by: String,
    /// When the invitation was made.
    pub invited_at: DateTime<Utc>,
}
