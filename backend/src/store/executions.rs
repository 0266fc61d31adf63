//! Runs as they are read: to go on, to be shown, to be listed.

mod search;

pub use search::search;

use super::{
    OfRow as _, Result, child_runs, child_runs::ParentRun, environment, json, read, read_large_text,
    read_word,
};
use chrono::{DateTime, Utc};
use serde_json::Value;
use shared_types::{
    api::{
        executions::{Execution, ExecutionQuery},
        workflows::{Activity, StepActivity},
    },
    ids::{EventId, ExecutionId, StepId, WorkflowId, WorkspaceId},
    machine::{Fact, Input, Snapshot, Stamp, failure::RunError, result::RunResult},
};
use sqlx::PgConnection;
use uuid::Uuid;

/// A run with all that is needed to go on.
#[derive(Debug)]
pub struct Loaded {
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Of which revision.
    pub revision: i32,
    /// Whether it has ended, whatever its state says: one that was set aside has.
    pub has_ended: bool,
    /// How many journal rows there are.
    pub seq: i32,
    /// The fencing token: an outcome with a lower epoch is dropped.
    pub epoch: i32,
    /// The servers that have its calls in flight.
    pub owners: Vec<Uuid>,
    /// The run that called it.
    pub parent: Option<ParentRun>,
    /// The stored state, if there is one.
    pub snapshot: Option<Snapshot>,
    /// How many bytes that takes.
    pub snapshot_bytes: Option<usize>,
    /// What happened since; without a stored state, all that happened.
    pub later: Vec<(Stamp, Input)>,
    /// How many bytes that takes.
    pub later_bytes: usize,
}

/// Reads a run to go on with it.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn load(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: ExecutionId,
) -> Result<Option<Loaded>> {
    let row = sqlx::query!(
        "select workflow_id, revision, status, seq, epoch, owners, state::text as state, state_seq from executions
         where id = $1 and workspace_id = $2",
        id.0,
        workspace.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let parent = child_runs::parent(&mut *conn, workspace, id).await?;
    let (mut later, mut later_bytes) = (Vec::new(), 0);
    if row.state_seq < row.seq {
        let rows = sqlx::query!(
            r#"select at, stamp, input::text as "input!", environment::text as environment from journal
               where execution_id = $1 and workspace_id = $4 and seq >= $2 and seq < $3 order by seq"#,
            id.0,
            row.state_seq,
            row.seq,
            workspace.0
        )
        .fetch_all(conn)
        .await?;
        for row in rows {
            later_bytes += row.input.len();
            let environment = environment::journaled(row.environment, id)?;
            later.push((
                Stamp { at: row.at, id: row.stamp, environment },
                read_large_text("journal", "input", &row.input).of_row(id)?,
            ));
        }
    }
    Ok(Some(Loaded {
        workspace,
        workflow_id: WorkflowId(row.workflow_id),
        revision: row.revision,
        has_ended: row.status == "ended",
        seq: row.seq,
        epoch: row.epoch,
        owners: row.owners.unwrap_or_default(),
        parent,
        snapshot_bytes: row.state.as_ref().map(String::len),
        snapshot: row
            .state
            .map(|state| read_large_text("executions", "state", &state))
            .transpose()
            .of_row(id)?,
        later,
        later_bytes,
    }))
}

struct Row {
    id: Uuid,
    workflow_id: String,
    revision: i32,
    status: String,
    result: Option<String>,
    decision: Option<String>,
    subject: Option<String>,
    amount: Option<String>,
    currency: Option<String>,
    reason: Option<String>,
    event_id: String,
    requester: Option<Value>,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    waits_for: Value,
    error: Option<Value>,
}

impl Row {
    fn execution(self) -> Result<Execution> {
        let word = |column, word: Option<String>| {
            word.map(|word| read_word("executions", column, &word)).transpose().of_row(self.id)
        };
        Ok(Execution {
            execution_id: ExecutionId(self.id),
            workflow_id: WorkflowId(self.workflow_id),
            revision: self.revision,
            status: read_word("executions", "status", &self.status).of_row(self.id)?,
            result: word("result", self.result)?,
            decision: self
                .decision
                .map(|word| read_word("executions", "decision", &word))
                .transpose()
                .of_row(self.id)?,
            subject: self.subject,
            amount: self.amount,
            currency: self.currency,
            reason: self.reason,
            event_id: EventId(self.event_id),
            requester: self
                .requester
                .map(|value| read("executions", "requester", value))
                .transpose()
                .of_row(self.id)?,
            started_at: self.started_at,
            ended_at: self.ended_at,
            waits_for: read("executions", "waits_for", self.waits_for).of_row(self.id)?,
            error: self.error.map(|value| read("executions", "error", value)).transpose().of_row(self.id)?,
        })
    }
}

/// Reads a run to show it.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn find(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: ExecutionId,
) -> Result<Option<Execution>> {
    let row = sqlx::query_as!(
        Row,
        "select id, workflow_id, revision, status, result, decision, subject, amount, currency, reason, event_id,
             requester, started_at, ended_at, waits_for, error
         from executions where id = $1 and workspace_id = $2",
        id.0,
        workspace.0
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::execution).transpose()
}

