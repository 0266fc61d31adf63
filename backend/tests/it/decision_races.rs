//! What two people do at once to one request has one clear outcome, and nothing of it is lost.

use crate::app::{Answer, App, Client};
use reqwest::Method;
use serde_json::{Value, json};

/// How often each race is run; `IW_RACES` runs more of them at night.
fn rounds() -> usize {
    std::env::var("IW_RACES").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(25)
}

fn asking(levels: &str) -> String {
    format!(
        "workflow_id: ask\nname: Ask\ntrigger: {{ type: event, event: ask }}\nenabled: true\nsteps:\n  \
         - {{ id: ask, type: approval, approval: {{ levels: {levels} }}, on_approved: yes }}\n  \
         - {{ id: yes, type: action, action: {{ type: allow }} }}\n"
    )
}

async fn ask(shop: &Client) -> (String, Value) {
    let answer = shop.post("events?wait=5s", json!({ "type": "ask" })).await.json(200);
    let run = &answer["runs"][0];
    (format!("approvals/{}", run["approval_id"].as_str().unwrap()), run["execution_id"].clone())
}

async fn decide(who: &Client, path: &str, decision: &str) -> Answer {
    who.post(&format!("{path}/decisions"), json!({ "decision": decision, "comment": "So" })).await
}

/// The decisions at the first level that count.
fn counted(card: &Value) -> usize {
    let decisions = card["levels"][0]["decisions"].as_array().unwrap();
    decisions.iter().filter(|made| made["retracted_at"].is_null()).count()
}

#[tokio::test]
async fn two_who_fill_a_quorum_of_two_at_once_both_count() {
    let app = App::start().await;
    app.publish(&asking("[{ approvers: ['role:finance'], quorum: 2 }]")).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let cy = app.person("Cy Roth", &["operator", "finance"]).await;
    for _ in 0..rounds() {
        let (path, run) = ask(&shop).await;
        let (one, two) = tokio::join!(decide(&bo, &path, "approve"), decide(&cy, &path, "approve"));
        let said = [one.json(200)["status"].clone(), two.json(200)["status"].clone()];
        assert!(said.contains(&json!("approved")), "{said:?}");
        let card = bo.get(&path).await.json(200);
        assert_eq!((&card["status"], counted(&card)), (&json!("approved"), 2));
        assert_eq!(bo.run_ended(&run).await["result"], "allowed");
    }
    app.stop().await;
}

#[tokio::test]
async fn of_two_at_a_quorum_of_one_the_first_counts_and_the_other_is_told() {
    let app = App::start().await;
    app.publish(&asking("[{ approvers: ['role:finance'] }]")).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let cy = app.person("Cy Roth", &["operator", "finance"]).await;
    for _ in 0..rounds() {
        let (path, _) = ask(&shop).await;
        let (one, two) = tokio::join!(decide(&bo, &path, "approve"), decide(&cy, &path, "reject"));
        let statuses = [one.status.as_u16(), two.status.as_u16()];
        assert!(statuses == [200, 409] || statuses == [409, 200], "{statuses:?}");
        let (late, wanted) = if statuses[0] == 409 { (one, "rejected") } else { (two, "approved") };
        assert_eq!(late.problem(409)["code"], "approval.already_decided");
        let card = bo.get(&path).await.json(200);
        assert_eq!((&card["status"], counted(&card)), (&json!(wanted), 1));
    }
    app.stop().await;
}

#[tokio::test]
async fn a_decision_taken_back_as_the_second_comes_either_counts_or_does_not() {
    let app = App::start().await;
    app.publish(&asking("[{ approvers: ['role:finance'], quorum: 2 }]")).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let cy = app.person("Cy Roth", &["operator", "finance"]).await;
    for _ in 0..rounds() {
        let (path, _) = ask(&shop).await;
        decide(&bo, &path, "approve").await.json(200);
        let (back, second) = tokio::join!(decide(&bo, &path, "retract"), decide(&cy, &path, "approve"));
        second.json(200);
        let card = cy.get(&path).await.json(200);
        if back.status == 200 {
            assert_eq!((&card["status"], counted(&card)), (&json!("pending"), 1));
        } else {
            back.problem(409);
            assert_eq!((&card["status"], counted(&card)), (&json!("approved"), 2));
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn an_absence_that_is_entered_while_its_delegate_decides_counts_or_does_not() {
    let app = App::start().await;
    app.publish(&asking("[{ approvers: ['role:finance'] }]")).await;
    let shop = app.key(&["events:write"]).await;
    let eva = app.person("Eva Lund", &["operator", "finance"]).await;
    let dee = app.person("Dee Holm", &["operator"]).await;
    let away = json!({ "from": "2020-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z", "delegate": "dee.holm@example.com" });
    for _ in 0..rounds() {
        let (path, _) = ask(&shop).await;
        let (absence, decided) =
            tokio::join!(eva.post("absences", away.clone()), decide(&dee, &path, "approve"));
        let absence = absence.json(201);
        let card = eva.get(&path).await.json(200);
        if decided.status == 200 {
            assert_eq!(card["levels"][0]["decisions"][0]["for"], "eva.lund@example.com");
        } else {
            decided.problem(403);
            assert_eq!((&card["status"], counted(&card)), (&json!("pending"), 0));
            // Entered, it counts at once.
            decide(&dee, &path, "approve").await.json(200);
        }
        let absence = format!("absences/{}", absence["absence_id"].as_str().unwrap());
        eva.send(Method::DELETE, &absence, |r| r).await;
    }
    app.stop().await;
}
