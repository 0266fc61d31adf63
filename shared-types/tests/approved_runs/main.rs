//! What was approved is what runs.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beside;
mod beyond;
mod driver;
mod edited;
mod one_way;
mod simulated;
