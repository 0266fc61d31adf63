//! Levels in their order: quorums, vetoes, decisions that are taken back, edits.

use super::{ask, asking, card, decide, states};
use crate::app::App;
use serde_json::{Value, json};

const TWO_LEVELS: &str =
    "[{ name: finance, approvers: ['role:finance'], quorum: 2 }, { name: legal, approvers: ['role:legal'] }]";

#[tokio::test]
async fn levels_are_asked_in_order_and_each_passes_by_its_quorum() {
    let app = App::start().await;
    app.publish(&asking("forbid: [requester]", TWO_LEVELS)).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let cy = app.person("Cy Roth", &["operator", "finance"]).await;
    let ada = app.person("Ada Lind", &["operator", "legal"]).await;
    let (id, run) = ask(&shop, "A1").await;
    let first = card(&bo, &id).await;
    assert_eq!(states(&first), ["open", "waiting"]);
    assert_eq!(first["still_needed"], "2 of finance (Bo Ek, Cy Roth).");
    assert_eq!(
        first["you"],
        json!({ "may": ["approve", "reject", "request_changes"], "level": "finance", "for": [] })
    );
    for list in ["form", "effects", "reopened"] {
        assert_eq!(first[list], json!([]), "{list}");
    }
    let early = card(&ada, &id).await;
    assert_eq!(
        early["cannot_because"],
        "You are asked at the level legal, which opens when finance has passed."
    );
    decide(&ada, &id, "approve").await.problem(403);
    let one = decide(&bo, &id, "approve").await.json(200);
    assert_eq!(one["still_needed"], "1 more of finance (Cy Roth).");
    assert_eq!((&one["status"], &one["levels"][0]["filled"]), (&json!("pending"), &json!(1)));
    assert_eq!(decide(&bo, &id, "approve").await.problem(409)["code"], "approval.already_decided");
    let two = decide(&cy, &id, "approve").await.json(200);
    assert_eq!(states(&two), ["approved", "open"]);
    assert_eq!(two["still_needed"], "One of legal (Ada Lind).");
    assert!(two["levels"][1]["opened_at"].is_string());
    let late = json!({ "decision": "approve", "level": "finance" });
    let closed = ada.post(&format!("approvals/{id}/decisions"), late).await.problem(409);
    assert_eq!((&closed["code"], &closed["open"]), (&json!("approval.level_closed"), &json!("legal")));
    let done = decide(&ada, &id, "approve").await.json(200);
    assert_eq!((&done["status"], states(&done)), (&json!("approved"), vec!["approved", "approved"]));
    let run = ada.run_ended(&run).await;
    assert_eq!(run["result"], "allowed");
    let decisions = run["context"]["approval"]["decisions"].as_array().unwrap();
    let who: Vec<&str> = decisions.iter().map(|decision| decision["by"].as_str().unwrap()).collect();
    assert_eq!(who, ["bo.ek@example.com", "cy.roth@example.com", "ada.lind@example.com"]);
    app.stop().await;
}

#[tokio::test]
async fn a_decision_is_taken_back_and_made_anew_and_a_veto_ends_it() {
    let app = App::start().await;
    app.publish(&asking("veto: ['role:cfo']", "[{ approvers: ['role:finance'], quorum: 2, rejections: 2 }]"))
        .await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let cy = app.person("Cy Roth", &["operator", "finance"]).await;
    let dee = app.person("Dee Holm", &["operator", "finance"]).await;
    let fia = app.person("Fia Lund", &["operator", "cfo"]).await;
    let (id, run) = ask(&shop, "A1").await;
    assert_eq!(decide(&bo, &id, "retract").await.problem(409)["code"], "approval.nothing_to_retract");
    decide(&bo, &id, "approve").await.json(200);
    assert_eq!(card(&bo, &id).await["you"]["may"], json!(["retract"]));
    let taken_back = decide(&bo, &id, "retract").await.json(200);
    assert!(taken_back["levels"][0]["decisions"][0]["retracted_at"].is_string());
    assert_eq!(taken_back["levels"][0]["filled"], 0);
    assert_eq!(taken_back["can_decide"], true);
    // One rejection of two leaves it open: Cy and Dee can still fill it.
    let rejected = decide(&bo, &id, "reject").await.json(200);
    assert_eq!(rejected["status"], "pending");
    decide(&cy, &id, "approve").await.json(200);
    let vetoer = card(&fia, &id).await;
    assert_eq!((&vetoer["can_decide"], &vetoer["you"]["may"]), (&json!(false), &json!(["reject"])));
    decide(&fia, &id, "approve").await.problem(403);
    let ended = decide(&fia, &id, "reject").await.json(200);
    assert_eq!((&ended["status"], states(&ended)), (&json!("rejected"), vec!["rejected"]));
    assert_eq!(fia.run_ended(&run).await["reason"], "Refused");
    assert_eq!(decide(&dee, &id, "approve").await.problem(409)["decided"]["by"], "fia.lund@example.com");
    app.stop().await;
}

