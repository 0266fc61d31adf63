//! What an endpoint is, and who may call it.

use crate::permission::Permission;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

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
    /// The largest body that is read, in bytes.
    const MAX_BODY: usize = super::limits::BODY;
    /// How its body is written.
    const BODY: BodyKind = BodyKind::Json;
    /// Which header makes it conditional.
    const CONDITION: Condition = Condition::None;
    /// What a POST does when it is sent again under its `Idempotency-Key`.
    const REPEATED: Repeated = Repeated::AnswerStored;
    /// Whether it asks another system before it answers, and so may take up to half a minute.
    const ASKS_OTHERS: bool = false;
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
    /// A calendar file (RFC 5545).
    ICalendar,
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

/// One page of a list, in a fixed order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The entries on this page.
    pub items: Vec<T>,
    /// Send it as `cursor` to get the next page; null on the last page.
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
