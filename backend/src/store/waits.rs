//! Open waits for events.

use super::{Result, read};
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::command::Awaited,
};
use sqlx::PgConnection;
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

/// The waits for an event's type, or for a prefix of it.
pub async fn for_type(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    event_type: &str,
) -> Result<Vec<Wait>> {
    let patterns = patterns(event_type);
    let rows = sqlx::query!(
        "select execution_id, since, awaited from waits where workspace_id = $1 and event = any($2)
         order by execution_id",
        workspace.0,
        &patterns
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Wait {
                workspace,
                execution_id: ExecutionId(row.execution_id),
                since: row.since,
                awaited: read("waits", "awaited", row.awaited)?,
            })
        })
        .collect()
}

/// Every way to wait for a type: itself, and each prefix of it with `.*`.
fn patterns(event_type: &str) -> Vec<String> {
    let prefixes = event_type.match_indices('.').map(|(at, _)| format!("{}.*", &event_type[..at]));
    prefixes.chain([event_type.to_owned(), "*".to_owned()]).collect()
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
        assert_eq!(super::patterns("order.item.paid"), ["order.*", "order.item.*", "order.item.paid", "*"]);
    }
}
