//! What client and server must agree on: the workflow language, the run machine and the API.
//!
//! Nothing here does IO, reads a clock or draws random numbers. Whatever depends on time or identity takes
//! it as a parameter, so the same code gives the same answer in the server, in the desktop, in a
//! workflow's own tests and in a replay years later.
#![deny(missing_docs)]

pub mod api;
pub mod approval;
pub mod card;
pub mod connector;
pub mod desktop;
pub mod email;
pub mod ids;
pub mod label;
pub mod machine;
pub mod permission;
pub mod preferences;
pub mod recipient;
pub mod requester;
pub mod role;
pub mod workflow;
