use super::*;
use crate::{
    approval::{
        handover::HandoverRefused,
        people::AbsenceSpan,
        standing::{Standing, filling},
    },
    requester::RequesterKind,
    role::RoleNames,
};
use chrono::{DateTime, Utc};
use serde_json::json;

/// A request and the people around it, told step by step.
struct Told {
    levels: Vec<RequestLevel>,
    open: usize,
    forbid: Vec<Forbid>,
    veto: Vec<Approver>,
    form: Vec<FormField>,
    people: Vec<Person>,
    requester: Requester,
}

fn entries(texts: &[&str]) -> Vec<Approver> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn level(name: &str, approvers: &[&str], quorum: Quorum) -> RequestLevel {
    RequestLevel { quorum, ..RequestLevel::new(name, entries(approvers)) }
}

fn at(hour: u32) -> DateTime<Utc> {
    format!("2026-11-27T{hour:02}:00:00Z").parse().unwrap()
}

impl Told {
    /// Bo, Cy and Eva of finance, Ada of legal, Dee of nothing, Fia the cfo, Vi who may only look; Ina of finance asked.
    fn new(levels: Vec<RequestLevel>) -> Self {
        let person = |name: &str, base: &str, roles: &[&str]| {
            let roles: Vec<String> = [base].iter().chain(roles).map(|role| (*role).to_owned()).collect();
            Person::new(&format!("{}@example.com", name.to_lowercase()), name, &roles)
        };
        Self {
            levels,
            open: 0,
            forbid: vec![Forbid::Requester],
            veto: Vec::new(),
            form: Vec::new(),
            people: vec![
                person("Bo", "operator", &["finance"]),
                person("Cy", "admin", &["finance"]),
                person("Eva", "operator", &["finance"]),
                person("Ada", "operator", &["legal"]),
                person("Dee", "operator", &[]),
                person("Fia", "operator", &["cfo"]),
                person("Vi", "viewer", &["finance"]),
                person("Ina", "operator", &["finance"]),
            ],
            requester: Requester {
                kind: RequesterKind::Person,
                name: "Ina".into(),
                email: Some("ina@example.com".into()),
            },
        }
    }

    fn policy(&self) -> Policy<'_> {
        Policy {
            status: RequestStatus::Pending,
            levels: &self.levels,
            open: self.open,
            forbid: &self.forbid,
            veto: &self.veto,
            form: &self.form,
            requester: Some(&self.requester),
        }
    }

    fn people(&self) -> People<'_> {
        People::new(&self.people, at(12))
    }

    fn away(&mut self, name: &str, delegate: Option<&str>) {
        let delegate = delegate.map(|name| format!("{}@example.com", name.to_lowercase()));
        let absence = AbsenceSpan { from: at(8), until: at(20), delegate };
        self.people.iter_mut().find(|person| person.name == name).unwrap().absences.push(absence);
    }

    fn may(&self, name: &str) -> Result<(), String> {
        let address = format!("{}@example.com", name.to_lowercase());
        self.policy().may_decide(&self.people(), &address).map_err(|why| why.to_string())
    }

    fn decision(name: &str, verdict: Verdict) -> Decision {
        Decision {
            verdict,
            by: format!("{}@example.com", name.to_lowercase()),
            name: name.to_owned(),
            comment: Some("Because".to_owned()),
            edits: None,
            level: None,
            roles: None,
            seen: None,
            decided_at: None,
        }
    }

    /// Makes a decision, and says how the open level stands then.
    fn decide(&mut self, name: &str, verdict: Verdict) -> Standing {
        let decision = Self::decision(name, verdict);
        let taken = self.policy().judge(&self.people(), "", &Map::new(), &decision).unwrap();
        let n = u32::try_from(self.levels.iter().flat_map(|level| &level.decisions).count()).unwrap();
        let made = decision.made(n, taken, "", at(12));
        self.levels[self.open].decisions.push(made);
        let standing = self.policy().standing(&self.people(), true);
        if standing == Standing::Passed {
            self.open += 1;
        }
        standing
    }

    fn needed(&self) -> String {
        self.policy().still_needed(&self.people(), &RoleNames::default()).unwrap()
    }
}

const APPROVE: Verdict = Verdict::Approve;
const REJECT: Verdict = Verdict::Reject;
const REJECTED: Standing = Standing::Closed(RequestStatus::Rejected);

