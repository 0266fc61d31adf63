//! Kill -9 at every journaled point of a run that asks people, is decided, tells them, and asks again in vain; and of one that
//! several people decide, with a reminder, an escalation, an edit and a retraction.

use crate::{
    crashes::{RestartingServer, set_with, set_with_two},
    shop::Shop,
};
use serde_json::{Value, json};

/// Asks, calls and tells once it is approved, and asks again until time runs out.
const ASKED: &str = "workflow_id: asked\nname: Asked\ntrigger: { type: event, event: ask }\nenabled: true\nsteps:\n  \
    - { id: ask, type: approval, approval: { forbid: [], levels: [{ approvers: ['user:admin@example.com'], expires_in: 1h }] }, on_approved: tell }\n  \
    - { id: tell, type: execute, execute: [{ type: webhook, url: 'http://SHOP/told' }, { type: notify, recipients: ['user:admin@example.com'], message: 'Order {{ n }} is approved' }], next: again }\n  \
    - { id: again, type: approval, approval: { forbid: [], levels: [{ approvers: ['user:admin@example.com'], expires_in: 1s }] }, on_expired: done }\n  \
    - { id: done, type: action, action: { type: allow } }\n";

#[tokio::test]
async fn a_run_that_asks_people_ends_the_same_whichever_point_the_server_dies_at() {
    let shop = Shop::open().await;
    let (url, token) = set_with(&shop, &[ASKED]).await;
    let mut n = 1;
    while asked_with(n, &shop, &url, &token).await {
        n += 1;
        assert!(n < 60, "the run has more points than are tried");
    }
    assert!(n > 10, "only {n} points were tried");
}

/// One run with a server that dies at one point; whether it did.
async fn asked_with(n: u32, shop: &Shop, url: &str, token: &str) -> bool {
    let mut server = RestartingServer::start(("IW_CRASH_AT", n), shop, url, token);
    let event = format!("ask-{n}");
    server.send(&json!({ "type": "ask", "id": event, "payload": { "n": n } })).await;
    let run = server.run_when(&event, |run| run["waits_for"][0]["step_id"] == "ask").await;
    let id = run["execution_id"].as_str().unwrap().to_owned();
    let asked = server.get("approvals?status=pending&limit=200").await;
    let asked = asked["items"].as_array().unwrap().iter().find(|asked| asked["execution_id"] == id);
    let approval = asked.unwrap()["approval_id"].as_str().unwrap().to_owned();
    let decision = json!({ "decision": "approve" });
    server.post(&format!("approvals/{approval}/decisions"), &decision, &format!("decision-{n}")).await;
    let run = server.run_when(&event, |run| run["status"] == "ended").await;
    assert_eq!(run["result"], "allowed", "{n}: {run:#}");
    let detail = server.get(&format!("executions/{id}")).await;
    let done: Vec<String> = crate::app::trace(&detail)
        .into_iter()
        .filter(|(_, state)| state == "done")
        .map(|(step, _)| step)
        .collect();
    assert_eq!(done, ["ask", "tell", "tell", "again", "done"], "{n}: {detail:#}");
    let decided = server.get(&format!("approvals/{approval}")).await;
    assert_eq!(decided["status"], "approved", "{n}: {decided:#}");
    assert_eq!(decided["levels"][0]["decisions"].as_array().unwrap().len(), 1, "{n}: {decided:#}");
    let notices = server.get("notices?limit=200").await;
    let message = format!("Order {n} is approved");
    let notified =
        notices["items"].as_array().unwrap().iter().filter(|notice| notice["message"] == message.as_str());
    assert_eq!(notified.count(), 1, "{n}: people are told once: {notices:#}");
    let keys = shop.calls().into_iter().map(|call| call.key).filter(|key| key.starts_with(&id));
    let distinct: std::collections::BTreeSet<String> = keys.collect();
    assert_eq!(distinct.len(), 1, "{n}: the call has one key, however often it is made: {distinct:?}");
    server.died
}

