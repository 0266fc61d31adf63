//! The server over HTTP, against a real PostgreSQL.
//!
//! `cargo xtask test` starts the PostgreSQL; `IW_TEST_DATABASE_URL` names it.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod addresses;
mod api_and_worker;
mod api_documents;
mod api_shapes;
mod app;
mod approvals;
mod approved_revisions;
mod branches;
mod calls;
mod connectors;
mod crashed_decisions;
mod crashes;
mod decision_races;
mod decisions_undone;
mod edge;
mod events;
mod fence;
mod hooks;
mod idempotency;
mod invitations;
mod isolation;
mod judging;
mod left_behind;
mod live;
mod mail;
mod masking;
mod migrations;
mod moved_time;
mod outgoing;
mod pages;
mod problem_codes;
mod refreshing;
mod reviews;
mod rights;
mod rights_changes;
mod roles;
mod rules;
mod search;
mod sessions;
mod several_people;
mod shop;
mod sign_ins;
mod telling;
mod two_servers;
mod waits;
mod workflows;
