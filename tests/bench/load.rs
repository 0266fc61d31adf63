//! Loads: closed loops of callers, and an open loop on a fixed schedule.

use crate::{Plan, client::Connection, server::Server};
use axum::{Router, body::Bytes, http::header, routing::any};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

/// A load: which event, from how many callers, calling which echo server.
pub(crate) struct Shape {
    pub(crate) event: &'static str,
    pub(crate) callers: usize,
    pub(crate) echo: u16,
}

/// A server that answers what it is sent.
pub(crate) async fn echo() -> anyhow::Result<SocketAddr> {
    let answer = |body: Bytes| async { ([(header::CONTENT_TYPE, "application/json")], body) };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/{*path}", any(answer))).await });
    Ok(address)
}

/// The event of the bench, with an id of its own.
fn event(kind: &str, echo: u16) -> String {
    let mut event: Value = serde_json::from_str(include_str!("event.json")).unwrap_or_default();
    event["type"] = json!(kind);
    event["id"] = json!(uuid::Uuid::new_v4().to_string());
    event["payload"]["echo"] = json!(format!("http://127.0.0.1:{echo}"));
    event.to_string()
}

/// Runs a second, once for each round, after a warm-up.
pub(crate) async fn rounds(server: &Server, shape: &Shape, plan: Plan) -> anyhow::Result<Vec<f64>> {
    closed_loop(server, shape, plan.warm_up).await?;
    let mut rates = Vec::new();
    for _ in 0..plan.rounds {
        rates.push(closed_loop(server, shape, plan.length).await?);
    }
    Ok(rates)
}

async fn closed_loop(server: &Server, shape: &Shape, length: Duration) -> anyhow::Result<f64> {
    let done = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let until = begun + length;
    let callers = (0..shape.callers).map(|_| {
        let (address, key, done) = (server.address, server.key.clone(), Arc::clone(&done));
        let (kind, echo) = (shape.event, shape.echo);
        tokio::spawn(async move {
            let mut connection = Connection::open(address, &key).await?;
            while Instant::now() < until {
                connection.send(&event(kind, echo)).await?;
                if Instant::now() < until {
                    done.fetch_add(1, Ordering::Relaxed);
                }
            }
            anyhow::Ok(())
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await??;
    }
    let done = u32::try_from(done.load(Ordering::Relaxed))?;
    Ok(f64::from(done) / length.as_secs_f64())
}

/// How long a run over so many items takes, from its event to its end, in milliseconds.
pub(crate) async fn each_ms(server: &Server, items: u32) -> anyhow::Result<f64> {
    let list: Vec<Value> = (0..items).map(|n| json!({ "n": n })).collect();
    let id = uuid::Uuid::new_v4().to_string();
    let event = json!({ "type": "bench.each", "id": id, "payload": { "items": list } }).to_string();
    let mut connection = Connection::open(server.address, &server.key).await?;
    let begun = Instant::now();
    connection.send(&event).await?;
    Ok(begun.elapsed().as_secs_f64() * 1000.0)
}

/// A hundred events a second on a fixed schedule: each latency from its scheduled instant, in milliseconds.
pub(crate) async fn open_loop(server: &Server, echo: u16, plan: Plan) -> anyhow::Result<Vec<f64>> {
    const INTERVAL: Duration = Duration::from_millis(10);
    const LANES: u32 = 50;
    let events = u32::try_from((plan.length.as_millis() * plan.rounds as u128) / INTERVAL.as_millis())?;
    let begun = tokio::time::Instant::now() + Duration::from_millis(500);
    let lanes = (0..LANES).map(|lane| {
        let (address, key) = (server.address, server.key.clone());
        tokio::spawn(async move {
            let mut connection = Connection::open(address, &key).await?;
            let mut latencies = Vec::new();
            for n in (lane..events).step_by(LANES as usize) {
                let body = event("bench.pure", echo);
                let scheduled = begun + INTERVAL * n;
                tokio::time::sleep_until(scheduled).await;
                connection.send(&body).await?;
                latencies.push(scheduled.elapsed().as_secs_f64() * 1000.0);
            }
            anyhow::Ok(latencies)
        })
    });
    let mut latencies = Vec::new();
    for lane in lanes.collect::<Vec<_>>() {
        latencies.extend(lane.await??);
    }
    Ok(latencies)
}
