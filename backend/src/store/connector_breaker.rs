//! Failures of connectors in a row, and until when none of their calls is made.

use super::Result;
use chrono::{DateTime, Utc};
use shared_types::ids::WorkspaceId;
use sqlx::PgConnection;
use uuid::Uuid;

/// How many failures in a row hold all further calls.
pub const OPENS_AFTER: i32 = 5;
/// How long they are held at first, in seconds; twice as long after each probe that fails.
const FIRST_PAUSE: f64 = 5.0;
/// How long they are held at most, in seconds.
const LONGEST_PAUSE: f64 = 60.0;

/// A call that failed.
#[derive(Debug)]
pub struct FailedCall<'f> {
    /// When, in UTC.
    pub at: DateTime<Utc>,
    /// Whether it was the one that finds out for all.
    pub is_probe: bool,
    /// Until when the system itself asks to be left alone.
    pub retry_after: Option<DateTime<Utc>>,
    /// What came of it, as part of a sentence.
    pub because: &'f str,
}

/// Counts a call that failed. One that was made before the others were held changes nothing.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn failed(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    connector: Uuid,
    failed: &FailedCall<'_>,
) -> Result<()> {
    sqlx::query!(
        "update connectors set failures = failures + 1,
             held_until = coalesce($4, case when $9 or failures + 1 >= $5 then $3
                 + make_interval(secs => least($6::float8, $7 * 2 ^ greatest(0, least(failures + 1 - $5, 10)))) end),
             held_because = case when $4::timestamptz is not null or $9 or failures + 1 >= $5 then $8 end,
             probing_until = null
         where workspace_id = $1 and id = $2
           and ($9 or (coalesce(held_until <= $3, true) and coalesce(probing_until <= $3, true)))",
        workspace.0,
        connector,
        failed.at,
        failed.retry_after,
        OPENS_AFTER,
        LONGEST_PAUSE,
        FIRST_PAUSE,
        failed.because,
        failed.is_probe
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A call was answered: all are made again. One that was made before the others were held doesn't end that.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn answered(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    connector: Uuid,
    is_probe: bool,
) -> Result<()> {
    sqlx::query!(
        "update connectors set failures = 0, held_until = null, held_because = null, probing_until = null
         where workspace_id = $1 and id = $2 and (failures > 0 or held_until is not null)
           and ($3 or held_until is null)",
        workspace.0,
        connector,
        is_probe
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The call that was to find out for all found nothing out: another may.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn give_probe_back(conn: &mut PgConnection, workspace: WorkspaceId, connector: Uuid) -> Result<()> {
    sqlx::query!(
        "update connectors set probing_until = null where workspace_id = $1 and id = $2",
        workspace.0,
        connector
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the right to make the one call that finds out for all; false where another has it.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn take_probe(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    connector: Uuid,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<bool> {
    let taken = sqlx::query!(
        "update connectors set probing_until = $4
         where workspace_id = $1 and id = $2 and held_until <= $3 and coalesce(probing_until <= $3, true)",
        workspace.0,
        connector,
        now,
        until
    );
    Ok(taken.execute(conn).await?.rows_affected() == 1)
}
