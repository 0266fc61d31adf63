//! Webhooks: a workflow's own URL, its secrets, and what came in lately.

use super::{
    Access, AnyQuery, BodyKind, NoBody, NoQuery, Permission, endpoint, events::EventAccepted, limits,
};
use crate::{ids::WorkflowId, workflow::document::Signature};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

endpoint!(
    /// The sender signs with one of the webhook's secrets: 401 where none gives the signature. The body becomes the
    /// run's context; a message whose id was seen starts nothing.
    ReceiveWebhook: Post "hooks/{token}", Access::Public, "webhooks", 202, "Call a workflow's webhook", (AnyQuery, Value) => EventAccepted,
    { const BODY: BodyKind = BodyKind::AnyJson; }
);
endpoint!(GetWebhook: Get "workflows/{workflow_id}/webhook", Access::Needs(Permission::ReadWorkflows), "webhooks", 200, "Read a workflow's webhook", (NoQuery, NoBody) => Webhook);
endpoint!(
    /// At most two are live, so that they can be rotated. The value is shown once.
    AddWebhookSecret: Post "workflows/{workflow_id}/webhook/secrets", Access::Needs(Permission::WriteWorkflows), "webhooks", 201, "Add a secret", (NoQuery, NewWebhookSecret) => WebhookSecretShown
);
endpoint!(RevokeWebhookSecret: Delete "workflows/{workflow_id}/webhook/secrets/{secret_id}", Access::Needs(Permission::WriteWorkflows), "webhooks", 204, "Revoke a secret", (NoQuery, NoBody) => NoBody);

/// A workflow's webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Webhook {
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Where calls go.
    pub url: String,
    /// How the sender signs.
    pub signature: Signature,
    /// The live secrets, without their values.
    pub secrets: Vec<WebhookSecret>,
    /// How many calls had a wrong signature.
    pub refused: i64,
    /// What came in lately, newest first.
    pub deliveries: Vec<WebhookDelivery>,
}

/// A live secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookSecret {
    /// Its id, a `UUIDv7`.
    pub secret_id: Uuid,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Who did it: an email address, or the name of an API key.
    pub created_by: String,
}

/// A secret to add.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhookSecret {
    /// The secret, if the sender generated it; without it, the server generates one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limits::WEBHOOK_SECRET_MIN, max = limits::WEBHOOK_SECRET))]
    pub value: Option<String>,
}

/// A secret as it is shown once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct WebhookSecretShown {
    /// Its id, a `UUIDv7`.
    pub secret_id: Uuid,
    /// The value.
    pub value: String,
}

/// A call that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookDelivery {
    /// When it happened, in UTC.
    pub at: DateTime<Utc>,
    /// The sender's id of it.
    pub message_id: Option<String>,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, in words.
    pub reason: Option<String>,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "WebhookVerdict")]
pub enum Verdict {
    /// It started a run.
    Taken,
    /// The trigger's filter kept it out.
    Filtered,
    /// It was seen before, and started nothing.
    Replayed,
    /// The workflow is disabled.
    Disabled,
    /// Its signature was wrong.
    Refused,
    /// Its body can't be read.
    Unreadable,
}
