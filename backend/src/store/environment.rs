//! What a run has to know of its workspace: people with their absences, calendars, and the revisions of what it calls and asks.

use super::{OfRow as _, Result, calendars, read, read_large_text, rules};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use shared_types::{
    approval::people::{AbsenceSpan, Person},
    email,
    ids::{ApprovalId, ExecutionId, UserId, WorkflowId, WorkspaceId},
    machine::environment::{CalledBelow, EnvironmentNeeds, PeopleNeeds, RunEnvironment},
    recipient::Approver,
};
use sqlx::PgConnection;
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// Reads what a run has to know. The version is read first: what changes after it is found by whoever compares it.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn environment(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    needs: &EnvironmentNeeds,
    at: DateTime<Utc>,
) -> Result<RunEnvironment> {
    let version =
        sqlx::query_scalar!("select environment_version from workspaces where id = $1", workspace.0)
            .fetch_one(&mut *conn)
            .await?;
    let people = match &needs.people {
        Some(needs) => people(&mut *conn, workspace, needs, at).await?,
        None => Vec::new(),
    };
    let calendars = calendars::named(&mut *conn, workspace, &needs.calendars).await?;
    let rules = rules::some(&mut *conn, workspace, &needs.rules).await?;
    let called = called(conn, workspace, &needs.workflows).await?;
    let (revisions, called_below) = (called.revisions, called.below);
    Ok(RunEnvironment {
        version,
        people,
        calendars,
        rules,
        revisions,
        called_below,
        ..RunEnvironment::default()
    })
}

/// The current revisions of workflows that are called, and what they call and ask in turn.
#[derive(Debug, Default)]
struct Called {
    revisions: BTreeMap<WorkflowId, i32>,
    below: BTreeMap<WorkflowId, CalledBelow>,
}

/// What some workflows are and lead to; those that aren't there are left out. Each is followed once, so that circles end.
async fn called(conn: &mut PgConnection, workspace: WorkspaceId, ids: &[WorkflowId]) -> Result<Called> {
    let mut called = Called::default();
    if ids.is_empty() {
        return Ok(called);
    }
    let ids: Vec<&str> = ids.iter().map(WorkflowId::as_str).collect();
    let rows = sqlx::query!(
        r#"with recursive called as (
             select w.workflow_id as root, w.workflow_id, w.revision
             from workflows w where w.workspace_id = $1 and w.workflow_id = any($2)
             union
             select c.root, w.workflow_id, w.revision
             from called c
             join workflow_revisions r on r.workspace_id = $1 and r.workflow_id = c.workflow_id and r.revision = c.revision
             cross join lateral jsonb_array_elements_text(r.calls) as named
             join workflows w on w.workspace_id = $1 and w.workflow_id = named)
           select root as "root!", workflow_id as "name!", revision as "revision!", false as "is_rule!" from called
           union all
           (select distinct c.root, l.rule_id, l.version, true
             from called c
             join workflow_revisions r on r.workspace_id = $1 and r.workflow_id = c.workflow_id and r.revision = c.revision
             cross join lateral jsonb_array_elements_text(r.latest_rules) as named
             join rules l on l.workspace_id = $1 and l.rule_id = named and l.archived_at is null)"#,
        workspace.0,
        &ids as &[&str]
    )
    .fetch_all(conn)
    .await?;
    for row in rows {
        let root = WorkflowId(row.root);
        if row.is_rule {
            called.below.entry(root).or_default().rules.insert(row.name, row.revision);
        } else if row.name == root.0 {
            called.revisions.insert(root, row.revision);
        } else {
            let below = called.below.entry(root).or_default();
            below.workflows.insert(WorkflowId(row.name), row.revision);
        }
    }
    Ok(called)
}

/// An absence as the query gives it.
#[derive(Deserialize)]
struct Absence {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    delegate: Option<String>,
}

/// The people whom these entries and addresses name, and everybody who stands in for one of them at a time, with the
/// absences that run then.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn people(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    needs: &PeopleNeeds,
    at: DateTime<Utc>,
) -> Result<Vec<Person>> {
    people_between(conn, workspace, needs, (at, at)).await
}

