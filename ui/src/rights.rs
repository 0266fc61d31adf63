//! What somebody's roles let them do with workflows, so that no button is shown that the server would refuse.
//! The server decides; this only mirrors its rules for the roles `operator`, `author` and `admin`.

use shared_types::api::auth::SignedIn;
use yew::prelude::*;

/// What the one who is signed in may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rights {
    /// Write, save and archive workflows.
    pub(crate) write: bool,
    /// Enable and disable them.
    pub(crate) toggle: bool,
    /// Start them by hand.
    pub(crate) start: bool,
}

impl Rights {
    pub(crate) fn of(user: &SignedIn) -> Self {
        let is = |role: &str| user.roles.iter().any(|own| own == role);
        let (admin, author, operator) = (is("admin"), is("author"), is("operator"));
        Self { write: admin || author, toggle: admin || author || operator, start: admin || operator }
    }
}

/// The rights of the one who is signed in; none outside.
#[hook]
pub(crate) fn use_rights() -> Rights {
    use_context::<Rights>().unwrap_or_default()
}
