//! Workflows and their revisions.

use super::{OfRow as _, Result, read, read_word, reviews::StoredReview, run_counts::Span};
use chrono::{DateTime, Utc};
use serde_json::Value;
use shared_types::{
    api::workflows::{Revision, WorkflowSummary},
    ids::{WorkflowId, WorkspaceId},
    machine::review::CHECKS_VERSION,
    workflow::{Document, Format, check::WorkflowRef, document::Trigger, outline::starts_on},
};
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// A workflow with one of its revisions.
#[derive(Debug, Clone)]
pub struct StoredWorkflow {
    /// Slug of the workflow, unique in its workspace.
    pub workflow_id: WorkflowId,
    /// The newest revision's number.
    pub newest: i32,
    /// The number of the revision that was read.
    pub revision: i32,
    /// Whether its trigger starts runs.
    pub enabled: bool,
    /// When it was archived.
    pub archived_at: Option<DateTime<Utc>>,
    /// How the source is written.
    pub format: Format,
    /// The text as written.
    pub source: String,
    /// The document that the text holds.
    pub document: Value,
    /// The stored rules that it asks, in their versions; none where it asks them as they stand.
    pub rules: BTreeMap<String, Option<i32>>,
    /// When the revision was published.
    pub created_at: DateTime<Utc>,
    /// Who did it: an email address, or the name of an API key.
    pub created_by: String,
    /// What the checks found in it; `None` where it is to be reviewed anew.
    pub review: Option<StoredReview>,
}

/// Reads a workflow with a revision, the newest where none is named.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn find(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &WorkflowId,
    revision: Option<i32>,
) -> Result<Option<StoredWorkflow>> {
    let row = sqlx::query!(
        "select w.revision as newest, w.enabled, w.archived_at, r.revision, r.format, r.source, r.document,
             r.rules, r.created_at, r.created_by, r.findings, r.refers_to, r.reviewed_by
         from workflows w join workflow_revisions r using (workspace_id, workflow_id)
         where w.workspace_id = $1 and w.workflow_id = $2 and r.revision = coalesce($3, w.revision)",
        workspace.0,
        id.0,
        revision
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(StoredWorkflow {
        workflow_id: id.clone(),
        newest: row.newest,
        revision: row.revision,
        enabled: row.enabled,
        archived_at: row.archived_at,
        format: read_word("workflow_revisions", "format", &row.format).of_row(id)?,
        source: row.source,
        document: row.document,
        rules: read("workflow_revisions", "rules", row.rules).of_row(id)?,
        created_at: row.created_at,
        created_by: row.created_by,
        review: StoredReview::read(row.findings, row.refers_to, row.reviewed_by),
    }))
}

/// The newest revision's number, held for this transaction.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn lock(conn: &mut PgConnection, workspace: WorkspaceId, id: &WorkflowId) -> Result<Option<i32>> {
    let row = sqlx::query_scalar!(
        "select revision from workflows where workspace_id = $1 and workflow_id = $2 for update",
        workspace.0,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// A revision to write.
#[derive(Debug)]
pub struct NewRevision<'a> {
    /// Number of the revision, counted from 1.
    pub revision: i32,
    /// Whether the workflow is on after this.
    pub enabled: bool,
    /// When its schedule is due next.
    pub next_due: Option<DateTime<Utc>>,
    /// How the source is written.
    pub format: Format,
    /// The text as written.
    pub source: &'a str,
    /// The document that the text holds.
    pub value: &'a Value,
    /// The document, read.
    pub document: &'a Document,
    /// The stored rules that it asks, in their versions; none where it asks them as they stand.
    pub rules: &'a BTreeMap<String, Option<i32>>,
    /// What the checks found in it.
    pub review: &'a StoredReview,
    /// Who did it: an email address, or the name of an API key.
    pub by: &'a str,
    /// When it happened, in UTC.
    pub at: DateTime<Utc>,
}

