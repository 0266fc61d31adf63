//! Deciding by the form of a card.

use super::{ask, browser::Browser, person, shop};
use serde_json::json;

const BO: &str = "bo.ek@example.com";

#[tokio::test]
async fn a_form_decides_once_and_the_card_shows_what_came_of_it() {
    let (app, key, admin) = shop().await;
    let (id, run) = ask(&key, "A1").await;
    let path = format!("/a/{id}");
    let browser = Browser::of(&app);
    let card = browser.sign_in(BO, &path).await;
    let refused = browser.submit(&card, &path, &[("decision", "reject"), ("comment", " ")]).await;
    refused.says(422, "role=\"alert\"");
    let filled = [
        ("decision", "approve"),
        ("comment", "Fine & good"),
        ("field.discount", "12"),
        ("field.kind", "1"),
        ("field.urgent", ""),
    ];
    let sent = browser.submit(&card, &path, &filled).await;
    assert_eq!(sent.location(), format!("{path}?done=1"));
    // Pressed twice: the same answer, and one decision.
    assert_eq!(browser.submit(&card, &path, &filled).await.location(), format!("{path}?done=1"));
    browser.get(&path).await.says(200, "Approved by Bo Ek.");
    let run = admin.run_ended(&run).await;
    assert_eq!((&run["result"], &run["context"]["discount"]), (&json!("allowed"), &json!(12)));
    assert_eq!(run["context"]["kind"], "sale");
    let approval = admin.get(&format!("approvals/{id}")).await.json(200);
    assert_eq!(approval["levels"][0]["decisions"].as_array().unwrap().len(), 1);
    // From another tab, too late: who decided.
    let late = [
        ("token", card.hidden("token")),
        ("key", "other".into()),
        ("decision", "reject".into()),
        ("comment", "No".into()),
    ];
    let late: Vec<(&str, &str)> = late.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post(&path, &late).await.says(409, "Bo Ek approved it at");
    app.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said_and_what_was_written_stays() {
    let (app, key, _) = shop().await;
    let (id, _) = ask(&key, "A1").await;
    let path = format!("/a/{id}");
    let browser = Browser::of(&app);
    let card = browser.sign_in(BO, &path).await;
    let press = async |decision: &'static str, more: &[(&'static str, &'static str)]| {
        let fields: Vec<(&str, &str)> =
            [("decision", decision), ("comment", "Because <it>")].iter().chain(more).copied().collect();
        browser.submit(&card, &path, &fields).await
    };
    for (decision, more, status, says) in [
        ("perhaps", vec![], 422, "Press one of the buttons."),
        ("approve", vec![("field.discount", "50")], 422, "discount"),
        ("approve", vec![("field.discount", "many")], 422, "discount"),
        ("approve", vec![("seen", "sha256:other")], 409, "has changed since you read it"),
        ("approve", vec![("level", "other")], 409, "role=\"alert\""),
    ] {
        let page = press(decision, &more).await;
        page.says(status, says);
        page.says(status, "Because &#60;it&#62;</textarea>");
        if let Some((_, typed)) = more.iter().find(|(name, _)| *name == "field.discount") {
            page.says(status, &format!("value=\"{typed}\""));
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn a_page_shows_and_takes_what_its_visitor_may() {
    let (app, key, admin) = shop().await;
    let cy = person(&admin, "Cy Roth", &["operator"]).await;
    let vi = person(&admin, "Vi Dahl", &["viewer"]).await;
    let (id, _) = ask(&key, "A1").await;
    let path = format!("/a/{id}");
    let operator = Browser::of(&app);
    let card = operator.sign_in(&cy, &path).await;
    card.says(200, "Order A1");
    assert!(!card.html.contains("name=\"decision\""), "{}", card.html);
    let fields = [("token", card.hidden("token")), ("decision", "approve".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    operator.post(&path, &fields).await.says(403, "role=\"alert\"");
    let viewer = Browser::of(&app);
    let refused = viewer.sign_in(&vi, &path).await;
    refused.says(403, "don&#39;t allow this");
    assert!(!refused.html.contains("Order A1"));
    let stranger = Browser::of(&app);
    for gone in ["/a/019a0000-0000-7000-8000-000000000001", "/a/nonsense", "/a/%00"] {
        stranger.cookies.lock().unwrap().clone_from(&operator.cookies.lock().unwrap());
        let page = stranger.get(gone).await;
        assert_eq!(page.status, 404, "{gone}: {}", page.html);
    }
    app.stop().await;
}

/// Two of three decide on what a form holds that is awkward to show: a number as a text, lines, a day with its time.
const SIGN: &str = "workflow_id: sign\nname: Sign\ntrigger: { type: event, event: sign }\nenabled: true\nsubject: Sign\nsteps:\n  - id: ask\n    type: approval\n    approval:\n      \
    form: [{ name: amount, type: number, default: '{{ total }}' }, { name: note, type: text, default: '{{ note }}' }, { name: day, type: date, default: '{{ day }}' }, { name: kind, type: choice, choices: [gift, sale], default: sale }]\n      \
    levels: [{ approvers: ['role:sales_manager'], quorum: 2 }]\n    on_approved: yes\n  \
    - { id: yes, type: set, set: { amount: '{{ approval.edits.amount }}', note: '{{ approval.edits.note }}' } }\n";

#[tokio::test]
async fn what_nobody_wrote_is_no_edit_and_undoes_none_of_a_colleague() {
    let (app, key, admin) = shop().await;
    app.publish(SIGN).await;
    let cy = person(&admin, "Cy Roth", &["operator", "sales_manager"]).await;
    let dee = app.person("Dee Ash", &["operator", "sales_manager"]).await;
    let payload =
        json!({ "total": "12400.10", "note": " two\nlines & \"more\" ", "day": "2026-11-26T10:00:00Z" });
    let asked = key.post("events?wait=5s", json!({ "type": "sign", "payload": payload })).await.json(200);
    let id = asked["runs"][0]["approval_id"].as_str().unwrap();
    let path = format!("/a/{id}");
    let (bo_browser, cy_browser) = (Browser::of(&app), Browser::of(&app));
    let bo_card = bo_browser.sign_in(BO, &path).await;
    let cy_card = cy_browser.sign_in(&cy, &path).await;
    // What a browser sends of fields that nobody touched.
    let untouched = [
        ("field.amount", "12400.10"),
        ("field.note", " two\r\nlines & \"more\" "),
        ("field.day", "2026-11-26T10:00:00Z"),
        ("field.kind", "1"),
        ("decision", "approve"),
    ];
    let sent = bo_browser.submit(&bo_card, &path, &untouched).await;
    assert_eq!(sent.location(), format!("{path}?done=1"));
    let decisions = async || {
        let approval = admin.get(&format!("approvals/{id}")).await.json(200);
        approval["levels"][0]["decisions"].as_array().unwrap().clone()
    };
    assert_eq!(decisions().await[0]["decision"], "approve");
    // Dee makes it 500, and Cy presses Approve on what was read before.
    let edits = json!({ "decision": "approve_with_edits", "edits": { "amount": 500 } });
    dee.post(&format!("approvals/{id}/decisions"), edits).await.json(200);
    let refused = cy_browser.submit(&cy_card, &path, &untouched).await;
    refused.says(409, "has changed since you read it");
    refused.says(409, "value=\"500\"");
    // Read again and pressed again, it is an approval of what Dee made of it.
    let again = [("field.amount", "500"), untouched[1], untouched[2], untouched[3], untouched[4]];
    let sent = cy_browser.submit(&refused, &path, &again).await;
    assert_eq!(sent.location(), format!("{path}?done=1"));
    let run = admin.run_ended(&asked["runs"][0]["execution_id"]).await;
    assert_eq!((&run["context"]["amount"], &run["context"]["note"]), (&json!(500), &payload["note"]));
    let made = decisions().await;
    assert_eq!(made.last().unwrap()["decision"], "approve", "{made:#?}");
    app.stop().await;
}

#[tokio::test]
async fn a_refused_form_stays_one_of_what_was_read() {
    let (app, key, _) = shop().await;
    let (id, _) = ask(&key, "A1").await;
    let path = format!("/a/{id}");
    let browser = Browser::of(&app);
    let card = browser.sign_in(BO, &path).await;
    let read = card.hidden("seen");
    let refused = browser.submit(&card, &path, &[("decision", "reject")]).await;
    assert_eq!(refused.hidden("seen"), read);
    for (field, text) in [("comment", "a\0b"), ("key", "kä"), ("level", "x\0")] {
        let page = browser.submit(&card, &path, &[("decision", "approve"), (field, text)]).await;
        assert!([409, 422].contains(&page.status), "{field}: {} {}", page.status, page.html);
    }
    let answered = browser.get(&format!("{path}?done=1")).await;
    assert!(!answered.html.contains("Your answer is recorded"), "nobody answered");
    app.stop().await;
}
