//! What comes due in another branch while a request is open again.

use crate::driver::{Driver, Found};
use serde_json::{Value, json};
use shared_types::machine::state::RunStatus;

/// Asks; then one branch calls a workflow for each of a list, and the other waits an hour and pays.
const DOCUMENT: &str = include_str!("beside.yaml");

/// The run of [`DOCUMENT`], approved, stopped at the first call by another revision.
fn stopped_beside() -> (Driver, Found) {
    let mut found =
        Found { id: "A1", total: 1, lines: vec![7, 8], other: 0, rule: (1, 3), revision: 4, connector: 1 };
    let mut driver = Driver::start(DOCUMENT, &found);
    driver.settle(&found);
    found.revision = 5;
    driver.approve(&found);
    assert_eq!(driver.facts.len(), 1, "{:?}", driver.facts);
    assert!(driver.sent.is_empty());
    (driver, found)
}

fn timer(driver: &mut Driver, found: &Found, timer: &Value) {
    let input = json!({ "input": "timer_due", "timer": timer });
    driver.apply(found, &serde_json::from_value(input).unwrap());
    driver.settle(found);
}

fn hour_passes(driver: &mut Driver, found: &Found) {
    let within = json!([{ "step": "both", "visit": 1, "branch": "right" }]);
    timer(
        driver,
        found,
        &json!({ "timer": "wait_over", "place": { "step": "pause", "visit": 1, "within": within } }),
    );
}

#[test]
fn what_comes_due_beside_waits_until_it_is_approved_anew() {
    let (mut driver, found) = stopped_beside();
    hour_passes(&mut driver, &found);
    assert!(driver.sent.is_empty(), "{:?}", driver.sent);
    driver.approve(&found);
    assert_eq!(driver.sent, ["call", "pay", "call", "end"]);
    assert_eq!(driver.run.state().status(), RunStatus::Ended);
}

#[test]
fn what_comes_due_after_it_was_approved_anew_is_held_against_that() {
    let (mut driver, found) = stopped_beside();
    driver.approve(&found);
    assert_eq!(driver.sent, ["call", "call"]);
    hour_passes(&mut driver, &found);
    assert_eq!(driver.sent, ["call", "call", "pay", "end"]);
    assert_eq!(driver.facts.len(), 1, "{:?}", driver.facts);
}

#[test]
fn a_rejection_leaves_every_branch() {
    let (mut driver, found) = stopped_beside();
    driver.decide(&found, "reject");
    assert_eq!(driver.run.state().status(), RunStatus::Ended);
    assert_eq!(driver.run.state().reason.as_deref(), Some("Refused"));
    assert!(driver.sent.is_empty(), "{:?}", driver.sent);
}

#[test]
fn a_request_whose_branch_was_given_up_still_decides_what_follows() {
    let (mut driver, found) = stopped_beside();
    timer(&mut driver, &found, &json!({ "timer": "step_over", "place": { "step": "both", "visit": 1 } }));
    assert!(driver.sent.is_empty(), "{:?}", driver.sent);
    assert!(driver.run.state().open_request().is_some());
    driver.approve(&found);
    assert_eq!(driver.sent, ["end"]);
    assert_eq!(driver.run.state().status(), RunStatus::Ended);
}
