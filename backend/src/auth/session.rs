//! Sessions: a refresh token rotates with each use, and using an old one again ends them all.
//!
//! An old token works until its successor is first used, so that a lost answer signs no one out.

use super::token_hash;
use crate::{
    clock,
    store::{self, sessions, sessions::RefreshToken},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use shared_types::ids::{UserId, WorkspaceId};
use sqlx::PgConnection;
use uuid::Uuid;

/// How long a session lasts without use.
const LAST_DAYS: i64 = 30;

/// What became of a refresh token.
#[derive(Debug)]
pub enum Refreshed {
    /// It worked: whose it is, and the next token.
    Fresh {
        /// The person.
        user: UserId,
        /// Where.
        workspace: WorkspaceId,
        /// The next token.
        token: String,
    },
    /// It was used before its time was over and again afterwards: the whole session is ended.
    Reused,
    /// It isn't known, was revoked or has expired.
    Unknown,
}

/// Begins a session.
pub async fn begin(
    conn: &mut PgConnection,
    user: UserId,
    workspace: WorkspaceId,
    now: DateTime<Utc>,
) -> store::Result<String> {
    issue(conn, clock::new_id(), user, workspace, None, now).await
}

/// Takes a refresh token for a fresh one.
pub async fn refresh(conn: &mut PgConnection, token: &str, now: DateTime<Utc>) -> store::Result<Refreshed> {
    let Some(stored) = sessions::find(conn, &token_hash(token)).await? else { return Ok(Refreshed::Unknown) };
    if stored.revoked_at.is_some() || stored.expires_at <= now {
        return Ok(Refreshed::Unknown);
    }
    if stored.spent_at.is_some() {
        sessions::revoke_family(conn, stored.family, now).await?;
        return Ok(Refreshed::Reused);
    }
    if let Some(predecessor) = &stored.predecessor {
        sessions::spend(conn, predecessor, now).await?;
    }
    let next = issue(conn, stored.family, stored.user, stored.workspace, Some(stored.hash), now).await?;
    Ok(Refreshed::Fresh { user: stored.user, workspace: stored.workspace, token: next })
}

/// Ends a session.
pub async fn end(conn: &mut PgConnection, token: &str, now: DateTime<Utc>) -> store::Result<()> {
    if let Some(stored) = sessions::find(conn, &token_hash(token)).await? {
        sessions::revoke_family(conn, stored.family, now).await?;
    }
    Ok(())
}

async fn issue(
    conn: &mut PgConnection,
    family: Uuid,
    user: UserId,
    workspace: WorkspaceId,
    predecessor: Option<Vec<u8>>,
    now: DateTime<Utc>,
) -> store::Result<String> {
    let token = URL_SAFE_NO_PAD.encode(clock::random::<32>());
    let stored = RefreshToken {
        hash: token_hash(&token),
        family,
        user,
        workspace,
        expires_at: now + Duration::days(LAST_DAYS),
        spent_at: None,
        revoked_at: None,
        predecessor,
    };
    sessions::insert(conn, &stored, now).await?;
    Ok(token)
}
