//! The numbers of connectors' calls are written from time to time, and as the server stops.

use super::{Engine, loops};
use std::time::Duration;

const PAUSE: Duration = Duration::from_secs(2);

pub(super) async fn run(engine: Engine) {
    let mut goes_on = true;
    while goes_on {
        goes_on = loops::pause(&engine, PAUSE).await;
        if let Err(error) = engine.0.effects.write_call_log().await {
            tracing::warn!(%error, "numbers of connectors' calls are lost");
        }
    }
}
