//! Open waits for events, found by one of the pairs that must be equal.

use super::{OfRow as _, Result, read};
use serde_json::{Map, Value};
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::{Event, StepAddress, event::AwaitedEvent},
    workflow::{number::Quantity, path},
};
use sqlx::PgConnection;
use std::collections::BTreeSet;
use uuid::Uuid;

/// An open wait.
#[derive(Debug, Clone)]
pub struct Wait {
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// Of which run.
    pub execution_id: ExecutionId,
    /// Only events after this one count.
    pub since: Uuid,
    /// What is awaited.
    pub awaited: AwaitedEvent,
}

/// Only events after this id count: those that came since the run started, or as long before as the wait looks back.
pub fn first_that_counts(execution_id: ExecutionId, awaited: &AwaitedEvent) -> Uuid {
    let since = awaited.since.and_then(|since| u64::try_from(since.timestamp_millis()).ok());
    since.map_or(execution_id.0, |millis| {
        // Ids of version 7 begin with the time; this is the lowest of its millisecond.
        uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
    })
}

/// The longest value that is a key.
const MAX_KEY: usize = 200;

/// The pair by which a wait is found: a path of the payload, and the value there. Two empty texts where there is
/// none: the wait is then looked at for each event of its type.
pub fn wait_key(matches: &Map<String, Value>) -> (String, String) {
    let keys = matches.iter().filter_map(|(path, value)| Some((path, key_of(value)?)));
    // A yes or no keeps few apart.
    let best = keys.min_by_key(|(path, key)| (key.starts_with('b'), path.len()));
    best.map(|(path, key)| (path.clone(), key)).unwrap_or_default()
}

/// A value as a key: two that the language takes for equal have the same.
fn key_of(value: &Value) -> Option<String> {
    let key = match value {
        Value::String(text) => Quantity::of_text(text).map_or_else(|| format!("t{text}"), number_key),
        Value::Number(number) => number_key(Quantity::of_number(number)),
        Value::Bool(is) => format!("b{is}"),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (key.len() <= MAX_KEY && !key.contains('\0')).then_some(key)
}

fn number_key(number: Quantity) -> String {
    format!("n{}", number.canonical())
}

/// The key that an event has at a path.
fn key_at(event: &Event, at: &str) -> Option<String> {
    let mut segments = path::names(at).into_iter();
    let first = event.payload.get(segments.next()?)?;
    key_of(path::follow(first, segments)?.as_ref())
}

/// The waits that these events may end, by the run.
///
/// First the paths by which waits for these types are found, a look into the index for each; then the waits
/// with the values that the events have there.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn for_events(conn: &mut PgConnection, events: &[(WorkspaceId, &Event)]) -> Result<Vec<Wait>> {
    let wanted: BTreeSet<(Uuid, String)> = events
        .iter()
        .flat_map(|(workspace, event)| patterns(&event.kind).map(|pattern| (workspace.0, pattern)))
        .collect();
    let (workspaces, types): (Vec<Uuid>, Vec<String>) = wanted.into_iter().unzip();
    let paths = sqlx::query!(
        r#"with recursive paths as (
             select t.workspace_id, t.event, (
                 select w.key_path from waits w where w.workspace_id = t.workspace_id and w.event = t.event
                 order by w.key_path limit 1) as key_path
             from unnest($1::uuid[], $2::text[]) as t(workspace_id, event)
             union all
             select p.workspace_id, p.event, (
                 select w.key_path from waits w
                 where w.workspace_id = p.workspace_id and w.event = p.event and w.key_path > p.key_path
                 order by w.key_path limit 1)
             from paths p where p.key_path is not null)
         select workspace_id as "workspace_id!", event as "event!", key_path as "key_path!"
         from paths where key_path is not null"#,
        &workspaces,
        &types
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut keys: BTreeSet<(Uuid, String, String, String)> = BTreeSet::new();
    for row in paths {
        let fits = |(workspace, event): &&(WorkspaceId, &Event)| {
            workspace.0 == row.workspace_id && patterns(&event.kind).any(|pattern| pattern == row.event)
        };
        for (_, event) in events.iter().filter(fits) {
            let key =
                if row.key_path.is_empty() { Some(String::new()) } else { key_at(event, &row.key_path) };
            keys.extend(key.map(|key| (row.workspace_id, row.event.clone(), row.key_path.clone(), key)));
        }
    }
    with_keys(conn, keys).await
}

async fn with_keys(
    conn: &mut PgConnection,
    keys: BTreeSet<(Uuid, String, String, String)>,
) -> Result<Vec<Wait>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (mut workspaces, mut types, mut paths, mut values) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (workspace, event, path, value) in keys {
        workspaces.push(workspace);
        types.push(event);
        paths.push(path);
        values.push(value);
    }
    let rows = sqlx::query!(
        "select w.workspace_id, w.execution_id, w.since, w.awaited
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as t(workspace_id, event, key_path, key_value)
         join waits w on w.workspace_id = t.workspace_id and w.event = t.event and w.key_path = t.key_path
           and w.key_value = t.key_value
         order by w.execution_id, w.place",
        &workspaces,
        &types,
        &paths,
        &values
    )
    .fetch_all(conn)
    .await?;
    let waits = rows.into_iter().filter_map(|row| {
        let execution_id = ExecutionId(row.execution_id);
        // One that can't be read keeps no other from its event.
        let awaited = read("waits", "awaited", row.awaited)
            .of_row(execution_id)
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
#[tracing::instrument(level = "debug", skip_all)]
pub async fn all_after(
    conn: &mut PgConnection,
    after: (ExecutionId, Option<&StepAddress>),
    limit: i64,
) -> Result<Vec<Wait>> {
    let rows = sqlx::query!(
        "select workspace_id, execution_id, since, awaited from waits where (execution_id, place) > ($1, $2)
         order by execution_id, place limit $3",
        after.0.0,
        after.1.map(ToString::to_string).unwrap_or_default(),
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
                awaited: read("waits", "awaited", row.awaited).of_row(row.execution_id)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_type_is_awaited_by_itself_and_by_its_prefixes() {
        let patterns: Vec<String> = super::patterns("order.item.paid").collect();
        assert_eq!(patterns, ["order.*", "order.item.*", "order.item.paid", "*"]);
    }

    #[test]
    fn values_that_are_equal_have_the_same_key() {
        for (a, b) in [
            (json!("A1"), json!("A1")),
            (json!(5), json!("5.0")),
            (json!(0.1), json!("0.10")),
            (json!("1.0"), json!("1")),
        ] {
            assert_eq!(key_of(&a), key_of(&b), "{a} {b}");
        }
        assert_ne!(key_of(&json!("true")), key_of(&json!(true)));
        let Value::Object(matches) = json!({ "paid": true, "order.id": "A1", "lines": [1] }) else {
            panic!("a map")
        };
        assert_eq!(wait_key(&matches), ("order.id".to_owned(), "tA1".to_owned()));
        assert_eq!(wait_key(&Map::new()), (String::new(), String::new()));
    }
}
