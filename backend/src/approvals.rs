//! Requests for decisions: found, listed for a person, shown, and decided. Whatever a person decides by comes here.

mod deciding;
mod handing_over;
mod listing;
mod snoozing;
mod view;

pub use deciding::{DecideError, decide};
pub use handing_over::hand_over;
pub use listing::{Listed, list};
pub use snoozing::{snooze, unsnooze};
pub use view::views;

use crate::{
    auth::Principal,
    store::{self, approvals, approvals::StoredApproval},
};
use shared_types::ids::ApprovalId;
use sqlx::PgPool;

/// A request that the caller may see.
///
/// # Errors
/// When the database fails.
pub async fn find(
    pool: &PgPool,
    principal: &Principal,
    id: ApprovalId,
) -> store::Result<Option<StoredApproval>> {
    let mut conn = pool.acquire().await?;
    let stored = approvals::find(&mut conn, principal.workspace, id).await?;
    Ok(stored.filter(|stored| principal.may_touch(&stored.workflow_id)))
}
