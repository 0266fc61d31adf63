//! Sessions and their refresh tokens.

use super::{Result, notify};
use chrono::{DateTime, Utc};
use shared_types::ids::{SessionId, UserId, WorkspaceId};
use sqlx::PgConnection;

/// On this channel every server hears whose rights may have changed.
pub const RIGHTS_CHANGED: &str = "iw_rights";

/// A refresh token as stored.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    /// Its hash.
    pub hash: Vec<u8>,
    /// The session that it belongs to.
    pub session: SessionId,
    /// The person whose it is.
    pub user: UserId,
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// Until when it works.
    pub expires_at: DateTime<Utc>,
    /// Since when another of its session is used in its place.
    pub spent_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The token that it succeeds.
    pub predecessor: Option<Vec<u8>>,
}

/// Writes a token.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn insert(conn: &mut PgConnection, token: &RefreshToken, at: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "insert into refresh_tokens (hash, family, user_id, workspace_id, issued_at, expires_at, predecessor)
         values ($1, $2, $3, $4, $5, $6, $7)",
        token.hash,
        token.session.0,
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

/// A token by its hash.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn find(conn: &mut PgConnection, hash: &[u8]) -> Result<Option<RefreshToken>> {
    let row = sqlx::query!(
        "select hash, family, user_id, workspace_id, expires_at, spent_at, revoked_at, predecessor
         from refresh_tokens where hash = $1",
        hash
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| RefreshToken {
        hash: row.hash,
        session: SessionId(row.family),
        user: UserId(row.user_id),
        workspace: WorkspaceId(row.workspace_id),
        expires_at: row.expires_at,
        spent_at: row.spent_at,
        revoked_at: row.revoked_at,
        predecessor: row.predecessor,
    }))
}

/// A session that is held until the transaction ends.
#[derive(Debug, Clone, Copy)]
pub struct HeldSession {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it was ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Holds the session of a token until the transaction ends; made where it isn't there.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn hold(conn: &mut PgConnection, token: &RefreshToken, at: DateTime<Utc>) -> Result<HeldSession> {
    let row = sqlx::query!(
        "insert into sessions (id, workspace_id, user_id, started_at) values ($1, $2, $3, $4)
         on conflict (id) do update set id = excluded.id returning started_at, ended_at",
        token.session.0,
        token.workspace.0,
        token.user.0,
        at
    )
    .fetch_one(conn)
    .await?;
    Ok(HeldSession { started_at: row.started_at, ended_at: row.ended_at })
}

/// Says that a token is used: from now on every other of its session is spent, but those that came of itself.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn spend_others(conn: &mut PgConnection, used: &RefreshToken, at: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update refresh_tokens set spent_at = $3
         where family = $1 and hash <> $2 and predecessor is distinct from $2 and spent_at is null",
        used.session.0,
        used.hash,
        at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a session: its tokens work no more, and its open lines are closed.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn end(conn: &mut PgConnection, session: SessionId, user: UserId, at: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update sessions set ended_at = $2 where id = $1 and user_id = $3 and ended_at is null",
        session.0,
        at,
        user.0
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update refresh_tokens set revoked_at = $2 where family = $1 and user_id = $3 and revoked_at is null",
        session.0,
        at,
        user.0
    )
    .execute(&mut *conn)
    .await?;
    tell_rights_changed(conn, user).await
}

/// Ends a person's sessions: in one workspace or everywhere, and all of them or all but one.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn end_of_person(
    conn: &mut PgConnection,
    user: UserId,
    workspace: Option<WorkspaceId>,
    but: Option<SessionId>,
    at: DateTime<Utc>,
) -> Result<()> {
    let (workspace, but) = (workspace.map(|workspace| workspace.0), but.map(|session| session.0));
    sqlx::query!(
        "update sessions set ended_at = $4
         where user_id = $1 and ended_at is null and ($2::uuid is null or workspace_id = $2)
           and id is distinct from $3",
        user.0,
        workspace,
        but,
        at
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update refresh_tokens set revoked_at = $4
         where user_id = $1 and revoked_at is null and ($2::uuid is null or workspace_id = $2)
           and family is distinct from $3",
        user.0,
        workspace,
        but,
        at
    )
    .execute(&mut *conn)
    .await?;
    tell_rights_changed(conn, user).await
}

/// Tells every server, once the transaction is committed, to look again at what a person may.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn tell_rights_changed(conn: &mut PgConnection, user: UserId) -> Result<()> {
    notify(conn, RIGHTS_CHANGED, &user.to_string()).await
}

/// Writes a one-time code.
#[tracing::instrument(level = "debug", skip_all)]
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
#[tracing::instrument(level = "debug", skip_all)]
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

/// Forgets what is of no use any more: tokens that expired before a moment, and sessions that have none left.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn forget_old(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<()> {
    sqlx::query!("delete from refresh_tokens where expires_at < $1", before).execute(&mut *conn).await?;
    sqlx::query!(
        "delete from sessions s
         where s.started_at < $1 and not exists (select 1 from refresh_tokens t where t.family = s.id)",
        before
    )
    .execute(&mut *conn)
    .await?;
    super::sign_ins::forget_old(conn, before).await
}
