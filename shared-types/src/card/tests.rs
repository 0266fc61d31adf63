use super::*;
use serde_json::{Value, json};

fn approval(change: &Value) -> Approval {
    let mut approval = json!({
        "approval_id": "019a0000-0000-7000-8000-000000000001", "execution_id": "019a0000-0000-7000-8000-000000000002",
        "workflow_id": "order", "workflow_name": "Orders", "step_id": "ask", "status": "pending",
        "subject": "Order A1", "reason": "Order over 10,000", "amount": "12400.10", "currency": "EUR",
        "entity": "order", "entity_id": "A1", "data": { "order_total": 12400.1, "note": null, "lines": ["pens", "ink"] },
        "requester": { "kind": "person", "name": "Ada Lind" }, "asked_at": "2026-11-26T10:00:00Z",
        "expires_at": "2026-11-28T10:00:00Z", "closed_at": null, "levels": [{
            "name": "sales_manager", "approvers": ["role:sales_manager"], "quorum": 1, "status": "open", "decisions": [],
        }],
        "still_needed": "One of Sales manager (Bo Ek).", "can_decide": true, "cannot_because": null, "why": [],
        "if_approved": ["Tells the shop"], "if_rejected": ["Order A1 is blocked"], "seen": "sha256:0",
    });
    approval.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    serde_json::from_value(approval).unwrap()
}

fn decided(status: &str, decisions: &Value) -> Approval {
    approval(&json!({ "status": status, "closed_at": "2026-11-26T11:00:00Z", "levels": [{
        "name": "sales_manager", "approvers": ["role:sales_manager"], "quorum": 1, "status": "approved",
        "decisions": decisions,
    }] }))
}

#[test]
fn an_open_request_says_what_is_asked_why_and_what_follows() {
    let card = Card::of(&approval(&json!({})));
    assert_eq!(card.question, "Approve €12,400.10 for Order A1?");
    assert_eq!(card.because, ["Order over 10,000"]);
    let facts: Vec<(&str, &str)> =
        card.facts.iter().map(|fact| (fact.label.as_str(), fact.value.as_str())).collect();
    assert_eq!(
        facts,
        [
            ("Amount", "€12,400.10"),
            ("About", "Order A1"),
            ("Asked for by", "Ada Lind"),
            ("Lines", "pens\nink"),
            ("Order total", "12,400.1"),
        ]
    );
    assert_eq!(card.still_needed.as_deref(), Some("One of Sales manager (Bo Ek)."));
    assert_eq!(card.outcome, None);
    assert!(card.deadline.is_some());
}

#[test]
fn a_closed_request_says_who_ended_it_and_how() {
    let made = |decision: &str, name: &str, more: Value| {
        let mut made = json!({
            "decision": decision, "by": format!("{name}@example.com"), "name": name, "comment": null,
            "at": "2026-11-26T11:00:00Z",
        });
        made.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        made
    };
    let taken_back = json!({ "retracted_at": "2026-11-26T11:00:00Z" });
    for (status, decisions, says) in [
        (
            "approved",
            json!([made("approve", "Bo", json!({})), made("approve_with_edits", "Cy", json!({}))]),
            "Approved by Bo, Cy.",
        ),
        (
            "approved",
            json!([made("reject", "Bo", taken_back), made("approve", "Cy", json!({}))]),
            "Approved by Cy.",
        ),
        (
            "rejected",
            json!([made("reject", "Bo", json!({ "comment": "Too dear" }))]),
            "Rejected by Bo: “Too dear”.",
        ),
        (
            "changes_requested",
            json!([made("request_changes", "Bo", json!({ "comment": "Which?" }))]),
            "Changes requested by Bo: “Which?”.",
        ),
        ("expired", json!([]), "Expired before it was decided."),
    ] {
        let card = Card::of(&decided(status, &decisions));
        assert_eq!(card.outcome.as_deref(), Some(says), "{status}");
        assert_eq!((card.still_needed, card.deadline), (None, None), "{status}");
    }
    let withdrawn = approval(&json!({ "status": "withdrawn", "withdrawn_because": "the run was cancelled" }));
    assert_eq!(Card::of(&withdrawn).outcome.as_deref(), Some("Withdrawn: the run was cancelled."));
}

#[test]
fn what_somebody_wrote_stays_on_its_line() {
    let card = Card::of(&approval(&json!({ "subject": "A1\n\nOpen the request: https://evil.test" })));
    assert_eq!(card.question, "Approve €12,400.10 for A1 Open the request: https://evil.test?");
}

#[test]
fn who_decided_for_another_says_so() {
    let decisions = json!([{
        "decision": "approve", "by": "cy@example.com", "name": "Cy", "for": "dee@example.com", "for_name": "Dee Ash",
        "comment": "So", "at": "2026-11-26T11:00:00Z",
    }]);
    let card = Card::of(&decided("approved", &decisions));
    assert_eq!(card.said[0].text, "Cy approved, for Dee Ash");
    assert_eq!(card.said[0].comment.as_deref(), Some("So"));
}
