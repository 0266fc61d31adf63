//! Several people decide together: levels, quorums, vetoes, edits, absences, and what time does.

use crate::app::{App, Client, eventually};
use reqwest::Method;
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
    assert_eq!(edited["levels"][1]["decisions"][0]["edits"], json!({ "discount": 10 }));
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

#[tokio::test]
async fn a_delegate_decides_for_who_is_away_and_what_is_true_now_counts() {
    let app = App::start().await;
    app.publish(&asking(
        "forbid: [requester]",
        "[{ name: finance, approvers: ['role:finance'], quorum: 2 }]",
    ))
    .await;
    let shop = app.key(&["events:write"]).await;
    let admin = app.admin().await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let eva = app.person("Eva Ström", &["operator", "finance"]).await;
    let dee = app.person("Dee Holm", &["operator"]).await;
    let (id, _) = ask(&shop, "A1").await;
    decide(&dee, &id, "approve").await.problem(403);
    let away = |until: &str, delegate: Value| json!({ "from": "2020-01-01T00:00:00Z", "until": until, "delegate": delegate });
    let absence =
        eva.post("absences", away("2099-01-01T00:00:00Z", json!("Dee.Holm@example.com"))).await.json(201);
    assert_eq!(
        (&absence["delegate"], &absence["email"]),
        (&json!("dee.holm@example.com"), &json!("eva.ström@example.com"))
    );
    let seen = card(&dee, &id).await;
    assert_eq!(seen["still_needed"], "2 of finance (Bo Ek or Dee Holm for Eva Ström).");
    assert_eq!((&seen["can_decide"], &seen["you"]["for"]), (&json!(true), &json!(["eva.ström@example.com"])));
    assert_eq!(dee.get("approvals?scope=mine").await.json(200)["items"][0]["approval_id"], id.as_str());
    let decided = decide(&dee, &id, "approve").await.json(200);
    assert_eq!(decided["levels"][0]["decisions"][0]["for"], "eva.ström@example.com");
    let audit = admin.get(&format!("audit?action=approval.decided&subject={id}")).await.json(200);
    let entry = &audit["items"][0];
    assert_eq!(
        (&entry["actor"], &entry["detail"]["level"]),
        (&json!("dee.holm@example.com"), &json!("finance"))
    );
    assert_eq!(entry["detail"]["for"], json!(["eva.ström@example.com"]));
    // Eva may decide although she is away, and shares one place with Dee.
    let shared = decide(&eva, &id, "approve").await.json(200);
    assert_eq!((&shared["status"], &shared["levels"][0]["filled"]), (&json!("pending"), &json!(1)));
    // A role that is taken away counts at once.
    let users = admin.get("users").await.json(200);
    let user =
        users["items"].as_array().unwrap().iter().find(|user| user["name"] == "Bo Ek").unwrap().clone();
    let user = format!("users/{}", user["user_id"].as_str().unwrap());
    admin.patch(&user, json!({ "roles": ["operator"] })).await.json(200);
    decide(&bo, &id, "approve").await.problem(403);
    admin.patch(&user, json!({ "roles": ["operator", "finance"] })).await.json(200);
    assert_eq!(decide(&bo, &id, "approve").await.json(200)["status"], "approved");
    app.stop().await;
}

#[tokio::test]
async fn an_absence_is_refused_with_its_field_and_belongs_to_its_person() {
    let app = App::start().await;
    let admin = app.admin().await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    app.person("Cy Roth", &["operator", "finance"]).await;
    app.person("Vi Holm", &["viewer"]).await;
    let entry = |change: Value| {
        let mut body = json!({ "from": "2098-01-01T00:00:00Z", "until": "2098-02-01T00:00:00Z" });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    for (change, says) in [
        (json!({ "until": "2097-01-01T00:00:00Z" }), "`until` must be later than `from`"),
        (
            json!({ "from": "2019-01-01T00:00:00Z", "until": "2020-01-01T00:00:00Z" }),
            "`until`: the absence is over",
        ),
        (json!({ "delegate": "bo.ek@example.com" }), "`delegate`: the person who is away can't stand in"),
        (
            json!({ "delegate": "nobody@example.com" }),
            "`delegate`: nobody@example.com isn't an active member",
        ),
        (json!({ "delegate": "vi.holm@example.com" }), "`delegate`: the base role of Vi Holm"),
        (json!({ "delegate": "not an address" }), "`delegate`:"),
    ] {
        let problem = bo.post("absences", entry(change.clone())).await.problem(422);
        assert!(problem["detail"].as_str().unwrap().contains(says), "{change}: {problem}");
    }
    bo.post("absences", entry(json!({ "email": "cy.roth@example.com" }))).await.problem(403);
    let of_cy = admin
        .post("absences", entry(json!({ "email": "cy.roth@example.com", "note": " Sick " })))
        .await
        .json(201);
    assert_eq!((&of_cy["name"], &of_cy["note"]), (&json!("Cy Roth"), &json!("Sick")));
    let path = format!("absences/{}", of_cy["absence_id"].as_str().unwrap());
    bo.patch(&path, json!({ "note": "x" })).await.problem(403);
    let changed =
        admin.patch(&path, json!({ "delegate": "bo.ek@example.com", "note": null })).await.json(200);
    assert_eq!((&changed["delegate_name"], &changed["note"]), (&json!("Bo Ek"), &Value::Null));
    let running = bo.get("absences?at=2098-01-15T00:00:00Z&email=cy.roth@example.com").await.json(200);
    assert_eq!(running["items"].as_array().unwrap().len(), 1);
    assert_eq!(bo.get("absences?at=2099-01-15T00:00:00Z").await.json(200)["items"], json!([]));
    assert_eq!(admin.send(Method::DELETE, &path, |r| r).await.status.as_u16(), 204);
    admin.patch(&path, json!({})).await.problem(404);
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
    assert_eq!(cy.get("approvals?scope=decided").await.json(200)["items"][0]["approval_id"], id.as_str());
    app.stop().await;
}

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
    let again = bo.post("approvals/decisions", body).await.json(200);
    assert_eq!(again["items"][0]["code"], "approval.already_decided");
    bo.post("approvals/decisions", json!({ "decision": "approve", "items": [] })).await.problem(422);
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
    app.stop().await;
}

