//! A person puts a request off, for themselves alone: it leaves their list until a time, and nothing else changes.

use crate::{
    auth::{Person, Principal},
    store::{self, snoozes},
};
use chrono::{DateTime, Utc};
use shared_types::ids::ApprovalId;
use sqlx::PgPool;

/// Puts a request off until a time.
///
/// # Errors
/// When the database fails.
pub async fn snooze(
    pool: &PgPool,
    principal: &Principal,
    person: &Person,
    id: ApprovalId,
    until: DateTime<Utc>,
) -> store::Result<()> {
    let mut conn = pool.acquire().await?;
    snoozes::put(&mut conn, principal.workspace, person.user_id, id, until).await
}

/// Puts it off no longer.
///
/// # Errors
/// When the database fails.
pub async fn unsnooze(
    pool: &PgPool,
    principal: &Principal,
    person: &Person,
    id: ApprovalId,
) -> store::Result<()> {
    let mut conn = pool.acquire().await?;
    snoozes::delete(&mut conn, principal.workspace, person.user_id, id).await
}
