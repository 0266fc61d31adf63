//! Approvals: requests, their levels and decisions, and the policy that says who may decide and what comes of it.
//!
//! Pure, and the same on every side. The machine asks the policy as it applies a decision; whoever shows a request asks it
//! for the button and the sentence. Nothing else knows the rule.

pub mod coverage;
pub mod decision;
pub mod handover;
pub mod people;
pub mod policy;
pub mod progress;
pub mod quorum;
pub mod seen;
pub mod standing;
pub mod still_needed;
