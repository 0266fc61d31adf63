//! How many must approve a level, and who fills which place: a matching of those who approved to the places of the quorum.

use crate::recipient::Approver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How many must approve a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Quorum {
    /// So many of all whom it asks.
    Count(u32),
    /// So many of each of these entries.
    ByEntry(BTreeMap<Approver, u32>),
}

impl Quorum {
    /// How many places it has.
    pub fn places(&self) -> u32 {
        match self {
            Self::Count(count) => *count,
            Self::ByEntry(entries) => entries.values().fold(0, |sum, count| sum.saturating_add(*count)),
        }
    }
}

/// In what a person decides: for themselves, or for another, and which entries of the level they fit so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// The address of the person whom they stand in for; none for themselves.
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<String>,
    /// The entries.
    pub entries: Vec<Approver>,
}

/// An approval of a level, as the matching looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Ballot<'a> {
    /// The address of the person who approved.
    pub by: &'a str,
    /// In what they did. None for one of an earlier version, which fits any place.
    pub capacities: &'a [Capacity],
}

/// The place that an approval fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// For whom; none for themselves.
    pub stands_for: Option<String>,
    /// Which entry of the quorum; none where it counts all alike.
    pub entry: Option<Approver>,
}

/// How far a quorum is filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filling {
    /// How many places are filled.
    pub filled: u32,
    /// The place of each approval, in their order; none for one that fills no place.
    pub places: Vec<Option<Place>>,
    /// How many are missing of each entry; one line without an entry for a quorum that counts all alike.
    pub missing: Vec<(Option<Approver>, u32)>,
}

impl Filling {
    /// Whether every place is filled.
    pub fn is_full(&self) -> bool {
        self.missing.iter().all(|(_, missing)| *missing == 0)
    }
}

/// How many ways of sharing out contested places are tried; see [`fill`].
const MAX_SHARINGS: usize = 4_096;

/// Fills the places of a quorum by those who approved, so that as many as possible are filled: whoever fits several places
/// takes the one that nobody else can.
///
/// Each person fills one place. A person who is away and whoever stands in for them share one.
///
/// It is the greatest flow from the approvals over the persons for whom they were made to the entries. Where two approvals
/// for one person fit different entries, since that person's roles changed in between, a flow can't tell whose entries
/// count: then each way of giving the person to one of the two is tried.
pub fn fill(quorum: &Quorum, ballots: &[Ballot<'_>]) -> Filling {
    let options = options(quorum, ballots);
    let contested = contested(&options);
    let sharings = contested.iter().try_fold(1_usize, |product, (_, ballots)| {
        product.checked_mul(ballots.len()).filter(|product| *product <= MAX_SHARINGS)
    });
    let mut best: Option<Flow> = None;
    for sharing in 0..sharings.unwrap_or(1) {
        let mut rest = sharing;
        let mut allowed = options.clone();
        for (person, ballots) in contested.iter().filter(|_| sharings.is_some()) {
            let user = ballots[rest % ballots.len()];
            rest /= ballots.len();
            for (ballot, options) in allowed.iter_mut().enumerate() {
                options.retain(|option| option.person != *person || ballot == user);
            }
        }
        let flow = Flow::greatest(quorum, &allowed);
        if best.as_ref().is_none_or(|best| flow.filled > best.filled) {
            best = Some(flow);
        }
    }
    best.unwrap_or_else(|| Flow::greatest(quorum, &options)).filling(quorum, ballots)
}

/// One way in which an approval may count.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    /// The person who is counted.
    person: String,
    /// The places that it may fill, by their numbers among the entries of the quorum.
    entries: BTreeSet<usize>,
}

fn options(quorum: &Quorum, ballots: &[Ballot<'_>]) -> Vec<Vec<Choice>> {
    let numbers = |entries: &[Approver]| -> BTreeSet<usize> {
        match quorum {
            Quorum::Count(_) => BTreeSet::from([0]),
            Quorum::ByEntry(places) => {
                let fits = places.keys().enumerate().filter(|(_, entry)| entries.contains(entry));
                fits.map(|(n, _)| n).collect()
            }
        }
    };
    let all: BTreeSet<usize> = match quorum {
        Quorum::Count(_) => BTreeSet::from([0]),
        Quorum::ByEntry(places) => (0..places.len()).collect(),
    };
    let of_ballot = |ballot: &Ballot<'_>| {
        if ballot.capacities.is_empty() {
            return vec![Choice { person: ballot.by.to_owned(), entries: all.clone() }];
        }
        let of_capacity = |capacity: &Capacity| Choice {
            person: capacity.stands_for.clone().unwrap_or_else(|| ballot.by.to_owned()),
            entries: numbers(&capacity.entries),
        };
        ballot.capacities.iter().map(of_capacity).collect()
    };
    ballots.iter().map(of_ballot).collect()
}

