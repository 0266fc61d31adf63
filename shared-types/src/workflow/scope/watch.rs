//! Notes whether templates and conditions read what isn't known yet.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU8, Ordering},
};

/// Paths that aren't known yet, and what was read since it was last asked.
#[derive(Debug, Default)]
pub struct Watch {
    unknown: BTreeSet<Vec<String>>,
    read: AtomicU8,
}

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WhatWasRead(u8);

const UNKNOWN: u8 = 1;
const TIME: u8 = 2;
const SECRET: u8 = 4;
const DECISION: u8 = 8;

/// What of an approval isn't known before it is given.
const OF_DECISION: [&str; 5] = ["by", "comment", "at", "step", "decisions"];

impl WhatWasRead {
    /// Whether something that isn't known yet was read.
    pub fn unknown(self) -> bool {
        self.0 & UNKNOWN != 0
    }

    /// Whether something is filled in at the time: what a decision brings, the time, or a secret.
    pub fn at_the_time(self) -> bool {
        self.0 & (TIME | SECRET | DECISION) != 0
    }

    /// Whether something was read that isn't fixed before a decision is made: an answer, what the decision brings, or the time.
    pub fn is_open(self) -> bool {
        self.0 & (UNKNOWN | TIME | DECISION) != 0
    }
}

impl Watch {
    /// From now on, what stands at a path isn't known.
    pub fn forget(&mut self, path: &[&str]) {
        self.unknown.insert(path.iter().map(|&name| name.to_owned()).collect());
    }

    /// From now on, what stands at a path is known, with all that is below it.
    pub fn learn(&mut self, path: &[&str]) {
        self.unknown.retain(|unknown| !starts_with(unknown, path));
    }

    /// What was read since this was last asked.
    pub fn take(&self) -> WhatWasRead {
        WhatWasRead(self.read.swap(0, Ordering::Relaxed))
    }

    /// Notes that a path was read.
    pub(super) fn note(&self, path: &[&str]) {
        let brings = |name: &str| OF_DECISION.contains(&name);
        if matches!(path, ["approval"]) || matches!(path, ["approval", name, ..] if brings(name)) {
            self.read.fetch_or(DECISION, Ordering::Relaxed);
        }
        let read = match path {
            ["secrets", ..] => SECRET,
            [name, ..] if name.starts_with("now") => TIME,
            path if self.unknown.iter().any(|unknown| overlap(unknown, path)) => UNKNOWN,
            _ => return,
        };
        self.read.fetch_or(read, Ordering::Relaxed);
    }
}

fn starts_with(path: &[String], start: &[&str]) -> bool {
    path.len() >= start.len() && path.iter().zip(start).all(|(a, b)| a == b)
}

/// Whether one path leads to, or through, what the other names.
fn overlap(unknown: &[String], path: &[&str]) -> bool {
    unknown.iter().zip(path).all(|(a, b)| a == b)
}
