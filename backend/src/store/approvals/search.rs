//! Requests by a text: the begin of what they are about, or words of their subject.

use super::{
    Asked, Row, StoredApproval,
    list::{role_entry, statuses},
    with_decisions,
};
use crate::store::{
    Result,
    search::{self, Found, Hit, Needle, Searched},
};
use shared_types::{api::approvals::ApprovalQuery, ids::WorkspaceId};
use sqlx::PgConnection;
use uuid::Uuid;

/// A search with what narrows it besides its text.
struct Search<'q> {
    workspace: WorkspaceId,
    query: &'q ApprovalQuery,
    /// Which requests may be shown, and whose.
    asked: Asked<'q>,
    needle: Needle<'q>,
}

/// Looks for requests, newest first, from below a request's id. `None` where the query has no text.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn search(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    query: &ApprovalQuery,
    asked: Asked<'_>,
    below: Option<Uuid>,
    limit: i64,
) -> Result<Option<Found<StoredApproval>>> {
    let Some(needle) = Needle::of(query.q.as_deref()) else { return Ok(None) };
    let list = Search { workspace, query, asked, needle };
    search::search(conn, &list, below, limit).await.map(Some)
}

impl Searched for Search<'_> {
    type Item = StoredApproval;

    const SUBJECTS: &'static str = "approvals_subject";

    fn needle(&self) -> &Needle<'_> {
        &self.needle
    }

    async fn among_newest(
        &self,
        conn: &mut PgConnection,
        below: Option<Uuid>,
        part: i64,
        limit: i64,
    ) -> Result<Vec<StoredApproval>> {
        let rows = sqlx::query_as!(
            Row,
            "select a.id, a.execution_id, a.workflow_id, w.name as workflow_name, a.status, a.withdrawn_because, a.request,
                 a.progress, a.seen, a.asked_at, a.closed_at
             from (
                 select * from approvals
                 where workspace_id = $1
                   and ($2::uuid is null or id < $2)
                   and ($3::text[] is null or status = any($3))
                   and ($4::text[] is null or approvers && $4)
                   and ($5::text is null or workflow_id = $5)
                   and ($9::text[] is null or workflow_id = any($9))
                   and ($10::text is null or approvers @> array[$10])
                   and ($11::timestamptz is null or expires_at < $11)
                 order by id desc limit $8) a
             join workflows w using (workspace_id, workflow_id)
             where starts_with(a.entity_id, $6)
                or (a.subject is not null and to_tsvector('simple', a.subject) @@ (select plainto_tsquery('simple', $6)))
             order by a.id desc limit $7",
            self.workspace.0,
            below,
            statuses(self.query) as Option<Vec<&str>>,
            self.asked.entries,
            self.query.workflow_id.as_ref().map(|id| id.0.as_str()),
            self.needle.words,
            limit,
            part,
            self.asked.only,
            role_entry(self.query),
            self.query.due_before
        )
        .fetch_all(&mut *conn)
        .await?;
        with_decisions(conn, self.workspace, rows).await
    }

    async fn end_of_newest(
        &self,
        conn: &mut PgConnection,
        below: Option<Uuid>,
        part: i64,
    ) -> Result<Option<Uuid>> {
        let end = sqlx::query_scalar!(
            "select id from approvals
             where workspace_id = $1
               and ($2::uuid is null or id < $2)
               and ($3::text[] is null or status = any($3))
               and ($4::text[] is null or approvers && $4)
               and ($5::text is null or workflow_id = $5)
               and ($7::text[] is null or workflow_id = any($7))
               and ($8::text is null or approvers @> array[$8])
               and ($9::timestamptz is null or expires_at < $9)
             order by id desc offset $6 limit 1",
            self.workspace.0,
            below,
            statuses(self.query) as Option<Vec<&str>>,
            self.asked.entries,
            self.query.workflow_id.as_ref().map(|id| id.0.as_str()),
            part - 1,
            self.asked.only,
            role_entry(self.query),
            self.query.due_before
        )
        .fetch_optional(conn)
        .await?;
        Ok(end)
    }

    /// As with runs, each index is read in a materialized part of the query.
    async fn hits_below(&self, conn: &mut PgConnection, end: Uuid, most: i64) -> Result<Vec<Hit>> {
        let hits = sqlx::query_as!(
            Hit,
            r#"with of_entity as materialized (
                 select id from approvals
                 where workspace_id = $1 and entity_id ~>=~ $3 and entity_id ~<~ $4),
             of_subject as materialized (
                 select id from approvals
                 where workspace_id = $1 and subject is not null
                   and to_tsvector('simple', subject) @@ plainto_tsquery('simple', $3))
             select 1 as "index!", id as "id!" from (select id from of_entity where id < $2 limit $5) e
             union all select 2, id from (select id from of_subject where id < $2 limit $5) s"#,
            self.workspace.0,
            end,
            self.needle.words,
            self.needle.end,
            most
        )
        .fetch_all(conn)
        .await?;
        Ok(hits)
    }

    async fn of(&self, conn: &mut PgConnection, ids: &[Uuid], limit: i64) -> Result<Vec<StoredApproval>> {
        let rows = sqlx::query_as!(
            Row,
            "select a.id, a.execution_id, a.workflow_id, w.name as workflow_name, a.status, a.withdrawn_because, a.request,
                 a.progress, a.seen, a.asked_at, a.closed_at
             from approvals a join workflows w using (workspace_id, workflow_id)
             where a.workspace_id = $1
               and a.id = any($2)
               and ($3::text[] is null or a.status = any($3))
               and ($4::text[] is null or a.approvers && $4)
               and ($5::text is null or a.workflow_id = $5)
               and ($7::text[] is null or a.workflow_id = any($7))
               and ($8::text is null or a.approvers @> array[$8])
               and ($9::timestamptz is null or a.expires_at < $9)
             order by a.id desc limit $6",
            self.workspace.0,
            ids,
            statuses(self.query) as Option<Vec<&str>>,
            self.asked.entries,
            self.query.workflow_id.as_ref().map(|id| id.0.as_str()),
            limit,
            self.asked.only,
            role_entry(self.query),
            self.query.due_before
        )
        .fetch_all(&mut *conn)
        .await?;
        with_decisions(conn, self.workspace, rows).await
    }
}
