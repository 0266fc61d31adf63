//! The API: each endpoint once, with its method, path, permission, request and answer.
//!
//! The server's router mounts these definitions, the desktop's client calls them, the OpenAPI document is
//! assembled from them, and a test walks them as every role.

pub mod absences;
pub mod approvals;
pub mod audit;
pub mod auth;
pub mod calendars;
pub mod connectors;
mod endpoint;
pub mod events;
pub mod executions;
pub mod invitations;
pub mod keys;
pub mod limits;
pub mod live;
pub mod notices;
pub mod openapi;
pub mod preferences;
pub mod problem;
pub mod reading;
pub mod roles;
pub mod rules;
pub mod secrets;
pub mod users;
pub mod webhooks;
pub mod workflows;

pub use crate::permission::{BASE_ROLES, Permission, Permissions, SCOPES};
pub(crate) use endpoint::endpoint;
pub use endpoint::{
    Access, AnyQuery, BodyKind, Condition, Endpoint, HttpMethod, NoBody, NoQuery, Page, Repeated,
};