/// The persons for whom several approvals count that don't fit the same entries, with these approvals.
fn contested(options: &[Vec<Choice>]) -> Vec<(String, Vec<usize>)> {
    let mut users: BTreeMap<&str, Vec<(usize, &BTreeSet<usize>)>> = BTreeMap::new();
    for (ballot, choices) in options.iter().enumerate() {
        for choice in choices {
            users.entry(&choice.person).or_default().push((ballot, &choice.entries));
        }
    }
    let differ =
        |users: &Vec<(usize, &BTreeSet<usize>)>| users.iter().any(|(_, entries)| *entries != users[0].1);
    let contested = users.into_iter().filter(|(_, users)| differ(users));
    contested
        .map(|(person, users)| (person.to_owned(), users.into_iter().map(|(ballot, _)| ballot).collect()))
        .collect()
}

/// A flow of approvals to places, as assignments: ballot to person, and person to entry.
struct Flow {
    filled: u32,
    /// The person and the entry of each approval that fills a place.
    assigned: Vec<Option<(String, usize)>>,
}

/// A network of edges that carry whole numbers. The edge `n ^ 1` is the way back of the edge `n`.
#[derive(Default)]
struct Network {
    edges: Vec<(usize, u32)>,
    from: Vec<Vec<usize>>,
}

impl Network {
    fn node(&mut self) -> usize {
        self.from.push(Vec::new());
        self.from.len() - 1
    }

    fn edge(&mut self, from: usize, to: usize, capacity: u32) -> usize {
        self.from[from].push(self.edges.len());
        self.edges.push((to, capacity));
        self.from[to].push(self.edges.len());
        self.edges.push((from, 0));
        self.edges.len() - 2
    }

    /// Sends one more from a node to the sink, if there is a way.
    fn augment(&mut self, source: usize, sink: usize) -> bool {
        let mut came_by: Vec<Option<usize>> = vec![None; self.from.len()];
        let mut queue = std::collections::VecDeque::from([source]);
        while let Some(node) = queue.pop_front() {
            for edge in &self.from[node] {
                let (to, left) = self.edges[*edge];
                if left > 0 && to != source && came_by[to].is_none() {
                    came_by[to] = Some(*edge);
                    queue.push_back(to);
                }
            }
        }
        let mut node = sink;
        while node != source {
            let Some(edge) = came_by[node] else { return false };
            self.edges[edge].1 -= 1;
            self.edges[edge ^ 1].1 += 1;
            node = self.edges[edge ^ 1].0;
        }
        true
    }

    fn is_used(&self, edge: usize) -> bool {
        self.edges[edge ^ 1].1 > 0
    }
}

impl Flow {
    fn greatest(quorum: &Quorum, options: &[Vec<Choice>]) -> Self {
        let mut network = Network::default();
        let (source, sink) = (network.node(), network.node());
        let sizes: Vec<u32> = match quorum {
            Quorum::Count(count) => vec![*count],
            Quorum::ByEntry(entries) => entries.values().copied().collect(),
        };
        let entries: Vec<usize> = sizes
            .iter()
            .map(|size| {
                let node = network.node();
                network.edge(node, sink, *size);
                node
            })
            .collect();
        // A person has two nodes with one edge between them, so that they count once.
        let mut persons: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        let mut to_entries: Vec<(usize, &str, usize)> = Vec::new();
        let mut to_persons: Vec<Vec<(usize, &str)>> = Vec::new();
        for choices in options {
            let ballot = network.node();
            network.edge(source, ballot, 1);
            let mut used = Vec::new();
            for choice in choices {
                let (enter, _) = *persons.entry(&choice.person).or_insert_with(|| {
                    let (enter, leave) = (network.node(), network.node());
                    network.edge(enter, leave, 1);
                    for entry in options.iter().flatten().filter(|other| other.person == choice.person) {
                        for n in &entry.entries {
                            if !to_entries.iter().any(|(_, p, e)| *p == choice.person && e == n) {
                                to_entries.push((network.edge(leave, entries[*n], 1), &choice.person, *n));
                            }
                        }
                    }
                    (enter, leave)
                });
                used.push((network.edge(ballot, enter, 1), choice.person.as_str()));
            }
            to_persons.push(used);
        }
        let mut filled = 0;
        while network.augment(source, sink) {
            filled += 1;
        }
        let assigned = to_persons.iter().map(|used| {
            let (_, person) = used.iter().find(|(edge, _)| network.is_used(*edge))?;
            let is_theirs = |(edge, of, _): &&(usize, &str, usize)| of == person && network.is_used(*edge);
            let (_, _, entry) = to_entries.iter().find(is_theirs)?;
            Some(((*person).to_owned(), *entry))
        });
        Self { filled, assigned: assigned.collect() }
    }