/// The same, with the absences that run at any time between two.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn people_between(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    needs: &PeopleNeeds,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<Person>> {
    let (mut roles, mut addresses) = (Vec::new(), needs.persons.clone());
    for entry in &needs.entries {
        match entry {
            Approver::Role(role) => roles.push(role.clone()),
            Approver::Person(address) => addresses.push(address.clone()),
        }
    }
    let rows = sqlx::query!(
        r#"with recursive concerned as (
             select m.user_id from memberships m where m.workspace_id = $1 and m.active and m.roles && $2
             union
             select m.user_id from users u join memberships m on m.user_id = u.id and m.workspace_id = $1
             where lower(u.email) = any($3)
             union
             select a.delegate_id from concerned c
             join absences a on a.workspace_id = $1 and a.user_id = c.user_id
             where a.delegate_id is not null and a.from_at <= $5 and a.until_at > $4)
           select u.id, u.email, coalesce(m.name, u.name) as "name!", m.roles, m.active,
               (select jsonb_agg(jsonb_build_object('from', a.from_at, 'until', a.until_at, 'delegate', d.email)
                    order by a.from_at)
                from absences a left join users d on d.id = a.delegate_id
                where a.workspace_id = $1 and a.user_id = u.id and a.from_at <= $5 and a.until_at > $4) as absences
           from concerned c join users u on u.id = c.user_id
           join memberships m on m.user_id = u.id and m.workspace_id = $1
           order by 3, u.id"#,
        workspace.0,
        &roles,
        &addresses,
        from,
        to
    )
    .fetch_all(conn)
    .await?;
    let mut people = Vec::with_capacity(rows.len());
    for row in rows {
        let absences: Vec<Absence> = match row.absences {
            Some(absences) => read("absences", "absences", absences).of_row(row.id)?,
            None => Vec::new(),
        };
        let absences = absences.into_iter().map(|absence| AbsenceSpan {
            from: absence.from,
            until: absence.until,
            delegate: absence.delegate.as_deref().map(email::normal_form),
        });
        people.push(Person {
            email: email::normal_form(&row.email),
            name: row.name,
            roles: row.roles,
            active: row.active,
            absences: absences.collect(),
        });
    }
    Ok(people)
}

/// The addresses and roles of those for whom a person may stand in at a time: whoever is away and named them, or named
/// somebody who is away as well and named them.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn represented(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    person: UserId,
    at: DateTime<Utc>,
) -> Result<Vec<(String, Vec<String>)>> {
    let rows = sqlx::query!(
        r#"with recursive represented as (
             select a.user_id from absences a
             where a.workspace_id = $1 and a.delegate_id = $2 and a.from_at <= $3 and a.until_at > $3
             union
             select a.user_id from represented r
             join absences a on a.workspace_id = $1 and a.delegate_id = r.user_id
             where a.from_at <= $3 and a.until_at > $3)
           select u.email, m.roles from represented r join users u on u.id = r.user_id
           join memberships m on m.user_id = u.id and m.workspace_id = $1 and m.active"#,
        workspace.0,
        person.0,
        at
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (email::normal_form(&row.email), row.roles)).collect())
}

/// The address of whoever made a revision of a workflow.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn author(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    workflow_id: &str,
    revision: i32,
) -> Result<Option<String>> {
    let author = sqlx::query_scalar!(
        "select created_by from workflow_revisions where workspace_id = $1 and workflow_id = $2 and revision = $3",
        workspace.0,
        workflow_id,
        revision
    )
    .fetch_optional(conn)
    .await?;
    Ok(author)
}

/// Counts the absences that began or ended since they were counted last as changes of their workspaces.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn count_absences(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update workspaces w set environment_version = environment_version + 1, environment_at = $1
         where environment_at < $1 and (
             exists (select 1 from absences a
                     where a.workspace_id = w.id and a.from_at > w.environment_at and a.from_at <= $1)
             or exists (select 1 from absences a
                     where a.workspace_id = w.id and a.until_at > w.environment_at and a.until_at <= $1))",
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An open request that wasn't looked at since people, absences or calendars of its workspace changed.
#[derive(Debug, Clone)]
pub struct UncheckedRequest {
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// Id of the request.
    pub approval_id: ApprovalId,
    /// The run that asks.
    pub execution_id: ExecutionId,
    /// The version up to which it is to be looked at.
    pub version: i64,
    /// The version at which it was looked at last.
    pub checked: i64,
}

/// Some open requests that are to be looked at, the oldest of each workspace first.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn unchecked(conn: &mut PgConnection, limit: i64) -> Result<Vec<UncheckedRequest>> {
    let rows = sqlx::query!(
        "select w.id as workspace_id, a.id, a.execution_id, a.checked_version, w.environment_version
         from workspaces w cross join lateral (
             select id, execution_id, checked_version from approvals
             where workspace_id = w.id and status = 'pending' and checked_version < w.environment_version
             order by checked_version limit $1) a
         limit $1",
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| UncheckedRequest {
            workspace: WorkspaceId(row.workspace_id),
            approval_id: ApprovalId(row.id),
            execution_id: ExecutionId(row.execution_id),
            version: row.environment_version,
            checked: row.checked_version,
        })
        .collect())
}

/// Notes that requests were looked at.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn mark_checked(conn: &mut PgConnection, checked: &[UncheckedRequest]) -> Result<()> {
    let workspaces: Vec<Uuid> = checked.iter().map(|request| request.workspace.0).collect();
    let ids: Vec<Uuid> = checked.iter().map(|request| request.approval_id.0).collect();
    let versions: Vec<i64> = checked.iter().map(|request| request.version).collect();
    let before: Vec<i64> = checked.iter().map(|request| request.checked).collect();
    sqlx::query!(
        "update approvals a set checked_version = t.version
         from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) as t(workspace, id, version, before)
         where a.workspace_id = t.workspace and a.id = t.id and a.checked_version = t.before",
        &workspaces,
        &ids,
        &versions,
        &before
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An environment as it was journaled.
pub(super) fn journaled(text: Option<String>, id: ExecutionId) -> Result<Option<Arc<RunEnvironment>>> {
    let environment =
        text.map(|text| read_large_text("journal", "environment", &text)).transpose().of_row(id)?;
    Ok(environment.map(Arc::new))
}
