//! What follows from a change: timers, waits, requests and messages.

use super::{Base, Change};
use crate::store::{Result, child_runs, json, waits::wait_key};
use shared_types::ids::{ApprovalId, WorkspaceId};
use sqlx::PgConnection;
use uuid::Uuid;

/// The runs that ended with this change: nothing of theirs waits any more.
fn ended(changes: &[&Change]) -> Vec<Uuid> {
    let ended =
        changes.iter().filter(|c| c.execution.ended_at.is_some() && matches!(c.base, Base::At { .. }));
    ended.map(|change| change.execution_id().0).collect()
}

pub(super) async fn write_timers(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    let gone = ended(changes);
    if !gone.is_empty() {
        sqlx::query!("delete from timers where execution_id = any($1)", &gone).execute(&mut *conn).await?;
    }
    let live = || changes.iter().filter(|change| change.execution.ended_at.is_none());
    let cleared = live()
        .flat_map(|c| c.side_rows.timers_cleared.iter().map(|timer| (c.execution_id().0, timer.clone())));
    let (ids, timers): (Vec<Uuid>, Vec<String>) = cleared.unzip();
    if !ids.is_empty() {
        sqlx::query!(
            "delete from timers t using unnest($1::uuid[], $2::text[]) as gone(execution_id, timer)
             where t.execution_id = gone.execution_id and t.timer = gone.timer",
            &ids,
            &timers
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

pub(super) async fn write_waits(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    let gone = ended(changes);
    if !gone.is_empty() {
        sqlx::query!("delete from waits where execution_id = any($1)", &gone).execute(&mut *conn).await?;
    }
    let live = || changes.iter().filter(|change| change.execution.ended_at.is_none());
    let closed =
        live().flat_map(|c| c.side_rows.waits_closed.iter().map(|place| (c.execution_id().0, place.clone())));
    let (ids, places): (Vec<Uuid>, Vec<String>) = closed.unzip();
    if !ids.is_empty() {
        sqlx::query!(
            "delete from waits w using unnest($1::uuid[], $2::text[]) as gone(execution_id, place)
             where w.execution_id = gone.execution_id and w.place = gone.place",
            &ids,
            &places
        )
        .execute(&mut *conn)
        .await?;
    }
    let (mut ids, mut workspaces, mut places, mut events, mut awaited) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut paths, mut values) = (Vec::new(), Vec::new());
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
        }
    }
    if !ids.is_empty() {
        // An event counts from the moment that the run began, and a run's id follows the time of its start.
        sqlx::query!(
            "insert into waits (execution_id, place, workspace_id, event, since, awaited, key_path, key_value)
             select t.execution_id, t.place, t.workspace_id, t.event, t.execution_id, t.awaited, t.path, t.value
             from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::jsonb[], $6::text[], $7::text[])
               as t(execution_id, place, workspace_id, event, awaited, path, value)
             on conflict do nothing",
            &ids,
            &places,
            &workspaces,
            &events,
            &awaited,
            &paths,
            &values
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

pub(super) async fn write_requests(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    for change in changes {
        for (request, seen) in &change.side_rows.asked {
            let approvers: Vec<String> =
                request.levels.iter().flat_map(|level| level.approvers.clone()).collect();
            let asked_at = change.at();
            sqlx::query!(
                "insert into approvals (id, workspace_id, execution_id, workflow_id, status, request, subject,
                     entity_id, approvers, seen, asked_at)
                 values ($1, $2, $3, $4, 'pending', $5, $6, $7, $8, $9, $10)",
                request.approval_id.0,
                change.workspace.0,
                change.execution_id().0,
                change.execution.workflow_id.0,
                json(request),
                request.subject,
                request.entity_id,
                &approvers,
                seen,
                asked_at
            )
            .execute(&mut *conn)
            .await?;
        }
        for closed in &change.side_rows.closed {
            let at = change.at();
            sqlx::query!(
                "update approvals set status = $3, withdrawn_because = $4, decision = $5, decision_key = $6,
                     closed_at = $7
                 where workspace_id = $1 and id = $2 and status = 'pending'",
                change.workspace.0,
                closed.approval_id.0,
                closed.status.as_str(),
                closed.because,
                closed.decision,
                closed.decision_key,
                at
            )
            .execute(&mut *conn)
            .await?;
            withdraw_messages(conn, change.workspace, closed.approval_id).await?;
        }
    }
    Ok(())
}

/// Messages of a closed request that could not go out yet are of no use any more.
async fn withdraw_messages(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    approval: ApprovalId,
) -> Result<()> {
    sqlx::query!(
        "update deliveries set status = 'undeliverable', reason = 'Its request was closed before it could go out',
             next_at = null
         where workspace_id = $1 and approval_id = $2 and status = 'pending'",
        workspace.0,
        approval.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Who was called, who is to end, who is to hear, and who has heard.
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

pub(super) async fn write_messages(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    for change in changes {
        let at = change.at();
        for notice in &change.side_rows.notices {
            sqlx::query!(
                "insert into notices (id, workspace_id, user_id, execution_id, approval_id, subject, message, at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8)",
                notice.id.0,
                change.workspace.0,
                notice.user.0,
                change.execution_id().0,
                notice.approval_id.map(|id| id.0),
                notice.subject,
                notice.message,
                at
            )
            .execute(&mut *conn)
            .await?;
        }
        for delivery in &change.side_rows.deliveries {
            let status = if delivery.undeliverable.is_some() { "undeliverable" } else { "pending" };
            let next_at = delivery.undeliverable.is_none().then_some(at);
            sqlx::query!(
                "insert into deliveries (id, workspace_id, execution_id, approval_id, recipient, subject, message,
                     status, reason, next_at, created_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                delivery.id.0,
                change.workspace.0,
                change.execution_id().0,
                delivery.approval_id.map(|id| id.0),
                delivery.recipient,
                delivery.subject,
                delivery.message,
                status,
                delivery.undeliverable,
                next_at,
                at
            )
            .execute(&mut *conn)
            .await?;
        }
    }
    Ok(())
}
