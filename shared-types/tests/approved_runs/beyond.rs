//! More follows than is looked at: the rest is asked again when it is due.

use crate::driver::{Driver, Found};
use shared_types::machine::state::RunStatus;

/// Asks; then tells each of a list.
const DOCUMENT: &str = "workflow_id: ask
name: Ask
trigger: { type: event, event: go }
steps:
  - id: ask
    type: approval
    approval: { levels: [{ approvers: ['role:finance'] }] }
    on_approved: each
  - id: each
    type: foreach
    foreach:
      items: '{{ found.lines }}'
      steps:
        - { id: tell, type: emit, emit: { event: told, payload: { line: '{{ item }}' } } }
";

#[test]
fn what_is_beyond_the_look_is_asked_again_and_sent_once_it_is_approved() {
    let lines = (0..10_000).collect();
    let found = Found { id: "A1", total: 1, lines, other: 0, rule: (1, 3), revision: 4, connector: 1 };
    let mut driver = Driver::start(DOCUMENT, &found);
    driver.settle(&found);
    let asked = driver.request.clone().unwrap();
    assert_eq!(
        asked.if_approved.last().unwrap(),
        "So much follows that the rest is asked again when it is due."
    );
    driver.approve(&found);
    let sent = driver.sent.len();
    assert!((1_000..10_000).contains(&sent), "{sent} are sent, which were looked at");
    let beyond = driver.facts.first().unwrap();
    assert!(beyond.ends_with("is beyond what could be looked at when it was approved"), "{beyond}");
    driver.approve(&found);
    assert_eq!(driver.sent.len(), 10_000, "each is sent once");
    assert_eq!(driver.run.state().status(), RunStatus::Ended);
}
