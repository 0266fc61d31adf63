//! The stand-in shop: takes the calls of the sample workflows and shows them, and has a system of its own behind `/api`.

mod api;

use crate::{
    clock::Clock,
    sample::{SHOP_DOCUMENT, SHOP_TOKEN},
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::Html,
    routing::{any, get},
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::net::TcpListener;

const KEPT: usize = 200;

/// A call that the shop took.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    at: DateTime<Utc>,
    path: String,
    body: Value,
    idempotency_key: String,
    times: u32,
}

/// The calls, newest last; one that comes again under its key only counts.
#[derive(Debug, Clone, Default)]
struct Calls(Arc<Mutex<BTreeMap<String, Call>>>);

/// What the shop keeps; clones share it.
#[derive(Debug, Clone, Default)]
struct Shop {
    calls: Calls,
    store: api::Store,
}

/// Runs the shop until it is stopped.
pub async fn run(listen: SocketAddr) -> anyhow::Result<()> {
    let app = Router::new()
        .route("/", get(page))
        .route("/calls", get(list))
        .route("/openapi.yaml", get(async || ([(header::CONTENT_TYPE, "application/yaml")], SHOP_DOCUMENT)))
        .nest("/api", api::routes())
        .route("/{*path}", any(take))
        .with_state(Shop::default());
    axum::serve(TcpListener::bind(listen).await?, app).await?;
    Ok(())
}

async fn take(
    State(shop): State<Shop>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, Json<Value>) {
    if !is_known(&headers) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "the shop doesn't know this caller" })));
    }
    shop.took(&headers, path, serde_json::from_str(&body).unwrap_or(Value::String(body)));
    (StatusCode::OK, Json(json!({ "ok": true })))
}

fn text_of(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// Whether a caller has the shop's token.
fn is_known(headers: &HeaderMap) -> bool {
    text_of(headers, header::AUTHORIZATION.as_str()) == format!("Bearer {SHOP_TOKEN}")
}

impl Shop {
    /// Notes a call; one that comes again under its key only counts.
    fn took(&self, headers: &HeaderMap, path: String, body: Value) {
        let key = text_of(headers, "idempotency-key");
        let at = Clock::default().now();
        eprintln!("shop: {path} {body}");
        let mut calls = self.calls.0.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() >= KEPT {
            calls.pop_first();
        }
        let call =
            calls.entry(key.clone()).or_insert(Call { at, path, body, idempotency_key: key, times: 0 });
        call.times += 1;
    }
}

fn newest_first(calls: &Calls) -> Vec<Call> {
    let calls = calls.0.lock().unwrap_or_else(PoisonError::into_inner);
    let mut list: Vec<Call> = calls.values().cloned().collect();
    list.sort_by_key(|call| std::cmp::Reverse(call.at));
    list
}

async fn list(State(shop): State<Shop>) -> Json<Vec<Call>> {
    Json(newest_first(&shop.calls))
}

async fn page(State(shop): State<Shop>) -> Html<String> {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let rows = newest_first(&shop.calls).iter().fold(String::new(), |mut rows, call| {
        let (at, path, body) =
            (call.at.format("%H:%M:%S"), escape(&call.path), escape(&call.body.to_string()));
        // Writing to a String can't fail.
        let _ = write!(rows, "<tr><td>{at}<td>{path}<td><code>{body}</code>");
        rows
    });
    let rows = if rows.is_empty() { "<tr><td>No calls yet.".to_owned() } else { rows };
    Html(format!(
        "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=2><title>Stand-in shop</title>\
         <style>body{{font:14px/1.5 system-ui;margin:32px}}td{{padding:4px 16px 4px 0}}</style>\
         <h1>Stand-in shop</h1><p>What workflows told this shop, newest first. \
         <a href=/openapi.yaml>What it offers to them</a></p><table>{rows}</table>"
    ))
}
