//! What an approver sees of a request, and the hash by which a decision names it.

use crate::{ids::StepId, workflow::finding::escape_segment};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// What an effect behind an approval would send, as it was resolved when people were asked. Secrets are masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolvedEffect {
    /// At which step.
    pub step_id: StepId,
    /// In which branches and items that stand in the lane of the request, as in a step's address; empty for the lane itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lanes: String,
    /// Which of the step's effects, from 0.
    pub index: u32,
    /// The effect's type, or one of [`CALL`] and the others.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is sent; none if it is too large to be kept with the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Value>,
    /// The hash of what is sent: `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The places of the request that hold a time or a secret, as JSON pointers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filled_in: Vec<String>,
    /// The paths of the context at which [`AT_THE_TIME`] stood when it was resolved, for values that a step before it makes
    /// at the time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub placeholders: Vec<String>,
}

/// The type of an entry for a run of another workflow, with its input.
pub const CALL: &str = "call";
/// The type of an entry for the revision of a workflow that is called.
pub const WORKFLOW_REVISION: &str = "workflow_revision";
/// The type of an entry for the revisions and versions of what a called workflow calls and asks in turn.
pub const CALLED_BELOW: &str = "called_below";
/// The type of an entry for the version of a stored rule that is asked as it stands.
pub const RULE_VERSION: &str = "rule_version";
/// The type of an entry for the way that a step takes. It isn't listed for people: what follows it is.
pub const WAY: &str = "way";

/// The type of an entry for the values of a `set` step that are made at the time. It isn't listed for people either.
pub const SET: &str = "set";

/// Stands in a resolved effect for what the decision brings.
pub const AT_THE_TIME: &str = "(filled in when it is approved)";

impl ResolvedEffect {
    /// The places of its request that are filled in at the time, as JSON pointers: with what the decision brings, a time or
    /// a secret.
    pub fn at_the_time(&self) -> Vec<String> {
        let mut places = self.filled_in.clone();
        if let Some(request) = &self.request {
            find_text(request, AT_THE_TIME, &mut String::new(), &mut places);
        }
        places.sort();
        places.dedup();
        places
    }

    /// Whether it is one of those that are listed for people.
    pub fn is_listed(&self) -> bool {
        !matches!(self.kind.as_str(), WAY | SET)
    }

    /// Where it is sent, for the changes of what is seen: `{step_id}`, or `{step_id}:{lanes}`.
    pub fn place(&self) -> String {
        if self.lanes.is_empty() {
            self.step_id.0.clone()
        } else {
            format!("{}:{}", self.step_id, self.lanes)
        }
    }

    /// What of it is hashed.
    fn hashed(&self) -> Value {
        let mut parts = vec![json!(self.step_id), json!(self.index), json!(self.kind), json!(self.digest)];
        if !self.lanes.is_empty() {
            parts.push(json!(self.lanes));
        }
        Value::Array(parts)
    }

    /// An effect's request, which is kept whole as long as there is `room` for its bytes.
    pub fn new(step: &StepId, index: u32, kind: &str, request: Value, room: &mut usize) -> Self {
        let text = request.to_string();
        let digest = sha256(text.as_bytes());
        let fits = text.len() <= *room;
        *room = if fits { *room - text.len() } else { 0 };
        Self {
            step_id: step.clone(),
            lanes: String::new(),
            index,
            kind: kind.to_owned(),
            request: fits.then_some(request),
            digest,
            filled_in: Vec::new(),
            placeholders: Vec::new(),
        }
    }
}

/// The places below `at` whose text has a word in it, as JSON pointers.
pub fn find_text(value: &Value, word: &str, at: &mut String, places: &mut Vec<String>) {
    let length = at.len();
    match value {
        Value::String(text) if text.contains(word) => places.push(at.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                let _ = write!(at, "/{n}");
                find_text(item, word, at, places);
                at.truncate(length);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                let _ = write!(at, "/{}", escape_segment(key));
                find_text(item, word, at, places);
                at.truncate(length);
            }
        }
    }
}

/// What an approver sees of a request, in the order in which it is hashed.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What it is about.
    pub subject: Option<&'a str>,
    /// Why it is asked.
    pub reason: Option<&'a str>,
    /// The money at stake: a decimal number, as text.
    pub amount: Option<&'a str>,
    /// Currency of the amount, usually an ISO 4217 code.
    pub currency: Option<&'a str>,
    /// What is shown.
    pub data: &'a Map<String, Value>,
    /// What follows an approval.
    pub if_approved: &'a [String],
    /// What follows a rejection.
    pub if_rejected: &'a [String],
    /// What an approval sends. Requests made by earlier versions have none of it.
    pub effects: &'a [ResolvedEffect],
}

/// The hash of what an approver sees of a request that an earlier version made: `sha256:` and 64 hexadecimal digits.
pub fn seen_hash(seen: &Seen<'_>) -> String {
    let mut shown = vec![
        json!(seen.subject),
        json!(seen.reason),
        json!(seen.amount),
        json!(seen.currency),
        json!(seen.data),
        json!(seen.if_approved),
        json!(seen.if_rejected),
    ];
    if !seen.effects.is_empty() {
        shown.push(seen.effects.iter().map(ResolvedEffect::hashed).collect());
    }
    sha256(Value::Array(shown).to_string().as_bytes())
}

/// The hash of what is asked, apart from what edits can change: subject, reason, money and data.
pub fn content_hash(seen: &Seen<'_>) -> String {
    let content = json!([seen.subject, seen.reason, seen.amount, seen.currency, seen.data]);
    sha256(content.to_string().as_bytes())
}

/// The hash of what an approver sees, of what is asked, what the form's fields hold, and what an approval sends.
pub fn seen_hash_of(content: &str, values: &Map<String, Value>, effects: &[ResolvedEffect]) -> String {
    let sent: Vec<Value> = effects.iter().map(ResolvedEffect::hashed).collect();
    sha256(json!([content, values, sent]).to_string().as_bytes())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold("sha256:".to_owned(), |mut hex, byte| {
        // Writing to a String can't fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
