//! Requests, decisions, the Outbox and messages.

use crate::{client::Request, outbox, pending_approvals, shell::Shell};
use shared_types::{
    api::{
        NoBody, NoQuery, Page,
        approvals::{Approval, GetApproval, NewDecision},
        notices::{ListNotices, Notice, NoticeQuery, ReadNotice},
    },
    desktop::{CachePolicy, DecisionResult, Failure, Loaded, OutboxItem, Withdrawn},
    ids::ApprovalId,
};
use tauri::{Manager as _, State};

#[tauri::command]
pub(crate) async fn waiting(
    shell: State<'_, Shell>,
    policy: CachePolicy,
) -> Result<Loaded<Vec<Approval>>, Failure> {
    pending_approvals::read(&shell, policy).await
}

#[tauri::command]
pub(crate) async fn approval(
    shell: State<'_, Shell>,
    id: ApprovalId,
    policy: CachePolicy,
) -> Result<Loaded<Approval>, Failure> {
    let text = id.to_string();
    let call = Request::<GetApproval> { path: &[&text], query: &NoQuery {}, body: &NoBody {}, headers: &[] };
    shell.read(&format!("approval/{id}"), policy, &call).await
}

#[tauri::command]
pub(crate) async fn decide(
    shell: State<'_, Shell>,
    id: ApprovalId,
    title: String,
    decision: NewDecision,
) -> Result<DecisionResult, Failure> {
    shell.notifications().withdraw(&id.to_string());
    outbox::decide(&shell, id, title, decision).await
}

#[tauri::command]
pub(crate) async fn outbox(shell: State<'_, Shell>) -> Result<Vec<OutboxItem>, Failure> {
    outbox::list(&shell).await
}

#[tauri::command]
pub(crate) async fn outbox_retry(shell: State<'_, Shell>) -> Result<(), Failure> {
    shell.outbox_changed().notify_one();
    Ok(())
}

#[tauri::command]
pub(crate) async fn outbox_withdraw(shell: State<'_, Shell>, id: String) -> Result<Withdrawn, Failure> {
    outbox::withdraw(&shell, &id).await
}

/// Writes a decision that this version can't read into the folder of downloads; the file's path.
#[tauri::command]
pub(crate) async fn outbox_export(
    app: tauri::AppHandle,
    shell: State<'_, Shell>,
    id: String,
) -> Result<String, Failure> {
    let folder = app.path().download_dir().or_else(|_| app.path().home_dir());
    let folder =
        folder.map_err(|error| Failure::Shell(format!("There is no folder to write to: {error}.")))?;
    outbox::export(&shell, &id, &folder).await
}

#[tauri::command]
pub(crate) async fn notices(
    shell: State<'_, Shell>,
    policy: CachePolicy,
) -> Result<Loaded<Page<Notice>>, Failure> {
    let query = NoticeQuery { limit: Some(100), ..NoticeQuery::default() };
    let call = Request::<ListNotices> { path: &[], query: &query, body: &NoBody {}, headers: &[] };
    shell.read("notices", policy, &call).await
}

#[tauri::command]
pub(crate) async fn notice_read(shell: State<'_, Shell>, id: String) -> Result<(), Failure> {
    let call = Request::<ReadNotice> { path: &[&id], query: &NoQuery {}, body: &NoBody {}, headers: &[] };
    shell.call(&call).await.map(|_| ())
}

#[tauri::command]
pub(crate) async fn in_front(shell: State<'_, Shell>, id: Option<String>) -> Result<(), Failure> {
    shell.notifications().set_in_front(id);
    Ok(())
}
