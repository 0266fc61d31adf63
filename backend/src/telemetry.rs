//! Logs and metrics.

use crate::config::Sources;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::io::{self, IsTerminal as _};
use tracing_subscriber::EnvFilter;

/// The crates that make outgoing calls. Below these levels they log addresses, headers and answers, in which secrets may stand.
const CLIENTS: [&str; 6] =
    ["reqwest=info", "hyper=info", "hyper_util=info", "h2=info", "rustls=info", "rmcp=off"];

/// Begins to log, to standard error.
pub fn log(sources: &Sources) {
    let filter = filter(&sources.get("IW_LOG").0);
    // Colours are for a terminal; in a file they are noise.
    let colours = io::stderr().is_terminal();
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colours);
    // A second begin, as in tests, changes nothing.
    let _ = match sources.get("IW_LOG_FORMAT").0.as_str() {
        "json" => logs.json().try_init(),
        _ => logs.with_target(false).try_init(),
    };
}

/// What is logged: as `IW_LOG` says, but of outgoing calls nothing in which a secret may stand.
pub fn filter(wanted: &str) -> EnvFilter {
    let filter = EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new("info"));
    let quiet = CLIENTS.iter().filter_map(|client| client.parse().ok());
    quiet.fold(filter, EnvFilter::add_directive)
}

/// Begins to count; what was counted is printed by the handle.
pub fn count() -> PrometheusHandle {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    // A second begin, as in tests, keeps the first recorder.
    let _ = metrics::set_global_recorder(recorder);
    handle
}
