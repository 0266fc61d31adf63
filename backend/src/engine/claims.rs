//! Open work that nobody performs: the server that applied the change doesn't perform. It is claimed here.

use super::{Engine, loops, recovery};
use crate::{dispatch::Loop, store, store::owners};
use std::time::Duration;

const PART: i64 = 100;
/// The loop looks at least this often: a wake may have been lost.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

pub(super) async fn run(engine: Engine) {
    loop {
        let pause = match claim(&engine).await {
            Ok(true) => Duration::ZERO,
            Ok(false) => LONGEST_SLEEP,
            Err(error) => {
                tracing::warn!(%error, "open work will be looked for again");
                LONGEST_SLEEP
            }
        };
        if !loops::wait(&engine, Loop::Claims, pause).await {
            return;
        }
    }
}

/// Claims and begins some work; true if there may be more.
async fn claim(engine: &Engine) -> store::Result<bool> {
    let claimed = async {
        let mut conn = engine.0.pool.acquire().await?;
        owners::claim(&mut conn, engine.0.server, PART).await
    };
    // A claim whose answer was lost may stand: then these calls are this server's.
    let claimed = claimed.await.inspect_err(|_| engine.0.recheck.request())?;
    let may_be_more = i64::try_from(claimed.len()).unwrap_or_default() == PART;
    recovery::resume_all(engine, claimed);
    Ok(may_be_more)
}
