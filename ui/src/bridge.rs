//! The only door to the shell: one function a command, and the one event.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use serde_wasm_bindgen::Serializer;
use shared_types::{
    api::{
        Page,
        approvals::{Approval, NewDecision},
        auth::PasswordChange,
        executions::{Execution, ExecutionDetail, ExecutionQuery, TraceTree},
        invitations::Invitation,
        notices::Notice,
        roles::Role,
        rules::{RuleSummary, RuleTried, StoredRule},
        webhooks::{Webhook, WebhookSecretShown},
        workflows::{Activity, Workflow, WorkflowSummary},
    },
    desktop::{
        CachePolicy, Comparison, Connection, DecisionResult, Draft, Failure, Loaded, OutboxItem,
        QueuedDecision, Review, SHELL_EVENT, SessionView, Settings, ShellEvent, SignIn, Withdrawn,
    },
    ids::{ApprovalId, InvitationId},
};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["window", "__TAURI__", "core"], catch)]
    async fn invoke(command: &str, args: JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = ["window", "__TAURI__", "event"], catch)]
    async fn listen(event: &str, handler: &Closure<dyn FnMut(JsValue)>) -> Result<JsValue, JsValue>;
}

/// What a command gives.
pub(crate) type Answer<T> = Result<T, Failure>;

