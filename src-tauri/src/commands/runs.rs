//! Runs.

use crate::{client::Request, clock, shell::Shell};
use shared_types::{
    api::{
        NoBody, NoQuery, Page,
        executions::{
            Cancel, CancelExecution, Execution, ExecutionDetail, ExecutionQuery, GetExecution, GetTree,
            ListExecutions, TraceTree, TreeQuery,
        },
    },
    desktop::{CachePolicy, Failure, Loaded},
};
use tauri::State;

#[tauri::command]
pub(crate) async fn runs(
    shell: State<'_, Shell>,
    query: ExecutionQuery,
    policy: CachePolicy,
) -> Result<Loaded<Page<Execution>>, Failure> {
    let call = Request::<ListExecutions> { path: &[], query: &query, body: &NoBody {}, headers: &[] };
    if query.cursor.is_some() {
        // Only the newest are kept: they are what one looks at with no server.
        let data = shell.call(&call).await?;
        return Ok(Loaded { data, at: clock::now(), fresh: true });
    }
    // "The last 24 hours" is one thing to remember, whenever it was asked.
    let back = query.started_after.map(|at| (clock::now() - at).num_minutes());
    let asked = ExecutionQuery { started_after: None, ..query.clone() };
    let key = format!("runs/{back:?}/{}", serde_json::to_string(&asked).unwrap_or_default());
    shell.read(&key, policy, &call).await
}

#[tauri::command]
pub(crate) async fn run(
    shell: State<'_, Shell>,
    id: String,
    policy: CachePolicy,
) -> Result<Loaded<ExecutionDetail>, Failure> {
    let call = Request::<GetExecution> { path: &[&id], query: &NoQuery {}, body: &NoBody {}, headers: &[] };
    shell.read(&format!("run/{id}"), policy, &call).await
}

#[tauri::command]
pub(crate) async fn run_tree(
    shell: State<'_, Shell>,
    id: String,
    items: u32,
    policy: CachePolicy,
) -> Result<Loaded<TraceTree>, Failure> {
    let query = TreeQuery { items: Some(items) };
    let call = Request::<GetTree> { path: &[&id], query: &query, body: &NoBody {}, headers: &[] };
    shell.read(&format!("tree/{id}/{items}"), policy, &call).await
}

#[tauri::command]
pub(crate) async fn cancel_run(
    shell: State<'_, Shell>,
    id: String,
    reason: Option<String>,
) -> Result<Execution, Failure> {
    let body = Cancel { reason };
    shell
        .call(&Request::<CancelExecution> { path: &[&id], query: &NoQuery {}, body: &body, headers: &[] })
        .await
}