#[test]
fn deciding_takes_being_asked_the_permission_and_not_having_asked() {
    let mut told =
        Told::new(vec![level("finance", &["role:finance", "user:DEE@Example.com "], Quorum::Count(1))]);
    assert_eq!(told.may("Bo"), Ok(()));
    assert_eq!(told.may("Dee"), Ok(()));
    assert_eq!(told.may("Ada").unwrap_err(), "You aren't among those who are asked");
    assert_eq!(told.may("Vi").unwrap_err(), "Your role doesn't allow deciding");
    assert_eq!(told.may("Ina").unwrap_err(), "You asked for this yourself");
    told.forbid.clear();
    assert_eq!(told.may("Ina"), Ok(()));
    told.people[0].active = false;
    assert_eq!(told.may("Bo").unwrap_err(), "Your role doesn't allow deciding");
}

#[test]
fn a_level_passes_when_its_quorum_is_filled_and_the_next_is_asked() {
    let mut told = Told::new(vec![
        level("finance", &["role:finance"], Quorum::Count(2)),
        level("legal", &["role:legal"], Quorum::Count(1)),
    ]);
    assert_eq!(
        told.needed(),
        "2 of finance (Bo, Cy, Eva); not Vi, whose role doesn't allow deciding, nor Ina, who asked for it."
    );
    assert_eq!(
        told.may("Ada").unwrap_err(),
        "You are asked at the level legal, which opens when finance has passed"
    );
    assert_eq!(told.decide("Bo", APPROVE), Standing::Open);
    assert_eq!(told.may("Bo").unwrap_err(), "You approved this already; take that back to decide anew");
    assert!(told.needed().starts_with("1 more of finance (Cy, Eva); not"));
    assert_eq!(told.decide("Cy", APPROVE), Standing::Passed);
    assert_eq!(told.needed(), "One of legal (Ada).");
    assert_eq!(told.decide("Ada", APPROVE), Standing::Passed);
}

#[test]
fn a_quorum_by_entry_names_who_is_missing_of_each() {
    let quorum = Quorum::ByEntry(
        [(entries(&["role:finance"])[0].clone(), 2), (entries(&["role:legal"])[0].clone(), 1)].into(),
    );
    let mut told = Told::new(vec![level("both", &["role:finance", "role:legal"], quorum)]);
    told.people.retain(|person| person.name != "Vi");
    told.away("Eva", Some("Dee"));
    assert_eq!(
        told.needed(),
        "2 of finance (Bo, Cy or Dee for Eva), 1 of legal (Ada); not Ina, who asked for it."
    );
    assert_eq!(told.decide("Dee", APPROVE), Standing::Open);
    assert_eq!(
        told.needed(),
        "1 more of finance (Bo, Cy), 1 more of legal (Ada); not Ina, who asked for it."
    );
    assert_eq!(told.decide("Bo", APPROVE), Standing::Open);
    assert_eq!(told.decide("Ada", APPROVE), Standing::Passed);
}

#[test]
fn whoever_lets_another_fill_the_missing_place_is_named_too() {
    let places = |finance: u32, legal: u32| {
        let [of_finance, of_legal] = [("role:finance", finance), ("role:legal", legal)]
            .map(|(entry, count)| (entries(&[entry])[0].clone(), count));
        Quorum::ByEntry([of_finance, of_legal].into())
    };
    let told = |quorum: Quorum| {
        let mut told = Told::new(vec![level("both", &["role:finance", "role:legal"], quorum)]);
        told.people.retain(|person| ["Bo", "Cy", "Ada"].contains(&person.name.as_str()));
        told.people[1].roles.push("legal".to_owned());
        told
    };
    // Cy fits both, and so whoever comes next fills the other.
    let mut one_of_each = told(places(1, 1));
    one_of_each.decide("Cy", APPROVE);
    let needed = one_of_each.needed();
    assert!(needed.contains("(Bo") && needed.contains("(Ada"), "{needed}");
    // The other way round only who is missing helps.
    let mut legal = told(places(1, 1));
    legal.decide("Ada", APPROVE);
    assert_eq!(legal.needed(), "1 more of finance (Bo, Cy).");
}

