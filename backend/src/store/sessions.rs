//! Refresh tokens, one-time codes and failed sign-ins.

use super::Result;
use chrono::{DateTime, Utc};
use shared_types::ids::{UserId, WorkspaceId};
use sqlx::PgConnection;
use uuid::Uuid;

/// A refresh token as stored.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    /// Its hash.
    pub hash: Vec<u8>,
    /// All that descend from one sign-in.
    pub family: Uuid,
    /// Whose.
    pub user: UserId,
    /// Where.
    pub workspace: WorkspaceId,
    /// Until when it works.
    pub expires_at: DateTime<Utc>,
    /// When its successor was first used.
    pub spent_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The token that it succeeds.
    pub predecessor: Option<Vec<u8>>,
}

/// Writes a token.
pub async fn insert(conn: &mut PgConnection, token: &RefreshToken, at: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "insert into refresh_tokens (hash, family, user_id, workspace_id, issued_at, expires_at, predecessor)
         values ($1, $2, $3, $4, $5, $6, $7)",
        token.hash,
        token.family,
        token.user.0,
        token.workspace.0,
        at,
        token.expires_at,
        token.predecessor
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A token by its hash, held for this transaction.
pub async fn find(conn: &mut PgConnection, hash: &[u8]) -> Result<Option<RefreshToken>> {
    let row = sqlx::query!(
        "select hash, family, user_id, workspace_id, expires_at, spent_at, revoked_at, predecessor
         from refresh_tokens where hash = $1 for update",
        hash
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| RefreshToken {
        hash: row.hash,
        family: row.family,
        user: UserId(row.user_id),
        workspace: WorkspaceId(row.workspace_id),
        expires_at: row.expires_at,
        spent_at: row.spent_at,
        revoked_at: row.revoked_at,
        predecessor: row.predecessor,
    }))
}

/// Says that a token's successor is in use.
pub async fn spend(conn: &mut PgConnection, hash: &[u8], at: DateTime<Utc>) -> Result<()> {
    sqlx::query!("update refresh_tokens set spent_at = $2 where hash = $1 and spent_at is null", hash, at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Revokes all that descend from one sign-in.
pub async fn revoke_family(conn: &mut PgConnection, family: Uuid, at: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update refresh_tokens set revoked_at = $2 where family = $1 and revoked_at is null",
        family,
        at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Revokes all tokens of a person, everywhere.
pub async fn revoke_user(conn: &mut PgConnection, user: UserId, at: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update refresh_tokens set revoked_at = $2 where user_id = $1 and revoked_at is null",
        user.0,
        at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes a one-time code.
pub async fn insert_code(
    conn: &mut PgConnection,
    hash: &[u8],
    user: UserId,
    expires_at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into sign_in_codes (hash, user_id, expires_at) values ($1, $2, $3)",
        hash,
        user.0,
        expires_at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Uses a one-time code up; whose it was, if it still worked.
pub async fn use_code(conn: &mut PgConnection, hash: &[u8], now: DateTime<Utc>) -> Result<Option<UserId>> {
    let user = sqlx::query_scalar!(
        "update sign_in_codes set used_at = $2 where hash = $1 and used_at is null and expires_at > $2
         returning user_id",
        hash,
        now
    )
    .fetch_optional(conn)
    .await?;
    Ok(user.map(UserId))
}

/// How often signing in failed for an account or an address, and when last.
pub async fn failures(conn: &mut PgConnection, subject: &str) -> Result<Option<(i32, DateTime<Utc>)>> {
    let row = sqlx::query!("select failures, last_at from sign_in_failures where subject = $1", subject)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| (row.failures, row.last_at)))
}

/// Counts a failure; one that is older than `forget_before` starts the count anew.
pub async fn count_failure(
    conn: &mut PgConnection,
    subject: &str,
    at: DateTime<Utc>,
    forget_before: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into sign_in_failures as f (subject, failures, last_at) values ($1, 1, $2)
         on conflict (subject) do update
         set failures = case when f.last_at < $3 then 1 else f.failures + 1 end, last_at = $2",
        subject,
        at,
        forget_before
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets the failures of an account.
pub async fn forget_failures(conn: &mut PgConnection, subject: &str) -> Result<()> {
    sqlx::query!("delete from sign_in_failures where subject = $1", subject).execute(conn).await?;
    Ok(())
}

/// Forgets what is of no use any more: failures and codes older than a moment, tokens that expired before it.
pub async fn forget_old(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<()> {
    sqlx::query!("delete from sign_in_failures where last_at < $1", before).execute(&mut *conn).await?;
    sqlx::query!("delete from sign_in_codes where expires_at < $1", before).execute(&mut *conn).await?;
    sqlx::query!("delete from refresh_tokens where expires_at < $1", before).execute(conn).await?;
    Ok(())
}
