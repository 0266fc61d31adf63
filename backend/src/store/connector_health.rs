//! How the calls of connectors go: numbers of ten minutes each, and the last calls.

use super::Result;
use chrono::{DateTime, Duration, Utc};
use shared_types::{
    api::connectors::ConnectorCall,
    ids::{ExecutionId, WorkspaceId},
};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// How many last calls are kept of a connector.
pub const KEPT_CALLS: usize = 50;
/// How many numbers say how long calls took: 1.1 to the power of the last is half an hour.
const BUCKETS: usize = 152;
/// How long numbers are kept.
const KEPT_FOR: Duration = Duration::hours(24);

/// Calls of ten minutes, as numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollup {
    /// How many.
    pub calls: i32,
    /// How many failed.
    pub failures: i32,
    /// How many took up to so long, by the power of 1.1 milliseconds.
    took: Vec<i32>,
}

impl Default for Rollup {
    fn default() -> Self {
        Self { calls: 0, failures: 0, took: vec![0; BUCKETS] }
    }
}

impl Rollup {
    /// The ten minutes that a time is in.
    pub fn since(at: DateTime<Utc>) -> DateTime<Utc> {
        at - Duration::seconds(at.timestamp().rem_euclid(600))
            - Duration::nanoseconds(i64::from(at.timestamp_subsec_nanos()))
    }

    /// Counts a call.
    pub fn count(&mut self, took_ms: u32, has_failed: bool) {
        self.calls += 1;
        self.failures += i32::from(has_failed);
        self.took[bucket(took_ms)] += 1;
    }

    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.failures += other.failures;
        self.took.iter_mut().zip(&other.took).for_each(|(own, more)| *own += more);
    }

    /// How long so many of a hundred calls took at most, in milliseconds; none without calls.
    pub fn percentile(&self, of_hundred: i32) -> Option<u64> {
        let wanted = (i64::from(self.calls) * i64::from(of_hundred)).div_euclid(100).max(1);
        let mut seen = 0;
        let at = self.took.iter().position(|count| {
            seen += i64::from(*count);
            seen >= wanted
        });
        at.map(upper_bound)
    }
}