#[tokio::test]
async fn a_place_that_was_handed_over_stays_so_when_the_level_opens_again() {
    let app = App::start().await;
    let form = "form: [{ name: days, type: number, default: 30 }]";
    let levels = "[{ name: finance, approvers: ['user:bo.ek@example.com'] }, { name: legal, approvers: ['role:legal'] }]";
    app.publish(&asking(form, levels)).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator"]).await;
    let cy = app.person("Cy Roth", &["operator"]).await;
    let ada = app.person("Ada Lind", &["operator", "legal"]).await;
    let (id, _) = ask(&shop, "A1").await;
    let to = json!({ "to": "cy.roth@example.com" });
    bo.post(&format!("approvals/{id}/delegate"), to).await.json(200);
    decide(&cy, &id, "approve").await.json(200);
    let edit = json!({ "decision": "approve_with_edits", "edits": { "days": 14 } });
    let again = ada.post(&format!("approvals/{id}/decisions"), edit).await.json(200);
    assert_eq!(states(&again), ["open", "waiting"]);
    assert_eq!(again["levels"][0]["handovers"][0]["to"], "cy.roth@example.com");
    assert_eq!(again["you"]["may"], json!(["retract"]), "{again:#}");
    decide(&bo, &id, "approve").await.problem(403);
    assert_eq!(decide(&cy, &id, "approve").await.json(200)["status"], "approved");
    app.stop().await;
}

#[tokio::test]
async fn a_veto_that_a_delegate_gives_names_for_whom_it_is() {
    let app = App::start().await;
    app.publish(&asking("veto: ['role:cfo']", "[{ approvers: ['role:finance'], rejections: 2 }]")).await;
    let shop = app.key(&["events:write"]).await;
    let admin = app.admin().await;
    app.person("Bo Ek", &["operator", "finance"]).await;
    app.person("Cy Roth", &["operator", "finance"]).await;
    let dee = app.person("Dee Holm", &["operator"]).await;
    let fia = app.person("Fia Lund", &["operator", "cfo"]).await;
    let (id, run) = ask(&shop, "A1").await;
    let away = json!({ "from": "2020-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z", "delegate": "dee.holm@example.com" });
    fia.post("absences", away).await.json(201);
    let asked = card(&dee, &id).await;
    assert_eq!(asked["you"]["may"], json!(["reject"]));
    assert_eq!(asked["you"]["for"], json!(["fia.lund@example.com"]));
    let ended = decide(&dee, &id, "reject").await.json(200);
    let made = &ended["levels"][0]["decisions"][0];
    assert_eq!((&made["by"], &made["for"]), (&json!("dee.holm@example.com"), &json!("fia.lund@example.com")));
    assert_eq!(made["for_name"], "Fia Lund");
    let audit = admin.get(&format!("audit?action=approval.decided&subject={id}")).await.json(200);
    assert_eq!(audit["items"][0]["detail"]["for"], json!(["fia.lund@example.com"]));
    let run = dee.run_ended(&run).await;
    let trace = run["trace"].as_array().unwrap();
    let told = |entry: &&Value| {
        entry["reason"].as_str().is_some_and(|r| r.contains("Dee Holm rejected for Fia Lund"))
    };
    assert!(trace.iter().any(|entry| told(&entry)), "{trace:#?}");
    app.stop().await;
}

