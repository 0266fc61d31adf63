//! How far a run may go; past a limit it fails, with the step named.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::workflow::check::{MAX_ITEMS, MAX_NESTING};

/// How much work the templates and conditions of a run may do before it waits or ends; the units are those of a
/// template's own bound, of which this is twenty.
pub const MAX_WORK: u64 = 2_000_000;

/// The most events, times and people that a run may wait for at once.
pub const MAX_OPEN_WAITS: usize = 1_000;

/// The limits that whoever runs a server may set; kept with each run, so that a replay meets the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// The most steps that a run may enter.
    pub steps: u32,
    /// The most bytes, about, that its steps may put into the context.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 100_000, bytes: 8 * 1024 * 1024 }
    }
}

impl Limits {
    /// Whether nobody set others.
    pub fn are_usual(&self) -> bool {
        *self == Self::default()
    }
}
