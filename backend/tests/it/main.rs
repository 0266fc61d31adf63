//! The server over HTTP, against a real PostgreSQL.
//!
//! `cargo xtask test` starts the PostgreSQL; `IW_TEST_DATABASE_URL` names it.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod api_documents;
mod app;
mod approvals;
mod branches;
mod calls;
mod crashes;
mod events;
mod hooks;
mod isolation;
mod live;
mod mail;
mod repeated;
mod reviews;
mod rights;
mod rules;
mod sessions;
mod shapes;
mod shop;
mod two_servers;
mod waits;
mod workflows;