#[tokio::test]
async fn edits_are_checked_change_what_is_sent_and_open_the_earlier_level_again() {
    let app = App::start().await;
    let form = "form: [{ name: discount, type: number, max: 20, default: 5 }, { name: note, type: text }]";
    let levels =
        "[{ name: finance, approvers: ['role:finance'] }, { name: legal, approvers: ['role:legal'] }]";
    let document = asking(form, levels).replace(
        "- { id: yes, type: action, action: { type: allow } }",
        "- { id: yes, type: action, action: { type: allow }, execute: [{ type: emit_event, event: told, payload: { discount: '{{ approval.edits.discount }}', by: '{{ approval.by }}' } }] }",
    );
    app.publish(&document).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let ada = app.person("Ada Lind", &["operator", "legal"]).await;
    let (id, run) = ask(&shop, "A1").await;
    let asked = card(&bo, &id).await;
    assert_eq!(asked["form"][0]["value"], 5);
    assert_eq!(asked["effects"][0]["request"]["payload"]["discount"], 5);
    assert_eq!(asked["effects"][0]["at_the_time"], json!(["/payload/by"]));
    decide(&bo, &id, "approve").await.json(200);
    let edit = |value: Value| json!({ "decision": "approve_with_edits", "edits": { "discount": value } });
    let path = format!("approvals/{id}/decisions");
    let refused = ada.post(&path, edit(json!(21))).await.problem(422);
    assert_eq!(refused["code"], "approval.form");
    assert_eq!(refused["findings"][0]["pointer"], "/edits/discount");
    let unknown = json!({ "decision": "approve_with_edits", "edits": { "discnt": 3 } });
    assert_eq!(ada.post(&path, unknown).await.problem(422)["code"], "approval.form");
    let misplaced = json!({ "decision": "approve", "edits": { "discount": 3 } });
    assert_eq!(ada.post(&path, misplaced).await.problem(422)["code"], "field.bad");
    let edited = ada.post(&path, edit(json!(10))).await.json(200);
    assert_eq!((&edited["status"], states(&edited)), (&json!("pending"), vec!["open", "waiting"]));
    assert_ne!(edited["seen"], asked["seen"]);
    assert_eq!(edited["effects"][0]["request"]["payload"]["discount"], 10);
    assert!(edited["levels"][0]["decisions"][0]["superseded_at"].is_string());
    let made = &edited["levels"][1]["decisions"][0];
    assert_eq!(
        (&made["edits"], &made["edited_from"]),
        (&json!({ "discount": 10 }), &json!({ "discount": 5 }))
    );
    let audit = app.admin().await.get(&format!("audit?action=approval.decided&subject={id}")).await.json(200);
    let edits = &audit["items"][0]["detail"]["edits"];
    assert_eq!(edits, &json!({ "from": { "discount": 5 }, "to": { "discount": 10 } }), "{audit}");
    let old = json!({ "decision": "approve", "seen": asked["seen"] });
    let changed = bo.post(&path, old).await.problem(409);
    assert_eq!(changed["code"], "approval.changed");
    let told: Vec<&Value> =
        changed["changes"].as_array().unwrap().iter().map(|change| &change["pointer"]).collect();
    assert!(told.contains(&&json!("/form/discount")), "{changed:#}");
    assert!(told.iter().any(|pointer| pointer.as_str().unwrap().starts_with("/effects/")), "{changed:#}");
    assert!(changed["detail"].as_str().unwrap().contains("/form/discount from"), "{changed:#}");
    // Ada's approval with the edit stands: when finance has approved the same, all is said.
    let done = decide(&bo, &id, "approve").await.json(200);
    assert_eq!(done["status"], "approved");
    let run = bo.run_ended(&run).await;
    assert_eq!(run["context"]["approval"]["edits"], json!({ "discount": 10, "note": null }));
    app.stop().await;
}
