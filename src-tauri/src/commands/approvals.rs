//! Requests, decisions, the Outbox and messages.

use super::Handle;
use crate::{client::Request, outbox, pending_approvals, shell::Shell};
use shared_types::{
    api::{
        NoBody, NoQuery, Page,
        absences::{Absence, AbsenceQuery, CreateAbsence, DeleteAbsence, ListAbsences},
        approvals::{Approval, GetApproval},
        notices::{ListNotices, Notice, NoticeQuery, ReadNotice},
    },
    desktop::{DecisionResult, Failure, Loaded, OutboxItem, QueuedRequest, Withdrawn, commands},
};

impl Handle for commands::ListWaiting {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Vec<Approval>>, Failure> {
        let Self { policy } = self;
        pending_approvals::read(shell, policy).await
    }
}

impl Handle for commands::ListRequests {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Vec<Approval>>, Failure> {
        let Self { scope, policy } = self;
        pending_approvals::read_scope(shell, scope, policy).await
    }
}

impl Handle for commands::HandOver {
    async fn handle(self, shell: &Shell) -> Result<DecisionResult, Failure> {
        let Self { id, title, handover } = self;
        shell.notifications().withdraw(&id.to_string());
        outbox::ask(shell, id, title, QueuedRequest::HandOver(handover), false).await
    }
}

impl Handle for commands::SnoozeRequest {
    async fn handle(self, shell: &Shell) -> Result<DecisionResult, Failure> {
        let Self { id, title, until } = self;
        if until.is_some() {
            shell.notifications().withdraw(&id.to_string());
        }
        outbox::ask(shell, id, title, QueuedRequest::Snooze { until }, false).await
    }
}

impl Handle for commands::ListAbsences {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Page<Absence>>, Failure> {
        let Self { everybody, policy } = self;
        let (_, who) = shell.who()?;
        let email = (!everybody).then_some(who.email);
        let query = AbsenceQuery { email, limit: Some(100), ..AbsenceQuery::default() };
        let call = Request::<ListAbsences> { path: &[], query: &query, body: &NoBody {}, headers: &[] };
        shell.read(if everybody { "absences/all" } else { "absences/own" }, policy, &call).await
    }
}

impl Handle for commands::EnterAbsence {
    async fn handle(self, shell: &Shell) -> Result<Absence, Failure> {
        let Self { absence } = self;
        let call = Request::<CreateAbsence> { path: &[], query: &NoQuery {}, body: &absence, headers: &[] };
        shell.call(&call).await
    }
}

impl Handle for commands::DeleteAbsence {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        let Self { id } = self;
        let id = id.to_string();
        let path: &[&str] = &[&id];
        shell.call(&Request::<DeleteAbsence>::at(path)).await.map(|_| ())
    }
}

impl Handle for commands::ReadApproval {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Approval>, Failure> {
        let Self { id, policy } = self;
        let text = id.to_string();
        let path: &[&str] = &[&text];
        let call = Request::<GetApproval>::at(path);
        shell.read(&format!("approval/{id}"), policy, &call).await
    }
}

impl Handle for commands::DecideApproval {
    async fn handle(self, shell: &Shell) -> Result<DecisionResult, Failure> {
        let Self { id, title, decision, can_undo } = self;
        shell.notifications().withdraw(&id.to_string());
        outbox::decide(shell, id, title, decision, can_undo).await
    }
}

impl Handle for commands::UndoDecision {
    async fn handle(self, shell: &Shell) -> Result<Withdrawn, Failure> {
        let Self { id } = self;
        outbox::undo(shell, id).await
    }
}

impl Handle for commands::ListOutbox {
    async fn handle(self, shell: &Shell) -> Result<Vec<OutboxItem>, Failure> {
        outbox::list(shell).await
    }
}

impl Handle for commands::RetryOutbox {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        outbox::send_now(shell).await;
        Ok(())
    }
}

impl Handle for commands::WithdrawQueued {
    async fn handle(self, shell: &Shell) -> Result<Withdrawn, Failure> {
        let Self { id } = self;
        outbox::withdraw(shell, &id).await
    }
}

impl Handle for commands::ExportQueued {
    async fn handle(self, shell: &Shell) -> Result<String, Failure> {
        let Self { id } = self;
        let folder = shell.host().downloads();
        let folder = folder.ok_or_else(|| Failure::Shell("There is no folder to write to.".to_owned()))?;
        outbox::export(shell, &id, &folder).await
    }
}

impl Handle for commands::ListNotices {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Page<Notice>>, Failure> {
        let Self { policy } = self;
        let query = NoticeQuery { limit: Some(100), ..NoticeQuery::default() };
        let call = Request::<ListNotices> { path: &[], query: &query, body: &NoBody {}, headers: &[] };
        shell.read("notices", policy, &call).await
    }
}

impl Handle for commands::MarkNoticeRead {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        let Self { id } = self;
        let path: &[&str] = &[&id];
        let call = Request::<ReadNotice>::at(path);
        shell.call(&call).await.map(|_| ())
    }
}

impl Handle for commands::SetInFront {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        let Self { id } = self;
        shell.notifications().set_in_front(id);
        Ok(())
    }
}
