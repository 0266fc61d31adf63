//! A run that can't go on is ended without being asked, so that it holds up nobody: its state can't be read, or the
//! database can't hold what it comes to.

use super::{Engine, watch::RunSummary};
use crate::store::{self, StoreError, audit, executions};
use shared_types::{
    api::live::LiveKind,
    ids::{ExecutionId, WorkspaceId},
    machine::{failure::RunError, result::RunResult},
};

/// The code of a run that was set aside.
const CODE: &str = "run.set_aside";

/// Who has a run set aside, and why.
#[derive(Debug)]
pub enum TerminationReason<'b> {
    /// A person cancelled it and it can't be asked.
    Cancelled {
        /// Why, in a sentence.
        reason: String,
        /// What is written into the audit log.
        audit: audit::Entry,
    },
    /// Its server ended over it, three times.
    EndedItsServer,
    /// The store can't read it or can't hold what it comes to, however often it is tried.
    Store(&'b StoreError),
}

impl Engine {
    /// Ends a run without asking it, with all that it waits for; false where it has ended already.
    pub async fn terminate(
        &self,
        workspace: WorkspaceId,
        id: ExecutionId,
        because: TerminationReason<'_>,
    ) -> store::Result<bool> {
        let mut slot = self.0.resident.lock(id).await;
        // What is in memory could write over it.
        slot.take();
        let ended = self.end_unasked(workspace, id, because).await;
        self.0.resident.release(id, slot);
        ended
    }

    async fn end_unasked(
        &self,
        workspace: WorkspaceId,
        id: ExecutionId,
        because: TerminationReason<'_>,
    ) -> store::Result<bool> {
        let (result, reason, audit) = match because {
            TerminationReason::Cancelled { reason, audit } => (RunResult::Cancelled, reason, Some(audit)),
            TerminationReason::EndedItsServer => {
                tracing::error!(run.id = %id, "a run is set aside");
                let reason = "The server ended over this run again and again; it was set aside.";
                (RunResult::Failed, reason.to_owned(), None)
            }
            TerminationReason::Store(error) => {
                tracing::error!(run.id = %id, %error, "a run is set aside");
                let what = match error {
                    StoreError::Unreadable { .. } => "What is stored of the run can't be read",
                    StoreError::Database(_) => "The database can't hold what the run comes to",
                };
                (RunResult::Failed, format!("{what}; it was set aside."), None)
            }
        };
        let error = (result == RunResult::Failed).then(|| RunError {
            step: None,
            code: CODE.to_owned(),
            message: reason.clone(),
        });
        let end = executions::Termination {
            result,
            reason: &reason,
            error: error.as_ref(),
            at: self.0.clock.now(),
        };
        let mut transaction = self.0.pool.begin().await?;
        let is_ended = executions::terminate(&mut transaction, workspace, id, &end).await?;
        if let Some(entry) = audit.filter(|_| is_ended) {
            audit::insert(&mut transaction, &[&entry]).await?;
        }
        let execution = executions::find(&mut transaction, workspace, id).await?;
        transaction.commit().await?;
        if is_ended {
            metrics::counter!("iw_runs_set_aside_total").increment(1);
            self.0
                .watched
                .publish(id, || execution.map(|execution| RunSummary { execution, open_request: None }));
            let message = crate::dispatch::DispatchMessage {
                workspace,
                kind: LiveKind::ExecutionChanged,
                id: id.to_string(),
                to: None,
            };
            self.0.dispatch.tell([message]);
        }
        Ok(is_ended)
    }
}
