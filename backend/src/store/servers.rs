//! The servers that live.

use super::Result;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

/// Says that a server lives until a moment; false where it was taken for dead meanwhile.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn renew(conn: &mut PgConnection, server: Uuid, until: DateTime<Utc>) -> Result<bool> {
    let renewed = sqlx::query!("update servers set alive_until = $2 where id = $1", server, until)
        .execute(conn)
        .await?;
    Ok(renewed.rows_affected() == 1)
}

/// Makes a server known.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn join(conn: &mut PgConnection, server: Uuid, until: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "insert into servers (id, alive_until) values ($1, $2) on conflict (id) do update set alive_until = $2",
        server,
        until
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets the servers that died before a moment, and says how many these were.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn forget_dead(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<u64> {
    let gone = sqlx::query!("delete from servers where alive_until < $1", before).execute(conn).await?;
    Ok(gone.rows_affected())
}
