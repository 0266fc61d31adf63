//! Entries of the audit log: who does what to what, and from where.

use crate::{
    auth::Principal,
    clock::Clock,
    store::{audit::Entry, people::Account},
};
use serde_json::Value;
use shared_types::ids::{AuditId, WorkspaceId};
use std::net::IpAddr;

/// Who does something.
#[derive(Debug, Clone)]
pub struct Actor {
    /// In which workspace.
    pub workspace: WorkspaceId,
    /// A person's address, `key:` and a key's name, or what of the server does it.
    pub name: String,
    /// The address on the network that they come from.
    pub address: Option<String>,
}

impl From<&Principal> for Actor {
    fn from(principal: &Principal) -> Self {
        Self { workspace: principal.workspace, name: principal.actor(), address: principal.address.clone() }
    }
}

impl Actor {
    /// An entry for something that this actor does.
    pub fn entry(&self, clock: &Clock, action: &'static str, subject: &str, detail: Value) -> Entry {
        Entry {
            id: AuditId(clock.new_id()),
            workspace: self.workspace,
            at: clock.now(),
            actor: self.name.clone(),
            action,
            subject: subject.to_owned(),
            address: self.address.clone(),
            detail,
        }
    }
}

/// An entry for something that a caller does.
pub fn entry(
    clock: &Clock,
    principal: &Principal,
    action: &'static str,
    subject: &str,
    detail: Value,
) -> Entry {
    Actor::from(principal).entry(clock, action, subject, detail)
}

/// An entry for something that is told of a person who isn't let in, or not yet.
pub fn entry_of(
    clock: &Clock,
    account: &Account,
    workspace: WorkspaceId,
    address: Option<IpAddr>,
    action: &'static str,
    detail: Value,
) -> Entry {
    let address = address.map(|address| address.to_string());
    Actor { workspace, name: account.email.clone(), address }.entry(clock, action, &account.email, detail)
}