#[test]
fn rejections_close_a_request_by_their_number_by_a_veto_and_when_the_rest_is_too_few() {
    let one = || Told::new(vec![level("finance", &["role:finance"], Quorum::Count(2))]);
    assert_eq!(one().decide("Bo", REJECT), REJECTED);
    let mut two = one();
    two.levels[0].rejections = 2;
    assert_eq!(two.decide("Bo", REJECT), Standing::Open);
    assert_eq!(two.decide("Cy", REJECT), REJECTED);
    // Of Bo, Cy and Eva two must approve; with one rejection they still can, with Cy gone they can't.
    let mut few = one();
    few.levels[0].rejections = 3;
    few.people[1].active = false;
    assert_eq!(few.decide("Bo", REJECT), REJECTED);
    // Somebody who is away can still come back.
    let mut away = one();
    away.levels[0].rejections = 3;
    away.away("Cy", None);
    assert_eq!(away.decide("Bo", REJECT), Standing::Open);
    let mut veto = one();
    veto.levels[0].rejections = 3;
    veto.veto = entries(&["role:cfo"]);
    assert_eq!(veto.policy().may(&veto.people(), "fia@example.com"), [Verb::Reject]);
    assert_eq!(veto.may("Fia").unwrap_err(), "You aren't among those who are asked, but you may reject it");
    assert_eq!(veto.decide("Fia", REJECT), REJECTED);
    // Who rejects for somebody with a veto does so in their name.
    let mut delegated = one();
    delegated.veto = entries(&["role:cfo"]);
    delegated.away("Fia", Some("Dee"));
    assert_eq!(delegated.policy().may(&delegated.people(), "dee@example.com"), [Verb::Reject]);
    assert_eq!(delegated.decide("Dee", REJECT), REJECTED);
    let made = &delegated.levels[0].decisions[0];
    assert_eq!(made.capacities[0].stands_for.as_deref(), Some("fia@example.com"));
    let mut changes = one();
    assert_eq!(
        changes.decide("Bo", Verdict::RequestChanges),
        Standing::Closed(RequestStatus::ChangesRequested)
    );
}

#[test]
fn whoever_decided_at_an_earlier_level_is_barred_and_so_is_who_stands_in_for_them() {
    let mut told = Told::new(vec![
        level("first", &["role:finance"], Quorum::Count(1)),
        level("second", &["role:finance", "role:legal"], Quorum::Count(1)),
    ]);
    told.decide("Bo", APPROVE);
    assert_eq!(told.may("Bo"), Ok(()));
    told.forbid.push(Forbid::PreviousLevel);
    assert_eq!(told.may("Bo").unwrap_err(), "You decided at the level first already");
    assert_eq!(told.may("Ada"), Ok(()));
    told.away("Bo", Some("Ada"));
    assert_eq!(told.may("Ada").unwrap_err(), "You stand in for Bo, who decided at the level first");
    assert_eq!(told.may("Cy"), Ok(()));
    told.away("Ina", Some("Cy"));
    assert_eq!(told.may("Cy").unwrap_err(), "You stand in for Ina, who asked for this");
}

#[test]
fn a_place_that_was_handed_over_is_the_others() {
    let mut told = Told::new(vec![level("finance", &["role:finance"], Quorum::Count(2))]);
    let hand = |told: &mut Told, from: &str, to: &str| {
        let address = |name: &str| format!("{}@example.com", name.to_lowercase());
        let places = told.policy().hand_over(&told.people(), &address(from), &address(to))?;
        told.levels[0].progress.handovers.push(super::super::decision::Handover {
            from: address(from),
            to: address(to),
            places,
            comment: None,
            at: at(12),
        });
        Ok::<(), HandoverRefused>(())
    };
    assert_eq!(
        hand(&mut told, "Ada", "Dee").unwrap_err().to_string(),
        "You aren't among those who are asked"
    );
    let refused = hand(&mut told, "Bo", "Ina").unwrap_err().to_string();
    assert_eq!(refused, "This can't be handed to Ina, who asked for it");
    assert_eq!(hand(&mut told, "Bo", "Bo").unwrap_err(), HandoverRefused::ToOneself);
    assert_eq!(hand(&mut told, "Bo", "nobody").unwrap_err(), HandoverRefused::NoMember);
    hand(&mut told, "Bo", "Dee").unwrap();
    assert_eq!(told.may("Bo").unwrap_err(), "You handed this over to Dee");
    assert_eq!(told.may("Dee"), Ok(()));
    assert!(told.needed().starts_with("2 of finance (Cy, Eva or Dee for Bo)"), "{}", told.needed());
    hand(&mut told, "Dee", "Cy").unwrap();
    assert_eq!(told.may("Dee").unwrap_err(), "You handed this over to Cy");
    // Cy has two places and fills one.
    assert_eq!(told.decide("Cy", APPROVE), Standing::Open);
    assert_eq!(filling(&told.levels[0]).filled, 1);
}

