//! How many runs began in each slice of time: what a day's count is added up from.

use super::Result;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

/// How long a slice is, in seconds.
pub const SLICE_SECONDS: i64 = 120;

/// The slice in which a time falls, by its begin.
pub fn slice_of(time: DateTime<Utc>) -> DateTime<Utc> {
    let seconds = time.timestamp() - time.timestamp().rem_euclid(SLICE_SECONDS);
    DateTime::from_timestamp(seconds, 0).unwrap_or(time)
}

/// Which runs are counted one by one and which by slices. Without slices all three are the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first id that counts.
    pub from: Uuid,
    /// Where the slices begin, as a time and as an id.
    pub slices_from: (DateTime<Utc>, Uuid),
    /// Where they end.
    pub slices_until: (DateTime<Utc>, Uuid),
}

impl Span {
    /// All since a time; `first_id` gives the least id that follows a time.
    pub fn since(
        from: DateTime<Utc>,
        counted_until: Option<DateTime<Utc>>,
        first_id: impl Fn(DateTime<Utc>) -> Uuid,
    ) -> Self {
        let first_slice = slice_of(from) + TimeDelta::seconds(SLICE_SECONDS);
        let at = |time| (time, first_id(time));
        match counted_until.filter(|until| *until > first_slice) {
            Some(until) => {
                Self { from: first_id(from), slices_from: at(first_slice), slices_until: at(until) }
            }
            None => Self { from: first_id(from), slices_from: at(from), slices_until: at(from) },
        }
    }
}

/// Up to when the slices are written; `None` before the first is.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn counted_until(conn: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    Ok(sqlx::query_scalar!("select counted_until from run_counts_progress").fetch_optional(conn).await?)
}

/// The same, held for this transaction; `None` where another server counts at this moment. Begins at `first` where nothing
/// was counted before.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn lock(conn: &mut PgConnection, first: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    sqlx::query!(
        "insert into run_counts_progress (counted_until) values ($1) on conflict (only_row) do nothing",
        first
    )
    .execute(&mut *conn)
    .await?;
    let until = sqlx::query_scalar!("select counted_until from run_counts_progress for update skip locked")
        .fetch_optional(conn)
        .await?;
    Ok(until)
}

/// Writes a slice: the runs of all workspaces whose ids are from one to below another.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn write(conn: &mut PgConnection, slice: DateTime<Utc>, from: Uuid, below: Uuid) -> Result<()> {
    sqlx::query!(
        "insert into run_counts (workspace_id, workflow_id, slice, started)
         select workspace_id, workflow_id, $1, count(*) from executions where id >= $2 and id < $3 group by 1, 2
         on conflict (workspace_id, workflow_id, slice) do update set started = excluded.started",
        slice,
        from,
        below
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes anew how many runs of each slice have failed, of those whose ids are from one to below another.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn write_failed(conn: &mut PgConnection, from: Uuid, below: Uuid) -> Result<()> {
    sqlx::query!(
        "with counted as (
             select workspace_id, workflow_id, count(*) as failed,
                 -- The first 48 bits of an id are its milliseconds.
                 to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000 / $3 * $3) as slice
             from executions where result = 'failed' and id >= $1 and id < $2 group by 1, 2, 4)
         update run_counts c set failed = counted.failed from counted
         where c.workspace_id = counted.workspace_id and c.workflow_id = counted.workflow_id
           and c.slice = counted.slice and c.failed <> counted.failed",
        from,
        below,
        SLICE_SECONDS
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes up to when the slices are written, and forgets those that nobody counts any more.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn advance(
    conn: &mut PgConnection,
    until: DateTime<Utc>,
    forget_before: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!("update run_counts_progress set counted_until = $1", until).execute(&mut *conn).await?;
    sqlx::query!("delete from run_counts where slice < $1", forget_before).execute(conn).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_span_is_counted_by_whole_slices_where_there_are_some() {
        let from = at("2026-03-01T10:01:30Z");
        let span = |until: Option<&str>| Span::since(from, until.map(at), crate::clock::first_id_at);
        let counted = span(Some("2026-03-02T10:00:00Z"));
        assert_eq!(counted.slices_from.0, at("2026-03-01T10:02:00Z"));
        assert_eq!(counted.slices_until.0, at("2026-03-02T10:00:00Z"));
        for until in [None, Some("2026-03-01T10:02:00Z"), Some("2026-02-01T10:00:00Z")] {
            let plain = span(until);
            assert_eq!((plain.slices_from.0, plain.slices_until.0), (from, from), "{until:?}");
        }
    }
}
