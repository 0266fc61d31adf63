//! Decisions: by whom they may be made, once, with what follows.

use crate::app::{App, Client, fresh_database, trace};
use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};

const ASK: &str = "workflow_id: ask\nname: Ask\ntrigger: { type: event, event: ask }\nenabled: true\n\
    subject: 'Order {{ id }}'\nsteps:\n  - id: ask\n    type: approval\n    approval:\n      \
    show: { total: '{{ total }}' }\n      levels: [{ approvers: ['role:sales_manager'] }]\n    \
    on_approved: yes\n    on_rejected: no\n    on_changes_requested: no\n  - { id: yes, type: action, action: { type: allow } }\n  \
    - { id: no, type: action, action: { type: block, reason: Refused } }\n";

async fn ask(shop: &Client, id: &str) -> (String, Value) {
    let event = json!({ "type": "ask", "id": id, "payload": { "id": id, "total": 5 } });
    let answer = shop.post("events?wait=5s", event).await.json(200);
    let run = &answer["runs"][0];
    (run["approval_id"].as_str().unwrap().to_owned(), run["execution_id"].clone())
}

fn decisions(id: &str) -> String {
    format!("approvals/{id}/decisions")
}

#[tokio::test]
async fn an_approval_sends_the_run_on_and_tells_who_said_what() {
    let app = App::start().await;
    app.publish(ASK).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "sales_manager"]).await;
    let (id, run) = ask(&shop, "A1").await;
    let card = bo.get(&format!("approvals/{id}")).await.json(200);
    assert_eq!((&card["subject"], &card["can_decide"]), (&json!("Order A1"), &json!(true)));
    assert_eq!(card["still_needed"], "One of sales_manager (Bo Ek).");
    assert_eq!(card["if_approved"], json!(["Order A1 is allowed."]));
    let body = json!({ "decision": "approve", "comment": "Fine", "seen": card["seen"] });
    let after = bo.post(&decisions(&id), body).await.json(200);
    assert_eq!(after["status"], "approved");
    assert_eq!(after["levels"][0]["decisions"][0]["comment"], "Fine");
    let run = bo.run_ended(&run).await;
    assert_eq!(run["result"], "allowed");
    assert_eq!(run["reason"], "Bo Ek approved: “Fine”");
    let path: Vec<String> = trace(&run).into_iter().map(|(step, state)| format!("{step} {state}")).collect();
    assert_eq!(path, ["ask waiting", "ask done", "yes done"]);
    // The card, the context and the trace say the same time.
    let decided = after["levels"][0]["decisions"][0]["at"].as_str().unwrap();
    let traced = run["trace"][1]["at"].as_str().unwrap();
    let seen = run["context"]["approval"]["at"].as_str().unwrap();
    let at = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap();
    assert_eq!((at(decided), at(seen)), (at(traced), at(traced)));
    app.stop().await;
}

#[tokio::test]
async fn only_who_is_asked_and_did_not_ask_can_decide() {
    let app = App::start().await;
    app.publish(ASK).await;
    let ina = app.person("Ina Berg", &["operator", "sales_manager"]).await;
    let operator = app.person("Cy Roth", &["operator"]).await;
    let viewer = app.person("Per Dahl", &["viewer", "sales_manager"]).await;
    let (id, _) = ask(&ina, "mine").await;
    let approve = json!({ "decision": "approve" });
    let own = ina.post(&decisions(&id), approve.clone()).await.problem(403);
    assert_eq!(own["detail"], "You asked for this yourself.");
    let other = operator.post(&decisions(&id), approve.clone()).await.problem(403);
    assert_eq!(other["code"], "approval.not_asked");
    viewer.post(&decisions(&id), approve.clone()).await.problem(403);
    let key = app.key(&["approvals:read"]).await;
    key.get(&format!("approvals/{id}")).await.json(200);
    key.post(&decisions(&id), approve).await.problem(403);
    app.stop().await;
}

#[tokio::test]
async fn a_decision_needs_its_words_and_what_was_read() {
    let app = App::start().await;
    app.publish(ASK).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "sales_manager"]).await;
    let (id, _) = ask(&shop, "A1").await;
    for (body, status, code) in [
        (json!({ "decision": "reject" }), 422, "approval.comment_needed"),
        (json!({ "decision": "request_changes", "comment": "  " }), 422, "approval.comment_needed"),
        (json!({ "decision": "approve", "seen": "sha256:other" }), 409, "approval.changed"),
        (json!({ "decision": "approve_with_edits", "edits": {} }), 422, "approval.no_form"),
        (json!({ "decision": "perhaps" }), 422, "body.unreadable"),
    ] {
        let problem = bo.post(&decisions(&id), body.clone()).await.problem(status);
        assert_eq!(problem["code"], code, "{body}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_decision_sent_again_under_its_key_is_answered_again() {
    let app = App::start().await;
    app.publish(ASK).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "sales_manager"]).await;
    let (id, _) = ask(&shop, "A1").await;
    let send = |key: &'static str| {
        let (bo, path) = (bo.clone(), decisions(&id));
        async move {
            bo.send(Method::POST, &path, |r| {
                r.header("idempotency-key", key).json(&json!({ "decision": "approve" }))
            })
            .await
        }
    };
    send("one").await.json(200);
    assert_eq!(send("one").await.json(200)["status"], "approved");
    let late = send("two").await.problem(409);
    assert_eq!(late["code"], "approval.already_decided");
    assert_eq!(late["decided"]["by"], "bo.ek@example.com");
    app.stop().await;
}

