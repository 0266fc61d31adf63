//! What an endpoint is, and who may call it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::{BTreeMap, BTreeSet};

/// One endpoint of the API.
pub trait Endpoint: 'static {
    /// The method.
    const METHOD: HttpMethod;
    /// The path below `/api/v1/`, with parameters in braces.
    const PATH: &'static str;
    /// Who may call it.
    const ACCESS: Access;
    /// What it does, in a few words.
    const SUMMARY: &'static str;
    /// What it is about.
    const TAG: &'static str;
    /// The status of a plain success.
    const STATUS: u16;
    /// Other statuses of a success, with the same body.
    const ALSO: &'static [u16] = &[];
    /// How its body is written.
    const BODY: BodyKind = BodyKind::Json;
    /// Which header makes it conditional.
    const CONDITION: Condition = Condition::None;
    /// What a POST does when it is sent again under its `Idempotency-Key`.
    const REPEATED: Repeated = Repeated::AnswerStored;
    /// The query parameters.
    type Query: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;
    /// The body.
    type Request: Serialize + DeserializeOwned + JsonSchema + Send;
    /// The answer's body.
    type Response: Serialize + DeserializeOwned + JsonSchema + Send;
}

/// The method of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of RFC 9110")]
pub enum HttpMethod {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl HttpMethod {
    /// The name as sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// A JSON object that is read into the endpoint's type.
    Json,
    /// A workflow document as JSON or YAML, kept as text.
    Workflow,
    /// A rule document as JSON or YAML, kept as text.
    Rule,
    /// A JSON array of events, or NDJSON.
    Events,
    /// Any JSON, from a sender who knows nothing of this API.
    AnyJson,
}

/// Which headers of RFC 9110 make a request conditional.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// None are read.
    None,
    /// `If-Match` is needed.
    Match,
    /// `If-Match` is needed, or `If-None-Match: *` for what is new.
    MatchOrNew,
}

/// What a POST does when it is sent again under its `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeated {
    /// The stored answer is given again.
    AnswerStored,
    /// The key is stored with what the request changes, and read by the endpoint itself.
    KeyStored,
    /// The request changes nothing; the key has no meaning.
    Harmless,
}

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Any person who is signed in; no key.
    Person,
    /// Whoever has the permission.
    Needs(Permission),
}

/// Something that a role or a key's scope may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Read workflows.
    ReadWorkflows,
    /// Write, check and simulate workflows.
    WriteWorkflows,
    /// Enable and disable workflows.
    ToggleWorkflows,
    /// Send events.
    SendEvents,
    /// Start workflows by hand and cancel runs.
    ControlExecutions,
    /// Read runs.
    ReadExecutions,
    /// Read every request of the workspace.
    ReadApprovals,
    /// Decide where asked.
    Decide,
    /// Read what went out and what could not.
    ReadDeliveries,
    /// People and their roles.
    ManageUsers,
    /// API keys.
    ManageKeys,
    /// Secrets.
    ManageSecrets,
    /// Read the audit log.
    ReadAudit,
}

/// A set of permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions(BTreeSet<Permission>);

use Permission::{
    ControlExecutions, Decide, ManageKeys, ManageSecrets, ManageUsers, ReadApprovals, ReadAudit,
    ReadDeliveries, ReadExecutions, ReadWorkflows, SendEvents, ToggleWorkflows, WriteWorkflows,
};

/// The base roles and what each allows; any other name is an approver role, which allows nothing by itself.
pub const BASE_ROLES: [(&str, &[Permission]); 4] = [
    ("viewer", &[ReadWorkflows, ReadExecutions]),
    (
        "operator",
        &[
            ReadWorkflows,
            ReadExecutions,
            SendEvents,
            ControlExecutions,
            ToggleWorkflows,
            ReadApprovals,
            Decide,
            ReadDeliveries,
        ],
    ),
    ("author", &[ReadWorkflows, ReadExecutions, WriteWorkflows, ToggleWorkflows]),
    (
        "admin",
        &[
            ReadWorkflows,
            WriteWorkflows,
            ToggleWorkflows,
            SendEvents,
            ControlExecutions,
            ReadExecutions,
            ReadApprovals,
            Decide,
            ReadDeliveries,
            ManageUsers,
            ManageKeys,
            ManageSecrets,
            ReadAudit,
        ],
    ),
];

/// The scopes of API keys and what each allows. No scope allows deciding.
pub const SCOPES: [(&str, &[Permission]); 6] = [
    ("events:write", &[SendEvents]),
    ("executions:read", &[ReadExecutions]),
    ("executions:write", &[ControlExecutions]),
    ("workflows:read", &[ReadWorkflows]),
    ("workflows:write", &[WriteWorkflows, ToggleWorkflows]),
    ("approvals:read", &[ReadApprovals]),
];

impl Permissions {
    /// What a person with these roles may do.
    pub fn of_roles<'r>(roles: impl IntoIterator<Item = &'r str>) -> Self {
        Self::gather(&BASE_ROLES, roles)
    }

    /// What a key with these scopes may do.
    pub fn of_scopes<'s>(scopes: impl IntoIterator<Item = &'s str>) -> Self {
        Self::gather(&SCOPES, scopes)
    }

    /// Whether this is allowed.
    pub fn allow(&self, permission: Permission) -> bool {
        self.0.contains(&permission)
    }

    fn gather<'n>(table: &[(&str, &[Permission])], names: impl IntoIterator<Item = &'n str>) -> Self {
        let lists = names.into_iter().filter_map(|name| table.iter().find(|(known, _)| *known == name));
        Self(lists.flat_map(|(_, permissions)| permissions.iter().copied()).collect())
    }
}

/// No query parameters.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoQuery {}

/// Any query parameters, none of which is read: senders of webhooks may add their own.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct AnyQuery {
    /// What was sent.
    #[serde(flatten)]
    pub sent: BTreeMap<String, String>,
}

/// No body.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
pub struct NoBody {}

/// A part of a list, in the order of its keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The part.
    pub items: Vec<T>,
    /// Where the next part begins; null at the end.
    pub next_cursor: Option<String>,
}

/// Defines an endpoint.
macro_rules! endpoint {
    ($(#[$doc:meta])* $name:ident: $method:ident $path:literal, $access:expr, $tag:literal, $status:literal,
     $summary:literal, ($query:ty, $request:ty) => $response:ty $(, { $($more:tt)* })?) => {
        $(#[$doc])*
        #[doc = $summary]
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl $crate::api::Endpoint for $name {
            const METHOD: $crate::api::HttpMethod = $crate::api::HttpMethod::$method;
            const PATH: &'static str = $path;
            const ACCESS: $crate::api::Access = $access;
            const SUMMARY: &'static str = $summary;
            const TAG: &'static str = $tag;
            const STATUS: u16 = $status;
            $($($more)*)?
            type Query = $query;
            type Request = $request;
            type Response = $response;
        }
    };
}
pub(crate) use endpoint;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn approver_roles_alone_allow_nothing_and_no_key_decides() {
        assert_eq!(Permissions::of_roles(["sales_manager"]), Permissions::default());
        assert!(Permissions::of_roles(["sales_manager", "operator"]).allow(Decide));
        let every_scope = Permissions::of_scopes(SCOPES.map(|(name, _)| name));
        assert!(!every_scope.allow(Decide));
    }
}
