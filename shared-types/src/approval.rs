//! Approval policy.
