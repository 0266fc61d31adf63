//! A second reading of who may decide and what comes of it, deliberately naive: it follows the language's words one by one,
//! and where places are filled it tries every assignment. It shares no code with the policy.

use std::collections::{BTreeMap, BTreeSet};

/// A person: roles, whether they may decide at all, and whom they named for their absence.
#[derive(Debug, Clone)]
pub(crate) struct Someone {
    pub(crate) roles: BTreeSet<String>,
    pub(crate) active: bool,
    pub(crate) base: bool,
    pub(crate) presence: Presence,
}

/// Whether somebody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Here,
    /// Away, with whom they named.
    Away(Option<usize>),
}

/// For whom an approval could count, with the entries that fit.
type Counts = Vec<(usize, BTreeSet<String>)>;

/// Those who approved, each with for whom it could count.
type Approvals = Vec<(usize, Counts)>;

/// How many of a level's entries must approve.
#[derive(Debug, Clone)]
pub(crate) enum Needs {
    Any(u32),
    Each(BTreeMap<String, u32>),
}

#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) entries: Vec<String>,
    pub(crate) needs: Needs,
    pub(crate) rejections: u32,
    pub(crate) made: Vec<Made>,
    /// Who handed the places of whom to whom.
    pub(crate) handed: Vec<(usize, usize, Vec<usize>)>,
}

/// A decision: by whom, in favour or not, and for whom with which entries it could count when it was made.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) by: usize,
    pub(crate) favours: bool,
    pub(crate) counts: Counts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Open,
    Approved,
    Rejected,
    ChangesRequested,
}

#[derive(Debug, Clone)]
pub(crate) struct Naive {
    pub(crate) people: Vec<Someone>,
    pub(crate) stages: Vec<Stage>,
    pub(crate) open: usize,
    pub(crate) bars_requester: bool,
    pub(crate) bars_previous: bool,
    pub(crate) veto: Vec<String>,
    pub(crate) requester: Option<usize>,
    pub(crate) outcome: Outcome,
}

pub(crate) fn address(person: usize) -> String {
    format!("p{person}@example.com")
}

impl Naive {
    fn names(&self, entry: &str, person: usize) -> bool {
        match entry.strip_prefix("role:") {
            Some(role) => self.people[person].roles.contains(role),
            None => entry == format!("user:{}", address(person)),
        }
    }

    fn able(&self, person: usize) -> bool {
        self.people[person].active && self.people[person].base
    }

    /// Everybody along the chain of delegates.
    fn chain(&self, person: usize) -> Vec<usize> {
        let mut chain = Vec::new();
        let mut at = person;
        while let Presence::Away(Some(next)) = self.people[at].presence {
            if next == person || chain.contains(&next) {
                return chain;
            }
            chain.push(next);
            at = next;
        }
        chain
    }

    fn stand_in(&self, person: usize) -> Option<usize> {
        let last = *self.chain(person).last()?;
        (self.people[last].active && self.people[last].presence == Presence::Here).then_some(last)
    }

    fn barred_themselves(&self, person: usize) -> bool {
        let asked = self.bars_requester && self.requester == Some(person);
        let before =
            self.stages[..self.open].iter().any(|stage| stage.made.iter().any(|made| made.by == person));
        asked || (self.bars_previous && before)
    }

    fn barred(&self, person: usize) -> bool {
        let stands_in_for_barred = (0..self.people.len())
            .any(|other| self.barred_themselves(other) && self.chain(other).contains(&person));
        self.barred_themselves(person) || stands_in_for_barred
    }

    /// Whether a person has the place of another.
    fn holds(&self, stage: &Stage, person: usize, of: usize) -> bool {
        let mut holders = vec![of];
        holders.extend(self.stand_in(of));
        for (from, to, places) in &stage.handed {
            if places.contains(&of)
                && let Some(at) = holders.iter().position(|holder| holder == from)
            {
                holders[at] = *to;
                holders.extend(self.stand_in(*to));
            }
        }
        holders.contains(&person)
    }

    /// For whom a person can decide, with the entries that fit.
    pub(crate) fn counts(&self, stage: &Stage, person: usize) -> Counts {
        (0..self.people.len())
            .filter(|of| *of == person || (self.able(*of) && !self.barred_themselves(*of)))
            .filter(|of| self.holds(stage, person, *of))
            .map(|of| (of, stage.entries.iter().filter(|entry| self.names(entry, of)).cloned().collect()))
            .filter(|(_, entries): &(usize, BTreeSet<String>)| !entries.is_empty())
            .collect()
    }

    fn has_decided(&self, person: usize) -> bool {
        self.stages[self.open].made.iter().any(|made| made.by == person)
    }

    pub(crate) fn can_decide(&self, person: usize) -> bool {
        self.outcome == Outcome::Open
            && !self.counts(&self.stages[self.open], person).is_empty()
            && !self.barred(person)
            && self.able(person)
            && !self.has_decided(person)
    }

    pub(crate) fn has_veto(&self, person: usize) -> bool {
        let named = |of: usize| self.veto.iter().any(|entry| self.names(entry, of));
        let for_another = (0..self.people.len()).any(|of| {
            named(of) && self.able(of) && !self.barred_themselves(of) && self.stand_in(of) == Some(person)
        });
        self.outcome == Outcome::Open
            && (named(person) || for_another)
            && !self.barred(person)
            && self.able(person)
            && !self.has_decided(person)
    }