/// The power of 1.1 up to which a call took.
fn bucket(took_ms: u32) -> usize {
    (0..BUCKETS).find(|n| u64::from(took_ms) <= upper_bound(*n)).unwrap_or(BUCKETS - 1)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
fn upper_bound(bucket: usize) -> u64 {
    let power = i32::try_from(bucket).unwrap_or(i32::MAX);
    1.1_f64.powi(power).ceil() as u64
}

/// Adds what was counted. Connectors that were deleted meanwhile are left out.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn add(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    counted: &BTreeMap<(Uuid, DateTime<Utc>), Rollup>,
) -> Result<()> {
    for ((connector, since), rollup) in counted {
        sqlx::query!(
            "insert into connector_rollups as r (connector_id, since, calls, failures, took)
             select id, $2, $3, $4, $5 from connectors where id = $1
             on conflict (connector_id, since) do update set calls = r.calls + excluded.calls,
                 failures = r.failures + excluded.failures,
                 took = (select array_agg(coalesce(a, 0) + coalesce(b, 0) order by n)
                         from unnest(r.took, excluded.took) with ordinality as t(a, b, n))",
            connector,
            since,
            rollup.calls,
            rollup.failures,
            &rollup.took
        )
        .execute(&mut *conn)
        .await?;
    }
    let connectors: Vec<Uuid> = counted.keys().map(|(connector, _)| *connector).collect();
    sqlx::query!(
        "delete from connector_rollups where connector_id = any($1) and since < $2",
        &connectors,
        now - KEPT_FOR
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A call to keep.
#[derive(Debug, Clone)]
pub struct NewCall {
    /// Id of the row, a `UUIDv7`.
    pub id: Uuid,
    /// Of which connector.
    pub connector: Uuid,
    /// What is told of it.
    pub call: ConnectorCall,
}

/// Keeps calls, and of each connector's the last ones only.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn keep(conn: &mut PgConnection, calls: &[NewCall]) -> Result<()> {
    let ids: Vec<Uuid> = calls.iter().map(|new| new.id).collect();
    let connectors: Vec<Uuid> = calls.iter().map(|new| new.connector).collect();
    let ats: Vec<DateTime<Utc>> = calls.iter().map(|new| new.call.at).collect();
    let operations: Vec<&str> = calls.iter().map(|new| new.call.operation.as_str()).collect();
    let executions: Vec<Option<Uuid>> =
        calls.iter().map(|new| new.call.execution_id.map(|id| id.0)).collect();
    let statuses: Vec<Option<i32>> = calls.iter().map(|new| new.call.status.map(i32::from)).collect();
    let errors: Vec<Option<&str>> = calls.iter().map(|new| new.call.error.as_deref()).collect();
    let took: Vec<i32> =
        calls.iter().map(|new| i32::try_from(new.call.took_ms).unwrap_or(i32::MAX)).collect();
    sqlx::query!(
        "insert into connector_calls (id, connector_id, at, operation, execution_id, status, error, took_ms)
         select t.* from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::uuid[], $6::integer[],
             $7::text[], $8::integer[]) as t(id, connector, at, operation, execution, status, error, took)
         join connectors c on c.id = t.connector",
        &ids,
        &connectors,
        &ats,
        &operations as &[&str],
        &executions as &[Option<Uuid>],
        &statuses as &[Option<i32>],
        &errors as &[Option<&str>],
        &took
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from connector_calls d using (select distinct id from unnest($1::uuid[]) as id) c
         where d.connector_id = c.id and d.at < (
             select at from connector_calls k where k.connector_id = c.id order by at desc
             offset $2 limit 1)",
        &connectors,
        i64::try_from(KEPT_CALLS - 1).unwrap_or_default()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The last calls of a connector, newest first.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn last_calls(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    name: &str,
) -> Result<Vec<ConnectorCall>> {
    let rows = sqlx::query!(
        "select k.at, k.operation, k.execution_id, k.status, k.error, k.took_ms
         from connectors c join connector_calls k on k.connector_id = c.id
         where c.workspace_id = $1 and c.name = $2 order by k.at desc limit $3",
        workspace.0,
        name,
        i64::try_from(KEPT_CALLS).unwrap_or_default()
    );
    let calls = rows.fetch_all(conn).await?.into_iter().map(|row| ConnectorCall {
        at: row.at,
        operation: row.operation,
        execution_id: row.execution_id.map(ExecutionId),
        status: row.status.and_then(|status| u16::try_from(status).ok()),
        error: row.error,
        took_ms: u32::try_from(row.took_ms).unwrap_or_default(),
    });
    Ok(calls.collect())
}

/// How a connector stands: its calls of a while, and whether they are made.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// Numbers of its calls since the time that was asked for.
    pub calls: Rollup,
    /// Until when none is made; none where all are.
    pub held_until: Option<DateTime<Utc>>,
    /// Why none is made, as part of a sentence.
    pub held_because: Option<String>,
}

/// How the connectors of a workspace stand since a time, by name; of one alone where it is named.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn health(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    name: Option<&str>,
    since: DateTime<Utc>,
) -> Result<BTreeMap<String, Health>> {
    let rows = sqlx::query!(
        r#"select c.name, c.held_until, c.held_because, r.calls as "calls?", r.failures as "failures?",
                  r.took as "took?"
           from connectors c left join connector_rollups r on r.connector_id = c.id and r.since > $3
           where c.workspace_id = $1 and ($2::text is null or c.name = $2)"#,
        workspace.0,
        name,
        since
    );
    let mut health: BTreeMap<String, Health> = BTreeMap::new();
    for row in rows.fetch_all(conn).await? {
        let of = health.entry(row.name).or_default();
        (of.held_until, of.held_because) = (row.held_until, row.held_because);
        if let (Some(calls), Some(failures), Some(took)) = (row.calls, row.failures, row.took) {
            of.calls.add(&Rollup { calls, failures, took });
        }
    }
    Ok(health)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_at_most_a_tenth_above_what_was_counted() {
        let mut rollup = Rollup::default();
        assert_eq!(rollup.percentile(95), None);
        for took in 1..=1000 {
            rollup.count(took, took % 10 == 0);
        }
        assert_eq!((rollup.calls, rollup.failures), (1000, 100));
        for (of_hundred, exact) in [(50, 500), (95, 950), (99, 990)] {
            let found = rollup.percentile(of_hundred).unwrap();
            assert!((exact..=exact + exact / 10 + 1).contains(&found), "{of_hundred}: {found}");
        }
        let mut slow = Rollup::default();
        slow.count(u32::MAX, true);
        assert!(slow.percentile(95).unwrap() > 1_500_000);
    }

    #[test]
    fn ten_minutes_begin_on_the_clock() {
        let at: DateTime<Utc> = "2026-11-28T10:29:59.999Z".parse().unwrap();
        assert_eq!(Rollup::since(at).to_rfc3339(), "2026-11-28T10:20:00+00:00");
    }
}