/// The runs that an event started, oldest first.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn started_by(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    event: &EventId,
) -> Result<Vec<Execution>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, workflow_id, revision, status, result, decision, subject, amount, currency, reason, event_id,
             requester, started_at, ended_at, waits_for, error
         from executions where workspace_id = $1 and event_id = $2 order by id",
        workspace.0,
        event.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::execution).collect()
}

/// Runs as they stand; those that aren't there are left out.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn some(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    ids: &[ExecutionId],
) -> Result<Vec<Execution>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query_as!(
        Row,
        "select id, workflow_id, revision, status, result, decision, subject, amount, currency, reason, event_id,
             requester, started_at, ended_at, waits_for, error
         from executions where workspace_id = $1 and id = any($2)",
        workspace.0,
        &ids
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::execution).collect()
}

/// A run's trace, oldest first.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn trace(conn: &mut PgConnection, workspace: WorkspaceId, id: ExecutionId) -> Result<Vec<Fact>> {
    trace_after(conn, workspace, id, None, usize::MAX).await
}

/// A part of a run's trace: so many facts after one, oldest first.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn trace_after(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: ExecutionId,
    after: Option<u32>,
    limit: usize,
) -> Result<Vec<Fact>> {
    /// How many rows are read at once; each has what one input led to.
    const ROWS: i64 = 100;
    let after = after.map(|after| i32::try_from(after).unwrap_or(i32::MAX));
    // The row that holds the last fact before is the first to be read.
    let from = sqlx::query_scalar!(
        "select max(seq) from journal where execution_id = $1 and workspace_id = $3 and first_fact <= $2",
        id.0,
        after,
        workspace.0
    )
    .fetch_one(&mut *conn)
    .await?;
    let mut from = from.unwrap_or_default();
    let mut trace: Vec<Fact> = Vec::new();
    loop {
        let rows = sqlx::query!(
            r#"select seq, facts::text as "facts!" from journal
             where execution_id = $1 and workspace_id = $4 and seq >= $2 order by seq limit $3"#,
            id.0,
            from,
            ROWS,
            workspace.0
        )
        .fetch_all(&mut *conn)
        .await?;
        let is_last = rows.len() < usize::try_from(ROWS).unwrap_or_default();
        for row in rows {
            from = row.seq + 1;
            let facts = read_large_text::<Vec<Fact>>("journal", "facts", &row.facts).of_row(id)?;
            trace.extend(
                facts
                    .into_iter()
                    .filter(|fact| after.is_none_or(|after| i64::from(fact.seq) > i64::from(after))),
            );
            if trace.len() >= limit {
                trace.truncate(limit);
                return Ok(trace);
            }
        }
        if is_last {
            return Ok(trace);
        }
    }
}

/// How many runs are looked at for what a workflow's steps did.
const RECENT: i64 = 50;

