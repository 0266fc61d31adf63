//! A workflow's webhook.

use super::Handle;
use crate::{client::Request, clock, shell::Shell};
use shared_types::{
    api::{
        NoQuery,
        webhooks::{
            AddWebhookSecret, GetWebhook, NewWebhookSecret, RevokeWebhookSecret, Webhook, WebhookSecretShown,
        },
    },
    desktop::{Failure, Loaded, commands},
};

impl Handle for commands::ReadWebhook {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Webhook>, Failure> {
        let Self { id, policy } = self;
        let path: &[&str] = &[&id];
        let call = Request::<GetWebhook>::at(path);
        shell.read(&format!("webhook/{id}"), policy, &call).await
    }
}

impl Handle for commands::AddWebhookSecret {
    async fn handle(self, shell: &Shell) -> Result<WebhookSecretShown, Failure> {
        let Self { id, value } = self;
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
}

impl Handle for commands::RevokeWebhookSecret {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        let Self { id, secret } = self;
        let path: &[&str] = &[&id, &secret];
        let call = Request::<RevokeWebhookSecret>::at(path);
        shell.call(&call).await.map(|_| ())
    }
}
