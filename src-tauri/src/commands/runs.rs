//! Runs.

use crate::{client::Call, clock, shell::Shell};
use shared_types::{
    api::{
        NoBody, NoQuery, Page,
        executions::{
            Cancel, CancelExecution, Execution, ExecutionDetail, ExecutionQuery, GetExecution, GetTree,
            ListExecutions, TraceTree, TreeQuery,
        },
    },
    desktop::{Failure, Loaded, Patience},
};
use tauri::State;

#[tauri::command]
pub(crate) async fn runs(
    shell: State<'_, Shell>,
    query: ExecutionQuery,
    patience: Patience,
) -> Result<Loaded<Page<Execution>>, Failure> {
    let call = Call::<ListExecutions> { path: &[], query: &query, body: &NoBody {}, headers: &[] };
    if query.cursor.is_some() {
        // Only the newest are kept: they are what one looks at with no server.
        let data = shell.call(&call).await?;
        return Ok(Loaded { data, at: clock::now(), fresh: true });
    }
    // "The last 24 hours" is one thing to remember, whenever it was asked.
    let back = query.started_after.map(|at| (clock::now() - at).num_minutes());
    let asked = ExecutionQuery { started_after: None, ..query.clone() };
    let key = format!("runs/{back:?}/{}", serde_json::to_string(&asked).unwrap_or_default());
    shell.read(&key, patience, &call).await
}

#[tauri::command]
pub(crate) async fn run(
    shell: State<'_, Shell>,
    id: String,
    patience: Patience,
) -> Result<Loaded<ExecutionDetail>, Failure> {
    let call = Call::<GetExecution> { path: &[&id], query: &NoQuery {}, body: &NoBody {}, headers: &[] };
    shell.read(&format!("run/{id}"), patience, &call).await
}

#[tauri::command]
pub(crate) async fn run_tree(
    shell: State<'_, Shell>,
    id: String,
    items: u32,
    patience: Patience,
) -> Result<Loaded<TraceTree>, Failure> {
    let query = TreeQuery { items: Some(items) };
    let call = Call::<GetTree> { path: &[&id], query: &query, body: &NoBody {}, headers: &[] };
    shell.read(&format!("tree/{id}/{items}"), patience, &call).await
}

#[tauri::command]
pub(crate) async fn cancel_run(
    shell: State<'_, Shell>,
    id: String,
    reason: Option<String>,
) -> Result<Execution, Failure> {
    let body = Cancel { reason };
    shell.call(&Call::<CancelExecution> { path: &[&id], query: &NoQuery {}, body: &body, headers: &[] }).await
}
