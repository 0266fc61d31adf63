//! One page a route.

pub(crate) mod connector;
pub(crate) mod connectors;
pub(crate) mod edit;
pub(crate) mod help;
pub(crate) mod inbox;
pub(crate) mod outbox;
pub(crate) mod rule;
pub(crate) mod rules;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod workflow;
pub(crate) mod workflows;
