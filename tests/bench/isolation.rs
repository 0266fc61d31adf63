//! What a hostile workflow takes from the others: the latencies of a hundred ordinary events a second, alone and beside
//! a stream of events whose templates work as much as they may.

use crate::{Plan, client::Connection, load, percentile, server::Server};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::sync::watch;

/// How long a hostile event waits for the one before it: about as many as a busy event type has.
const INTERVAL: Duration = Duration::from_millis(100);

/// The hostile workflows: one does all the work that a template may, twenty times over; one makes a text of megabytes;
/// one goes in a circle until its steps are used up.
const HOSTILE: [&str; 3] = [
    include_str!("hostile_work.yaml"),
    include_str!("hostile_text.yaml"),
    include_str!("hostile_circle.yaml"),
];

/// Adds the latencies, in milliseconds, and how many times as long they are beside hostile workflows.
pub(crate) async fn measure(
    server: &Server,
    echo: u16,
    plan: Plan,
    figures: &mut Map<String, Value>,
) -> anyhow::Result<()> {
    server.publish(&HOSTILE).await?;
    // Once before, so that what is slow only at first is in neither.
    load::open_loop(server, echo, Plan { rounds: 1, ..plan }).await?;
    let alone = load::open_loop(server, echo, plan).await?;
    let (stop, stopped) = watch::channel(());
    let streams: Vec<_> = ["bench.hostile.work", "bench.hostile.text", "bench.hostile.circle"]
        .map(|kind| tokio::spawn(stream(server.address, server.key.clone(), kind, stopped.clone())))
        .into_iter()
        .collect();
    let beside = load::open_loop(server, echo, plan).await?;
    drop(stop);
    for stream in streams {
        let sent = stream.await??;
        anyhow::ensure!(sent > 0, "a hostile stream sent nothing");
    }
    for (name, percent) in [("p50", 50), ("p99", 99)] {
        let (alone, beside) = (percentile(&alone, percent), percentile(&beside, percent));
        figures.insert(format!("alone_{name}_ms"), json!(alone));
        figures.insert(format!("beside_hostile_{name}_ms"), json!(beside));
        let ratio = (beside / alone * 100.0).round() / 100.0;
        figures.insert(format!("beside_hostile_{name}_ratio"), json!(ratio));
    }
    Ok(())
}

/// Sends one event after the other until it is stopped; how many were answered.
async fn stream(
    address: std::net::SocketAddr,
    key: String,
    kind: &'static str,
    mut stopped: watch::Receiver<()>,
) -> anyhow::Result<u32> {
    let mut connection = Connection::open(address, &key).await?;
    let mut sent = 0;
    while stopped.has_changed().is_ok() {
        let id = uuid::Uuid::new_v4().to_string();
        connection.send_whatever(&json!({ "type": kind, "id": id, "payload": {} }).to_string()).await?;
        sent += 1;
        // An error says that it is over.
        let _ = tokio::time::timeout(INTERVAL, stopped.changed()).await;
    }
    Ok(sent)
}
