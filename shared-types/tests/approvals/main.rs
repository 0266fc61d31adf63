//! Random requests, people, absences and decisions, held against a second and naive reading of the language.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod naive;

use chrono::{DateTime, Duration, Utc};
use naive::{Naive, Needs, Outcome, Presence, Someone, Stage, Verb, address};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use shared_types::{
    approval::{
        decision::Decision,
        people::{AbsenceSpan, People, Person},
    },
    ids::{ApprovalId, EventId, ExecutionId},
    machine::{
        Definition, Event, Input, Limits, Run, RunEnvironment, Stamp, VERSION, input::Start,
        state::OpenRequest,
    },
    requester::{Requester, RequesterKind},
    workflow::{Document, approval::Verdict},
};
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

/// How many people there are.
const PEOPLE: usize = 6;
const ROLES: [&str; 3] = ["r0", "r1", "r2"];

/// Something that happens to a request, or to the people around it.
#[derive(Debug, Clone)]
enum Happens {
    Decides(usize, Verb),
    HandsOver(usize, usize),
    Leaves(usize, Option<usize>),
    Returns(usize),
    LosesRole(usize, usize),
    GetsRole(usize, usize),
    Active(usize, bool),
}

fn person() -> impl Strategy<Value = usize> {
    0..PEOPLE
}

fn happens() -> impl Strategy<Value = Happens> {
    let verb = prop_oneof![
        6 => Just(Verb::Approve),
        2 => Just(Verb::Reject),
        1 => Just(Verb::RequestChanges),
        2 => Just(Verb::Retract),
    ];
    prop_oneof![
        10 => (person(), verb).prop_map(|(who, verb)| Happens::Decides(who, verb)),
        2 => (person(), person()).prop_map(|(from, to)| Happens::HandsOver(from, to)),
        2 => (person(), prop::option::of(person())).prop_map(|(who, to)| Happens::Leaves(who, to)),
        1 => person().prop_map(Happens::Returns),
        1 => (person(), 0..ROLES.len()).prop_map(|(who, role)| Happens::LosesRole(who, role)),
        1 => (person(), 0..ROLES.len()).prop_map(|(who, role)| Happens::GetsRole(who, role)),
        1 => (person(), any::<bool>()).prop_map(|(who, active)| Happens::Active(who, active)),
    ]
}

fn someone() -> impl Strategy<Value = Someone> {
    let roles = prop::collection::btree_set(0..ROLES.len(), 0..3);
    let away = prop::option::weighted(0.25, prop::option::of(person()));
    (roles, prop::bool::weighted(0.9), prop::bool::weighted(0.9), away).prop_map(
        |(roles, active, base, away)| {
            let roles = roles.into_iter().map(|role| ROLES[role].to_owned()).collect();
            Someone { roles, active, base, presence: away.map_or(Presence::Here, Presence::Away) }
        },
    )
}

fn entry() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => (0..ROLES.len()).prop_map(|role| format!("role:{}", ROLES[role])),
        1 => person().prop_map(|person| format!("user:{}", address(person))),
    ]
}

fn stage() -> impl Strategy<Value = Stage> {
    (
        prop::collection::btree_set(entry(), 1..4),
        prop::collection::vec(1_u32..3, 3),
        1_u32..4,
        any::<bool>(),
        1_u32..3,
    )
        .prop_map(|(entries, counts, any, by_entry, rejections)| {
            let entries: Vec<String> = entries.into_iter().collect();
            let needs = if by_entry {
                // A person is one, and fills one place.
                let count = |entry: &String, count: u32| if entry.starts_with("user:") { 1 } else { count };
                Needs::Each(
                    entries.iter().zip(counts).map(|(entry, n)| (entry.clone(), count(entry, n))).collect(),
                )
            } else {
                Needs::Any(any)
            };
            Stage { entries, needs, rejections, made: Vec::new(), handed: Vec::new() }
        })
}

fn requests() -> impl Strategy<Value = Naive> {
    (
        prop::collection::vec(someone(), PEOPLE),
        prop::collection::vec(stage(), 1..4),
        any::<bool>(),
        any::<bool>(),
        prop::collection::btree_set(entry(), 0..2),
        prop::option::of(person()),
    )
        .prop_map(|(mut people, stages, bars_requester, bars_previous, veto, requester)| {
            // Nobody stands in for themselves.
            for (n, person) in people.iter_mut().enumerate() {
                if person.presence == Presence::Away(Some(n)) {
                    person.presence = Presence::Away(None);
                }
            }
            let veto = veto.into_iter().collect();
            Naive {
                people,
                stages,
                open: 0,
                bars_requester,
                bars_previous,
                veto,
                requester,
                outcome: Outcome::Open,
            }
        })
}

fn now() -> DateTime<Utc> {
    "2026-11-27T12:00:00Z".parse().unwrap()
}

