//! Several people decide together.

mod absences;
mod calendars;
mod levels;
mod lists;

use crate::app::Client;
use serde_json::{Value, json};

/// A workflow that asks these levels, with more of the approval.
fn asking(more: &str, levels: &str) -> String {
    format!(
        "workflow_id: ask\nname: Ask\ntrigger: {{ type: event, event: ask }}\nenabled: true\nsubject: 'Order {{{{ id }}}}'\n\
         amount: '{{{{ total }}}}'\ncurrency: EUR\nsteps:\n  - id: ask\n    type: approval\n    approval:\n      {more}\n      \
         levels: {levels}\n    on_approved: yes\n    on_rejected: no\n  \
         - {{ id: yes, type: action, action: {{ type: allow }} }}\n  \
         - {{ id: no, type: action, action: {{ type: block, reason: Refused }} }}\n"
    )
}

async fn ask(shop: &Client, id: &str) -> (String, Value) {
    let event = json!({ "type": "ask", "id": id, "requester": "ina.berg@example.com", "payload": { "id": id, "total": 5 } });
    let answer = shop.post("events?wait=5s", event).await.json(200);
    let run = &answer["runs"][0];
    (
        run["approval_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned(),
        run["execution_id"].clone(),
    )
}

async fn decide(who: &Client, id: &str, decision: &str) -> crate::app::Answer {
    let body = json!({ "decision": decision, "comment": "Because" });
    who.post(&format!("approvals/{id}/decisions"), body).await
}

async fn card(who: &Client, id: &str) -> Value {
    who.get(&format!("approvals/{id}")).await.json(200)
}

fn states(card: &Value) -> Vec<&str> {
    card["levels"].as_array().unwrap().iter().map(|level| level["status"].as_str().unwrap()).collect()
}