#[test]
fn escalation_adds_approvers_who_fill_any_place() {
    let quorum = Quorum::ByEntry(
        [(entries(&["role:finance"])[0].clone(), 1), (entries(&["role:legal"])[0].clone(), 1)].into(),
    );
    let mut told = Told::new(vec![level("both", &["role:finance", "role:legal"], quorum)]);
    told.levels[0].escalate_to = entries(&["role:cfo"]);
    assert_eq!(told.may("Fia").unwrap_err(), "You aren't among those who are asked");
    told.levels[0].progress.escalated_at = Some(at(12));
    assert!(told.needed().contains(", or instead cfo (Fia)"), "{}", told.needed());
    assert_eq!(told.decide("Fia", APPROVE), Standing::Open);
    assert_eq!(told.decide("Bo", APPROVE), Standing::Passed);
}

#[test]
fn a_level_that_nobody_can_fill_says_why() {
    let mut told = Told::new(vec![level("legal", &["role:legal"], Quorum::Count(1))]);
    assert_eq!(told.policy().stuck(&told.people()), None);
    told.away("Ada", None);
    assert_eq!(
        told.policy().stuck(&told.people()).unwrap(),
        "Nobody can fill legal: Ada is away until 27 November 2026 and named nobody."
    );
    // Who is away may still decide, and is named as somebody who is missing.
    assert_eq!(told.may("Ada"), Ok(()));
    assert_eq!(told.needed(), "One of legal (Ada, away until 27 November 2026).");
    told.people[3].absences.clear();
    told.away("Ada", Some("Vi"));
    assert_eq!(told.needed(), "One of legal (Ada, away until 27 November 2026).");
    assert!(told.policy().stuck(&told.people()).is_some());
    told.people[3].absences.clear();
    told.away("Ada", Some("Dee"));
    assert_eq!(told.policy().stuck(&told.people()), None);
    told.people[3].active = false;
    assert_eq!(
        told.policy().stuck(&told.people()).unwrap(),
        "Nobody can fill legal: Ada isn't an active member."
    );
    told.people.retain(|person| person.name != "Ada");
    assert_eq!(
        told.policy().stuck(&told.people()).unwrap(),
        "Nobody can fill legal: no other active member has legal."
    );
}

#[test]
fn who_is_asked_by_an_escalation_is_named_once_and_who_approved_no_more() {
    let persons = ["user:bo@example.com", "user:cy@example.com"];
    let each = Quorum::ByEntry(entries(&persons).into_iter().map(|entry| (entry, 1)).collect());
    let mut told = Told::new(vec![level("both", &persons, each)]);
    told.levels[0].escalate_to =
        entries(&["user:fia@example.com", "user:ina@example.com", "user:bo@example.com"]);
    told.levels[0].progress.escalated_at = Some(at(11));
    assert_eq!(
        told.needed(),
        "Bo, Cy, or instead Fia, or instead Ina (who can't decide now); not Ina, who asked for it."
    );
    let added = told.levels[0].escalate_to.clone();
    assert_eq!(told.policy().who_is_added(&told.people(), &added), ["Fia", "Bo"]);
    let mut any = Told::new(vec![level("both", &persons, Quorum::Count(2))]);
    assert_eq!(any.needed(), "2 of Bo and Cy.");
    any.decide("Bo", APPROVE);
    assert_eq!(any.needed(), "Cy.");
    any.away("Cy", None);
    assert_eq!(any.needed(), "Cy (away until 27 November 2026).");
    let mut left = Told::new(vec![level("both", &["user:bo@example.com"], Quorum::Count(2))]);
    assert_eq!(left.needed(), "2 of Bo.");
    left.decide("Bo", APPROVE);
    assert_eq!(left.needed(), "1 more, and nobody who is asked is left.");
}

