//! Sessions: a refresh token rotates with each use, and using an old one again ends the session.
//!
//! An old token works until its successor is first used, so that a lost answer signs no one out. From then on every
//! other token of the session is spent: whoever comes with one of them has a copy that somebody stole, or is the
//! one from whom it was stolen, and the session ends for both.

use super::token_hash;
use crate::{
    clock,
    store::{self, sessions, sessions::RefreshToken},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use shared_types::ids::{SessionId, UserId, WorkspaceId};
use sqlx::PgConnection;

/// How long a session lasts without use.
const IDLE_DAYS: i64 = 30;
/// How long a session lasts at most; then the person signs in again.
const LONGEST_DAYS: i64 = 90;

/// What became of a refresh token.
#[derive(Debug)]
pub enum Refreshed {
    /// It worked: whose it is, and the next token.
    Fresh {
        /// The session.
        session: SessionId,
        /// Id of the person.
        user: UserId,
        /// The workspace that the session is of.
        workspace: WorkspaceId,
        /// The next token.
        token: String,
    },
    /// Another token of its session was used in its place: the whole session is ended.
    Reused {
        /// Id of the person.
        user: UserId,
        /// The workspace that it belongs to.
        workspace: WorkspaceId,
    },
    /// It isn't known, was revoked or has expired.
    Unknown,
}

/// Begins a session; gives its first refresh token.
pub async fn begin(
    conn: &mut PgConnection,
    user: UserId,
    workspace: WorkspaceId,
    session: SessionId,
    now: DateTime<Utc>,
) -> store::Result<String> {
    let (token, stored) = fresh(session, user, workspace, None, now);
    sessions::hold(conn, &stored, now).await?;
    sessions::insert(conn, &stored, now).await?;
    Ok(token)
}

/// Takes a refresh token for a fresh one. Of several at once with tokens of one session, each waits for those before.
pub async fn refresh(conn: &mut PgConnection, token: &str, now: DateTime<Utc>) -> store::Result<Refreshed> {
    let hash = token_hash(token);
    let Some(found) = sessions::find(conn, &hash).await? else { return Ok(Refreshed::Unknown) };
    let session = sessions::hold(conn, &found, now).await?;
    // Whoever held the session before may have spent it.
    let Some(used) = sessions::find(conn, &hash).await? else { return Ok(Refreshed::Unknown) };
    let is_over = session.ended_at.is_some() || session.started_at + Duration::days(LONGEST_DAYS) <= now;
    if is_over || used.revoked_at.is_some() || used.expires_at <= now {
        return Ok(Refreshed::Unknown);
    }
    let RefreshToken { session, user, workspace, .. } = used;
    if used.spent_at.is_some() {
        sessions::end(conn, session, user, now).await?;
        return Ok(Refreshed::Reused { user, workspace });
    }
    sessions::spend_others(conn, &used, now).await?;
    let (token, stored) = fresh(session, user, workspace, Some(used.hash), now);
    sessions::insert(conn, &stored, now).await?;
    Ok(Refreshed::Fresh { session, user, workspace, token })
}

/// Ends the session of a refresh token; whose it was and where, where it still went on.
pub async fn end(
    conn: &mut PgConnection,
    token: &str,
    now: DateTime<Utc>,
) -> store::Result<Option<(UserId, WorkspaceId)>> {
    let Some(stored) = sessions::find(conn, &token_hash(token)).await? else { return Ok(None) };
    let was_over = sessions::hold(conn, &stored, now).await?.ended_at.is_some();
    sessions::end(conn, stored.session, stored.user, now).await?;
    Ok((!was_over).then_some((stored.user, stored.workspace)))
}

fn fresh(
    session: SessionId,
    user: UserId,
    workspace: WorkspaceId,
    predecessor: Option<Vec<u8>>,
    now: DateTime<Utc>,
) -> (String, RefreshToken) {
    let token = URL_SAFE_NO_PAD.encode(clock::random::<32>());
    let stored = RefreshToken {
        hash: token_hash(&token),
        session,
        user,
        workspace,
        expires_at: now + Duration::days(IDLE_DAYS),
        spent_at: None,
        revoked_at: None,
        predecessor,
    };
    (token, stored)
}