/// Writes a revision, and with the first one the workflow.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn publish(conn: &mut PgConnection, workspace: WorkspaceId, new: &NewRevision<'_>) -> Result<()> {
    let id = &new.document.workflow_id.0;
    sqlx::query!(
        "insert into workflows (workspace_id, workflow_id, name, enabled, revision, next_due, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (workspace_id, workflow_id) do update
         set name = $3, enabled = $4, revision = $5, next_due = $6, updated_at = $7, archived_at = null",
        workspace.0,
        id,
        new.document.name,
        new.enabled,
        new.revision,
        new.next_due,
        new.at
    )
    .execute(&mut *conn)
    .await?;
    let version = new.document.version.as_ref().map(|label| match label {
        shared_types::workflow::document::VersionLabel::Text(text) => text.clone(),
        shared_types::workflow::document::VersionLabel::Number(number) => number.to_string(),
    });
    sqlx::query!(
        "insert into workflow_revisions (workspace_id, workflow_id, revision, format, source, document, version,
             rules, created_at, created_by, findings, refers_to, reviewed_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        workspace.0,
        id,
        new.revision,
        new.format.as_str(),
        new.source,
        new.value,
        version,
        super::json(new.rules),
        new.at,
        new.by,
        super::json(&new.review.findings),
        super::json(&new.review.references),
        CHECKS_VERSION
    )
    .execute(&mut *conn)
    .await?;
    super::bump_catalog(conn, workspace).await
}

/// Turns a workflow on or off; false where it already was so.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn set_enabled(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &WorkflowId,
    enabled: bool,
    next_due: Option<DateTime<Utc>>,
) -> Result<bool> {
    let changed = sqlx::query!(
        "update workflows set enabled = $3, next_due = $4
         where workspace_id = $1 and workflow_id = $2 and enabled <> $3",
        workspace.0,
        id.0,
        enabled,
        next_due
    )
    .execute(&mut *conn)
    .await?;
    if changed.rows_affected() == 0 {
        return Ok(false);
    }
    super::bump_catalog(conn, workspace).await?;
    Ok(true)
}

/// Writes which versions of stored rules a revision asks.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn pin(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &WorkflowId,
    revision: i32,
    rules: &BTreeMap<String, Option<i32>>,
) -> Result<()> {
    sqlx::query!(
        "update workflow_revisions set rules = $4 where workspace_id = $1 and workflow_id = $2 and revision = $3",
        workspace.0,
        id.0,
        revision,
        super::json(rules)
    )
    .execute(&mut *conn)
    .await?;
    super::bump_catalog(conn, workspace).await
}

/// Archives a workflow: no new runs, its webhook is gone, and its history stays.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn archive(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &WorkflowId,
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "update workflows set archived_at = $3, enabled = false, next_due = null
         where workspace_id = $1 and workflow_id = $2",
        workspace.0,
        id.0,
        at
    )
    .execute(&mut *conn)
    .await?;
    super::webhooks::remove(conn, workspace, id).await?;
    super::bump_catalog(conn, workspace).await
}

/// Which workflows to list.
#[derive(Debug, Clone, Copy)]
pub struct Filter<'f> {
    /// Words of the name or id.
    pub q: Option<&'f str>,
    /// Only these.
    pub only: Option<&'f [String]>,
    /// Those after this id.
    pub above: Option<&'f str>,
}

