//! Requests, decisions, the Outbox and messages.

use crate::{client::Call, outbox, shell::Shell, waiting};
use shared_types::{
    api::{
        NoBody, NoQuery, Page,
        approvals::{Approval, GetApproval, NewDecision},
        notices::{ListNotices, Notice, NoticeQuery, ReadNotice},
    },
    desktop::{Decided, Failure, Loaded, Outgoing, Patience},
    ids::ApprovalId,
};
use tauri::State;
use uuid::Uuid;

#[tauri::command]
pub(crate) async fn waiting(
    shell: State<'_, Shell>,
    patience: Patience,
) -> Result<Loaded<Vec<Approval>>, Failure> {
    waiting::read(&shell, patience).await
}

#[tauri::command]
pub(crate) async fn approval(
    shell: State<'_, Shell>,
    id: ApprovalId,
    patience: Patience,
) -> Result<Loaded<Approval>, Failure> {
    let text = id.to_string();
    let call = Call::<GetApproval> { path: &[&text], query: &NoQuery {}, body: &NoBody {}, headers: &[] };
    shell.read(&format!("approval/{id}"), patience, &call).await
}

#[tauri::command]
pub(crate) async fn decide(
    shell: State<'_, Shell>,
    id: ApprovalId,
    title: String,
    decision: NewDecision,
) -> Result<Decided, Failure> {
    shell.alerts().withdraw(&id.to_string());
    outbox::decide(&shell, id, title, decision).await
}

#[tauri::command]
pub(crate) async fn outbox(shell: State<'_, Shell>) -> Result<Vec<Outgoing>, Failure> {
    outbox::list(&shell).await
}

#[tauri::command]
pub(crate) async fn outbox_retry(shell: State<'_, Shell>) -> Result<(), Failure> {
    shell.outbox_changed().notify_one();
    Ok(())
}

#[tauri::command]
pub(crate) async fn outbox_discard(shell: State<'_, Shell>, id: Uuid) -> Result<(), Failure> {
    outbox::discard(&shell, id).await
}

#[tauri::command]
pub(crate) async fn notices(
    shell: State<'_, Shell>,
    patience: Patience,
) -> Result<Loaded<Page<Notice>>, Failure> {
    let query = NoticeQuery { limit: Some(100), ..NoticeQuery::default() };
    let call = Call::<ListNotices> { path: &[], query: &query, body: &NoBody {}, headers: &[] };
    shell.read("notices", patience, &call).await
}

#[tauri::command]
pub(crate) async fn notice_read(shell: State<'_, Shell>, id: String) -> Result<(), Failure> {
    let call = Call::<ReadNotice> { path: &[&id], query: &NoQuery {}, body: &NoBody {}, headers: &[] };
    shell.call(&call).await.map(|_| ())
}

#[tauri::command]
pub(crate) async fn in_front(shell: State<'_, Shell>, id: Option<String>) -> Result<(), Failure> {
    shell.alerts().set_in_front(id);
    Ok(())
}