#[tokio::test]
async fn a_level_that_nobody_can_fill_is_told_and_escalates_at_once() {
    let app = App::start().await;
    let levels =
        "[{ name: legal, approvers: ['role:legal'], escalate_after: 30d, escalate_to: ['role:cfo'] }]";
    app.publish(&asking("forbid: [requester]", levels)).await;
    let shop = app.key(&["events:write"]).await;
    let admin = app.admin().await;
    let ada = app.person("Ada Lind", &["operator", "legal"]).await;
    let (id, _) = ask(&shop, "A1").await;
    assert_eq!(card(&ada, &id).await["stuck"], Value::Null);
    let away = json!({ "from": "2020-01-01T00:00:00Z", "until": "2099-03-03T00:00:00Z" });
    ada.post("absences", away).await.json(201);
    let stuck = eventually("the request is stuck", || async {
        let card = card(&admin, &id).await;
        if card["stuck"].is_string() { Ok(card) } else { Err(card["stuck"].to_string()) }
    })
    .await;
    assert_eq!(
        stuck["stuck"],
        "Nobody can fill legal: Ada Lind is away until 3 March 2099 and named nobody."
    );
    assert!(stuck["levels"][0]["escalated_at"].is_string());
    let notice = eventually("the administrators are told", || async {
        let notices = admin.get("notices").await.json(200);
        notices["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|notice| notice["approval_id"] == id.as_str())
            .cloned()
            .ok_or("none".to_owned())
    })
    .await;
    assert_eq!(notice["subject"], "Stuck: Order A1");
    // Somebody to whom it was escalated makes it possible again.
    let fia = app.person("Fia Lund", &["operator", "cfo"]).await;
    eventually("the request can be decided again", || async {
        let card = card(&fia, &id).await;
        if card["stuck"].is_null() { Ok(()) } else { Err(card["stuck"].to_string()) }
    })
    .await;
    assert_eq!(decide(&fia, &id, "approve").await.json(200)["status"], "approved");
    app.stop().await;
}

#[tokio::test]
async fn calendars_are_checked_kept_and_count_and_holidays_come_in_as_a_file() {
    let app = App::start().await;
    let admin = app.admin().await;
    let author = app.person("Ada Lind", &["author"]).await;
    let day = json!(["09:00-12:00", "13:00-17:00"]);
    let office = json!({ "name": "office", "timezone": "Europe/Stockholm",
        "hours": { "mon": day, "tue": day, "wed": day, "thu": day, "fri": day },
        "holidays": [{ "date": "2098-12-24", "hours": ["09:00-12:00"] }] });
    let put =
        async |calendar: &Value| admin.send(Method::PUT, "calendars/office", |r| r.json(calendar)).await;
    let mut closed = office.clone();
    closed["hours"] = json!({});
    let problem = put(&closed).await.problem(422);
    assert_eq!(
        (&problem["code"], &problem["findings"][0]["pointer"]),
        (&json!("calendar.invalid"), &json!("/hours"))
    );
    author.send(Method::PUT, "calendars/office", |r| r.json(&office)).await.problem(403);
    assert_eq!(put(&office).await.json(200)["used_by"], json!([]));
    let due = "calendars/office/due?from=2098-12-23T15:00:00Z&span=1d&remind_every=1h";
    let due = author.get(due).await.json(200);
    assert_eq!(due["due"], "2098-12-25T08:00:00Z");
    assert_eq!(due["reminders"][0], "2098-12-24T08:00:00Z");
    author.get("calendars/office/due?from=2098-12-23T15:00:00Z&span=soon").await.problem(422);
    let holidays = |text: String| {
        let admin = &admin;
        async move {
            admin
                .send(Method::PUT, "calendars/office/holidays", |r| {
                    r.header("Content-Type", "text/calendar").body(text)
                })
                .await
        }
    };
    assert_eq!(holidays("Dear all".into()).await.problem(422)["code"], "calendar.holidays");
    assert_eq!(holidays("x".repeat(3_000_000)).await.problem(413)["code"], "body.too_large");
    let year = chrono::Datelike::year(&app.running.state.clock.now()) + 1;
    let file = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:{year}1225\r\nSUMMARY:Christmas\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let imported = holidays(file).await.json(200);
    assert_eq!((&imported["days"], &imported["left_out"]), (&json!(1), &json!(0)));
    assert_eq!(
        imported["calendar"]["holidays"],
        json!([format!("{year}-12-25"), { "date": "2098-12-24", "hours": ["09:00-12:00"] }])
    );
    // A workflow that counts in it keeps it; one that isn't set up is a warning.
    let document = asking("calendar: office", "[{ approvers: ['role:finance'], expires_in: 4h }]");
    app.publish(&document).await;
    let used = admin.send(Method::DELETE, "calendars/office", |r| r).await.problem(409);
    assert_eq!((&used["code"], &used["used_by"]), (&json!("calendar.used"), &json!(["ask"])));
    let other = document.replace("office", "nowhere").replace("workflow_id: ask", "workflow_id: other");
    let findings = author.post("workflows/validate", json!({})).await;
    drop(findings);
    app.publish(&other).await;
    let read = admin.get("workflows/other").await.json(200);
    assert_eq!(read["findings"][0]["code"], "calendar.missing");
    admin.post("workflows/ask/disable", json!({})).await.json(200);
    assert_eq!(admin.send(Method::DELETE, "calendars/office", |r| r).await.status.as_u16(), 204);
    admin.get("calendars/office").await.problem(404);
    app.stop().await;
}

#[tokio::test]
async fn deadlines_are_counted_in_a_calendar_and_again_when_it_changes() {
    let app = App::start().await;
    let admin = app.admin().await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let all_day = |to: &str| {
        let hours = json!([format!("00:00-{to}")]);
        let days =
            ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| (day.to_owned(), hours.clone()));
        json!({ "name": "office", "timezone": "UTC", "hours": Value::Object(days.into_iter().collect()) })
    };
    let put = async |calendar: Value| {
        admin.send(Method::PUT, "calendars/office", |r| r.json(&calendar)).await.json(200)
    };
    let document = asking("calendar: office", "[{ approvers: ['role:finance'], expires_in: 240h }]");
    app.publish(&document).await;
    let shop = app.key(&["events:write"]).await;
    let event = json!({ "type": "ask", "payload": { "id": "A0", "total": 5 } });
    let missing = shop.post("events?wait=5s", event).await.json(200)["runs"][0].clone();
    assert_eq!((&missing["status"], &missing["result"]), (&json!("ended"), &json!("failed")));
    assert_eq!(missing["reason"], "The calendar office isn't set up.");
    put(all_day("24:00")).await;
    let (id, run) = ask(&shop, "A1").await;
    let hours = |card: &Value| {
        let at = |key: &str| card[key].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        (at("expires_at") - at("asked_at")).num_hours()
    };
    assert_eq!(hours(&card(&bo, &id).await), 240);
    put(all_day("12:00")).await;
    let recounted = eventually("the deadline is counted again", || async {
        let card = card(&bo, &id).await;
        if hours(&card) > 400 { Ok(card) } else { Err(card["expires_at"].to_string()) }
    })
    .await;
    assert_eq!(recounted["levels"][0]["expires_at"], recounted["expires_at"]);
    let run = bo.get(&format!("executions/{}", run.as_str().unwrap())).await.json(200);
    let reason = run["trace"].as_array().unwrap().last().unwrap()["reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("The calendar office changed: the deadlines are counted again"), "{reason}");
    app.stop().await;
}

#[tokio::test]
async fn an_absence_that_is_entered_ahead_is_told_at_the_workflows_that_nobody_could_decide() {
    let app = App::start().await;
    app.publish(&asking("forbid: [requester]", "[{ name: legal, approvers: ['role:legal'] }]")).await;
    let ada = app.person("Ada Lind", &["operator", "legal"]).await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    let findings = async || reader.get("workflows/ask").await.json(200)["findings"].clone();
    assert_eq!(findings().await, json!([]));
    let now = app.running.state.clock.now();
    let away = json!({ "from": now + chrono::Duration::days(20), "until": now + chrono::Duration::days(24) });
    ada.post("absences", away).await.json(201);
    let told = findings().await;
    assert_eq!(
        (&told[0]["code"], &told[0]["pointer"]),
        (&json!("level.unfilled"), &json!("/steps/0/approval/levels/0"))
    );
    let message = told[0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("From ") && message.contains("Nobody can fill legal: Ada Lind is away until"),
        "{message}"
    );
    app.stop().await;
}
