//! Runs by a text: the begin of their id, of their event's id or of what they ask about, or words of their subject.

use super::Row;
use crate::store::{
    Result,
    search::{self, Found, Hit, Needle, Searched},
};
use shared_types::{
    api::executions::{Execution, ExecutionQuery},
    ids::WorkspaceId,
};
use sqlx::PgConnection;
use uuid::Uuid;

/// A search with what narrows it besides its text.
struct Search<'q> {
    workspace: WorkspaceId,
    query: &'q ExecutionQuery,
    /// The workflows whose runs may be shown; all where there is nothing.
    only: Option<&'q [String]>,
    needle: Needle<'q>,
}

/// Looks for runs, newest first, from below a run's id. `None` where the query has no text.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn search(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    query: &ExecutionQuery,
    only: Option<&[String]>,
    below: Option<Uuid>,
    limit: i64,
) -> Result<Option<Found<Execution>>> {
    let Some(needle) = Needle::of(query.q.as_deref()) else { return Ok(None) };
    let list = Search { workspace, query, only, needle };
    search::search(conn, &list, below, limit).await.map(Some)
}

impl Searched for Search<'_> {
    type Item = Execution;

    const SUBJECTS: &'static str = "executions_subject";

    fn needle(&self) -> &Needle<'_> {
        &self.needle
    }

    async fn among_newest(
        &self,
        conn: &mut PgConnection,
        below: Option<Uuid>,
        part: i64,
        limit: i64,
    ) -> Result<Vec<Execution>> {
        let (low, high) = self.needle.ids.unzip();
        let rows = sqlx::query_as!(
            Row,
            "select id, workflow_id, revision, status, result, decision, subject, amount, currency, reason, event_id,
                 requester, started_at, ended_at, waits_for, error
             from (
                 select id, workflow_id, revision, status, result, decision, subject, amount, currency, reason,
                     event_id, requester, started_at, ended_at, waits_for, error
                 from executions
                 where workspace_id = $1
                   and ($2::uuid is null or id < $2)
                   and ($3::text is null or workflow_id = $3)
                   and ($4::text is null or status = $4)
                   and ($5::text is null or result = $5)
                   and ($6::timestamptz is null or started_at > $6)
                   and ($7::timestamptz is null or started_at < $7)
                   and ($13::text[] is null or workflow_id = any($13))
                 order by id desc limit $12) newest
             where id between $9 and $10
                or starts_with(event_id, $8)
                or (subject is not null and to_tsvector('simple', subject) @@ (select plainto_tsquery('simple', $8)))
                or exists (
                    select 1 from approvals a
                    where a.workspace_id = $1 and a.execution_id = newest.id and starts_with(a.entity_id, $8))
             order by id desc limit $11",
            self.workspace.0,
            below,
            self.query.workflow_id.as_ref().map(|id| id.0.as_str()),
            self.query.status.map(shared_types::machine::RunStatus::as_str),
            self.query.result.map(shared_types::machine::result::RunResult::as_str),
            self.query.started_after,
            self.query.started_before,
            self.needle.words,
            low,
            high,
            limit,
            part,
            self.only
        )
        .fetch_all(conn)
        .await?;
        rows.into_iter().map(Row::execution).collect()
    }

    async fn end_of_newest(
        &self,
        conn: &mut PgConnection,
        below: Option<Uuid>,
        part: i64,
    ) -> Result<Option<Uuid>> {
        let end = sqlx::query_scalar!(
            "select id from executions
             where workspace_id = $1
               and ($2::uuid is null or id < $2)
               and ($3::text is null or workflow_id = $3)
               and ($4::text is null or status = $4)
               and ($5::text is null or result = $5)
               and ($6::timestamptz is null or started_at > $6)
               and ($7::timestamptz is null or started_at < $7)
               and ($9::text[] is null or workflow_id = any($9))
             order by id desc offset $8 limit 1",
            self.workspace.0,
            below,
            self.query.workflow_id.as_ref().map(|id| id.0.as_str()),
            self.query.status.map(shared_types::machine::RunStatus::as_str),
            self.query.result.map(shared_types::machine::result::RunResult::as_str),
            self.query.started_after,
            self.query.started_before,
            part - 1,
            self.only
        )
        .fetch_optional(conn)
        .await?;
        Ok(end)
    }

    /// Each index is read in a materialized part, so that it is planned as if all were read: with a limit or a bound on ids in
    /// sight the planner would read the table, or the index of ids, instead.
    async fn hits_below(&self, conn: &mut PgConnection, end: Uuid, most: i64) -> Result<Vec<Hit>> {
        let (low, high) = self.needle.ids.unzip();
        let hits = sqlx::query_as!(
            Hit,
            r#"with of_event as materialized (
                 select id from executions
                 where workspace_id = $1 and event_id ~>=~ $3 and event_id ~<~ $4),
             of_subject as materialized (
                 select id from executions
                 where workspace_id = $1 and subject is not null
                   and to_tsvector('simple', subject) @@ plainto_tsquery('simple', $3)),
             of_entity as materialized (
                 select execution_id as id from approvals
                 where workspace_id = $1 and entity_id ~>=~ $3 and entity_id ~<~ $4)
             select 1 as "index!", id as "id!" from (select id from of_event where id < $2 limit $7) e
             union all select 2, id from (select id from of_subject where id < $2 limit $7) s
             union all select 3, id from (select id from of_entity where id < $2 limit $7) a
             union all select 4, id from (
                 select id from executions
                 where workspace_id = $1 and id between $5 and $6 and id < $2 order by id desc limit $7) i"#,
            self.workspace.0,
            end,
            self.needle.words,
            self.needle.end,
            low,
            high,
            most
        )
        .fetch_all(conn)
        .await?;
        Ok(hits)
    }

    async fn of(&self, conn: &mut PgConnection, ids: &[Uuid], limit: i64) -> Result<Vec<Execution>> {
        let rows = sqlx::query_as!(
            Row,
            "select id, workflow_id, revision, status, result, decision, subject, amount, currency, reason, event_id,
                 requester, started_at, ended_at, waits_for, error
             from executions
             where workspace_id = $1
               and id = any($2)
               and ($3::text is null or workflow_id = $3)
               and ($4::text is null or status = $4)
               and ($5::text is null or result = $5)
               and ($6::timestamptz is null or started_at > $6)
               and ($7::timestamptz is null or started_at < $7)
               and ($9::text[] is null or workflow_id = any($9))
             order by id desc limit $8",
            self.workspace.0,
            ids,
            self.query.workflow_id.as_ref().map(|id| id.0.as_str()),
            self.query.status.map(shared_types::machine::RunStatus::as_str),
            self.query.result.map(shared_types::machine::result::RunResult::as_str),
            self.query.started_after,
            self.query.started_before,
            limit,
            self.only
        )
        .fetch_all(conn)
        .await?;
        rows.into_iter().map(Row::execution).collect()
    }
}
