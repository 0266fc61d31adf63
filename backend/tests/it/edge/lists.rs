//! Lists in parts: full pages, and cursors that say nothing.

use super::MANUAL;
use crate::app::{App, Client};
use serde_json::{Value, json};

#[tokio::test]
async fn a_page_of_a_restricted_key_is_full_and_its_cursor_says_nothing_of_what_it_may_not_see() {
    let app = App::start().await;
    let asking = |id: &str| {
        format!(
            "workflow_id: {id}\nname: {id}\ntrigger: {{ type: event, event: go }}\nenabled: true\nsubject: about {id}\nsteps: [{{ id: a, type: action, action: {{ type: require_approval }}, execute: [{{ type: create_approval_request, data: {{ approver_role: sales_manager }} }}] }}]\n"
        )
    };
    for id in ["alpha", "beta", "gamma", "mine"] {
        app.publish(&asking(id)).await;
    }
    let admin = app.admin().await;
    for _ in 0..7 {
        admin.post("events?wait=5s", json!({ "type": "go" })).await.json(200);
    }
    let scopes = ["executions:read", "workflows:read", "approvals:read", "events:write"];
    let made = admin
        .post("api-keys", json!({ "name": "k", "scopes": scopes, "workflows": ["mine"] }))
        .await
        .json(201);
    let key = Client::new(&app.base, made["key"].as_str().map(str::to_owned));
    for (list, id) in [("executions", "execution_id"), ("approvals", "approval_id")] {
        let mut seen = Vec::new();
        let mut path = format!("{list}?limit=3");
        loop {
            let page = key.get(&path).await.json(200);
            let items = page["items"].as_array().unwrap();
            assert!(items.iter().all(|item| item["workflow_id"] == "mine"), "{page:#}");
            seen.extend(items.iter().map(|item| item[id].as_str().unwrap().to_owned()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            assert_eq!(items.len(), 3, "a page is full unless it is the last: {page:#}");
            assert!(seen.iter().all(|id| !cursor.contains(id.as_str())));
            path = format!("{list}?limit=3&cursor={cursor}");
        }
        seen.dedup();
        assert_eq!(seen.len(), 7, "{list}");
    }
    let page = key.get("workflows?limit=1").await.json(200);
    assert_eq!((&page["items"][0]["workflow_id"], &page["next_cursor"]), (&json!("mine"), &Value::Null));
    let again = json!({ "type": "go", "id": "once" });
    admin.post("events?wait=5s", again.clone()).await.json(200);
    let shown = key.post("events?wait=5s", again).await;
    assert!(!shown.text.contains("alpha"), "{}", shown.text);
    app.stop().await;
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_and_workspace() {
    let app = App::start().await;
    for id in ["one", "two", "three"] {
        app.publish(&MANUAL.replace("hand", id)).await;
    }
    let admin = app.admin().await;
    let cursor = admin.get("workflows?limit=1").await.json(200)["next_cursor"].as_str().unwrap().to_owned();
    let next = admin.get(&format!("workflows?limit=1&cursor={cursor}")).await.json(200);
    assert_eq!(next["items"][0]["workflow_id"], "three");
    let mut conn = app.running.state.pool.acquire().await.unwrap();
    let other = backend::setup::ensure_workspace(&mut conn, &backend::clock::Clock::default(), "other")
        .await
        .unwrap();
    drop(conn);
    let stranger = app.person_in(other, "Other Admin", &["admin"]).await;
    for (client, path) in [
        (&stranger, format!("workflows?cursor={cursor}")),
        (&admin, format!("rules?cursor={cursor}")),
        (&admin, "workflows?cursor=one".into()),
        (&admin, format!("workflows?cursor={}", &cursor[2..])),
    ] {
        assert_eq!(client.get(&path).await.problem(422)["code"], "cursor.bad", "{path}");
    }
    app.stop().await;
}
