//! Open waits for events.

use super::{Result, read};
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::command::Awaited,
};
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashSet};
use uuid::Uuid;

/// An open wait.
#[derive(Debug, Clone)]
pub struct Wait {
    /// Where.
    pub workspace: WorkspaceId,
    /// Of which run.
    pub execution_id: ExecutionId,
    /// Only events after this one count.
    pub since: Uuid,
    /// What is awaited.
    pub awaited: Awaited,
}

/// The waits for each of these types, or for a prefix of one, by the run.
pub async fn for_types(conn: &mut PgConnection, types: &BTreeSet<(WorkspaceId, &str)>) -> Result<Vec<Wait>> {
    let wanted: HashSet<(Uuid, String)> = types
        .iter()
        .flat_map(|(workspace, kind)| patterns(kind).map(|pattern| (workspace.0, pattern)))
        .collect();
    let (workspaces, patterns): (Vec<Uuid>, Vec<String>) = wanted.into_iter().unzip();
    let rows = sqlx::query!(
        "select w.workspace_id, w.execution_id, w.since, w.awaited
         from unnest($1::uuid[], $2::text[]) as t(workspace_id, event)
         join waits w on w.workspace_id = t.workspace_id and w.event = t.event
         order by w.execution_id",
        &workspaces,
        &patterns
    )
    .fetch_all(conn)
    .await?;
    let waits = rows.into_iter().filter_map(|row| {
        let execution_id = ExecutionId(row.execution_id);
        // One that can't be read keeps no other from its event.
        let awaited = read("waits", "awaited", row.awaited)
            .inspect_err(|error| tracing::error!(run.id = %execution_id, %error, "a wait is passed over"))
            .ok()?;
        Some(Wait { workspace: WorkspaceId(row.workspace_id), execution_id, since: row.since, awaited })
    });
    Ok(waits.collect())
}

/// Every way to wait for a type: itself, and each prefix of it with `.*`.
fn patterns(event_type: &str) -> impl Iterator<Item = String> {
    let prefixes = event_type.match_indices('.').map(|(at, _)| format!("{}.*", &event_type[..at]));
    prefixes.chain([event_type.to_owned(), "*".to_owned()])
}

/// The open waits, a part at a time: after a crash, a server looks again for what they wait for.
pub async fn all_after(conn: &mut PgConnection, after: Uuid, limit: i64) -> Result<Vec<Wait>> {
    let rows = sqlx::query!(
        "select workspace_id, execution_id, since, awaited from waits where execution_id > $1
         order by execution_id limit $2",
        after,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Wait {
                workspace: WorkspaceId(row.workspace_id),
                execution_id: ExecutionId(row.execution_id),
                since: row.since,
                awaited: read("waits", "awaited", row.awaited)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_type_is_awaited_by_itself_and_by_its_prefixes() {
        let patterns: Vec<String> = super::patterns("order.item.paid").collect();
        assert_eq!(patterns, ["order.*", "order.item.*", "order.item.paid", "*"]);
    }
}
