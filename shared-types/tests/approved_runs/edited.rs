//! Edits: what is sent is what both levels approved, whoever changed it and when.

use crate::driver::{Driver, Found};
use proptest::prelude::*;
use serde_json::{Value, json};
use shared_types::{
    approval::people::{People, Person},
    machine::state::RunStatus,
    workflow::approval::Verb,
};

/// Finance, then legal; either may change the days, which are sent.
const DOCUMENT: &str = "workflow_id: ask
name: Ask
trigger: { type: event, event: go }
steps:
  - id: ask
    type: approval
    approval:
      form: [{ name: days, type: number, default: 0 }]
      levels: [{ name: finance, approvers: ['role:finance'] }, { name: legal, approvers: ['role:legal'] }]
    on_approved: tell
    on_rejected: no
  - id: tell
    type: execute
    execute:
      - { type: http_request, method: POST, url: 'https://shop.test/tell', body: { days: '{{ approval.edits.days }}', at: '{{ now }}', by: '{{ approval.by }}' } }
  - { id: no, type: action, action: { type: block, reason: Refused } }
";

const PEOPLE: [&str; 2] = ["bo", "ada"];

/// What two levels agree on, written down independently: the days, and those that each level approved last.
struct Agreed {
    days: i64,
    approved: [Option<i64>; 2],
}

impl Agreed {
    /// The first level that didn't approve these days.
    fn open(&self) -> Option<usize> {
        self.approved.iter().position(|approved| *approved != Some(self.days))
    }
}

/// What the card says that is sent.
fn shown(driver: &Driver) -> Value {
    let request = driver.run.state().requests.values().next().unwrap();
    request.effects[0].request.as_ref().unwrap()["body"]["days"].clone()
}

fn start() -> (Driver, Found) {
    let found =
        Found { id: "A1", total: 1, lines: Vec::new(), other: 0, rule: (1, 3), revision: 4, connector: 1 };
    let mut driver = Driver::start(DOCUMENT, &found);
    driver.settle(&found);
    (driver, found)
}

#[test]
fn an_edit_that_is_taken_back_leaves_what_others_changed() {
    let (mut driver, found) = start();
    let edit = |by: &str, days: i64| json!({ "verb": "approve_with_edits", "by": format!("{by}@example.com"), "name": by, "edits": { "days": days } });
    driver.decide_as(&found, &edit("bo", 5));
    driver.decide_as(&found, &edit("ada", 7));
    assert_eq!(shown(&driver), 7);
    let people: Vec<Person> = PEOPLE
        .iter()
        .zip(["finance", "legal"])
        .map(|(name, role)| {
            Person::new(&format!("{name}@example.com"), name, &["operator".to_owned(), role.to_owned()])
        })
        .collect();
    let people = People::new(&people, "2026-11-26T11:00:00Z".parse().unwrap());
    let request = driver.run.state().requests.values().next().unwrap();
    // The time and who decides are no difference.
    let changed: Vec<&str> =
        request.seen_changes.last().unwrap().changes.iter().map(|change| change.pointer.as_str()).collect();
    assert_eq!(changed, ["/effects/tell/0/body/days", "/form/days"]);
    // Finance is asked again, and Ada can only take back what opened it.
    let policy = request.policy(None);
    assert_eq!(policy.may(&people, "ada@example.com"), [Verb::Retract]);
    let because = policy.may_decide(&people, "ada@example.com").unwrap_err().to_string();
    assert_eq!(because, "You approved this already; take that back to decide anew");
    let approval_id = driver.run.state().open_request().unwrap();
    let back =
        json!({ "input": "retracted", "approval_id": approval_id, "by": "ada@example.com", "name": "Ada" });
    driver.apply(&found, &serde_json::from_value(back).unwrap());
    assert_eq!(shown(&driver), 5, "what Bo changed stays");
    for by in PEOPLE {
        driver
            .decide_as(&found, &json!({ "verb": "approve", "by": format!("{by}@example.com"), "name": by }));
    }
    assert_eq!(driver.run.state().context["approval"]["edits"]["days"], 5);
    assert_eq!(driver.sent, ["tell"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(1_000), ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_is_what_every_level_approved(edits in prop::collection::vec(prop::option::of(0..3_i64), 0..8)) {
        let (mut driver, found) = start();
        let mut agreed = Agreed { days: 0, approved: [None, None] };
        // Whatever was edited: two plain approvals more are always enough.
        for edit in edits.into_iter().chain([None, None]) {
            let Some(open) = agreed.open() else { break };
            let request = driver.run.state().requests.values().next().unwrap();
            prop_assert_eq!(request.open, open);
            prop_assert_eq!(shown(&driver), json!(agreed.days));
            let by = PEOPLE[open];
            let mut decision = json!({ "verb": "approve", "by": format!("{by}@example.com"), "name": by });
            if let Some(days) = edit {
                agreed.days = days;
                decision["verb"] = json!("approve_with_edits");
                decision["edits"] = json!({ "days": days });
            }
            agreed.approved[open] = Some(agreed.days);
            driver.decide_as(&found, &decision);
        }
        prop_assert_eq!(agreed.open(), None);
        prop_assert_eq!(driver.run.state().status(), RunStatus::Ended);
        prop_assert_eq!(&driver.run.state().context["approval"]["edits"]["days"], &json!(agreed.days));
        prop_assert_eq!(&driver.sent, &["tell".to_owned()]);
    }
}
