//! A workflow's webhook.

use crate::{client::Request, clock, shell::Shell};
use shared_types::{
    api::{
        NoBody, NoQuery,
        webhooks::{
            AddWebhookSecret, GetWebhook, NewWebhookSecret, RevokeWebhookSecret, Webhook, WebhookSecretShown,
        },
    },
    desktop::{CachePolicy, Failure, Loaded},
};
use tauri::State;

#[tauri::command]
pub(crate) async fn webhook(
    shell: State<'_, Shell>,
    id: String,
    policy: CachePolicy,
) -> Result<Loaded<Webhook>, Failure> {
    let call = Request::<GetWebhook> { path: &[&id], query: &NoQuery {}, body: &NoBody {}, headers: &[] };
    shell.read(&format!("webhook/{id}"), policy, &call).await
}

#[tauri::command]
pub(crate) async fn add_webhook_secret(
    shell: State<'_, Shell>,
    id: String,
    value: Option<String>,
) -> Result<WebhookSecretShown, Failure> {
    let body = NewWebhookSecret { value };
    let headers = [("Idempotency-Key", clock::new_id().to_string())];
    shell
        .call(&Request::<AddWebhookSecret> {
            path: &[&id],
            query: &NoQuery {},
            body: &body,
            headers: &headers,
        })
        .await
}

#[tauri::command]
pub(crate) async fn revoke_webhook_secret(
    shell: State<'_, Shell>,
    id: String,
    secret: String,
) -> Result<(), Failure> {
    let path: &[&str] = &[&id, &secret];
    let call = Request::<RevokeWebhookSecret> { path, query: &NoQuery {}, body: &NoBody {}, headers: &[] };
    shell.call(&call).await.map(|_| ())
}