async fn ask<T: DeserializeOwned>(command: &str, args: &impl Serialize) -> Answer<T> {
    let args =
        args.serialize(&Serializer::json_compatible()).map_err(|error| Failure::Shell(error.to_string()))?;
    let answer = invoke(command, args).await.map_err(failure)?;
    serde_wasm_bindgen::from_value(answer).map_err(|error| Failure::Shell(error.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failure(value: JsValue) -> Failure {
    serde_wasm_bindgen::from_value(value.clone()).unwrap_or_else(|_| {
        Failure::Shell(value.as_string().unwrap_or_else(|| "The shell doesn't answer.".to_owned()))
    })
}

/// Calls `callback` with each event of the shell for as long as the app runs, and `ready` once it listens.
pub(crate) fn on_shell_event(mut callback: impl FnMut(ShellEvent) + 'static, ready: impl FnOnce() + 'static) {
    #[derive(serde::Deserialize)]
    struct Event {
        payload: ShellEvent,
    }
    let handler = Closure::new(move |event: JsValue| {
        if let Ok(event) = serde_wasm_bindgen::from_value::<Event>(event) {
            callback(event.payload);
        }
    });
    wasm_bindgen_futures::spawn_local(async move {
        // Without the event nothing arrives unasked; the pages still work.
        let _ = listen(SHELL_EVENT, &handler).await;
        handler.forget();
        ready();
    });
}

macro_rules! args {
    ($($name:ident),*) => { serde_json::json!({ $(stringify!($name): $name),* }) };
}

pub(crate) async fn session() -> Answer<SessionView> {
    ask("session", &args!()).await
}

pub(crate) async fn sign_in(with: SignIn) -> Answer<SessionView> {
    ask("sign_in", &args!(with)).await
}

pub(crate) async fn leave(really: bool) -> Answer<()> {
    ask("leave", &args!(really)).await
}

pub(crate) async fn sign_out() -> Answer<()> {
    ask("sign_out", &args!()).await
}

pub(crate) async fn change_password(change: PasswordChange) -> Answer<()> {
    ask("change_password", &args!(change)).await
}

pub(crate) async fn roles(policy: CachePolicy) -> Answer<Loaded<Page<Role>>> {
    ask("roles", &args!(policy)).await
}

pub(crate) async fn settings() -> Answer<Settings> {
    ask("settings", &args!()).await
}

pub(crate) async fn set_settings(settings: Settings) -> Answer<()> {
    ask("set_settings", &args!(settings)).await
}

pub(crate) async fn connection() -> Answer<Connection> {
    ask("connection", &args!()).await
}

pub(crate) async fn invitations(policy: CachePolicy) -> Answer<Loaded<Page<Invitation>>> {
    ask("invitations", &args!(policy)).await
}

pub(crate) async fn answer_invitation(id: InvitationId, accept: bool) -> Answer<()> {
    ask("answer_invitation", &args!(id, accept)).await
}

pub(crate) async fn waiting(policy: CachePolicy) -> Answer<Loaded<Vec<Approval>>> {
    ask("waiting", &args!(policy)).await
}

pub(crate) async fn approval(id: ApprovalId, policy: CachePolicy) -> Answer<Loaded<Approval>> {
    ask("approval", &args!(id, policy)).await
}

pub(crate) async fn decide(id: ApprovalId, title: String, decision: NewDecision) -> Answer<DecisionResult> {
    ask("decide", &args!(id, title, decision)).await
}

pub(crate) async fn outbox() -> Answer<Vec<OutboxItem>> {
    ask("outbox", &args!()).await
}

/// The decisions in the Outbox of whoever is signed in.
pub(crate) async fn own_queued() -> Answer<Vec<QueuedDecision>> {
    Ok(outbox().await?.iter().filter_map(OutboxItem::own).cloned().collect())
}

pub(crate) async fn outbox_retry() -> Answer<()> {
    ask("outbox_retry", &args!()).await
}

pub(crate) async fn outbox_withdraw(id: String) -> Answer<Withdrawn> {
    ask("outbox_withdraw", &args!(id)).await
}

pub(crate) async fn outbox_export(id: String) -> Answer<String> {
    ask("outbox_export", &args!(id)).await
}

pub(crate) async fn notices(policy: CachePolicy) -> Answer<Loaded<Page<Notice>>> {
    ask("notices", &args!(policy)).await
}

pub(crate) async fn notice_read(id: String) -> Answer<()> {
    ask("notice_read", &args!(id)).await
}

pub(crate) async fn in_front(id: Option<String>) -> Answer<()> {
    ask("in_front", &args!(id)).await
}

pub(crate) async fn runs(query: ExecutionQuery, policy: CachePolicy) -> Answer<Loaded<Page<Execution>>> {
    ask("runs", &args!(query, policy)).await
}

pub(crate) async fn run(id: String, policy: CachePolicy) -> Answer<Loaded<ExecutionDetail>> {
    ask("run", &args!(id, policy)).await
}

pub(crate) async fn run_tree(id: String, items: u32, policy: CachePolicy) -> Answer<Loaded<TraceTree>> {
    ask("run_tree", &args!(id, items, policy)).await
}

pub(crate) async fn activity(id: String, policy: CachePolicy) -> Answer<Loaded<Activity>> {
    ask("activity", &args!(id, policy)).await
}

pub(crate) async fn webhook(id: String, policy: CachePolicy) -> Answer<Loaded<Webhook>> {
    ask("webhook", &args!(id, policy)).await
}

pub(crate) async fn add_webhook_secret(id: String, value: Option<String>) -> Answer<WebhookSecretShown> {
    ask("add_webhook_secret", &args!(id, value)).await
}

pub(crate) async fn revoke_webhook_secret(id: String, secret: String) -> Answer<()> {
    ask("revoke_webhook_secret", &args!(id, secret)).await
}

pub(crate) async fn rules(policy: CachePolicy) -> Answer<Loaded<Page<RuleSummary>>> {
    ask("rules", &args!(policy)).await
}

pub(crate) async fn rule(id: String, policy: CachePolicy) -> Answer<Loaded<StoredRule>> {
    ask("rule", &args!(id, policy)).await
}

pub(crate) async fn save_rule(id: Option<String>, text: String, base: Option<String>) -> Answer<StoredRule> {
    ask("save_rule", &args!(id, text, base)).await
}

pub(crate) async fn delete_rule(id: String, etag: String) -> Answer<()> {
    ask("delete_rule", &args!(id, etag)).await
}

pub(crate) async fn try_rule(text: String, payload: String) -> Answer<RuleTried> {
    ask("try_rule", &args!(text, payload)).await
}

pub(crate) async fn cancel_run(id: String, reason: Option<String>) -> Answer<Execution> {
    ask("cancel_run", &args!(id, reason)).await
}

pub(crate) async fn workflows(policy: CachePolicy) -> Answer<Loaded<Page<WorkflowSummary>>> {
    ask("workflows", &args!(policy)).await
}

pub(crate) async fn workflow(id: String, policy: CachePolicy) -> Answer<Loaded<Workflow>> {
    ask("workflow", &args!(id, policy)).await
}

pub(crate) async fn toggle_workflow(id: String, enabled: bool) -> Answer<Workflow> {
    ask("toggle_workflow", &args!(id, enabled)).await
}

pub(crate) async fn start_workflow(id: String, input: Map<String, Value>) -> Answer<Execution> {
    ask("start_workflow", &args!(id, input)).await
}

pub(crate) async fn review(text: String) -> Answer<Review> {
    ask("review", &args!(text)).await
}

pub(crate) async fn compare(id: String, revision: i32, mine: String, theirs: String) -> Answer<Comparison> {
    ask("compare", &args!(id, revision, mine, theirs)).await
}

pub(crate) async fn try_it(text: String, event: String, script: String) -> Answer<Value> {
    ask("try_it", &args!(text, event, script)).await
}

pub(crate) async fn draft(id: String) -> Answer<Option<Draft>> {
    ask("draft", &args!(id)).await
}

pub(crate) async fn keep_draft(id: String, text: String, base: Option<String>) -> Answer<()> {
    ask("keep_draft", &args!(id, text, base)).await
}

pub(crate) async fn drop_draft(id: String) -> Answer<()> {
    ask("drop_draft", &args!(id)).await
}

pub(crate) async fn save_workflow(
    id: Option<String>,
    text: String,
    base: Option<String>,
) -> Answer<Workflow> {
    ask("save_workflow", &args!(id, text, base)).await
}

pub(crate) async fn archive_workflow(id: String, etag: String) -> Answer<()> {
    ask("archive_workflow", &args!(id, etag)).await
}
