//! Kill -9 at every journaled point of a run that makes a record and changes it.

use crate::{
    crashes::{RestartingServer, Server, set_with},
    shop::Shop,
};
use serde_json::json;
use std::collections::BTreeSet;

const WORKFLOW: &str = "workflow_id: records\nname: Records\ntrigger: { type: event, event: records }\nenabled: true\ncontext: { load: [ticket.template, { name: ticket.queue, max_age: 5m }] }\nsteps:\n  \
    - { id: make, type: execute, execute: [{ type: create_record, entity: ticket, data: { title: '{{ title }}' } }], next: change }\n  \
    - { id: change, type: execute, execute: [{ type: update_record, entity: ticket, entity_id: '{{ steps.make.record.id }}', data: { state: done } }], next: read }\n  \
    - { id: read, type: execute, execute: [{ type: connector, connector: desk.get, input: { id: '{{ steps.make.record.id }}' } }], next: done }\n  \
    - { id: done, type: action, action: { type: allow, reason: 'Like {{ ticket.id }}' } }\n";

#[tokio::test]
async fn a_run_that_makes_and_changes_a_record_ends_the_same_whichever_point_the_server_dies_at() {
    let shop = Shop::open().await;
    shop.otherwise(json!({ "id": 17 }));
    let (url, token) = set_with(&shop, &[WORKFLOW]).await;
    {
        let mut server = Server::spawn(&url, shop.address, None);
        assert!(server.ready().await);
        let desk = json!({
            "name": "desk", "kind": "http", "settings": { "base_url": format!("http://{}", shop.address) },
            "operations": [
                { "id": "get", "path": "/tickets/{id}" },
                { "id": "make", "method": "POST", "path": "/tickets", "body": "{{ body }}" },
                { "id": "change", "method": "PATCH", "path": "/tickets/{id}", "body": "{{ body }}" },
            ],
            "entities": { "ticket": { "create": "make", "update": "change" } },
            "loads": {
                "ticket.template": { "operation": "get", "input": { "id": "{{ title }}" } },
                "ticket.queue": { "operation": "get", "input": { "id": "queue" } },
            },
        });
        server.client(Some(token.clone())).post("connectors", desk).await.json(201);
    }
    let mut n = 1;
    while ends_well(n, &shop, &url, &token).await {
        n += 1;
        assert!(n < 40, "the run has more points than are tried");
    }
    assert!(n > 6, "only {n} points were tried");
}

/// One run with a server that dies at one point; whether it did.
async fn ends_well(n: u32, shop: &Shop, url: &str, token: &str) -> bool {
    let mut server = RestartingServer::start(("IW_CRASH_AT", n), shop, url, token);
    let event = format!("records-{n}");
    server.send(&json!({ "type": "records", "id": event, "payload": { "title": "Late" } })).await;
    let run = server.run_when(&event, |run| run["status"] == "ended").await;
    assert_eq!(run["result"], "allowed", "{n}: {run:#}");
    assert_eq!(run["reason"], "Like 17", "{n}: it was loaded");
    let id = run["execution_id"].as_str().unwrap();
    let calls: BTreeSet<(String, String, String)> = shop
        .calls()
        .into_iter()
        .filter(|call| call.key.starts_with(id))
        .map(|call| (call.key, call.method, call.path))
        .collect();
    let made: Vec<(&str, &str)> =
        calls.iter().map(|(_, method, path)| (method.as_str(), path.as_str())).collect();
    let keys: BTreeSet<&str> = calls.iter().map(|(key, _, _)| key.as_str()).collect();
    assert_eq!(keys.len(), 3, "{n}: each call has one key, however often it is made: {calls:?}");
    for expected in [("POST", "tickets"), ("PATCH", "tickets/17"), ("GET", "tickets/17")] {
        assert!(made.contains(&expected), "{n}: {made:?}");
    }
    server.died
}
