//! What is noted of the way ahead, on a copy of a run that looks along it.

use super::{
    address::{StepAddress, Within, lanes},
    limits::MAX_WORK,
};
use crate::{
    approval::seen::{CALLED_BELOW, RULE_VERSION, ResolvedEffect, SET, WAY, WORKFLOW_REVISION},
    ids::StepId,
    workflow::{scope::Watch, template::work_done},
};
use serde_json::Value;
use std::collections::BTreeSet;

/// How many bytes of resolved requests are kept with a request for a decision. Of what is beyond, the digest is kept.
pub(super) const MAX_KEPT_BYTES: usize = 64 * 1024;
/// How many sentences a side of the card holds.
pub(super) const MAX_SENTENCES: usize = 8;
/// How many effects are looked at for a request.
const MAX_EFFECTS: usize = 10_000;
/// How many effects the open and approved requests of a run keep in all.
const MAX_EFFECTS_OF_RUN: usize = 4 * MAX_EFFECTS;
/// How many of them are kept as they are sent; of the others, the digests are.
const MAX_KEPT: usize = 100;
/// How much work templates and conditions may do on one way.
const MAX_WORK_OF_LOOK: u64 = MAX_WORK / 4;

/// How far a look goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    effects: usize,
    work: u64,
}

impl Reach {
    /// The reach of one look among those of a run: `kept` effects are kept with its requests already, and looks of the same
    /// transition did `work` already.
    pub(super) fn among(kept: usize, work: u64) -> Self {
        Self {
            effects: MAX_EFFECTS.min(MAX_EFFECTS_OF_RUN.saturating_sub(kept)),
            work: MAX_WORK_OF_LOOK.min(MAX_WORK.saturating_sub(work)),
        }
    }

    /// The reach of a look by itself.
    pub(super) fn alone() -> Self {
        Self::among(0, 0)
    }
}

/// What something comes to on the way ahead.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// What would be sent, or which way is taken.
    pub(super) request: Value,
    /// The places of it that are filled in at the time, as JSON pointers.
    pub(super) filled_in: Vec<String>,
    /// The paths of the context at which it met placeholders.
    pub(super) placeholders: Vec<String>,
}

impl From<Value> for Resolved {
    fn from(request: Value) -> Self {
        Self { request, ..Self::default() }
    }
}

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
    reach: Reach,
    work_before: u64,
}

impl WayAhead {
    /// Nothing yet, for the request of a place; `work_before` is the work that templates had done before.
    pub(super) fn new(
        watch: Watch,
        asked: &StepAddress,
        subject: Option<&str>,
        reach: Reach,
        work_before: u64,
    ) -> Self {
        Self {
            watch,
            has_waited: false,
            subject: subject.map(str::to_owned),
            depth: asked.within.len(),
            entered: BTreeSet::new(),
            effects: Vec::new(),
            sentences: Vec::new(),
            room: MAX_KEPT_BYTES,
            reach,
            work_before,
        }
    }

    /// Whether it goes no further.
    pub(super) fn is_full(&self) -> bool {
        self.effects.len() >= self.reach.effects || work_done() - self.work_before > self.reach.work
    }

    /// Whether a step of a lane is entered for the first time.
    pub(super) fn enters(&mut self, place: &StepAddress) -> bool {
        self.entered.insert((place.step.clone(), place.within.clone()))
    }

    /// Whether something is kept whole if it is noted now.
    pub(super) fn has_room_for(&self, request: &Value) -> bool {
        request.to_string().len() <= self.room
    }

    /// Notes what would be sent at a place, or which way is taken.
    pub(super) fn note(&mut self, place: &StepAddress, index: u32, kind: &str, resolved: Resolved) {
        let Resolved { request, filled_in, placeholders } = resolved;
        let (mut none, mut all) = (0, usize::MAX);
        let room = match kind {
            // Small, and needed when the run gets there.
            RULE_VERSION | WORKFLOW_REVISION | CALLED_BELOW | WAY => &mut all,
            SET => &mut self.room,
            _ if self.effects.len() >= MAX_KEPT => &mut none,
            _ => &mut self.room,
        };
        let effect = ResolvedEffect::new(&place.step, index, kind, request, room);
        let below = place.within.get(self.depth..).unwrap_or_default();
        self.effects.push(ResolvedEffect { lanes: lanes(below), filled_in, placeholders, ..effect });
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
