//! Who is named as able to decide is who can.

use crate::app::App;
use reqwest::Method;
use serde_json::json;

const ASK: &str = "workflow_id: ask\nname: Ask\ntrigger: { type: event, event: ask }\nenabled: true\nsteps:\n  \
    - id: ask\n    type: approval\n    approval: { levels: [{ approvers: ['role:sales_manager'] }] }\n    \
    on_approved: yes\n  - { id: yes, type: action, action: { type: allow } }\n";

#[tokio::test]
async fn names_lists_and_decisions_agree_on_who_can_decide() {
    let app = App::start().await;
    app.publish(ASK).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "sales_manager"]).await;
    let ina = app.person("Ina Berg", &["operator", "sales_manager"]).await;
    let vi = app.person("Vi Holm", &["viewer", "sales_manager"]).await;
    let al = app.person("Al Young", &["author", "viewer", "sales_manager"]).await;
    let alone = app.person("Cy Roth", &["sales_manager"]).await;
    let event = json!({ "type": "ask", "requester": "ina.berg@example.com" });
    let started = shop.post("events?wait=5s", event).await.json(200);
    let id = started["runs"][0]["approval_id"].as_str().unwrap();
    let card = bo.get(&format!("approvals/{id}")).await.json(200);
    let needed = card["still_needed"].as_str().unwrap();
    assert!(needed.starts_with("One of sales_manager (Bo Ek); not"), "{needed}");
    assert!(needed.contains("Ina Berg, who asked for it"), "{needed}");
    for (who, can) in [(&bo, true), (&ina, false), (&vi, false), (&al, false), (&alone, false)] {
        let read = who.get(&format!("approvals/{id}")).await;
        if read.status == 200 {
            let card = read.json(200);
            assert_eq!(card["can_decide"], can);
            let mine = who.get("approvals?mine=true").await.json(200);
            assert_eq!(mine["items"].as_array().unwrap().len(), usize::from(can));
        }
    }
    for who in [&ina, &vi, &al, &alone] {
        who.post(&format!("approvals/{id}/decisions"), json!({ "decision": "approve" })).await.problem(403);
    }
    bo.post(&format!("approvals/{id}/decisions"), json!({ "decision": "approve" })).await.json(200);
    // What is decided isn't mine to decide any more; with its status it is found among what was.
    assert_eq!(bo.get("approvals?mine=true").await.json(200)["items"], json!([]));
    assert_eq!(bo.get("approvals?mine=true&status=approved").await.json(200)["items"][0]["approval_id"], id);
    app.stop().await;
}

#[tokio::test]
async fn a_page_of_mine_is_filled_past_what_isnt() {
    let app = App::start().await;
    app.publish(ASK).await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "sales_manager"]).await;
    // Every second one was asked for by Bo.
    for n in 0..10 {
        let requester = if n % 2 == 0 { "bo.ek@example.com" } else { "cy@example.com" };
        shop.post("events?wait=5s", json!({ "type": "ask", "requester": requester })).await.json(200);
    }
    let mut path = "approvals?mine=true&limit=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = bo.get(&path).await.json(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.iter().all(|item| item["can_decide"] == true) && items.len() <= 2);
        seen.extend(items.iter().map(|item| item["approval_id"].clone()));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("approvals?mine=true&limit=2&cursor={cursor}"),
            None => break,
        }
    }
    let once: std::collections::BTreeSet<String> = seen.iter().map(ToString::to_string).collect();
    assert_eq!((seen.len(), once.len()), (5, 5));
    app.stop().await;
}

#[tokio::test]
async fn whom_nobody_could_ask_is_found_at_save_and_fails_its_step() {
    let app = App::start().await;
    let author = app.person("Ada Lind", &["author"]).await;
    app.person("Vi Holm", &["viewer", "auditor"]).await;
    let asking = |who: &str| {
        format!(
            "workflow_id: ask\nname: Ask\ntrigger: {{ type: event, event: ask }}\nenabled: true\nsteps:\n  \
             - id: ask\n    type: approval\n    approval: {{ levels: [{{ approvers: [\"{who}\"] }}] }}\n    \
             on_approved: yes\n  - {{ id: yes, type: action, action: {{ type: allow }} }}\n"
        )
    };
    let long = format!("role:{}", "x".repeat(5_000));
    for (who, code) in [
        ("role:auditor", "role.empty"),
        ("user:vi.holm@example.com", "person.unknown"),
        (long.as_str(), "approver.bad"),
    ] {
        let checked = author
            .send(Method::POST, "workflows/validate", |r| {
                r.header("content-type", "application/yaml").body(asking(who))
            })
            .await
            .json(200);
        let codes: Vec<&str> =
            checked["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
        assert!(codes.contains(&code), "{who}: {codes:?}");
    }
    app.publish(&asking("{{ who }}")).await;
    app.publish("workflow_id: other\nname: Other\ntrigger: { type: event, event: ask }\nenabled: true\nsteps: [{ id: a, type: action, action: { type: allow } }]\n").await;
    let events = app.key(&["events:write"]).await;
    let event = json!({ "type": "ask", "payload": { "who": long } });
    let started = events.post("events?wait=5s", event).await.json(200);
    let mut ends: Vec<(&str, &str)> = started["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (run["workflow_id"].as_str().unwrap(), run["result"].as_str().unwrap()))
        .collect();
    ends.sort_unstable();
    assert_eq!(ends, [("ask", "failed"), ("other", "allowed")]);
    app.stop().await;
}
