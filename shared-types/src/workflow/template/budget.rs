//! What evaluating one template may cost, and how it fails. Every operation asks before it multiplies.

use super::limits::{MAX_BYTES, MAX_TEXT, MAX_WORK};
use crate::workflow::{bounds::MAX_DEPTH, number::Overflow};
use std::cell::Cell;

thread_local! {
    /// How much work evaluations did on this thread, in all.
    static DONE: Cell<u64> = const { Cell::new(0) };
}

/// How much work evaluations did on this thread so far: the difference of two readings bounds what lies between.
pub fn work_done() -> u64 {
    DONE.get()
}

/// Counts work that was done beside templates, such as compiling a regular expression or entering a step.
pub(crate) fn count_work(units: u64) {
    DONE.set(DONE.get().saturating_add(units));
}

impl Drop for Budget {
    fn drop(&mut self) {
        count_work(MAX_WORK - self.work);
    }
}

/// What is left for one evaluation.
#[derive(Debug)]
pub(super) struct Budget {
    work: u64,
    bytes: u64,
}

/// Why an evaluation fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fail {
    pub(super) code: FailCode,
    pub(super) why: String,
}

/// The kind of a failure, with its stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailCode {
    /// It takes too much work or memory.
    Limit,
    /// A value is of another kind than the operation takes.
    Type,
    /// A number with over 38 digits, or a division by zero.
    Overflow,
    /// Lists and maps are too deep in each other.
    TooDeep,
    /// A text holds the character U+0000, which no store keeps.
    Unstorable,
    /// A part of an address can't stand there.
    Address,
    /// A value isn't there that is needed.
    Missing,
    /// Anything else.
    Failed,
}

impl FailCode {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Limit => "template.limit",
            Self::Type => "template.type",
            Self::Overflow => "template.overflow",
            Self::TooDeep => "value.too_deep",
            Self::Unstorable => "value.unstorable",
            Self::Address => "template.url",
            Self::Missing => "template.missing",
            Self::Failed => "template.failed",
        }
    }
}

impl Fail {
    pub(super) fn type_of(why: impl Into<String>) -> Self {
        Self { code: FailCode::Type, why: why.into() }
    }

    /// A value isn't there that is needed.
    pub(super) fn missing(why: &str) -> Self {
        Self { code: FailCode::Missing, why: why.to_owned() }
    }

    /// The value that comes out nests too deep.
    pub(super) fn too_deep() -> Self {
        Self { code: FailCode::TooDeep, why: format!("its value nests more than {MAX_DEPTH} deep") }
    }

    /// A text that comes out can't be stored.
    pub(super) fn unstorable() -> Self {
        let why = "it gives a text with the character U+0000, which can't be stored".to_owned();
        Self { code: FailCode::Unstorable, why }
    }

    /// The text that comes out is too long.
    pub(super) fn too_long() -> Self {
        limit(&format!("its text is longer than {} MB", MAX_TEXT >> 20))
    }

    pub(super) fn failed(why: impl Into<String>) -> Self {
        Self { code: FailCode::Failed, why: why.into() }
    }
}

impl From<Overflow> for Fail {
    fn from(overflow: Overflow) -> Self {
        let why = match overflow {
            Overflow::TooLarge => "a number in it has more than 38 digits",
            Overflow::ZeroDivisor => "it divides by zero",
        };
        Self { code: FailCode::Overflow, why: why.to_owned() }
    }
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { work: MAX_WORK, bytes: MAX_BYTES }
    }

    /// Takes so many units of work: about as many operations, or items that are looked at.
    pub(super) fn work(&mut self, units: usize) -> Result<(), Fail> {
        match self.work.checked_sub(units as u64) {
            Some(rest) => self.work = rest,
            None => return Err(limit("it takes more work than a template may")),
        }
        Ok(())
    }

    /// Takes so many bytes of memory, and the work of writing them.
    pub(super) fn hold(&mut self, bytes: u64) -> Result<(), Fail> {
        match self.bytes.checked_sub(bytes) {
            Some(rest) => self.bytes = rest,
            None => return Err(too_large()),
        }
        self.work(usize::try_from(bytes / 256).unwrap_or(usize::MAX))
    }

    /// Holds a value against what one may come to.
    pub(super) fn fits(bytes: u64) -> Result<(), Fail> {
        if bytes > MAX_BYTES { Err(too_large()) } else { Ok(()) }
    }

    /// Holds lists and maps in each other against how deep they may be.
    pub(super) fn nests(depth: usize) -> Result<(), Fail> {
        if depth <= MAX_DEPTH { Ok(()) } else { Err(Fail::too_deep()) }
    }
}

fn too_large() -> Fail {
    limit(&format!("it makes more than {} MB", MAX_BYTES >> 20))
}

fn limit(why: &str) -> Fail {
    Fail { code: FailCode::Limit, why: why.to_owned() }
}
