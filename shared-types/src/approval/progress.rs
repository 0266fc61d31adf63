//! What became of a request since it was asked: kept beside it, and rewritten when it changes.

use super::{decision::LevelProgress, seen::ResolvedEffect};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What became of a request so far, apart from its decisions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RequestProgress {
    /// Which level is open, from 0.
    #[serde(default)]
    pub open: usize,
    /// What became of each level.
    #[serde(default)]
    pub levels: Vec<LevelProgress>,
    /// What the form's fields hold.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
    /// Why the open level can't be filled, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<String>,
    /// What follows, where edits changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Box<ResolvedAnew>>,
}

impl RequestProgress {
    /// When the open level expires.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.levels.get(self.open).and_then(|level| level.expires_at)
    }
}

/// What follows a decision, resolved anew with edits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolvedAnew {
    /// What follows an approval, in words.
    pub if_approved: Vec<String>,
    /// What follows a rejection, in words.
    pub if_rejected: Vec<String>,
    /// What an approval sends.
    pub effects: Vec<ResolvedEffect>,
}
