//! Runs.

use crate::{client::Call, shell::Shell};
use shared_types::{
    api::{
        NoBody, NoQuery, Page,
        executions::{
            Cancel, CancelExecution, Execution, ExecutionDetail, ExecutionQuery, GetExecution, ListExecutions,
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
    let key = format!("runs/{}", serde_json::to_string(&query).unwrap_or_default());
    let call = Call::<ListExecutions> { path: &[], query: &query, body: &NoBody {}, headers: &[] };
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
pub(crate) async fn cancel_run(
    shell: State<'_, Shell>,
    id: String,
    reason: Option<String>,
) -> Result<Execution, Failure> {
    let body = Cancel { reason };
    shell.call(&Call::<CancelExecution> { path: &[&id], query: &NoQuery {}, body: &body, headers: &[] }).await
}
