//! The fence: a server that was stopped for longer than its lease can't write over the one that took its runs over.

use crate::{
    app::{eventually, trace},
    crashes::{Server, admin_token, set_with},
    shop::{Reply, Shop},
};
use serde_json::json;
use std::{process::Command, sync::Arc};
use tokio::sync::Notify;

const CALLS: &str = "workflow_id: calls\nname: Calls\ntrigger: { type: event, event: calls }\nenabled: true\nsteps:\n  \
    - { id: call, type: execute, execute: [{ type: webhook, url: 'http://SHOP/call', save_as: answer }], next: hold }\n  \
    - { id: hold, type: wait, wait: { event: go.on }, next: done }\n  \
    - { id: done, type: action, action: { type: allow, reason: 'The answer was {{ answer.from }}' } }\n";

fn signal(server: &Server, name: &str) {
    let sent = Command::new("kill").args([name, &server.child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[tokio::test]
async fn an_outcome_of_a_server_that_was_taken_for_dead_changes_nothing() {
    let shop = Shop::open().await;
    let (url, token) = set_with(&shop, &[CALLS]).await;
    let mut one = Server::spawn(&url, shop.address, None);
    assert!(one.ready().await);
    let (first_answer, second_answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    shop.reply([
        Reply::Held(Arc::clone(&first_answer), json!({ "from": "the first call" })),
        Reply::Held(Arc::clone(&second_answer), json!({ "from": "the second call" })),
    ]);
    let first = one.client(Some(token.clone()));
    let run =
        first.post("events", json!({ "type": "calls" })).await.json(202)["runs"][0]["execution_id"].clone();
    let is_called = |times: usize| {
        let shop = &shop;
        async move {
            eventually("the call", || async {
                let calls = shop.calls().len();
                if calls == times { Ok(()) } else { Err(calls.to_string()) }
            })
            .await;
        }
    };
    is_called(1).await;
    signal(&one, "-STOP");
    // Its lease ends, and another server makes the call again under the same key.
    let mut two = Server::spawn(&url, shop.address, None);
    assert!(two.ready().await);
    let second = two.client(Some(token));
    is_called(2).await;
    assert_eq!(shop.calls()[0].key, shop.calls()[1].key);
    let before = second.run_when(&run, |run| run["status"] == "running").await;
    // The first server goes on and gets its answer, while the second still waits for its own.
    signal(&one, "-CONT");
    first_answer.notify_one();
    let metrics = format!("http://{}/metrics", one.address);
    eventually("the first server has its answer", || async {
        let text = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
        if text.contains("iw_call_seconds_count 1") { Ok(()) } else { Err(text) }
    })
    .await;
    let fresh = one.client(Some(admin_token(&one).await));
    fresh.post("events?wait=5s", json!({ "type": "nothing", "id": "after" })).await.json(200);
    let still = fresh.run_when(&run, |run| run["status"] == "running").await;
    assert_eq!(trace(&still), trace(&before), "an outcome under an old epoch is no part of the run");
    second_answer.notify_one();
    second.run_when(&run, |run| run["waits_for"][0]["step_id"] == "hold").await;
    second.post("events", json!({ "type": "go.on" })).await.json(202);
    let ended = fresh.run_ended(&run).await;
    assert_eq!(ended["reason"], "The answer was the second call", "{ended:#}");
    let called = trace(&ended).into_iter().filter(|fact| *fact == ("call".into(), "done".into())).count();
    assert_eq!(called, 1, "{ended:#}");
}
