//! The entries of an `execute` list.

use super::{Template, TemplateValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Something done beside deciding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Effect {
    /// Tells people.
    Notify(Notify),
    /// Calls another system.
    HttpRequest(HttpCall),
    /// Calls another system, with POST as its default method.
    Webhook(HttpCall),
    /// Makes a record through the connector that serves the entity.
    CreateRecord(RecordChange),
    /// Changes a record through the connector that serves the entity.
    UpdateRecord(RecordChange),
    /// Asks people, the short way.
    CreateApprovalRequest(ShortRequest),
    /// Publishes an event.
    EmitEvent(Emit),
    /// Leaves a line in the trace.
    Log(Log),
    /// Calls a connector's operation.
    Connector(ConnectorCall),
}

/// An event to publish.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Emit {
    /// The event's type.
    pub event: String,
    /// What it carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<TemplateValue>,
}

/// A message to people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Notify {
    /// An address, `user:`, `role:`, `slack:#channel` or `pagerduty:`.
    pub recipients: Vec<Template>,
    /// What it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Template>,
    /// Its subject line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Template>,
}

/// A call to another system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HttpCall {
    /// The URL, with scheme and host.
    pub url: Template,
    /// `GET` for `http_request`, `POST` for `webhook` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Template>,
    /// What is sent: text as it is, anything else as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<TemplateValue>,
    /// Query parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, TemplateValue>,
    /// The name in the context for the answer's JSON body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_as: Option<String>,
}

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are those of RFC 9110")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The name as sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A record to make or change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordChange {
    /// What kind of record.
    pub entity: String,
    /// Which one; not for making one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<TemplateValue>,
    /// Its fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<TemplateValue>,
}

/// A request for a decision, the short way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShortRequest {
    /// What kind of thing it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// Identifier of the entity in the system that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<TemplateValue>,
    /// `approver_role` or `approvers`, `reason`, `expires_in`, `subject`, `amount`, `currency`; the rest is shown.
    #[serde(default)]
    pub data: BTreeMap<String, TemplateValue>,
}

/// A line in the trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Log {
    /// What it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Template>,
    /// How much it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LogLevel>,
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

/// A call to a connector's operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorCall {
    /// `crm.create_task`
    pub connector: String,
    /// What it gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<TemplateValue>,
    /// The name in the context for its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_as: Option<String>,
}

impl Effect {
    /// The document's name for the effect's type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Notify(_) => "notify",
            Self::HttpRequest(_) => "http_request",
            Self::Webhook(_) => "webhook",
            Self::CreateRecord(_) => "create_record",
            Self::UpdateRecord(_) => "update_record",
            Self::CreateApprovalRequest(_) => "create_approval_request",
            Self::EmitEvent(_) => "emit_event",
            Self::Log(_) => "log",
            Self::Connector(_) => "connector",
        }
    }

    /// The secrets that its request reads, by name.
    pub fn secrets(&self) -> BTreeSet<&str> {
        if !self.is_outside() {
            return BTreeSet::new();
        }
        self.templates().into_iter().flat_map(Template::secrets).collect()
    }

    /// Every template of it.
    pub fn templates(&self) -> Vec<&Template> {
        self.located_templates().into_iter().map(|(_, template)| template).collect()
    }

    /// Every template of it, with the place in what is sent that it fills, as a JSON pointer.
    pub fn located_templates(&self) -> Vec<(String, &Template)> {
        let one = |at: &str, template| vec![(format!("/{at}"), template)];
        match self {
            Self::HttpRequest(call) | Self::Webhook(call) => {
                let headers = call.headers.iter().map(|(name, header)| (format!("/headers/{name}"), header));
                let query =
                    call.query.iter().flat_map(|(name, value)| below(&format!("query/{name}"), value));
                let body = call.body.iter().flat_map(|body| below("body", body));
                one("url", &call.url).into_iter().chain(headers).chain(query).chain(body).collect()
            }
            Self::CreateRecord(record) | Self::UpdateRecord(record) => {
                let data = record.data.iter().flat_map(|data| below("data", data));
                let id = record.entity_id.iter().flat_map(|id| below("entity_id", id));
                data.chain(id).collect()
            }
            Self::Connector(call) => call.input.iter().flat_map(|input| below("input", input)).collect(),
            Self::Notify(notify) => {
                let recipients = notify.recipients.iter().enumerate();
                let recipients = recipients.map(|(n, who)| (format!("/recipients/{n}"), who));
                let message = notify.message.iter().map(|message| ("/message".to_owned(), message));
                let subject = notify.subject.iter().map(|subject| ("/subject".to_owned(), subject));
                recipients.chain(message).chain(subject).collect()
            }
            Self::CreateApprovalRequest(request) => {
                let data =
                    request.data.iter().flat_map(|(name, value)| below(&format!("data/{name}"), value));
                let id = request.entity_id.iter().flat_map(|id| below("entity_id", id));
                data.chain(id).collect()
            }
            Self::EmitEvent(emit) => {
                emit.payload.iter().flat_map(|payload| below("payload", payload)).collect()
            }
            Self::Log(log) => log.message.iter().map(|message| ("/message".to_owned(), message)).collect(),
        }
    }

    /// The name in the context for its answer.
    pub fn save_as(&self) -> Option<&str> {
        match self {
            Self::HttpRequest(call) | Self::Webhook(call) => call.save_as.as_deref(),
            Self::Connector(call) => call.save_as.as_deref(),
            Self::Notify(_)
            | Self::CreateRecord(_)
            | Self::UpdateRecord(_)
            | Self::CreateApprovalRequest(_)
            | Self::EmitEvent(_)
            | Self::Log(_) => None,
        }
    }

    /// Whether something outside answers it, so that its outcome has to be waited for.
    pub fn is_outside(&self) -> bool {
        match self {
            Self::HttpRequest(_)
            | Self::Webhook(_)
            | Self::CreateRecord(_)
            | Self::UpdateRecord(_)
            | Self::Connector(_) => true,
            Self::Notify(_) | Self::CreateApprovalRequest(_) | Self::EmitEvent(_) | Self::Log(_) => false,
        }
    }
}

/// The templates of a value that stands at a place.
fn below<'v>(at: &str, value: &'v TemplateValue) -> Vec<(String, &'v Template)> {
    value.templates().into_iter().map(|(pointer, template)| (format!("/{at}{pointer}"), template)).collect()
}
