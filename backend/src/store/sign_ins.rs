//! How often signing in was tried of late.

use super::Result;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// The tries of an account, an address or a machine since one last succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries {
    /// Number of runs.
    pub count: i32,
    /// When the last was.
    pub last_at: DateTime<Utc>,
}

/// The tries of a subject, held until the transaction ends, so that of many at once each sees those before it.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn hold(conn: &mut PgConnection, subject: &str, at: DateTime<Utc>) -> Result<Tries> {
    let row = sqlx::query!(
        "insert into sign_in_failures (subject, failures, last_at) values ($1, 0, $2)
         on conflict (subject) do update set subject = excluded.subject returning failures, last_at",
        subject,
        at
    )
    .fetch_one(conn)
    .await?;
    Ok(Tries { count: row.failures, last_at: row.last_at })
}

/// Writes the tries of a subject that is held.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn put(conn: &mut PgConnection, subject: &str, tries: Tries) -> Result<()> {
    sqlx::query!(
        "update sign_in_failures set failures = $2, last_at = $3 where subject = $1",
        subject,
        tries.count,
        tries.last_at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes one try back: it was no failure.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn take_back(conn: &mut PgConnection, subject: &str) -> Result<()> {
    sqlx::query!(
        "update sign_in_failures set failures = greatest(failures - 1, 0) where subject = $1",
        subject
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets the tries of a subject.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn forget(conn: &mut PgConnection, subject: &str) -> Result<()> {
    sqlx::query!("delete from sign_in_failures where subject = $1", subject).execute(conn).await?;
    Ok(())
}

/// Forgets a few tries that are older than a moment: called with each try, it keeps what is stored as small as what
/// was tried since then.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn forget_some(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "delete from sign_in_failures where subject in (
             select subject from sign_in_failures where last_at < $1
             order by last_at limit 10 for update skip locked
         )",
        before
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets tries and one-time codes that are older than a moment.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn forget_old(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<()> {
    sqlx::query!("delete from sign_in_failures where last_at < $1", before).execute(&mut *conn).await?;
    sqlx::query!("delete from sign_in_codes where expires_at < $1", before).execute(conn).await?;
    Ok(())
}
