//! `iw-server`: the durable workflow engine, its approvals, and the API.

pub mod approvals;
pub mod audit;
pub mod auth;
mod blocking;
pub mod clock;
pub mod commands;
pub mod config;
pub mod connectors;
pub mod dispatch;
pub mod effects;
pub mod embedded;
pub mod engine;
#[cfg(feature = "faults")]
pub mod faults;
mod holidays;
pub mod http;
mod listen;
pub mod notify;
pub mod program;
pub mod publishing;
pub mod reviews;
pub mod role;
pub mod sample;
pub mod serve;
pub mod setup;
pub mod store;
pub mod telemetry;
