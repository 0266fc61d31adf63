//! Workflows.

use crate::{client::Request, clock, shell::Shell};
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
    desktop::{CachePolicy, Failure, Loaded},
};
use tauri::State;

#[tauri::command]
pub(crate) async fn workflows(
    shell: State<'_, Shell>,
    policy: CachePolicy,
) -> Result<Loaded<Page<WorkflowSummary>>, Failure> {
    let query = WorkflowQuery { limit: Some(200), ..WorkflowQuery::default() };
    let call = Request::<ListWorkflows> { path: &[], query: &query, body: &NoBody {}, headers: &[] };
    shell.read("workflows", policy, &call).await
}

#[tauri::command]
pub(crate) async fn workflow(
    shell: State<'_, Shell>,
    id: String,
    policy: CachePolicy,
) -> Result<Loaded<Workflow>, Failure> {
    let query = RevisionQuery::default();
    let call = Request::<GetWorkflow> { path: &[&id], query: &query, body: &NoBody {}, headers: &[] };
    shell.read(&format!("workflow/{id}"), policy, &call).await
}

#[tauri::command]
pub(crate) async fn activity(
    shell: State<'_, Shell>,
    id: String,
    policy: CachePolicy,
) -> Result<Loaded<Activity>, Failure> {
    let call = Request::<GetActivity> { path: &[&id], query: &NoQuery {}, body: &NoBody {}, headers: &[] };
    shell.read(&format!("activity/{id}"), policy, &call).await
}

#[tauri::command]
pub(crate) async fn toggle_workflow(
    shell: State<'_, Shell>,
    id: String,
    enabled: bool,
) -> Result<Workflow, Failure> {
    if enabled {
        shell
            .call(&Request::<EnableWorkflow> {
                path: &[&id],
                query: &NoQuery {},
                body: &NoBody {},
                headers: &[],
            })
            .await
    } else {
        shell
            .call(&Request::<DisableWorkflow> {
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
        .call(&Request::<StartWorkflow> { path: &[&id], query: &NoQuery {}, body: &body, headers: &headers })
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
        Request::<ArchiveWorkflow> { path: &[&id], query: &NoQuery {}, body: &NoBody {}, headers: &headers };
    shell.call(&call).await.map(|_| ())
}
