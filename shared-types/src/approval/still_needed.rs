//! Who is still needed at the open level of a request, in words.

use super::{
    decision::RequestLevel,
    people::{People, Person},
    policy::{CannotDecide, Policy, entries_of, third_person},
    quorum::{Capacity, Filling, Quorum},
    standing::{filling, filling_with},
};
use crate::{email, recipient::Approver, role::RoleNames};
use std::fmt::Write as _;

/// How many people a group of the sentence names.
const MAX_NAMES: usize = 8;

/// Who is still needed at the open level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// How many approvals are missing.
    pub missing: u32,
    /// Whether somebody has approved it.
    pub has_approvals: bool,
    /// Whom to ask.
    pub groups: Vec<Group>,
    /// Whether the groups are counted one by one; else the missing ones may come from any.
    pub is_by_entry: bool,
    /// Those whom an entry names and who can't decide: what they are called, and why, as a clause.
    pub barred: Vec<(String, String)>,
}

/// Those who fit one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The entry of the level's `approvers` or `escalate_to`.
    pub entry: Approver,
    /// How many are missing of it.
    pub missing: u32,
    /// Those who can decide now: what they are called, and for whom they stand in.
    pub who: Vec<String>,
    /// Those who may decide but are away, and for whom nobody who can decide stands in.
    pub away: Vec<Away>,
    /// What somebody is called whom the entry names; none where it names nobody who is known.
    pub known_as: Option<String>,
    /// Whether it is asked instead of the others: since the level was escalated, or because somebody who approved can fill
    /// the place of another entry then.
    pub is_instead: bool,
}

/// Somebody who may decide and is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// What they are called.
    pub name: String,
    /// The day until which they are away.
    pub until: String,
}

impl Policy<'_> {
    /// Who is still needed at the open level; none where no level is open.
    pub fn needed(&self, people: &People<'_>) -> Option<Needed> {
        let level = self.level()?;
        let filling = filling(level);
        let able = self.who_can_now(people);
        let missing: u32 = filling.missing.iter().map(|(_, missing)| missing).sum();
        let group = |entry: &Approver, missing: u32, is_instead: bool| {
            // Whoever is asked by the escalation fits every place; they are named as that.
            let fits = |person: &Person, capacity: &Capacity| {
                capacity.entries.contains(entry) && names(entry, people, person, capacity)
            };
            let who = able.iter().filter_map(|(person, capacities)| {
                let capacity = capacities.iter().find(|capacity| fits(person, capacity))?;
                Some(called(people, person, capacity))
            });
            let away = people.list.iter().filter_map(|person| {
                let capacities = || self.capacities(people, person, level);
                let fits_entry = || capacities().iter().any(|capacity| fits(person, capacity));
                let is_asked = !is_represented(&able, person) && self.is_left(people, person, level);
                let absence = person.absence_at(people.at).filter(|_| is_asked && fits_entry())?;
                let until = absence.until.format("%-d %B %Y").to_string();
                Some(Away { name: person.name.clone(), until })
            });
            let meant = people.list.iter().find(|person| entry.includes(&person.email, &person.roles));
            Group {
                entry: entry.clone(),
                missing,
                who: who.collect(),
                away: away.collect(),
                known_as: meant.map(|person| person.name.clone()),
                is_instead,
            }
        };
        let mut groups: Vec<Group> = match &level.quorum {
            Quorum::Count(_) => {
                let open = level.approvers.iter().filter(|entry| !has_approved(level, entry));
                open.map(|entry| group(entry, missing, false)).collect()
            }
            Quorum::ByEntry(_) => {
                let open = filling.missing.iter().filter(|(_, missing)| *missing > 0);
                open.filter_map(|(entry, missing)| Some(group(entry.as_ref()?, *missing, false))).collect()
            }
        };
        let named: Vec<Approver> = groups.iter().map(|group| group.entry.clone()).collect();
        let makes_room = makes_room(level, &filling, &able, &named);
        groups.extend(makes_room.into_iter().map(|entry| group(entry, missing, true)));
        let is_named = |entry: &&Approver| groups.iter().any(|group| group.entry == **entry);
        let escalation = level.escalate_to.iter().filter(|_| level.is_escalated());
        let escalation: Vec<&Approver> = escalation.filter(|entry| !is_named(entry)).collect();
        groups.extend(escalation.into_iter().map(|entry| group(entry, missing, true)));
        Some(Needed {
            missing,
            has_approvals: level.counted().any(|made| made.decision.approves()),
            groups,
            is_by_entry: matches!(level.quorum, Quorum::ByEntry(_)),
            barred: self.barred_by_name(people, level),
        })
    }

    /// Who is still needed, in words: `2 more of finance (Bo, Cy or Dee for Eva), 1 of legal (Ada); not Ina, who asked for
    /// it.` None where no level is open.
    pub fn still_needed(&self, people: &People<'_>, role_names: &RoleNames) -> Option<String> {
        self.needed(people).map(|needed| needed.sentence(role_names))
    }

    fn barred_by_name(&self, people: &People<'_>, level: &RequestLevel) -> Vec<(String, String)> {
        let asked = people.list.iter().filter(|person| {
            person.active
                && !entries_of(level, person, level.is_escalated()).is_empty()
                && !level.counted().any(|made| email::is_same(&made.by, &person.email))
        });
        let barred = asked.filter_map(|person| {
            let bar =
                self.barred(people, person).or_else(|| (!person.is_able()).then_some(CannotDecide::Role))?;
            Some((person.name.clone(), third_person(&bar)))
        });
        barred.collect()
    }
}