    fn filling(self, quorum: &Quorum, ballots: &[Ballot<'_>]) -> Filling {
        let entry = |n: usize| match quorum {
            Quorum::Count(_) => None,
            Quorum::ByEntry(entries) => entries.keys().nth(n).cloned(),
        };
        let mut missing: Vec<(Option<Approver>, u32)> = match quorum {
            Quorum::Count(count) => vec![(None, *count)],
            Quorum::ByEntry(entries) => {
                entries.iter().map(|(entry, count)| (Some(entry.clone()), *count)).collect()
            }
        };
        let mut places = Vec::new();
        for (ballot, assigned) in ballots.iter().zip(self.assigned) {
            places.push(assigned.map(|(person, n)| {
                missing[n].1 -= 1;
                Place { stands_for: (person != ballot.by).then_some(person), entry: entry(n) }
            }));
        }
        Filling { filled: self.filled, places, missing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> Approver {
        text.parse().unwrap()
    }

    fn capacity(stands_for: Option<&str>, entries: &[&str]) -> Capacity {
        Capacity {
            stands_for: stands_for.map(str::to_owned),
            entries: entries.iter().map(|e| entry(e)).collect(),
        }
    }

    fn filled(quorum: &Quorum, approvals: &[(&str, Vec<Capacity>)]) -> u32 {
        let ballots: Vec<Ballot<'_>> =
            approvals.iter().map(|(by, capacities)| Ballot { by, capacities }).collect();
        let filling = fill(quorum, &ballots);
        assert_eq!(filling.places.iter().flatten().count(), filling.filled as usize);
        let missing: u32 = filling.missing.iter().map(|(_, n)| n).sum();
        assert_eq!(filling.filled + missing, quorum.places());
        filling.filled
    }

    #[test]
    fn whoever_fits_several_places_takes_the_one_that_nobody_else_can() {
        let quorum = Quorum::ByEntry([(entry("role:finance"), 1), (entry("role:legal"), 1)].into());
        let both = capacity(None, &["role:finance", "role:legal"]);
        let finance = capacity(None, &["role:finance"]);
        let legal = capacity(None, &["role:legal"]);
        assert_eq!(filled(&quorum, &[("bo", vec![both.clone()])]), 1);
        assert_eq!(filled(&quorum, &[("bo", vec![both.clone()]), ("cy", vec![finance.clone()])]), 2);
        assert_eq!(filled(&quorum, &[("bo", vec![both.clone()]), ("cy", vec![legal.clone()])]), 2);
        assert_eq!(filled(&quorum, &[("bo", vec![finance.clone()]), ("cy", vec![finance])]), 1);
    }

    #[test]
    fn a_person_and_whoever_stands_in_for_them_share_a_place_and_one_for_two_fills_one() {
        let two = Quorum::Count(2);
        let own = |_: &str| capacity(None, &["role:finance"]);
        let for_eva = capacity(Some("eva"), &["role:finance"]);
        let for_ina = capacity(Some("ina"), &["role:finance"]);
        assert_eq!(filled(&two, &[("eva", vec![own("eva")]), ("dee", vec![for_eva.clone()])]), 1);
        assert_eq!(filled(&two, &[("dee", vec![for_eva.clone(), for_ina.clone()])]), 1);
        // Dee fits as herself too: then Eva's place is Eva's.
        assert_eq!(filled(&two, &[("eva", vec![own("eva")]), ("dee", vec![own("dee"), for_eva])]), 2);
        assert_eq!(filled(&two, &[("a", Vec::new()), ("b", Vec::new())]), 2);
        assert_eq!(filled(&Quorum::Count(1), &[("a", vec![for_ina]), ("b", Vec::new())]), 1);
    }

    #[test]
    fn where_two_approvals_for_one_person_fit_other_entries_each_keeps_its_own() {
        let quorum = Quorum::ByEntry([(entry("role:finance"), 1), (entry("role:legal"), 1)].into());
        // Eva approved as legal; then she was given finance instead, and Dee approved for her.
        let eva = vec![capacity(None, &["role:legal"])];
        let dee = vec![capacity(Some("eva"), &["role:finance"])];
        assert_eq!(filled(&quorum, &[("eva", eva.clone()), ("dee", dee.clone())]), 1);
        let bo = vec![capacity(None, &["role:legal"])];
        assert_eq!(filled(&quorum, &[("eva", eva), ("dee", dee), ("bo", bo)]), 2);
    }
}
