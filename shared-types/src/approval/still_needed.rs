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
    /// Those who may decide but are away, and for whom nobody who can decide stands in: what they are called, and until when they are away.
    pub away: Vec<String>,
    /// What somebody is called whom the entry names; none where it names nobody who is known.
    pub known_as: Option<String>,
    /// Whether it is asked instead of the others: since the level was escalated, or because somebody who approved can fill
    /// the place of another entry then.
    pub is_instead: bool,
}

impl Policy<'_> {
    /// Who is still needed at the open level; none where no level is open.
    pub fn needed(&self, people: &People<'_>) -> Option<Needed> {
        let level = self.level()?;
        let filling = filling(level);
        let able = self.who_can_now(people);
        let missing: u32 = filling.missing.iter().map(|(_, missing)| missing).sum();
        let group = |entry: &Approver, missing: u32, is_instead: bool| {
            let fits = |capacity: &&Capacity| capacity.entries.contains(entry);
            let who = able.iter().filter_map(|(person, capacities)| {
                capacities.iter().find(fits).map(|capacity| called(people, person, capacity))
            });
            let away = people.list.iter().filter_map(|person| {
                let fits_entry =
                    || self.capacities(people, person, level).iter().any(|capacity| fits(&capacity));
                let is_asked = !is_represented(&able, person) && self.is_left(people, person, level);
                let absence = person.absence_at(people.at).filter(|_| is_asked && fits_entry())?;
                Some(format!("{}, away until {}", person.name, absence.until.format("%-d %B %Y")))
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
            Quorum::Count(_) => level.approvers.iter().map(|entry| group(entry, missing, false)).collect(),
            Quorum::ByEntry(_) => {
                let open = filling.missing.iter().filter(|(_, missing)| *missing > 0);
                open.filter_map(|(entry, missing)| Some(group(entry.as_ref()?, *missing, false))).collect()
            }
        };
        let named: Vec<Approver> = groups.iter().map(|group| group.entry.clone()).collect();
        let makes_room = makes_room(level, &filling, &able, &named);
        groups.extend(makes_room.into_iter().map(|entry| group(entry, missing, true)));
        let escalation = level.escalate_to.iter().filter(|_| level.is_escalated());
        groups.extend(escalation.map(|entry| group(entry, missing, true)));
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
        let mut sentence = if self.is_by_entry {
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
            Approver::Person(_) => named(group, role_names),
            Approver::Role(_) if missing == 1 && !self.has_approvals && !self.is_by_entry => {
                format!("one of {}", named(group, role_names))
            }
            Approver::Role(_) => format!("{} {}", self.so_many(missing), named(group, role_names)),
        }
    }
}

/// `finance (Bo Ek, Cy Roth)`; a person by name.
fn named(group: &Group, role_names: &RoleNames) -> String {
    match &group.entry {
        Approver::Role(role) => format!("{} ({})", role_names.name(role), names_of_role(group)),
        Approver::Person(address) => match (group.who.as_slice(), &group.known_as) {
            ([], Some(_)) if !group.away.is_empty() => group.away.join("; "),
            ([], Some(name)) => format!("{name} (who can't decide now)"),
            ([], None) => address.clone(),
            (who, _) => listed(who),
        },
    }
}

fn names_of_role(group: &Group) -> String {
    if group.who.is_empty() && !group.away.is_empty() {
        let shown = &group.away[..group.away.len().min(MAX_NAMES)];
        return shown.join("; ");
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