#[test]
fn a_level_that_one_person_would_have_to_fill_twice_says_so() {
    let mut told = Told::new(vec![level("finance", &["role:finance"], Quorum::Count(2))]);
    told.people.retain(|person| ["Bo", "Cy", "Dee"].contains(&person.name.as_str()));
    told.away("Bo", Some("Dee"));
    told.away("Cy", Some("Dee"));
    let stuck = |told: &Told| told.policy().stuck(&told.people());
    let because =
        "Only 1 of 2 places of finance can be filled: Dee has the place of Bo and of Cy, and fills only one.";
    assert_eq!(stuck(&told).as_deref(), Some(because));
    told.decide("Dee", APPROVE);
    assert_eq!(stuck(&told).as_deref(), Some(because));
    // With a place of their own it is the same.
    let mut own = Told::new(vec![level("finance", &["role:finance"], Quorum::Count(2))]);
    own.people.retain(|person| ["Bo", "Cy"].contains(&person.name.as_str()));
    own.away("Bo", Some("Cy"));
    assert_eq!(
        stuck(&own).as_deref(),
        Some("Only 1 of 2 places of finance can be filled: Cy has the place of Bo too, and fills only one.")
    );
}

#[test]
fn a_decision_is_taken_from_whoever_says_why_fills_in_the_form_and_read_what_is_asked() {
    let mut told = Told::new(vec![level("finance", &["role:finance"], Quorum::Count(1))]);
    let values: Map<String, Value> = Map::from_iter([("discount".to_owned(), json!(null))]);
    let judged = |told: &Told, change: &dyn Fn(&mut Decision)| {
        let mut decision = Told::decision("Bo", REJECT);
        change(&mut decision);
        told.policy().judge(&told.people(), "sha256:now", &values, &decision).map(drop)
    };
    let refused = |told: &Told, change: &dyn Fn(&mut Decision)| judged(told, change).unwrap_err();
    assert_eq!(judged(&told, &|_| {}), Ok(()));
    assert_eq!(judged(&told, &|d| d.seen = Some("sha256:now".into())), Ok(()));
    assert_eq!(refused(&told, &|d| d.seen = Some("sha256:old".into())), DecisionRefused::Changed);
    for comment in [None, Some("  ".to_owned())] {
        assert_eq!(refused(&told, &|d| d.comment.clone_from(&comment)), DecisionRefused::CommentNeeded);
    }
    let edit = |d: &mut Decision, value: Value| {
        d.verdict = Verdict::ApproveWithEdits;
        d.edits = Some(Map::from_iter([("discount".to_owned(), value)]));
    };
    assert_eq!(refused(&told, &|d| edit(d, json!(5))), DecisionRefused::NoForm);
    told.form = serde_json::from_value(
        json!([{ "name": "discount", "type": "number", "max": 20, "required": true }]),
    )
    .unwrap();
    assert_eq!(judged(&told, &|d| edit(d, json!(5))), Ok(()));
    assert_eq!(
        refused(&told, &|d| edit(d, json!(21))).to_string(),
        "The form isn't filled in: `discount` must be at most 20."
    );
    assert!(matches!(refused(&told, &|d| d.verdict = APPROVE), DecisionRefused::Form(_)));
    assert_eq!(refused(&told, &|d| d.verdict = Verdict::ApproveWithEdits), DecisionRefused::EditsMisplaced);
    let level = |name: &str| DecisionRefused::LevelClosed { level: name.to_owned() };
    assert_eq!(refused(&told, &|d| d.level = Some("legal".into())), level("legal"));
    assert_eq!(judged(&told, &|d| d.level = Some("finance".into())), Ok(()));
}

#[test]
fn a_decision_can_be_taken_back_until_its_level_has_passed() {
    let mut told = Told::new(vec![
        level("finance", &["role:finance"], Quorum::Count(2)),
        level("legal", &["role:legal"], Quorum::Count(1)),
    ]);
    let nothing = |told: &Told| told.policy().retractable("bo@example.com", None).err();
    assert_eq!(nothing(&told), Some(DecisionRefused::NothingToRetract));
    told.decide("Bo", APPROVE);
    assert_eq!(told.policy().may(&told.people(), "bo@example.com"), [Verb::Retract]);
    assert_eq!(told.policy().retractable("BO@example.com", Some("finance")).unwrap().n, 0);
    told.levels[0].decisions[0].retracted_at = Some(at(12));
    assert_eq!(told.may("Bo"), Ok(()));
    assert_eq!(filling(&told.levels[0]).filled, 0);
    told.decide("Bo", APPROVE);
    told.decide("Cy", APPROVE);
    assert_eq!(nothing(&told), Some(DecisionRefused::LevelClosed { level: "finance".into() }));
}
