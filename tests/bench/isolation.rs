//! What a hostile workflow takes from the others: the latencies of a hundred ordinary events a second, alone and beside
//! a stream of events whose templates work as much as they may.

use crate::{Plan, client::Connection, load, percentile, server::Server};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::sync::watch;

/// How long is waited after each hostile event has been answered.
const INTERVAL: Duration = Duration::from_millis(100);

/// The hostile workflows: one does all the work that a template may, twenty times over; one makes texts of megabytes;
/// one goes through ten thousand items.
const HOSTILE: [(&str, &str); 3] = [
    ("work", include_str!("hostile_work.yaml")),
    ("text", include_str!("hostile_text.yaml")),
    ("items", include_str!("hostile_items.yaml")),
];

/// Adds the latencies alone, in milliseconds, and how many times as long they are beside each hostile workflow.
pub(crate) async fn measure(
    server: &Server,
    echo: u16,
    plan: Plan,
    figures: &mut Map<String, Value>,
) -> anyhow::Result<()> {
    server.publish(&HOSTILE.map(|(_, document)| document)).await?;
    // Once before, so that what is slow only at first is in neither.
    load::open_loop(server, echo, Plan { rounds: 1, ..plan }).await?;
    let alone = load::open_loop(server, echo, plan).await?;
    for percent in [50, 99] {
        figures.insert(format!("alone_p{percent}_ms"), json!(percentile(&alone, percent)));
    }
    for (name, _) in HOSTILE {
        let (stop, stopped) = watch::channel(());
        let kind = format!("bench.hostile.{name}");
        let stream = tokio::spawn(stream(server.address, server.key.clone(), kind, stopped));
        let beside = load::open_loop(server, echo, plan).await?;
        drop(stop);
        let sent = stream.await??;
        anyhow::ensure!(sent > 0, "the hostile stream {name} sent nothing");
        figures.insert(format!("beside_{name}_events"), json!(sent));
        for percent in [50, 99] {
            let ratio = percentile(&beside, percent) / percentile(&alone, percent);
            let ratio = (ratio * 100.0).round() / 100.0;
            figures.insert(format!("beside_{name}_p{percent}_ratio"), json!(ratio));
        }
    }
    Ok(())
}

/// Sends one event after the other until it is stopped; how many were answered.
async fn stream(
    address: std::net::SocketAddr,
    key: String,
    kind: String,
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