/// Lists workflows that aren't archived, by id, with their runs of a span of time.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    filter: &Filter<'_>,
    counted: Span,
    limit: i64,
) -> Result<Vec<WorkflowSummary>> {
    let q = filter.q.map(str::trim).filter(|q| !q.is_empty());
    let pattern = q.map(|q| format!("%{}", super::executions::like_prefix(q)));
    let rows = sqlx::query!(
        "select w.workflow_id, w.name, w.enabled, w.revision, r.created_at, r.created_by,
             r.document ->> 'description' as description, r.document -> 'trigger' as trigger,
             runs.started as \"started!\", runs.failed as \"failed!\"
         from workflows w
         join workflow_revisions r using (workspace_id, workflow_id, revision)
         cross join lateral (
             select
                 (select count(*) from executions e
                  where e.workspace_id = w.workspace_id and e.workflow_id = w.workflow_id
                    and e.id >= $4 and e.id < $6)
                 + (select coalesce(sum(c.started), 0)::bigint from run_counts c
                    where c.workspace_id = w.workspace_id and c.workflow_id = w.workflow_id
                      and c.slice >= $7 and c.slice < $8)
                 + (select count(*) from executions e
                    where e.workspace_id = w.workspace_id and e.workflow_id = w.workflow_id and e.id >= $9) as started,
                 (select count(*) from executions e
                  where e.workspace_id = w.workspace_id and e.workflow_id = w.workflow_id and e.result = 'failed'
                    and e.id >= $4 and e.id < $6)
                 + (select coalesce(sum(c.failed), 0)::bigint from run_counts c
                    where c.workspace_id = w.workspace_id and c.workflow_id = w.workflow_id
                      and c.slice >= $7 and c.slice < $8)
                 + (select count(*) from executions e
                    where e.workspace_id = w.workspace_id and e.workflow_id = w.workflow_id and e.result = 'failed'
                      and e.id >= $9) as failed) runs
         where w.workspace_id = $1 and w.archived_at is null
           and ($2::text is null or w.workflow_id > $2)
           and ($3::text is null or w.name ilike $3 or w.workflow_id ilike $3)
           and ($10::text[] is null or w.workflow_id = any($10))
         order by w.workflow_id limit $5",
        workspace.0,
        filter.above,
        pattern,
        counted.from,
        limit,
        counted.slices_from.1,
        counted.slices_from.0,
        counted.slices_until.0,
        counted.slices_until.1,
        filter.only
    )
    .fetch_all(conn)
    .await?;
    let summaries = rows.into_iter().map(|row| WorkflowSummary {
        etag: etag(row.revision),
        workflow_id: WorkflowId(row.workflow_id),
        name: row.name,
        description: row.description,
        trigger: trigger_in_words(row.trigger.unwrap_or_default()),
        revision: row.revision,
        enabled: row.enabled,
        updated_at: row.created_at,
        updated_by: row.created_by,
        runs_24h: row.started,
        failed_24h: row.failed,
    });
    Ok(summaries.collect())
}

/// The entity tag of a revision.
pub fn etag(revision: i32) -> String {
    format!("\"r{revision}\"")
}

fn trigger_in_words(trigger: Value) -> String {
    serde_json::from_value::<Trigger>(trigger).map_or_else(|_| String::new(), |trigger| starts_on(&trigger))
}

/// Lists revisions, newest first.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn revisions(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &WorkflowId,
) -> Result<Vec<Revision>> {
    let rows = sqlx::query!(
        "select revision, created_at, created_by, version from workflow_revisions
         where workspace_id = $1 and workflow_id = $2 order by revision desc",
        workspace.0,
        id.0
    )
    .fetch_all(conn)
    .await?;
    let revisions = rows.into_iter().map(|row| Revision {
        revision: row.revision,
        created_at: row.created_at,
        created_by: row.created_by,
        version: row.version,
    });
    Ok(revisions.collect())
}

/// A workflow that is on.
#[derive(Debug)]
pub struct On {
    /// Slug of the workflow, unique in its workspace.
    pub workflow_id: WorkflowId,
    /// Its newest revision.
    pub revision: i32,
    /// The document of that.
    pub document: Value,
    /// The stored rules that it asks, in their versions.
    pub rules: BTreeMap<String, Option<i32>>,
}