/// Two levels; the first is reminded and escalated before anybody decides.
const SEVERAL: &str = "workflow_id: several\nname: Several\ntrigger: { type: event, event: several }\nenabled: true\nsteps:\n  \
    - { id: ask, type: approval, approval: { forbid: [], form: [{ name: discount, type: number, max: 20, default: 5 }], levels: [\
    { name: first, approvers: ['user:admin@example.com', 'user:bo@example.com'], quorum: 2, expires_in: 1h, remind_every: 300ms, escalate_after: 500ms, escalate_to: ['role:admin'] }, \
    { name: second, approvers: ['user:bo@example.com'], expires_in: 1h }] }, on_approved: tell }\n  \
    - { id: tell, type: execute, execute: [{ type: webhook, url: 'http://SHOP/told', body: { discount: '{{ approval.edits.discount }}' } }], next: done }\n  \
    - { id: done, type: action, action: { type: allow } }\n";

#[tokio::test]
async fn a_run_that_several_decide_ends_the_same_whichever_point_the_server_dies_at() {
    let shop = Shop::open().await;
    let (url, admin, bo) = set_with_two(&shop, &[SEVERAL]).await;
    let mut n = 1;
    while decided_by_several(n, &shop, &url, (&admin, &bo)).await {
        n += 1;
        assert!(n < 90, "the run has more points than are tried");
    }
    assert!(n > 8, "only {n} points were tried");
}

async fn decided_by_several(n: u32, shop: &Shop, url: &str, (admin, bo): (&str, &str)) -> bool {
    let mut server = RestartingServer::start(("IW_CRASH_AT", n), shop, url, admin);
    let event = format!("several-{n}");
    server.send(&json!({ "type": "several", "id": event })).await;
    let run = server.run_when(&event, |run| run["waits_for"][0]["step_id"] == "ask").await;
    let id = run["execution_id"].as_str().unwrap().to_owned();
    let asked = server.get("approvals?status=pending&limit=200").await;
    let asked = asked["items"].as_array().unwrap().iter().find(|asked| asked["execution_id"] == id);
    let path = format!("approvals/{}", asked.unwrap()["approval_id"].as_str().unwrap());
    let begun = std::time::Instant::now();
    loop {
        let first = server.get(&path).await["levels"][0].clone();
        if first["escalated_at"].is_string() && first["reminded_at"].is_string() {
            break;
        }
        assert!(begun.elapsed().as_secs() < 60, "{n}: neither reminded nor escalated: {first:#}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let edit = json!({ "decision": "approve_with_edits", "edits": { "discount": 12 } });
    let (approve, retract) = (json!({ "decision": "approve" }), json!({ "decision": "retract" }));
    let acts: [(&str, &Value); 6] = [
        (admin, &approve),
        (admin, &retract),
        (admin, &approve),
        (bo, &approve),
        (bo, &edit),
        (admin, &approve),
    ];
    for (at, (who, body)) in acts.into_iter().enumerate() {
        server.act_as(who);
        server.post(&format!("{path}/decisions"), body, &format!("several-{n}-{at}")).await;
    }
    let run = server.run_when(&event, |run| run["status"] == "ended").await;
    assert_eq!(run["result"], "allowed", "{n}: {run:#}");
    let decided = server.get(&path).await;
    let statuses: Vec<&Value> =
        decided["levels"].as_array().unwrap().iter().map(|level| &level["status"]).collect();
    assert_eq!(statuses, ["approved", "approved"], "{n}: {decided:#}");
    let first = decided["levels"][0]["decisions"].as_array().unwrap();
    let how: Vec<(bool, bool)> =
        first.iter().map(|made| (made["retracted_at"].is_null(), made["superseded_at"].is_null())).collect();
    // Taken back; two that approved something else; Bo's by the edit, and the administrator's anew.
    assert_eq!(
        how,
        [(false, true), (true, false), (true, false), (true, true), (true, true)],
        "{n}: {decided:#}"
    );
    let calls: Vec<_> = shop.calls().into_iter().filter(|call| call.key.starts_with(&id)).collect();
    let keys: std::collections::BTreeSet<&String> = calls.iter().map(|call| &call.key).collect();
    assert_eq!(keys.len(), 1, "{n}: the call has one key, however often it is made");
    server.died
}
