//! What follows from a change: timers, waits, requests and messages.

use super::{Base, Change, Closed, Delivery, Notice};
use crate::store::{
    Result, approvals, child_runs, json, outreach,
    waits::{first_that_counts, wait_key},
};
use chrono::{DateTime, Utc};
use serde_json::Value;
use shared_types::{
    ids::{ApprovalId, WorkspaceId},
    machine::command::{Request, RequestUpdate},
};
use sqlx::PgConnection;
use uuid::Uuid;

/// The runs that ended with this change, with their workspaces: nothing of theirs waits any more.
fn ended(changes: &[&Change]) -> (Vec<Uuid>, Vec<Uuid>) {
    let ended =
        changes.iter().filter(|c| c.execution.ended_at.is_some() && matches!(c.base, Base::At { .. }));
    ended.map(|change| (change.execution_id().0, change.workspace.0)).unzip()
}

/// As with runs, the workspace is compared so that no index on it can answer: each row is found by its run.
#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn write_timers(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    let (gone, workspaces) = ended(changes);
    if !gone.is_empty() {
        sqlx::query!(
            "delete from timers t using unnest($1::uuid[], $2::uuid[]) as gone(execution_id, workspace_id)
             where t.execution_id = gone.execution_id and t.workspace_id is not distinct from gone.workspace_id",
            &gone,
            &workspaces
        )
        .execute(&mut *conn)
        .await?;
    }
    let live = || changes.iter().filter(|change| change.execution.ended_at.is_none());
    let cleared = live().flat_map(|c| {
        c.side_rows.timers_cleared.iter().map(|timer| (c.execution_id().0, (c.workspace.0, timer.clone())))
    });
    let (ids, (workspaces, timers)): (Vec<Uuid>, (Vec<Uuid>, Vec<String>)) = cleared.unzip();
    if !ids.is_empty() {
        sqlx::query!(
            "delete from timers t
             using unnest($1::uuid[], $2::text[], $3::uuid[]) as gone(execution_id, timer, workspace_id)
             where t.execution_id = gone.execution_id and t.workspace_id is not distinct from gone.workspace_id and t.timer = gone.timer",
            &ids,
            &timers,
            &workspaces
        )
        .execute(&mut *conn)
        .await?;
    }
    let (mut ids, mut workspaces, mut timers, mut dues) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for change in live() {
        for (timer, due) in &change.side_rows.timers_set {
            ids.push(change.execution_id().0);
            workspaces.push(change.workspace.0);
            timers.push(timer.clone());
            dues.push(*due);
        }
    }
    if !ids.is_empty() {
        sqlx::query!(
            "insert into timers (execution_id, timer, workspace_id, due_at)
             select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[])
             on conflict (execution_id, timer) do update set due_at = excluded.due_at",
            &ids,
            &timers,
            &workspaces,
            &dues
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn write_waits(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    let (gone, workspaces) = ended(changes);
    if !gone.is_empty() {
        sqlx::query!(
            "delete from waits w using unnest($1::uuid[], $2::uuid[]) as gone(execution_id, workspace_id)
             where w.execution_id = gone.execution_id and w.workspace_id is not distinct from gone.workspace_id",
            &gone,
            &workspaces
        )
        .execute(&mut *conn)
        .await?;
    }
    let live = || changes.iter().filter(|change| change.execution.ended_at.is_none());
    let closed = live().flat_map(|c| {
        c.side_rows.waits_closed.iter().map(|place| (c.execution_id().0, (c.workspace.0, place.clone())))
    });
    let (ids, (workspaces, places)): (Vec<Uuid>, (Vec<Uuid>, Vec<String>)) = closed.unzip();
    if !ids.is_empty() {
        sqlx::query!(
            "delete from waits w
             using unnest($1::uuid[], $2::text[], $3::uuid[]) as gone(execution_id, place, workspace_id)
             where w.execution_id = gone.execution_id and w.workspace_id is not distinct from gone.workspace_id and w.place = gone.place",
            &ids,
            &places,
            &workspaces
        )
        .execute(&mut *conn)
        .await?;
    }
    let (mut ids, mut workspaces, mut places, mut events, mut awaited) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut paths, mut values, mut since) = (Vec::new(), Vec::new(), Vec::new());
    for change in live() {
        for wait in &change.side_rows.waits_opened {
            ids.push(change.execution_id().0);
            workspaces.push(change.workspace.0);
            places.push(wait.place.to_string());
            events.push(wait.event.clone());
            awaited.push(json(wait));
            let (path, value) = wait_key(&wait.matches);
            paths.push(path);
            values.push(value);
            since.push(first_that_counts(change.execution_id(), wait));
        }
    }
    if !ids.is_empty() {
        sqlx::query!(
            "insert into waits (execution_id, place, workspace_id, event, since, awaited, key_path, key_value)
             select t.execution_id, t.place, t.workspace_id, t.event, t.since, t.awaited, t.path, t.value
             from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::jsonb[], $6::text[], $7::text[],
               $8::uuid[]) as t(execution_id, place, workspace_id, event, awaited, path, value, since)
             on conflict do nothing",
            &ids,
            &places,
            &workspaces,
            &events,
            &awaited,
            &paths,
            &values,
            &since
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn write_requests(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    insert_requests(conn, changes).await?;
    let decided = changes
        .iter()
        .flat_map(|change| change.side_rows.decisions.iter().map(|decision| (change.workspace, decision)));
    approvals::insert_decisions(conn, &decided.collect::<Vec<_>>()).await?;
    let voided = changes
        .iter()
        .flat_map(|change| change.side_rows.voided.iter().map(|voided| (change.workspace, voided)));
    approvals::void_decisions(conn, &voided.collect::<Vec<_>>()).await?;
    update_requests(conn, changes).await?;
    close_requests(conn, changes).await?;
    want_outreach(conn, changes).await
}

/// People are told of what was asked, and what they were told of it before is changed.
async fn want_outreach(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    let concerned = changes.iter().flat_map(|change| {
        let rows = &change.side_rows;
        let asked = rows.asked.iter().map(|(request, _)| request.approval_id);
        let updated = rows.updated.iter().map(|update| update.approval_id);
        let closed = rows.closed.iter().map(|closed| closed.approval_id);
        asked.chain(updated).chain(closed).map(|approval| (change.workspace, approval))
    });
    let concerned: Vec<(WorkspaceId, ApprovalId)> = concerned.collect();
    let Some(at) = changes.iter().map(|change| change.at()).max() else { return Ok(()) };
    outreach::want(conn, &concerned, at).await
}

async fn insert_requests(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    let asked: Vec<(&Change, &Request, &String)> = changes
        .iter()
        .flat_map(|change| change.side_rows.asked.iter().map(|(request, seen)| (*change, request, seen)))
        .collect();
    if asked.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = asked.iter().map(|(_, request, _)| request.approval_id.0).collect();
    let workspaces: Vec<Uuid> = asked.iter().map(|(change, ..)| change.workspace.0).collect();
    let executions: Vec<Uuid> = asked.iter().map(|(change, ..)| change.execution_id().0).collect();
    let workflows: Vec<String> =
        asked.iter().map(|(change, ..)| change.execution.workflow_id.0.clone()).collect();
    let requests: Vec<Value> = asked.iter().map(|(_, request, _)| json(request)).collect();
    let subjects: Vec<Option<String>> = asked.iter().map(|(_, request, _)| request.subject.clone()).collect();
    let entities: Vec<Option<String>> =
        asked.iter().map(|(_, request, _)| request.entity_id.clone()).collect();
    let approvers: Vec<Value> = asked.iter().map(|(_, request, _)| approvers_of(request)).collect();
    let seen: Vec<String> = asked.iter().map(|(.., seen)| (*seen).clone()).collect();
    let times: Vec<DateTime<Utc>> = asked.iter().map(|(change, ..)| change.at()).collect();
    sqlx::query!(
        "insert into approvals (id, workspace_id, execution_id, workflow_id, status, request, subject, entity_id,
             approvers, seen, asked_at, expires_at, amount)
         select t.id, t.workspace, t.execution, t.workflow, 'pending', t.request, t.subject, t.entity,
             array(select jsonb_array_elements_text(t.approvers)), t.seen, t.at,
             (t.request->>'expires_at')::timestamptz,
             case when t.request->>'amount' ~ '^-?[0-9]{1,30}([.][0-9]{1,20})?$'
                 then (t.request->>'amount')::numeric end
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::jsonb[], $6::text[], $7::text[], $8::jsonb[],
             $9::text[], $10::timestamptz[])
           as t(id, workspace, execution, workflow, request, subject, entity, approvers, seen, at)",
        &ids,
        &workspaces,
        &executions,
        &workflows,
        &requests,
        &subjects as &[Option<String>],
        &entities as &[Option<String>],
        &approvers,
        &seen,
        &times
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The entries of all levels and of whoever has a veto, by which requests are found; an array of arrays can't be passed,
/// JSON can.
fn approvers_of(request: &Request) -> Value {
    request.levels.iter().flat_map(|level| &level.approvers).chain(&request.veto).map(json).collect()
}

/// Writes what became of requests that stay open.
async fn update_requests(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    let updates: Vec<(&Change, &RequestUpdate)> = changes
        .iter()
        .flat_map(|change| change.side_rows.updated.iter().map(|update| (*change, update)))
        .collect();
    if updates.is_empty() {
        return Ok(());
    }
    let workspaces: Vec<Uuid> = updates.iter().map(|(change, _)| change.workspace.0).collect();
    let ids: Vec<Uuid> = updates.iter().map(|(_, update)| update.approval_id.0).collect();
    let progress: Vec<Value> = updates.iter().map(|(_, update)| json(&update.progress)).collect();
    let seen: Vec<String> = updates.iter().map(|(_, update)| update.seen.clone()).collect();
    let approvers: Vec<Value> = updates.iter().map(|(_, update)| json(&update.approvers)).collect();
    let expires: Vec<Option<DateTime<Utc>>> =
        updates.iter().map(|(_, update)| update.progress.expires_at()).collect();
    let unchecked: Vec<bool> = updates.iter().map(|(_, update)| update.asks_others).collect();
    let reopened: Vec<bool> = updates.iter().map(|(_, update)| update.reopens).collect();
    sqlx::query!(
        "update approvals a set progress = t.progress, seen = t.seen, expires_at = t.expires_at,
             approvers = array(select jsonb_array_elements_text(t.approvers)),
             checked_version = case when t.unchecked then 0 else a.checked_version end,
             status = case when t.reopened then 'pending' else a.status end,
             closed_at = case when t.reopened then null else a.closed_at end
         from unnest($1::uuid[], $2::uuid[], $3::jsonb[], $4::text[], $5::jsonb[], $6::timestamptz[], $7::boolean[],
             $8::boolean[])
           as t(workspace, id, progress, seen, approvers, expires_at, unchecked, reopened)
         where a.workspace_id = t.workspace and a.id = t.id",
        &workspaces,
        &ids,
        &progress,
        &seen,
        &approvers,
        &expires as &[Option<DateTime<Utc>>],
        &unchecked,
        &reopened
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn close_requests(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    let closed: Vec<(&Change, &Closed)> = changes
        .iter()
        .flat_map(|change| change.side_rows.closed.iter().map(|closed| (*change, closed)))
        .collect();
    if closed.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = closed.iter().map(|(_, closed)| closed.approval_id.0).collect();
    let workspaces: Vec<Uuid> = closed.iter().map(|(change, _)| change.workspace.0).collect();
    let statuses: Vec<String> = closed.iter().map(|(_, closed)| closed.status.as_str().to_owned()).collect();
    let reasons: Vec<Option<String>> = closed.iter().map(|(_, closed)| closed.because.clone()).collect();
    let times: Vec<DateTime<Utc>> = closed.iter().map(|(change, _)| change.at()).collect();
    sqlx::query!(
        "update approvals a set status = t.status, withdrawn_because = t.reason, closed_at = t.at
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
           as t(workspace, id, status, reason, at)
         where a.workspace_id = t.workspace and a.id = t.id and a.status = 'pending'",
        &workspaces,
        &ids,
        &statuses,
        &reasons as &[Option<String>],
        &times
    )
    .execute(&mut *conn)
    .await?;
    // A message about a closed request that could not be sent yet is of no use any more.
    sqlx::query!(
        "update deliveries d set status = 'undeliverable', next_at = null,
             reason = 'Its request was closed before it could go out'
         from unnest($1::uuid[], $2::uuid[]) as t(workspace, approval)
         where d.workspace_id = t.workspace and d.approval_id = t.approval and d.status = 'pending'",
        &workspaces,
        &ids
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes child runs: those that start, those that must stop, and those of which a parent must be or was notified.
#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn write_calls(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    let made: Vec<_> = changes
        .iter()
        .flat_map(|change| {
            change.side_rows.calls.iter().map(|c| (change.workspace, change.execution_id(), c))
        })
        .collect();
    child_runs::insert(conn, &made).await?;
    let stops: Vec<_> = changes
        .iter()
        .flat_map(|change| change.side_rows.stops.iter().map(|stop| (change.workspace, stop)))
        .collect();
    child_runs::stop(conn, &stops).await?;
    let tells = changes.iter().filter(|change| change.side_rows.notifies_parent);
    let owed: Vec<_> = tells.map(|change| (change.workspace, change.execution_id(), change.seq())).collect();
    child_runs::mark_parent_due(conn, &owed).await?;
    for change in changes {
        if let Some((child, seq)) = change.side_rows.child_notified {
            child_runs::parent_notified(conn, change.workspace, child, seq).await?;
        }
    }
    Ok(())
}

#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn write_messages(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    insert_notices(conn, changes).await?;
    insert_deliveries(conn, changes).await
}

async fn insert_notices(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    let notices: Vec<(&Change, &Notice)> = changes
        .iter()
        .flat_map(|change| change.side_rows.notices.iter().map(|notice| (*change, notice)))
        .collect();
    if notices.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = notices.iter().map(|(_, notice)| notice.id.0).collect();
    let workspaces: Vec<Uuid> = notices.iter().map(|(change, _)| change.workspace.0).collect();
    let users: Vec<Uuid> = notices.iter().map(|(_, notice)| notice.user.0).collect();
    let executions: Vec<Uuid> = notices.iter().map(|(change, _)| change.execution_id().0).collect();
    let approvals: Vec<Option<Uuid>> =
        notices.iter().map(|(_, notice)| notice.approval_id.map(|id| id.0)).collect();
    let subjects: Vec<Option<String>> = notices.iter().map(|(_, notice)| notice.subject.clone()).collect();
    let messages: Vec<String> = notices.iter().map(|(_, notice)| notice.message.clone()).collect();
    let times: Vec<DateTime<Utc>> = notices.iter().map(|(change, _)| change.at()).collect();
    sqlx::query!(
        "insert into notices (id, workspace_id, user_id, execution_id, approval_id, subject, message, at, next_at)
         select t.*, t.at from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[],
             $8::timestamptz[]) as t(id, workspace, person, execution, approval, subject, message, at)",
        &ids,
        &workspaces,
        &users,
        &executions,
        &approvals as &[Option<Uuid>],
        &subjects as &[Option<String>],
        &messages,
        &times
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn insert_deliveries(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    let deliveries: Vec<(&Change, &Delivery)> = changes
        .iter()
        .flat_map(|change| change.side_rows.deliveries.iter().map(|delivery| (*change, delivery)))
        .collect();
    if deliveries.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = deliveries.iter().map(|(_, delivery)| delivery.id.0).collect();
    let workspaces: Vec<Uuid> = deliveries.iter().map(|(change, _)| change.workspace.0).collect();
    let executions: Vec<Uuid> = deliveries.iter().map(|(change, _)| change.execution_id().0).collect();
    let approvals: Vec<Option<Uuid>> =
        deliveries.iter().map(|(_, delivery)| delivery.approval_id.map(|id| id.0)).collect();
    let recipients: Vec<String> = deliveries.iter().map(|(_, delivery)| delivery.recipient.clone()).collect();
    let subjects: Vec<Option<String>> =
        deliveries.iter().map(|(_, delivery)| delivery.subject.clone()).collect();
    let messages: Vec<String> = deliveries.iter().map(|(_, delivery)| delivery.message.clone()).collect();
    let reasons: Vec<Option<String>> =
        deliveries.iter().map(|(_, delivery)| delivery.undeliverable.clone()).collect();
    let channels: Vec<&str> = deliveries.iter().map(|(_, delivery)| delivery.channel.as_str()).collect();
    let times: Vec<DateTime<Utc>> = deliveries.iter().map(|(change, _)| change.at()).collect();
    sqlx::query!(
        "insert into deliveries (id, workspace_id, execution_id, approval_id, channel, recipient, subject, message, status,
             reason, next_at, created_at)
         select t.id, t.workspace, t.execution, t.approval, t.channel, t.recipient, t.subject, t.message,
             case when t.reason is null then 'pending' else 'undeliverable' end, t.reason,
             case when t.reason is null then t.at end, t.at
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
             $9::timestamptz[], $10::text[])
           as t(id, workspace, execution, approval, recipient, subject, message, reason, at, channel)",
        &ids,
        &workspaces,
        &executions,
        &approvals as &[Option<Uuid>],
        &recipients,
        &subjects as &[Option<String>],
        &messages,
        &reasons as &[Option<String>],
        &times,
        &channels as &[&str]
    )
    .execute(conn)
    .await?;
    Ok(())
}