/// The entries of a quorum that are full, and of which one more approval helps all the same: somebody who approved fits an
/// entry that isn't full as well.
fn makes_room<'l>(
    level: &'l RequestLevel,
    filling: &Filling,
    able: &[(&Person, Vec<Capacity>)],
    named: &[Approver],
) -> Vec<&'l Approver> {
    let Quorum::ByEntry(places) = &level.quorum else { return Vec::new() };
    if filling.is_full() || filling.filled == 0 {
        return Vec::new();
    }
    let full = places.keys().filter(|entry| !named.contains(entry));
    let helps = |entry: &&Approver| {
        able.iter().any(|(person, capacities)| {
            let fits = |capacity: &Capacity| capacity.entries.contains(entry);
            let fits_open = |capacity: &Capacity| capacity.entries.iter().any(|one| named.contains(one));
            capacities.iter().any(fits)
                && !capacities.iter().any(fits_open)
                && filling_with(level, &person.email, capacities).filled > filling.filled
        })
    };
    full.filter(helps).collect()
}

/// Whether an entry names whoever decides in a capacity themselves, or the one for whom they stand in.
fn names(entry: &Approver, people: &People<'_>, person: &Person, capacity: &Capacity) -> bool {
    let of = capacity.stands_for.as_deref().and_then(|other| people.find(other)).unwrap_or(person);
    entry.includes(&of.email, &of.roles)
}

/// Whether an entry names one person, who approved, or for whom somebody did.
fn has_approved(level: &RequestLevel, entry: &Approver) -> bool {
    let Approver::Person(address) = entry else { return false };
    let approved = level.counted().filter(|made| made.decision.approves());
    approved.into_iter().any(|made| {
        let own = made.capacities.is_empty() || made.capacities.iter().any(|one| one.stands_for.is_none());
        let others = made.capacities.iter().filter_map(|one| one.stands_for.as_deref());
        (own && email::is_same(&made.by, address))
            || others.into_iter().any(|other| email::is_same(other, address))
    })
}

/// Whether somebody who can decide now stands in for this person.
fn is_represented(able: &[(&Person, Vec<Capacity>)], person: &Person) -> bool {
    let of_person = |capacity: &Capacity| {
        capacity.stands_for.as_deref().is_some_and(|other| email::is_same(other, &person.email))
    };
    able.iter().any(|(_, capacities)| capacities.iter().any(of_person))
}

/// What somebody who decides is called: `Dee for Eva`.
fn called(people: &People<'_>, person: &Person, capacity: &Capacity) -> String {
    match &capacity.stands_for {
        None => person.name.clone(),
        Some(other) => format!("{} for {}", person.name, people.name(other)),
    }
}

