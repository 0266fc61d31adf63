//! What the engine's loops share: they wake by signal or by time, and stop when the server does.

use super::Engine;
use crate::dispatch::Loop;
use std::time::Duration;

/// Waits until a loop is woken, or for a span of time; false when the server stops.
pub(super) async fn wait(engine: &Engine, which: Loop, span: Duration) -> bool {
    tokio::select! {
        () = engine.0.stop.cancelled() => false,
        () = engine.0.waking.woken(which) => true,
        () = tokio::time::sleep(jittered(span)) => true,
    }
}

/// Waits for a span of time, as [`wait`] does.
pub(super) async fn pause(engine: &Engine, span: Duration) -> bool {
    tokio::select! {
        () = engine.0.stop.cancelled() => false,
        () = tokio::time::sleep(jittered(span)) => true,
    }
}

/// A span that is up to a tenth shorter or longer, so that servers don't wake together.
fn jittered(span: Duration) -> Duration {
    span.mul_f64(0.9 + f64::from(crate::clock::random::<1>()[0]) / 1275.0)
}
