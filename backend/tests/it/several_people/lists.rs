//! What people do with many requests: hand over, put off, decide together, sort.

use super::{ask, asking, card, decide};
use crate::app::App;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn several_requests_of_one_step_are_decided_together_each_for_itself() {
    let app = App::start().await;
    app.publish(&asking("forbid: [requester]", "[{ approvers: ['role:finance'] }]")).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let mut items = Vec::new();
    for n in 0..3 {
        let (id, _) = ask(&shop, &format!("A{n}")).await;
        items.push(json!({ "approval_id": id, "seen": card(&bo, &id).await["seen"] }));
    }
    items[1]["seen"] = json!("sha256:old");
    let body = json!({ "decision": "approve", "items": items });
    let answer = bo.post("approvals/decisions", body.clone()).await.json(200);
    assert_eq!(answer["items"][0]["status"], "approved");
    assert_eq!(answer["items"][1]["code"], "approval.changed");
    assert_eq!(answer["items"][2]["status"], "approved");
    let again = bo.post("approvals/decisions", body.clone()).await.json(200);
    assert_eq!(again["items"][0]["code"], "approval.already_decided");
    bo.post("approvals/decisions", json!({ "decision": "approve", "items": [] })).await.problem(422);
    let no_id =
        json!({ "decision": "approve", "items": [body["items"][0], { "approval_id": "A2", "seen": "x" }] });
    let refused = bo.post("approvals/decisions", no_id).await.problem(422);
    assert_eq!(refused["findings"][0]["pointer"], "/items/1/approval_id", "{refused}");
    app.publish(
        &asking("forbid: []", "[{ approvers: ['role:finance'] }]")
            .replace("workflow_id: ask", "workflow_id: other")
            .replace("event: ask", "event: other"),
    )
    .await;
    let (one, _) = ask(&shop, "B1").await;
    let other =
        shop.post("events?wait=5s", json!({ "type": "other" })).await.json(200)["runs"][0]["approval_id"]
            .clone();
    let mixed = json!({ "decision": "approve", "items": [{ "approval_id": one }, { "approval_id": other }] });
    let problem = bo.post("approvals/decisions", mixed).await.problem(422);
    assert!(problem["detail"].as_str().unwrap().contains("one step"), "{problem}");
    app.stop().await;
}

#[tokio::test]
async fn lists_are_sorted_by_deadline_and_by_amount_and_paged_without_a_gap() {
    let app = App::start().await;
    let expiring = asking("forbid: []", "[{ approvers: ['role:finance'], expires_in: 10h }]")
        .replace("10h", "{{HOURS}}h");
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    for (n, (hours, total)) in [(5, "7"), (1, "100.5"), (9, "-3"), (3, "12,5"), (7, "20")].iter().enumerate()
    {
        let document = expiring
            .replace("{{HOURS}}", &hours.to_string())
            .replace("workflow_id: ask", &format!("workflow_id: ask{n}"))
            .replace("event: ask", &format!("event: ask{n}"));
        app.publish(&document).await;
        let event = json!({ "type": format!("ask{n}"), "payload": { "id": n, "total": total } });
        shop.post("events?wait=5s", event).await.json(200);
    }
    let pages = async |query: &str| {
        let mut path = format!("approvals?scope=mine&limit=2&{query}");
        let mut subjects: Vec<String> = Vec::new();
        loop {
            let page = bo.get(&path).await.json(200);
            subjects.extend(
                page["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|item| item["subject"].as_str().unwrap()[6..].to_owned()),
            );
            let Some(cursor) = page["next_cursor"].as_str() else { return subjects.join(" ") };
            path = format!("approvals?scope=mine&limit=2&{query}&cursor={cursor}");
        }
    };
    assert_eq!(pages("sort=deadline").await, "1 3 0 4 2");
    assert_eq!(pages("sort=amount").await, "1 4 0 2 3");
    assert_eq!(pages("sort=age").await, "4 3 2 1 0");
    assert_eq!(pages("role=finance").await, "4 3 2 1 0");
    assert_eq!(pages("role=legal").await, "");
    bo.get("approvals?sort=amount&q=Order").await.problem(422);
    for (query, field) in [
        ("scope=mine&status=approved", "`status`"),
        ("scope=snoozed&status=expired", "`status`"),
        ("scope=decided&status=pending", "`status`"),
        ("mine=true&scope=others", "`mine`"),
    ] {
        let refused = bo.get(&format!("approvals?{query}")).await.problem(422);
        assert!(refused["detail"].as_str().unwrap().starts_with(field), "{query}: {refused}");
    }
    bo.get("approvals?scope=decided&status=approved").await.json(200);
    bo.get("approvals?scope=mine&status=pending").await.json(200);
    app.stop().await;
}

#[tokio::test]
async fn a_place_is_handed_over_and_a_request_is_put_off_for_oneself() {
    let app = App::start().await;
    app.publish(&asking("forbid: [requester]", "[{ approvers: ['role:finance'] }]")).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let cy = app.person("Cy Roth", &["operator"]).await;
    app.person("Ina Berg", &["operator"]).await;
    let (id, _) = ask(&shop, "A1").await;
    let delegate = format!("approvals/{id}/delegate");
    let to = |address: &str| json!({ "to": address, "comment": "You know them" });
    assert_eq!(
        bo.post(&delegate, to("ina.berg@example.com")).await.problem(403)["code"],
        "approval.not_handed_over"
    );
    assert_eq!(bo.post(&delegate, to("x")).await.problem(422)["code"], "field.bad");
    assert_eq!(cy.post(&delegate, to("bo.ek@example.com")).await.problem(403)["code"], "approval.not_asked");
    let handed = bo.post(&delegate, to("cy.roth@example.com")).await.json(200);
    assert_eq!(handed["levels"][0]["handovers"][0]["to_name"], "Cy Roth");
    assert_eq!(handed["cannot_because"], "You handed this over to Cy Roth.");
    assert_eq!(bo.get("approvals?scope=mine").await.json(200)["items"], json!([]));
    assert_eq!(bo.get("approvals?scope=others").await.json(200)["items"][0]["approval_id"], id.as_str());
    let snooze = format!("approvals/{id}/snooze");
    let until = |time: &str| json!({ "until": time });
    cy.send(Method::PUT, &snooze, |r| r.json(&until("2020-01-01T00:00:00Z"))).await.problem(422);
    let put_off = cy.send(Method::PUT, &snooze, |r| r.json(&until("2099-01-01T00:00:00Z"))).await.json(200);
    assert_eq!(put_off["snoozed_until"], "2099-01-01T00:00:00Z");
    assert_eq!(cy.get("approvals?scope=mine").await.json(200)["items"], json!([]));
    assert_eq!(cy.get("approvals?scope=snoozed").await.json(200)["items"][0]["approval_id"], id.as_str());
    cy.send(Method::DELETE, &snooze, |r| r).await.json(200);
    assert_eq!(cy.get("approvals?scope=mine").await.json(200)["items"][0]["approval_id"], id.as_str());
    let done = decide(&cy, &id, "approve").await.json(200);
    assert_eq!(done["levels"][0]["decisions"][0]["for"], "bo.ek@example.com");
    let late = cy.send(Method::PUT, &snooze, |r| r.json(&until("2099-01-01T00:00:00Z"))).await.problem(409);
    assert_eq!(late["code"], "approval.already_decided");
    assert_eq!(cy.get("approvals?scope=decided").await.json(200)["items"][0]["approval_id"], id.as_str());
    app.stop().await;
}
