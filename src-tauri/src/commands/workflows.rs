//! Workflows.

use super::Handle;
use crate::{client::Request, clock, shell::Shell};
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
    desktop::{Failure, Loaded, commands},
};

impl Handle for commands::ListWorkflows {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Page<WorkflowSummary>>, Failure> {
        let Self { policy } = self;
        let query = WorkflowQuery { limit: Some(200), ..WorkflowQuery::default() };
        let call = Request::<ListWorkflows> { path: &[], query: &query, body: &NoBody {}, headers: &[] };
        shell.read("workflows", policy, &call).await
    }
}

impl Handle for commands::ReadWorkflow {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Workflow>, Failure> {
        let Self { id, policy } = self;
        let query = RevisionQuery::default();
        let call = Request::<GetWorkflow> { path: &[&id], query: &query, body: &NoBody {}, headers: &[] };
        shell.read(&format!("workflow/{id}"), policy, &call).await
    }
}

impl Handle for commands::ReadActivity {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Activity>, Failure> {
        let Self { id, policy } = self;
        let path: &[&str] = &[&id];
        let call = Request::<GetActivity>::at(path);
        shell.read(&format!("activity/{id}"), policy, &call).await
    }
}

impl Handle for commands::SetWorkflowEnabled {
    async fn handle(self, shell: &Shell) -> Result<Workflow, Failure> {
        let Self { id, enabled } = self;
        if enabled {
            shell.call(&Request::<EnableWorkflow>::at(&[&id])).await
        } else {
            shell.call(&Request::<DisableWorkflow>::at(&[&id])).await
        }
    }
}

impl Handle for commands::StartWorkflow {
    async fn handle(self, shell: &Shell) -> Result<Execution, Failure> {
        let Self { id, input } = self;
        let body = ManualStart { input };
        let headers = [("Idempotency-Key", clock::new_id().to_string())];
        shell
            .call(&Request::<StartWorkflow> {
                path: &[&id],
                query: &NoQuery {},
                body: &body,
                headers: &headers,
            })
            .await
    }
}

impl Handle for commands::ArchiveWorkflow {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        let Self { id, etag } = self;
        let headers = [("If-Match", etag)];
        let call = Request::<ArchiveWorkflow> {
            path: &[&id],
            query: &NoQuery {},
            body: &NoBody {},
            headers: &headers,
        };
        shell.call(&call).await.map(|_| ())
    }
}
