//! How many calls a connector makes at once and in a second, over all servers. The database's clock counts.

use super::Result;
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;
use uuid::Uuid;

/// Bounds of a connector's calls.
#[derive(Debug, Clone, Copy)]
pub struct CallBounds {
    /// How many at once.
    pub concurrency: Option<u32>,
    /// How many in a second.
    pub per_second: Option<u32>,
}

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It may, until the lease runs out.
    Now,
    /// As many run as may at once.
    AllRun,
    /// So long until the rate lets the next one pass.
    After(Duration),
}

/// Asks for the turn of a call, and takes a lease of that id for so long.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn take(
    conn: &mut PgConnection,
    connector: Uuid,
    bounds: CallBounds,
    lease: (Uuid, Duration),
) -> Result<Turn> {
    let mut transaction = conn.begin().await?;
    let rate = f64::from(bounds.per_second.unwrap_or(1));
    // No more at once than come in a tenth of a second, so that no second has many more than the rate.
    let most = (rate / 10.0).max(1.0);
    sqlx::query!(
        "insert into connector_rates (connector_id, tokens, filled_at) values ($1, $2, clock_timestamp())
         on conflict do nothing",
        connector,
        most
    )
    .execute(&mut *transaction)
    .await?;
    // The lock keeps others out while the leases are counted.
    let tokens = sqlx::query_scalar!(
        r#"select least($2::float8, tokens + $3::float8 * greatest(0, extract(epoch from clock_timestamp() - filled_at))::float8)
                  as "tokens!"
           from connector_rates where connector_id = $1 for update"#,
        connector,
        most,
        rate
    )
    .fetch_one(&mut *transaction)
    .await?;
    if let Some(concurrency) = bounds.concurrency {
        let running = sqlx::query_scalar!(
            r#"select count(*) as "count!" from connector_leases
               where connector_id = $1 and until > clock_timestamp()"#,
            connector
        );
        if running.fetch_one(&mut *transaction).await? >= i64::from(concurrency) {
            return Ok(Turn::AllRun);
        }
    }
    if bounds.per_second.is_some() {
        if tokens < 1.0 {
            return Ok(Turn::After(Duration::from_secs_f64((1.0 - tokens) / rate)));
        }
        sqlx::query!(
            "update connector_rates set tokens = $2, filled_at = clock_timestamp() where connector_id = $1",
            connector,
            tokens - 1.0
        )
        .execute(&mut *transaction)
        .await?;
    }
    if bounds.concurrency.is_some() {
        let (id, span) = lease;
        sqlx::query!(
            "with gone as (delete from connector_leases where connector_id = $1 and until <= clock_timestamp())
             insert into connector_leases (connector_id, id, until)
             values ($1, $2, clock_timestamp() + make_interval(secs => $3))",
            connector,
            id,
            span.as_secs_f64()
        )
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(Turn::Now)
}

/// Gives a lease back.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn give_back(conn: &mut PgConnection, connector: Uuid, lease: Uuid) -> Result<()> {
    sqlx::query!("delete from connector_leases where connector_id = $1 and id = $2", connector, lease)
        .execute(conn)
        .await?;
    Ok(())
}
