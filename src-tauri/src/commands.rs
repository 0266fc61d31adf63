//! What the pages may ask: each command forwards to the shell.

mod approvals;
mod drafts;
mod invitations;
mod rules;
mod runs;
mod session;
mod webhooks;
mod workflows;

use tauri::ipc::Invoke;

/// Every command, by its name.
pub(crate) fn handler() -> impl Fn(Invoke<tauri::Wry>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        session::session,
        session::sign_in,
        session::sign_out,
        session::leave,
        session::change_password,
        session::roles,
        session::settings,
        session::set_settings,
        session::connection,
        invitations::invitations,
        invitations::answer_invitation,
        approvals::waiting,
        approvals::approval,
        approvals::decide,
        approvals::outbox,
        approvals::outbox_retry,
        approvals::outbox_withdraw,
        approvals::outbox_export,
        approvals::notices,
        approvals::notice_read,
        approvals::in_front,
        runs::runs,
        runs::run,
        runs::run_tree,
        runs::cancel_run,
        workflows::workflows,
        workflows::workflow,
        workflows::toggle_workflow,
        workflows::start_workflow,
        workflows::archive_workflow,
        workflows::activity,
        webhooks::webhook,
        webhooks::add_webhook_secret,
        webhooks::revoke_webhook_secret,
        rules::rules,
        rules::rule,
        rules::save_rule,
        rules::delete_rule,
        rules::try_rule,
        drafts::review,
        drafts::compare,
        drafts::try_it,
        drafts::draft,
        drafts::keep_draft,
        drafts::drop_draft,
        drafts::save_workflow,
    ]
}
