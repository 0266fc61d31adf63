//! What the engine's loops share: they wake by signal or by time, and stop when the server does.

use super::Engine;
use std::time::Duration;
use tokio::sync::Notify;

/// Waits for a signal or for a span of time, shortened or lengthened by up to a tenth so that servers
/// don't wake together; false when the server stops.
pub(super) async fn wait(engine: &Engine, signal: &Notify, span: Duration) -> bool {
    let jitter = 0.9 + f64::from(crate::clock::random::<1>()[0]) / 1275.0;
    tokio::select! {
        () = engine.0.stop.cancelled() => false,
        () = signal.notified() => true,
        () = tokio::time::sleep(span.mul_f64(jitter)) => true,
    }
}