/// The people as the policy reads them.
fn people(naive: &Naive) -> Vec<Person> {
    let each = naive.people.iter().enumerate().map(|(n, someone)| {
        let base = if someone.base { "operator" } else { "viewer" };
        let roles: Vec<String> = [base.to_owned()].into_iter().chain(someone.roles.iter().cloned()).collect();
        let absence = |delegate: Option<usize>| AbsenceSpan {
            from: now() - Duration::days(1),
            until: now() + Duration::days(1),
            delegate: delegate.map(address),
        };
        let absences = match someone.presence {
            Presence::Here => Vec::new(),
            Presence::Away(delegate) => vec![absence(delegate)],
        };
        Person { active: someone.active, absences, ..Person::new(&address(n), &format!("P{n}"), &roles) }
    });
    each.collect()
}

fn document(naive: &Naive) -> Document {
    let levels: Vec<Value> = naive
        .stages
        .iter()
        .enumerate()
        .map(|(n, stage)| {
            let quorum = match &stage.needs {
                Needs::Any(count) => json!(count),
                Needs::Each(places) => json!(places),
            };
            json!({ "name": format!("l{n}"), "approvers": stage.entries, "quorum": quorum, "rejections": stage.rejections })
        })
        .collect();
    let mut forbid: Vec<&str> = Vec::new();
    forbid.extend(naive.bars_requester.then_some("requester"));
    forbid.extend(naive.bars_previous.then_some("previous_level"));
    let approval = json!({ "levels": levels, "forbid": forbid, "veto": naive.veto });
    let document = json!({
        "workflow_id": "ask", "name": "Ask", "trigger": { "type": "manual" },
        "steps": [{ "id": "ask", "type": "approval", "approval": approval }],
    });
    serde_json::from_value(document).unwrap()
}

/// The machine with a request that is asked, and a stamp for each input.
struct Machine {
    run: Run,
    approval_id: ApprovalId,
    inputs: u32,
}

impl Machine {
    fn start(naive: &Naive) -> Self {
        let requester = naive.requester.map(|person| Requester {
            kind: RequesterKind::Person,
            name: format!("P{person}"),
            email: Some(address(person)),
        });
        let event = Event {
            kind: "manual".into(),
            id: EventId("e".into()),
            source: None,
            time: now(),
            requester,
            payload: Map::new(),
        };
        let start = Start {
            execution_id: ExecutionId(Uuid::from_u128(7)),
            event: Arc::new(event),
            depth: 0,
            limits: Limits::default(),
            version: VERSION,
            unserved: Vec::new(),
            fault: None,
        };
        let stamp = Stamp::new(now(), Uuid::from_u128(0x7 << 76 | 0b10 << 62));
        let (run, _) = Run::start(Arc::new(Definition::new(document(naive))), &stamp, &start);
        let approval_id = *run.state().requests.keys().next().unwrap();
        Self { run, approval_id, inputs: 0 }
    }

    fn apply(&mut self, naive: &Naive, input: &Input) -> bool {
        self.inputs += 1;
        let environment = RunEnvironment { people: people(naive), ..RunEnvironment::default() };
        let id = Uuid::from_u128(0x7 << 76 | 0b10 << 62 | u128::from(self.inputs * 1000));
        let stamp = Stamp { environment: Some(Arc::new(environment)), ..Stamp::new(now(), id) };
        self.run.apply(&stamp, input).is_ok()
    }

    fn request(&self) -> Option<&OpenRequest> {
        self.run.state().requests.get(&self.approval_id)
    }

    fn decide(&mut self, naive: &Naive, by: usize, verb: Verb) -> bool {
        let verdict = match verb {
            Verb::Approve => Verdict::Approve,
            Verb::Reject => Verdict::Reject,
            Verb::RequestChanges => Verdict::RequestChanges,
            Verb::Retract => {
                let input = Input::Retracted {
                    approval_id: self.approval_id,
                    by: address(by),
                    name: format!("P{by}"),
                    level: None,
                };
                return self.apply(naive, &input);
            }
        };
        let decision = Decision {
            verdict,
            by: address(by),
            name: format!("P{by}"),
            comment: Some("Because".into()),
            edits: None,
            level: None,
            roles: None,
            seen: None,
            decided_at: None,
        };
        self.apply(naive, &Input::Decided { approval_id: self.approval_id, decision })
    }
}

/// Lets something happen on both sides; what was taken must agree.
fn happen(naive: &mut Naive, machine: &mut Machine, happens: &Happens) -> Result<(), TestCaseError> {
    match happens {
        Happens::Decides(who, verb) => {
            let before = naive.clone();
            let wanted = naive.decide(*who, *verb);
            prop_assert_eq!(machine.decide(&before, *who, *verb), wanted, "{:?} by p{}", verb, who);
        }
        Happens::HandsOver(from, to) => {
            let input = Input::HandedOver {
                approval_id: machine.approval_id,
                by: address(*from),
                name: format!("P{from}"),
                to: address(*to),
                comment: None,
            };
            let before = naive.clone();
            let wanted = naive.hand_over(*from, *to);
            prop_assert_eq!(machine.apply(&before, &input), wanted, "p{} to p{}", from, to);
        }
        Happens::Leaves(who, to) => naive.people[*who].presence = Presence::Away(to.filter(|to| to != who)),
        Happens::Returns(who) => naive.people[*who].presence = Presence::Here,
        Happens::LosesRole(who, role) => {
            naive.people[*who].roles.remove(ROLES[*role]);
        }
        Happens::GetsRole(who, role) => {
            naive.people[*who].roles.insert(ROLES[*role].to_owned());
        }
        Happens::Active(who, active) => naive.people[*who].active = *active,
    }
    Ok(())
}

