//! Who performs the open calls of runs: claimed, taken over from the dead, handed back.

use super::{Result, commit::NOBODY};
use shared_types::ids::{ExecutionId, WorkspaceId};
use sqlx::PgConnection;
use uuid::Uuid;

/// Claims calls that nobody performs, of some runs at once. Where one server has calls of the run in flight, that one
/// claims: it knows what it performs already, so the fence stays as it is and what is in flight stays good. Where several
/// have, none knows what the others perform: one of them takes all of the run's calls over, under a higher fence.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn claim(
    conn: &mut PgConnection,
    server: Uuid,
    limit: i64,
) -> Result<Vec<(WorkspaceId, ExecutionId)>> {
    let rows = sqlx::query!(
        "update executions
         set owners = array[$1::uuid],
             epoch = epoch + case when owners <@ array[$1::uuid, $2::uuid] then 0 else 1 end
         where id in (
             select e.id from executions e
             where '00000000-0000-0000-0000-000000000000' = any(e.owners)
               and (e.owners <@ array[$1::uuid, $2::uuid]
                    or $1 = any(e.owners) and cardinality(array_remove(e.owners, $2)) > 1)
             order by e.id limit $3 for update of e skip locked)
         returning id, workspace_id",
        server,
        NOBODY,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (WorkspaceId(row.workspace_id), ExecutionId(row.id))).collect())
}

/// Takes the calls of runs whose server has died, a few at a time: raises the fence and names the new owner.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn reclaim(
    conn: &mut PgConnection,
    server: Uuid,
    limit: i64,
) -> Result<Vec<(WorkspaceId, ExecutionId)>> {
    let rows = sqlx::query!(
        "update executions set owners = array[$1::uuid], epoch = epoch + 1
         where id in (
             select e.id from executions e
             where e.owners is not null and e.owners <> array[$1::uuid]
               and exists (
                   select 1 from unnest(e.owners) as o(id)
                   where o.id not in ($1, $3) and not exists (select 1 from servers s where s.id = o.id))
             order by e.id limit $2 for update of e skip locked)
         returning id, workspace_id",
        server,
        limit,
        NOBODY
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (WorkspaceId(row.workspace_id), ExecutionId(row.id))).collect())
}

/// The runs whose calls a server has in flight, or should have.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn owned(conn: &mut PgConnection, server: Uuid) -> Result<Vec<(WorkspaceId, ExecutionId)>> {
    let rows = sqlx::query!(
        "select id, workspace_id from executions where owners is not null and $1 = any(owners) order by id",
        server
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (WorkspaceId(row.workspace_id), ExecutionId(row.id))).collect())
}

/// Gives back what a server that stops still owns, for others to take at once.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn hand_back(conn: &mut PgConnection, server: Uuid) -> Result<()> {
    // Not deleted: who finds it dead looks for what it left undone.
    sqlx::query!("update servers set alive_until = to_timestamp(0) where id = $1", server)
        .execute(conn)
        .await?;
    Ok(())
}
