//! Requests, decisions, the Outbox and messages.

use super::Handle;
use crate::{client::Request, outbox, pending_approvals, shell::Shell};
use shared_types::{
    api::{
        NoBody, Page,
        approvals::{Approval, GetApproval},
        notices::{ListNotices, Notice, NoticeQuery, ReadNotice},
    },
    desktop::{DecisionResult, Failure, Loaded, OutboxItem, Withdrawn, commands},
};

impl Handle for commands::ListWaiting {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Vec<Approval>>, Failure> {
        let Self { policy } = self;
        pending_approvals::read(shell, policy).await
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
        let Self { id, title, decision } = self;
        shell.notifications().withdraw(&id.to_string());
        outbox::decide(shell, id, title, decision).await
    }
}

impl Handle for commands::ListOutbox {
    async fn handle(self, shell: &Shell) -> Result<Vec<OutboxItem>, Failure> {
        outbox::list(shell).await
    }
}

impl Handle for commands::RetryOutbox {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        shell.outbox_changed().notify_one();
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