/// Everything that is told of a request agrees.
fn agree(naive: &Naive, machine: &Machine) -> Result<(), TestCaseError> {
    let Some(request) = machine.request() else {
        let decision = &machine.run.state().context["approval"]["decision"];
        let wanted = match naive.outcome {
            Outcome::Open => "pending",
            Outcome::Approved => "approved",
            Outcome::Rejected => "rejected",
            Outcome::ChangesRequested => "changes_requested",
        };
        prop_assert_eq!(decision, wanted);
        return Ok(());
    };
    prop_assert_eq!(naive.outcome, Outcome::Open);
    prop_assert_eq!(request.open, naive.open);
    let list = people(naive);
    let people = People::new(&list, now());
    let policy = request.policy(machine.run.state().requester.as_ref());
    for person in 0..PEOPLE {
        let can = policy.may_decide(&people, &address(person)).is_ok();
        prop_assert_eq!(can, naive.can_decide(person), "p{} can decide", person);
        let vetoes = policy.rights(&people, &address(person)).is_ok_and(|rights| !rights.vetoes.is_empty());
        prop_assert_eq!(vetoes, naive.has_veto(person), "p{} has a veto", person);
    }
    let needed = policy.needed(&people).unwrap();
    prop_assert_eq!(
        needed.missing,
        naive.missing(),
        "{}",
        needed.sentence(&shared_types::role::RoleNames::default())
    );
    // The sentence names somebody only if somebody can decide, be they away; and whoever is there and would fill one more
    // place has somebody named.
    let names_somebody = needed.groups.iter().any(|group| !group.who.is_empty() || !group.away.is_empty());
    let able = || (0..PEOPLE).filter(|person| naive.can_decide(*person));
    let helps = able().any(|person| naive.is_here(person) && naive.would_help(person));
    prop_assert!(names_somebody || !helps, "{:?}", needed);
    prop_assert!(!names_somebody || able().next().is_some(), "{:?}", needed);
    prop_assert_eq!(policy.stuck(&people).is_some(), naive.is_stuck());
    Ok(())
}

fn cases() -> ProptestConfig {
    ProptestConfig { cases: ProptestConfig::default().cases.max(2_000), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn the_policy_agrees_with_trying_every_assignment(
        mut naive in requests(), script in prop::collection::vec(happens(), 0..16),
    ) {
        let mut machine = Machine::start(&naive);
        agree(&naive, &machine)?;
        for what in &script {
            happen(&mut naive, &mut machine, what)?;
            agree(&naive, &machine)?;
        }
    }

    #[test]
    fn the_order_of_the_same_approvals_changes_nothing(
        naive in requests(), order in Just((0..PEOPLE).collect::<Vec<_>>()).prop_shuffle(),
        other in Just((0..PEOPLE).collect::<Vec<_>>()).prop_shuffle(), who in prop::collection::btree_set(person(), 0..PEOPLE),
    ) {
        let mut naive = naive;
        naive.stages.truncate(1);
        let status = |order: &[usize]| {
            let mut machine = Machine::start(&naive);
            for person in order.iter().filter(|person| who.contains(person)) {
                machine.decide(&naive, *person, Verb::Approve);
            }
            machine.request().is_none()
        };
        prop_assert_eq!(status(&order), status(&other));
    }
}

#[test]
fn whoever_is_told_to_be_needed_is_enough() {
    // A sanity check of the second reading itself: two places, three people, one of whom fits both.
    let someone = |roles: &[&str]| Someone {
        roles: roles.iter().map(|role| (*role).to_owned()).collect::<BTreeSet<_>>(),
        active: true,
        base: true,
        presence: Presence::Here,
    };
    let stage = Stage {
        entries: vec!["role:r0".into(), "role:r1".into()],
        needs: Needs::Each([("role:r0".to_owned(), 1), ("role:r1".to_owned(), 1)].into()),
        rejections: 1,
        made: Vec::new(),
        handed: Vec::new(),
    };
    let mut naive = Naive {
        people: vec![someone(&["r0", "r1"]), someone(&["r0"]), someone(&[])],
        stages: vec![stage],
        open: 0,
        bars_requester: true,
        bars_previous: false,
        veto: Vec::new(),
        requester: None,
        outcome: Outcome::Open,
    };
    assert!(naive.decide(0, Verb::Approve) && !naive.decide(2, Verb::Approve));
    assert_eq!(naive.missing(), 1);
    assert!(naive.decide(1, Verb::Approve));
    assert_eq!(naive.outcome, Outcome::Approved);
}
