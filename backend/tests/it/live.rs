//! The live line: what changes arrives, numbered, for those who may see it.

use crate::app::App;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest as _, protocol::frame::coding::CloseCode},
};

type Line = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn follow(app: &App, token: &str, after: Option<u64>) -> Line {
    let after = after.map(|n| format!("?after={n}")).unwrap_or_default();
    let url = format!("ws://{}/api/v1/live{after}", app.running.address);
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    connect_async(request).await.unwrap().0
}

async fn next(line: &mut Line, kind: &str) -> Value {
    let found = async {
        loop {
            if let Some(Ok(Message::Text(text))) = line.next().await {
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["kind"] == kind {
                    return message;
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), found).await.unwrap_or_else(|_| panic!("no {kind}"))
}

#[tokio::test]
async fn what_changes_arrives_numbered_and_can_be_taken_up() {
    let app = App::start().await;
    app.publish(include_str!("../../../shared-types/tests/documents/high_value_order.yaml")).await;
    let bo = app.person("Bo Ek", &["operator", "sales_manager"]).await;
    let token = bo.token.clone().unwrap();
    let shop = app.key(&["events:write"]).await;
    let send = |id: &'static str| {
        let event = json!({ "type": "order.checkout.initiated", "id": id, "payload": { "order": { "id": id, "total": 20000 } } });
        shop.post("events?wait=5s", event)
    };
    let mut line = follow(&app, &token, None).await;
    // The line is up when a first message came through it.
    let first = loop {
        send(Box::leak(uuid::Uuid::new_v4().to_string().into_boxed_str())).await.json(200);
        if let Ok(message) =
            tokio::time::timeout(Duration::from_secs(1), next(&mut line, "approval.asked")).await
        {
            break message;
        }
    };
    drop(line);
    let missed = send("while-away").await.json(200)["runs"][0]["approval_id"].clone();
    let mut line = follow(&app, &token, first["n"].as_u64()).await;
    let asked = loop {
        let asked = next(&mut line, "approval.asked").await;
        if asked["id"] == missed {
            break asked;
        }
    };
    assert!(asked["n"].as_u64() > first["n"].as_u64());
    let path = format!("approvals/{}/decisions", missed.as_str().unwrap());
    bo.post(&path, json!({ "decision": "approve" })).await.json(200);
    assert_eq!(next(&mut line, "approval.changed").await["id"], missed);
    let mut lost = follow(&app, &token, Some(5)).await;
    next(&mut lost, "reset").await;
    // A server that stops says so, so that its clients go to another at once.
    app.stop().await;
    let code = loop {
        match lost.next().await.unwrap().unwrap() {
            Message::Close(frame) => break frame.unwrap().code,
            Message::Text(_)
            | Message::Binary(_)
            | Message::Ping(_)
            | Message::Pong(_)
            | Message::Frame(_) => {}
        }
    };
    assert_eq!(code, CloseCode::Away);
}