impl Needed {
    /// The sentence of the card, for example `2 more of finance (Bo, Cy); not Ina, who asked for it.`
    pub fn sentence(&self, role_names: &RoleNames) -> String {
        let (instead, regular): (Vec<&Group>, Vec<&Group>) =
            self.groups.iter().partition(|group| group.is_instead);
        let mut sentence = if regular.is_empty() {
            format!("{} more, and nobody who is asked is left", self.missing)
        } else if self.is_by_entry {
            let each = regular.iter().map(|group| self.counted(group, group.missing, role_names));
            each.collect::<Vec<_>>().join(", ")
        } else if let [group] = regular.as_slice() {
            self.counted(group, self.missing, role_names)
        } else if self.missing == 1 && !self.has_approvals {
            let each = regular.iter().map(|group| self.counted(group, 1, role_names));
            each.collect::<Vec<_>>().join(" or ")
        } else {
            let each: Vec<String> = regular.iter().map(|group| named(group, role_names)).collect();
            format!("{} {}", self.so_many(self.missing), each.join(" and "))
        };
        for group in instead {
            // Writing to a String can't fail.
            let _ = write!(sentence, ", or instead {}", named(group, role_names));
        }
        if let Some(first) = sentence.get(..1).map(str::to_uppercase) {
            sentence.replace_range(..1, &first);
        }
        let shown = self.barred.iter().take(MAX_NAMES);
        for (n, (name, because)) in shown.enumerate() {
            let joint = if n == 0 { "; not" } else { ", nor" };
            let _ = write!(sentence, "{joint} {name}, {because}");
        }
        sentence.push('.');
        sentence
    }

    fn so_many(&self, missing: u32) -> String {
        if self.has_approvals { format!("{missing} more of") } else { format!("{missing} of") }
    }

    fn counted(&self, group: &Group, missing: u32, role_names: &RoleNames) -> String {
        match group.entry {
            Approver::Person(_) if missing == 1 => named(group, role_names),
            Approver::Role(_) if missing == 1 && !self.has_approvals && !self.is_by_entry => {
                format!("one of {}", named(group, role_names))
            }
            Approver::Person(_) | Approver::Role(_) => {
                format!("{} {}", self.so_many(missing), named(group, role_names))
            }
        }
    }
}

/// `finance (Bo Ek, Cy Roth)`; a person by name.
fn named(group: &Group, role_names: &RoleNames) -> String {
    match &group.entry {
        Approver::Role(role) => format!("{} ({})", role_names.name(role), names_of_role(group)),
        Approver::Person(address) => match (group.who.as_slice(), &group.known_as) {
            ([], Some(_)) if !group.away.is_empty() => {
                let each = group.away.iter().map(|away| format!("{} (away until {})", away.name, away.until));
                each.collect::<Vec<_>>().join(", ")
            }
            ([], Some(name)) => format!("{name} (who can't decide now)"),
            ([], None) => address.clone(),
            (who, _) => listed(who),
        },
    }
}

fn names_of_role(group: &Group) -> String {
    if group.who.is_empty() && !group.away.is_empty() {
        let shown = group.away.iter().take(MAX_NAMES);
        let shown = shown.map(|away| format!("{}, away until {}", away.name, away.until));
        return shown.collect::<Vec<_>>().join("; ");
    }
    match (group.who.is_empty(), group.known_as.is_some()) {
        (false, _) => listed(&group.who),
        (true, true) => "nobody with this role can decide now".to_owned(),
        (true, false) => "nobody has this role yet".to_owned(),
    }
}

/// `Bo Ek, Cy Roth`; with an `or` where one stands in for another.
fn listed(who: &[String]) -> String {
    if who.len() > MAX_NAMES {
        return format!("{} and {} more", who[..MAX_NAMES].join(", "), who.len() - MAX_NAMES);
    }
    match who {
        [first @ .., last] if !first.is_empty() && who.iter().any(|one| one.contains(" for ")) => {
            format!("{} or {last}", first.join(", "))
        }
        _ => who.join(", "),
    }
}
