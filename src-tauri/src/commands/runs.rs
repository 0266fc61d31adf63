//! Runs.

use super::Handle;
use crate::{client::Request, clock, shell::Shell};
use shared_types::{
    api::{
        NoBody, NoQuery, Page,
        executions::{
            Cancel, CancelExecution, Execution, ExecutionDetail, ExecutionQuery, GetExecution, GetTree,
            ListExecutions, TraceTree, TreeQuery,
        },
    },
    desktop::{Failure, Loaded, commands},
};

impl Handle for commands::ListRuns {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Page<Execution>>, Failure> {
        let Self { query, policy } = self;
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
}

impl Handle for commands::ReadRun {
    async fn handle(self, shell: &Shell) -> Result<Loaded<ExecutionDetail>, Failure> {
        let Self { id, policy } = self;
        let path: &[&str] = &[&id];
        let call = Request::<GetExecution>::at(path);
        shell.read(&format!("run/{id}"), policy, &call).await
    }
}

impl Handle for commands::ReadRunTree {
    async fn handle(self, shell: &Shell) -> Result<Loaded<TraceTree>, Failure> {
        let Self { id, items, policy } = self;
        let query = TreeQuery { items: Some(items) };
        let call = Request::<GetTree> { path: &[&id], query: &query, body: &NoBody {}, headers: &[] };
        shell.read(&format!("tree/{id}/{items}"), policy, &call).await
    }
}

impl Handle for commands::CancelRun {
    async fn handle(self, shell: &Shell) -> Result<Execution, Failure> {
        let Self { id, reason } = self;
        let body = Cancel { reason };
        shell
            .call(&Request::<CancelExecution> { path: &[&id], query: &NoQuery {}, body: &body, headers: &[] })
            .await
    }
}