/// The workflows of a workspace as others see them: whether each is on, and which it calls.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn neighbours(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
) -> Result<BTreeMap<WorkflowId, WorkflowRef>> {
    let rows = sqlx::query!(
        r#"select w.workflow_id, w.enabled, r.document #>> '{trigger,event}' as listens,
             jsonb_path_query_array(r.document,
               '$.steps.** ? (@.type == "emit" && exists(@.id)).emit.event ? (@.type() == "string")')
             || jsonb_path_query_array(r.document,
               '$.steps.** ? (@.type == "emit_event").event ? (@.type() == "string")') as "publishes!",
             case when r.refers_to is not null
               then jsonb_path_query_array(r.refers_to, '$[*].to ? (@.kind == "workflow").name')
               else jsonb_path_query_array(r.document,
                 '$.steps.** ? (@.type == "call" && exists(@.id)).call.workflow_id ? (@.type() == "string")')
             end as "calls!"
         from workflows w join workflow_revisions r using (workspace_id, workflow_id, revision)
         where w.workspace_id = $1 and w.archived_at is null"#,
        workspace.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let calls = read("workflow_revisions", "document", row.calls).of_row(&row.workflow_id)?;
            let publishes = read("workflow_revisions", "document", row.publishes).of_row(&row.workflow_id)?;
            let listens = row.listens;
            Ok((WorkflowId(row.workflow_id), WorkflowRef { enabled: row.enabled, calls, listens, publishes }))
        })
        .collect()
}

/// What starts runs in a workspace: its catalog's version, and its workflows that are on.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn active(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<(i64, Vec<On>)> {
    let version = sqlx::query_scalar!("select catalog_version from workspaces where id = $1", workspace.0)
        .fetch_optional(&mut *conn)
        .await?
        .unwrap_or_default();
    let rows = sqlx::query!(
        "select w.workflow_id, w.revision, r.document, r.rules
         from workflows w join workflow_revisions r using (workspace_id, workflow_id, revision)
         where w.workspace_id = $1 and w.enabled and w.archived_at is null order by w.workflow_id",
        workspace.0
    )
    .fetch_all(conn)
    .await?;
    let active = rows.into_iter().map(|row| {
        Ok(On {
            rules: read("workflow_revisions", "rules", row.rules).of_row(&row.workflow_id)?,
            workflow_id: WorkflowId(row.workflow_id),
            revision: row.revision,
            document: row.document,
        })
    });
    Ok((version, active.collect::<Result<_>>()?))
}

/// A schedule that is due.
#[derive(Debug)]
pub struct DueSchedule {
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// Slug of the workflow.
    pub workflow_id: WorkflowId,
    /// Number of the revision, counted from 1.
    pub revision: i32,
    /// Its document.
    pub document: Value,
    /// When it was due.
    pub due: DateTime<Utc>,
}

/// The schedules that are due.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn due_schedules(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DueSchedule>> {
    let rows = sqlx::query!(
        "select w.workspace_id, w.workflow_id, w.revision, r.document, w.next_due as \"due!\"
         from workflows w join workflow_revisions r using (workspace_id, workflow_id, revision)
         where w.next_due <= $1 order by w.next_due limit $2",
        now,
        limit
    )
    .fetch_all(conn)
    .await?;
    let due = rows.into_iter().map(|row| DueSchedule {
        workspace: WorkspaceId(row.workspace_id),
        workflow_id: WorkflowId(row.workflow_id),
        revision: row.revision,
        document: row.document,
        due: row.due,
    });
    Ok(due.collect())
}

/// Moves a schedule on from a due time; false where another server did it.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn move_schedule(
    conn: &mut PgConnection,
    schedule: &DueSchedule,
    next: Option<DateTime<Utc>>,
) -> Result<bool> {
    let moved = sqlx::query!(
        "update workflows set next_due = $4 where workspace_id = $1 and workflow_id = $2 and next_due = $3",
        schedule.workspace.0,
        schedule.workflow_id.0,
        schedule.due,
        next
    )
    .execute(conn)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// When the next schedule is due.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn next_due(conn: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    let due = sqlx::query_scalar!(
        "select next_due as \"due!\" from workflows where next_due is not null order by next_due limit 1"
    )
    .fetch_optional(conn)
    .await?;
    Ok(due)
}