/// What a workflow's steps did in its last runs. What one input led to counts up to some size (as it is stored,
/// compressed), and so many inputs of a run: a run over thousands of items would keep the page waiting.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn activity(conn: &mut PgConnection, workspace: WorkspaceId, id: &WorkflowId) -> Result<Activity> {
    let runs = sqlx::query_scalar!(
        r#"select count(*) as "runs!" from (
             select id from executions where workspace_id = $1 and workflow_id = $2 order by id desc limit $3) r"#,
        workspace.0,
        id.0,
        RECENT
    )
    .fetch_one(&mut *conn)
    .await?;
    let rows = sqlx::query!(
        r#"with recent as (
             select id from executions where workspace_id = $1 and workflow_id = $2 order by id desc limit $3)
         select f ->> 'step_id' as "step_id!",
             count(distinct (j.execution_id, f ->> 'visit', f ->> 'within'))
               filter (where f ->> 'state' <> 'skipped') as "entered!",
             count(*) filter (where f ->> 'state' = 'failed') as "failed!"
         from recent r join journal j on j.execution_id = r.id
         cross join lateral json_array_elements(j.facts) f
         where j.seq <= 500 and pg_column_size(j.facts) < 30000
         group by 1"#,
        workspace.0,
        id.0,
        RECENT
    )
    .fetch_all(conn)
    .await?;
    let steps = rows.into_iter().map(|row| StepActivity {
        step_id: StepId(row.step_id),
        entered: row.entered,
        failed: row.failed,
    });
    Ok(Activity { runs, steps: steps.collect() })
}

/// Lists runs, newest first, from below a run's id; with `only`, those of these workflows. The query's text is
/// [`search`]'s.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    query: &ExecutionQuery,
    only: Option<&[String]>,
    below: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Execution>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, workflow_id, revision, status, result, decision, subject, amount, currency, reason, event_id,
             requester, started_at, ended_at, waits_for, error
         from executions
         where workspace_id = $1
           and ($2::uuid is null or id < $2)
           and ($3::text is null or workflow_id = $3)
           and ($4::text is null or status = $4)
           and ($5::text is null or result = $5)
           and ($6::timestamptz is null or started_at > $6)
           and ($7::timestamptz is null or started_at < $7)
           and ($8::text[] is null or workflow_id = any($8))
         order by id desc limit $9",
        workspace.0,
        below,
        query.workflow_id.as_ref().map(|id| id.0.as_str()),
        query.status.map(shared_types::machine::RunStatus::as_str),
        query.result.map(shared_types::machine::result::RunResult::as_str),
        query.started_after,
        query.started_before,
        only,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::execution).collect()
}

/// A pattern for everything that begins with a text.
pub(super) fn like_prefix(text: &str) -> String {
    format!("{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

/// Ends a run without asking it: it can't be read, or what it comes to can't be stored. What it waited for goes with
/// it; false where it has ended already.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn terminate(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: ExecutionId,
    end: &Termination<'_>,
) -> Result<bool> {
    let ended = sqlx::query!(
        "update executions set status = 'ended', result = $3, reason = $4, error = $5, ended_at = $6,
             waits_for = '[]', owners = null, epoch = epoch + 1
         where id = $1 and workspace_id = $2 and status <> 'ended'",
        id.0,
        workspace.0,
        end.result.as_str(),
        end.reason,
        end.error.map(json),
        end.at
    )
    .execute(&mut *conn)
    .await?;
    if ended.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!("delete from timers where execution_id = $1 and workspace_id = $2", id.0, workspace.0)
        .execute(&mut *conn)
        .await?;
    sqlx::query!("delete from waits where execution_id = $1 and workspace_id = $2", id.0, workspace.0)
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "update approvals set status = 'withdrawn', withdrawn_because = $3, closed_at = $4
         where execution_id = $1 and workspace_id = $2 and status = 'pending'",
        id.0,
        workspace.0,
        end.reason,
        end.at
    )
    .execute(conn)
    .await?;
    Ok(true)
}

/// How a run is ended that is set aside.
#[derive(Debug)]
pub struct Termination<'e> {
    /// Failed, or cancelled where a person asked for it.
    pub result: RunResult,
    /// Why, in a sentence.
    pub reason: &'e str,
    /// The failure, with the step where it is known.
    pub error: Option<&'e RunError>,
    /// The time at which the run ends.
    pub at: DateTime<Utc>,
}
