//! Notes whether templates and conditions read what isn't known yet.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU8, Ordering},
};

/// Paths that aren't known yet, and what was read since it was last asked.
#[derive(Debug, Default)]
pub struct Watch {
    /// What reading each of them comes to: [`UNKNOWN`] or [`PLACEHOLDER`].
    open: BTreeMap<Vec<String>, u8>,
    read: AtomicU8,
}

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WhatWasRead(u8);

const UNKNOWN: u8 = 1;
const TIME: u8 = 2;
const SECRET: u8 = 4;
const DECISION: u8 = 8;
const PLACEHOLDER: u8 = 16;

/// What of an approval isn't known before it is given.
const OF_DECISION: [&str; 5] = ["by", "comment", "at", "step", "decisions"];

impl WhatWasRead {
    /// Whether something that isn't known yet was read.
    pub fn unknown(self) -> bool {
        self.0 & UNKNOWN != 0
    }

    /// Whether something is filled in at the time: what a decision brings, the time, a secret, or a value made of these.
    pub fn at_the_time(self) -> bool {
        self.0 & (TIME | SECRET | DECISION | PLACEHOLDER) != 0
    }

    /// Whether a placeholder was read that stands for a value which is made at the time.
    pub fn placeholder(self) -> bool {
        self.0 & PLACEHOLDER != 0
    }

    /// Whether something was read that isn't fixed before a decision is made: an answer, what the decision brings, or the time.
    pub fn is_open(self) -> bool {
        self.0 & (UNKNOWN | TIME | DECISION | PLACEHOLDER) != 0
    }
}

impl Watch {
    /// From now on, what stands at a path isn't known.
    pub fn forget(&mut self, path: &[&str]) {
        self.open.insert(owned(path), UNKNOWN);
    }

    /// From now on, a placeholder stands at a path for a value that is made at the time.
    pub fn hold_place(&mut self, path: &[&str]) {
        self.open.entry(owned(path)).or_insert(PLACEHOLDER);
    }

    /// The paths at which placeholders stand.
    pub fn placeholders(&self) -> impl Iterator<Item = &[String]> {
        self.open.iter().filter(|(_, what)| **what == PLACEHOLDER).map(|(path, _)| path.as_slice())
    }

    /// From now on, what stands at a path is known, with all that is below it.
    pub fn learn(&mut self, path: &[&str]) {
        self.open.retain(|open, _| !starts_with(open, path));
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
            path => {
                let met = self.open.iter().filter(|(open, _)| overlap(open, path));
                met.fold(0, |read, (_, what)| read | what)
            }
        };
        self.read.fetch_or(read, Ordering::Relaxed);
    }
}

fn owned(path: &[&str]) -> Vec<String> {
    path.iter().map(|&name| name.to_owned()).collect()
}

fn starts_with(path: &[String], start: &[&str]) -> bool {
    path.len() >= start.len() && path.iter().zip(start).all(|(a, b)| a == b)
}

/// Whether one path leads to, or through, what the other names.
fn overlap(open: &[String], path: &[&str]) -> bool {
    open.iter().zip(path).all(|(a, b)| a == b)
}
