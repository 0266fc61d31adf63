//! Newtyped identifiers, so that one kind of id can't be handed in for another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )*};
}

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl FromStr for $name {
            type Err = std::convert::Infallible;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self(text.to_owned()))
            }
        }
    )*};
}

uuid_id! {
    /// A workspace: the wall between tenants, carried by every row.
    WorkspaceId,
    /// A person, across all the workspaces they belong to.
    UserId,
    /// What one sign-in began.
    SessionId,
    /// A machine on which a person has signed in.
    DeviceId,
    /// An invitation of a person to a workspace.
    InvitationId,
    /// An API key.
    KeyId,
    /// One execution (a "run" on the screen) of a workflow.
    ExecutionId,
    /// One request for a decision.
    ApprovalId,
    /// A message for one person.
    NoticeId,
    /// A message on its way out of the system.
    DeliveryId,
    /// One row of the audit log.
    AuditId,
    /// A time in which a person is away.
    AbsenceId,
}

text_id! {
    /// A workflow's slug, unique in its workspace.
    WorkflowId,
    /// A step's id, unique in its workflow.
    StepId,
    /// An event's id, chosen by whoever sends it, unique in the workspace.
    EventId,
}

/// The `n`-th id that belongs to the same moment as `base`: still a `UUIDv7`, and the same on every replay.
///
/// The lower 32 bits are random in a fresh v7, so adding a small number keeps ids apart.
pub fn derive_v7(base: Uuid, n: u32) -> Uuid {
    let bits = base.as_u128();
    let low = u128::from(n).wrapping_add(bits & 0xffff_ffff) & 0xffff_ffff;
    Uuid::from_u128((bits & !0xffff_ffff) | low)
}
