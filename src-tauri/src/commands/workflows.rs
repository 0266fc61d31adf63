//! Workflows.

use crate::{client::Call, clock, shell::Shell};
use serde_json::{Map, Value};
use shared_types::{
    api::{
        NoBody, NoQuery, Page,
        executions::Execution,
        workflows::{
            Activity, ArchiveWorkflow, DisableWorkflow, EnableWorkflow, GetActivity, GetWorkflow,
            ListWorkflows, ManualStart, RevisionQuery, StartWorkflow, Workflow, WorkflowQuery,
            WorkflowSummary,
        },
    },
    desktop::{Failure, Loaded, Patience},
};
use tauri::State;

#[tauri::command]
pub(crate) async fn workflows(
    shell: State<'_, Shell>,
    patience: Patience,
) -> Result<Loaded<Page<WorkflowSummary>>, Failure> {
    let query = WorkflowQuery { limit: Some(200), ..WorkflowQuery::default() };
    let call = Call::<ListWorkflows> { path: &[], query: &query, body: &NoBody {}, headers: &[] };
    shell.read("workflows", patience, &call).await
}

#[tauri::command]
pub(crate) async fn workflow(
    shell: State<'_, Shell>,
    id: String,
    patience: Patience,
) -> Result<Loaded<Workflow>, Failure> {
    let query = RevisionQuery::default();
    let call = Call::<GetWorkflow> { path: &[&id], query: &query, body: &NoBody {}, headers: &[] };
    shell.read(&format!("workflow/{id}"), patience, &call).await
}

#[tauri::command]
pub(crate) async fn activity(
    shell: State<'_, Shell>,
    id: String,
    patience: Patience,
) -> Result<Loaded<Activity>, Failure> {
    let call = Call::<GetActivity> { path: &[&id], query: &NoQuery {}, body: &NoBody {}, headers: &[] };
    shell.read(&format!("activity/{id}"), patience, &call).await
}

#[tauri::command]
pub(crate) async fn toggle_workflow(
    shell: State<'_, Shell>,
    id: String,
    enabled: bool,
) -> Result<Workflow, Failure> {
    if enabled {
        shell
            .call(&Call::<EnableWorkflow> {
                path: &[&id],
                query: &NoQuery {},
                body: &NoBody {},
                headers: &[],
            })
            .await
    } else {
        shell
            .call(&Call::<DisableWorkflow> {
                path: &[&id],
                query: &NoQuery {},
                body: &NoBody {},
                headers: &[],
            })
            .await
    }
}

#[tauri::command]
pub(crate) async fn start_workflow(
    shell: State<'_, Shell>,
    id: String,
    input: Map<String, Value>,
) -> Result<Execution, Failure> {
    let body = ManualStart { input };
    let headers = [("Idempotency-Key", clock::new_id().to_string())];
    shell
        .call(&Call::<StartWorkflow> { path: &[&id], query: &NoQuery {}, body: &body, headers: &headers })
        .await
}

#[tauri::command]
pub(crate) async fn archive_workflow(
    shell: State<'_, Shell>,
    id: String,
    etag: String,
) -> Result<(), Failure> {
    let headers = [("If-Match", etag)];
    let call =
        Call::<ArchiveWorkflow> { path: &[&id], query: &NoQuery {}, body: &NoBody {}, headers: &headers };
    shell.call(&call).await.map(|_| ())
}