#[tokio::test]
async fn of_two_decisions_at_once_one_wins_a_thousand_times() {
    const PAIRS: usize = 1000;
    let url = fresh_database().await;
    let (app, other) = (App::start_on(&url, |_| {}).await, App::start_on(&url, |_| {}).await);
    app.publish(ASK).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "sales_manager"]).await;
    let ina = app.person("Ina Berg", &["operator", "sales_manager"]).await;
    let asked = futures_util::stream::iter(0..PAIRS).map(|n| {
        let shop = shop.clone();
        async move { ask(&shop, &format!("A{n}")).await.0 }
    });
    let asked: Vec<String> = asked.buffer_unordered(64).collect().await;
    // Half of the pairs meet on one server, where a lock puts them in line; the others on two, where the database does.
    let elsewhere = Client::new(&other.base, ina.token.clone());
    let raced = futures_util::stream::iter(asked.into_iter().enumerate()).map(|(n, id)| {
        let (bo, ina) = (bo.clone(), if n % 2 == 0 { ina.clone() } else { elsewhere.clone() });
        async move {
            let path = decisions(&id);
            let (yes, no) = tokio::join!(
                bo.post(&path, json!({ "decision": "approve" })),
                ina.post(&path, json!({ "decision": "reject", "comment": "no" })),
            );
            let after = bo.get(&format!("approvals/{id}")).await.json(200);
            (yes.status.as_u16(), no.status.as_u16(), after)
        }
    });
    let raced: Vec<_> = raced.buffer_unordered(32).collect().await;
    for (yes, no, after) in &raced {
        match (yes, no) {
            (200, 409) => assert_eq!(after["status"], "approved"),
            (409, 200) => assert_eq!(after["status"], "rejected"),
            other => panic!("{other:?}"),
        }
        assert_eq!(after["levels"][0]["decisions"].as_array().map(Vec::len), Some(1));
    }
    assert_eq!(raced.len(), PAIRS);
    app.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_request_expires_and_is_withdrawn_with_its_run() {
    let app = App::start().await;
    let expiring = ASK.replace("levels: [{ approvers", "levels: [{ expires_in: 1s, approvers");
    app.publish(
        &expiring.replace("workflow_id: ask", "workflow_id: expiring").replace("event: ask", "event: soon"),
    )
    .await;
    app.publish(ASK).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "sales_manager"]).await;
    let started =
        shop.post("events?wait=5s", json!({ "type": "soon", "payload": { "id": "E" } })).await.json(200);
    let run = bo.run_ended(&started["runs"][0]["execution_id"]).await;
    assert_eq!((&run["result"], &run["reason"]), (&json!("blocked"), &json!("Nobody decided in time")));
    let late = bo
        .post(
            &decisions(started["runs"][0]["approval_id"].as_str().unwrap()),
            json!({ "decision": "approve" }),
        )
        .await;
    assert_eq!(late.problem(409)["code"], "approval.closed");

    let (id, run) = ask(&shop, "A1").await;
    let path = format!("executions/{}/cancel", run.as_str().unwrap());
    let cancelled = bo.post(&path, json!({ "reason": "Entered twice" })).await.json(200);
    assert_eq!((&cancelled["status"], &cancelled["result"]), (&json!("ended"), &json!("cancelled")));
    let card = bo.get(&format!("approvals/{id}")).await.json(200);
    assert_eq!(card["status"], "withdrawn");
    assert_eq!(card["withdrawn_because"], "Cancelled by Bo Ek: “Entered twice”");
    bo.post(&path, json!({})).await.problem(409);
    app.stop().await;
}

#[tokio::test]
async fn lists_are_paged_filtered_and_mine() {
    let app = App::start().await;
    app.publish(ASK).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "sales_manager"]).await;
    let cy = app.person("Cy Roth", &["operator"]).await;
    for n in 0..5 {
        ask(&shop, &format!("N{n}")).await;
    }
    let first = bo.get("approvals?mine=true&status=pending&limit=2").await.json(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second =
        bo.get(&format!("approvals?mine=true&status=pending&limit=3&cursor={cursor}")).await.json(200);
    assert_eq!((first["items"].as_array().unwrap().len(), second["items"].as_array().unwrap().len()), (2, 3));
    assert!(second["next_cursor"].is_null());
    assert_eq!(cy.get("approvals?mine=true").await.json(200)["items"], json!([]));
    assert_eq!(cy.get("approvals").await.json(200)["items"].as_array().unwrap().len(), 5);
    assert_eq!(bo.get("approvals?cursor=nonsense").await.problem(422)["code"], "cursor.bad");
    assert_eq!(bo.get("approvals?limit=500").await.problem(422)["code"], "query.unreadable");
    assert_eq!(bo.get("approvals?status=open").await.problem(422)["code"], "query.unreadable");
    app.stop().await;
}
