//! What is noted of the way ahead, on a copy of a run that looks along it.

use super::{
    address::{StepAddress, Within, lanes},
    limits::MAX_WORK,
};
use crate::{
    approval::seen::{RULE_VERSION, ResolvedEffect, WAY, WORKFLOW_REVISION},
    ids::StepId,
    workflow::{scope::Watch, template::work_done},
};
use serde_json::Value;
use std::collections::BTreeSet;

/// How many bytes of resolved requests are kept with a request for a decision. Of what is beyond, the digest is kept.
pub(super) const MAX_KEPT_BYTES: usize = 64 * 1024;
/// How many sentences a side of the card holds.
pub(super) const MAX_SENTENCES: usize = 8;
/// How many effects are looked at.
const MAX_EFFECTS: usize = 10_000;
/// How many of them are kept as they are sent; of the others, the digests are.
const MAX_KEPT: usize = 100;
/// How much work templates and conditions may do on the way.
const MAX_WORK_AHEAD: u64 = MAX_WORK / 4;

/// What is noted of the way ahead.
pub(super) struct WayAhead {
    /// What isn't known yet, and whether it was read.
    pub(super) watch: Watch,
    /// Whether something was passed that takes time: what comes after it isn't sure to wait for what comes before it.
    pub(super) has_waited: bool,
    /// What the request is about.
    pub(super) subject: Option<String>,
    /// How many lanes the request stands in.
    pub(super) depth: usize,
    entered: BTreeSet<(StepId, Vec<Within>)>,
    effects: Vec<ResolvedEffect>,
    sentences: Vec<String>,
    room: usize,
    work_before: u64,
}

impl WayAhead {
    /// Nothing yet, for the request of a place; `work_before` is the work that templates had done before.
    pub(super) fn new(watch: Watch, asked: &StepAddress, subject: Option<&str>, work_before: u64) -> Self {
        Self {
            watch,
            has_waited: false,
            subject: subject.map(str::to_owned),
            depth: asked.within.len(),
            entered: BTreeSet::new(),
            effects: Vec::new(),
            sentences: Vec::new(),
            room: MAX_KEPT_BYTES,
            work_before,
        }
    }

    /// Whether it goes no further.
    pub(super) fn is_full(&self) -> bool {
        self.effects.len() >= MAX_EFFECTS || work_done() - self.work_before > MAX_WORK_AHEAD
    }

    /// Whether a step of a lane is entered for the first time.
    pub(super) fn enters(&mut self, place: &StepAddress) -> bool {
        self.entered.insert((place.step.clone(), place.within.clone()))
    }

    /// Notes what would be sent at a place, or which way is taken.
    pub(super) fn note(
        &mut self,
        place: &StepAddress,
        index: u32,
        kind: &str,
        request: Value,
        filled_in: Vec<String>,
    ) {
        let (mut none, mut all) = (0, usize::MAX);
        let room = match kind {
            // Small, and needed when the run gets there.
            RULE_VERSION | WORKFLOW_REVISION | WAY => &mut all,
            _ if self.effects.len() >= MAX_KEPT => &mut none,
            _ => &mut self.room,
        };
        let effect = ResolvedEffect::new(&place.step, index, kind, request, room);
        let below = place.within.get(self.depth..).unwrap_or_default();
        self.effects.push(ResolvedEffect { lanes: lanes(below), filled_in, ..effect });
    }

    /// Says what follows.
    pub(super) fn say(&mut self, sentence: String) {
        if self.sentences.len() <= MAX_SENTENCES {
            self.sentences.push(sentence);
        }
    }

    /// What was seen: the effects, the sentences for the card, and whether more follows than was looked at.
    pub(super) fn seen(self) -> (Vec<ResolvedEffect>, Vec<String>, bool) {
        let is_cut = self.is_full();
        let mut sentences = self.sentences;
        if sentences.len() > MAX_SENTENCES {
            sentences.truncate(MAX_SENTENCES);
            sentences.push("More follows.".to_owned());
        }
        if is_cut {
            sentences.push("So much follows that the rest is asked again when it is due.".to_owned());
        }
        if sentences.is_empty() {
            sentences.push("Nothing more happens.".to_owned());
        }
        (self.effects, sentences, is_cut)
    }
}
