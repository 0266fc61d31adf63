//! `iw-server`: the durable workflow engine, its approvals, and the API.

pub mod auth;
pub mod clock;
pub mod dispatch;
pub mod effects;
pub mod engine;
pub mod store;
