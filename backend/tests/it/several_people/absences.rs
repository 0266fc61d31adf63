//! Absences: delegates, who may enter them, and levels that nobody can fill.

use super::{ask, asking, card, decide};
use crate::app::{App, eventually};
use reqwest::Method;
use serde_json::{Value, json};

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
    decide(&dee, &id, "retract").await.json(200);
    let audit = admin.get(&format!("audit?action=approval.retracted&subject={id}")).await.json(200);
    let entry = &audit["items"][0]["detail"];
    assert_eq!((&entry["level"], &entry["for"]), (&json!("finance"), &json!(["eva.ström@example.com"])));
    decide(&dee, &id, "approve").await.json(200);
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

#[tokio::test]
async fn levels_that_take_different_people_are_told_where_there_are_too_few() {
    let app = App::start().await;
    let levels = "[{ name: finance, approvers: ['role:finance'], quorum: 2 }, { name: legal, approvers: ['role:legal'] }]";
    app.publish(&asking("forbid: [previous_level]", levels)).await;
    app.person("Bo Ek", &["operator", "finance", "legal"]).await;
    app.person("Cy Roth", &["operator", "finance"]).await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    let findings = async || reader.get("workflows/ask").await.json(200)["findings"].clone();
    let told = findings().await;
    assert_eq!(
        (&told[0]["code"], &told[0]["pointer"]),
        (&json!("levels.unfilled"), &json!("/steps/0/approval/forbid"))
    );
    assert!(told[0]["message"].as_str().unwrap().contains("3 different people; Bo Ek, Cy Roth"), "{told}");
    app.person("Ada Lind", &["operator", "legal"]).await;
    assert_eq!(findings().await, json!([]));
    app.stop().await;
}