    /// The most places that these approvals fill: every assignment is tried.
    fn most(needs: &Needs, approvals: &[(usize, Counts)]) -> u32 {
        let left: BTreeMap<String, u32> = match needs {
            Needs::Any(count) => BTreeMap::from([(String::new(), *count)]),
            Needs::Each(places) => places.clone(),
        };
        try_all(needs, &left, &BTreeSet::new(), approvals)
    }

    fn size(needs: &Needs) -> u32 {
        match needs {
            Needs::Any(count) => *count,
            Needs::Each(places) => places.values().sum(),
        }
    }

    fn approvals(stage: &Stage) -> Approvals {
        stage.made.iter().filter(|made| made.favours).map(|made| (made.by, made.counts.clone())).collect()
    }

    /// How many approvals are missing at the open level.
    pub(crate) fn missing(&self) -> u32 {
        let stage = &self.stages[self.open];
        Self::size(&stage.needs) - Self::most(&stage.needs, &Self::approvals(stage))
    }

    pub(crate) fn is_here(&self, person: usize) -> bool {
        self.people[person].presence == Presence::Here
    }

    /// Whether an approval of this person would fill one more place of the open level.
    pub(crate) fn would_help(&self, person: usize) -> bool {
        let stage = &self.stages[self.open];
        let before = Self::approvals(stage);
        let mut after = before.clone();
        after.push((person, self.counts(stage, person)));
        Self::most(&stage.needs, &after) > Self::most(&stage.needs, &before)
    }

    fn can_be_filled(&self, also_away: bool) -> bool {
        let stage = &self.stages[self.open];
        let mut all = Self::approvals(stage);
        for person in 0..self.people.len() {
            if !self.able(person) || self.barred(person) || self.has_decided(person) {
                continue;
            }
            if !self.is_here(person) && !also_away {
                continue;
            }
            all.push((person, self.counts(stage, person)));
        }
        Self::most(&stage.needs, &all) == Self::size(&stage.needs)
    }

    pub(crate) fn is_stuck(&self) -> bool {
        self.outcome == Outcome::Open && !self.can_be_filled(false)
    }

    /// Applies a decision; false if it isn't taken.
    pub(crate) fn decide(&mut self, by: usize, verb: Verb) -> bool {
        let vetoes = verb == Verb::Reject && self.has_veto(by);
        if verb == Verb::Retract {
            if self.outcome != Outcome::Open || !self.has_decided(by) {
                return false;
            }
            self.stages[self.open].made.retain(|made| made.by != by);
            return true;
        }
        if !self.can_decide(by) && !vetoes {
            return false;
        }
        let counts = self.counts(&self.stages[self.open], by);
        let favours = verb == Verb::Approve;
        self.stages[self.open].made.push(Made { by, favours, counts });
        match verb {
            Verb::Approve if self.missing() == 0 && self.open + 1 == self.stages.len() => {
                self.outcome = Outcome::Approved;
            }
            Verb::Approve if self.missing() == 0 => self.open += 1,
            Verb::Approve | Verb::Retract => {}
            Verb::RequestChanges => self.outcome = Outcome::ChangesRequested,
            Verb::Reject => {
                let stage = &self.stages[self.open];
                let rejected = stage.made.iter().filter(|made| !made.favours).count();
                if vetoes || rejected >= stage.rejections as usize || !self.can_be_filled(true) {
                    self.outcome = Outcome::Rejected;
                }
            }
        }
        true
    }

    /// Hands the places of a person to another; false if that isn't taken.
    pub(crate) fn hand_over(&mut self, from: usize, to: usize) -> bool {
        let is_taken =
            self.can_decide(from) && from != to && self.able(to) && !self.barred(to) && !self.has_decided(to);
        if is_taken {
            let places = self.counts(&self.stages[self.open], from).into_iter().map(|(of, _)| of).collect();
            let open = self.open;
            self.stages[open].handed.push((from, to, places));
        }
        is_taken
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Approve,
    Reject,
    RequestChanges,
    Retract,
}

/// Tries every way of giving places to approvals, and counts the most that are filled.
fn try_all(
    needs: &Needs,
    left: &BTreeMap<String, u32>,
    used: &BTreeSet<usize>,
    approvals: &[(usize, Counts)],
) -> u32 {
    let Some(((_, counts), rest)) = approvals.split_first() else { return 0 };
    let mut best = try_all(needs, left, used, rest);
    for (of, entries) in counts.iter().filter(|(of, _)| !used.contains(of)) {
        let places: Vec<String> = match needs {
            Needs::Any(_) => vec![String::new()],
            Needs::Each(_) => entries.iter().cloned().collect(),
        };
        for place in places.iter().filter(|place| left.get(*place).is_some_and(|left| *left > 0)) {
            let mut left = left.clone();
            *left.get_mut(place).unwrap() -= 1;
            let mut used = used.clone();
            used.insert(*of);
            best = best.max(1 + try_all(needs, &left, &used, rest));
        }
    }
    best
}
