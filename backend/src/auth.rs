//! Who calls: passwords, tokens, keys, and the seal on secrets.

pub mod cursor;
pub mod device;
pub mod keys;
pub mod page_session;
pub mod password;
pub mod proxies;
pub mod seal;
pub mod session;
pub mod throttle;
pub mod token;
pub mod webhook;

use sha2::{Digest, Sha256};
use shared_types::{
    api::{Permission, Permissions},
    ids::{KeyId, SessionId, UserId, WorkflowId, WorkspaceId},
    requester::{Requester, RequesterKind},
};
use std::sync::Arc;

/// Whoever calls, after the door.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// What the workspace is called.
    pub workspace_name: Arc<str>,
    /// The person or the API key that calls.
    pub who: Who,
    /// What they may do.
    pub permissions: Arc<Permissions>,
    /// From which address.
    pub address: Option<String>,
}

/// A person or a key.
#[derive(Debug, Clone)]
pub enum Who {
    /// A person who is signed in.
    Person(Arc<Person>),
    /// An API key.
    Key(Arc<KeyHolder>),
}

/// A person who is signed in.
#[derive(Debug, Clone)]
pub struct Person {
    /// Id of the person.
    pub user_id: UserId,
    /// Email address.
    pub email: String,
    /// Display name.
    pub name: String,
    /// Their roles in the workspace.
    pub roles: Vec<String>,
    /// The session that they come by.
    pub session: Option<SessionId>,
}

/// An API key in use.
#[derive(Debug, Clone)]
pub struct KeyHolder {
    /// The key.
    pub key_id: KeyId,
    /// What uses it.
    pub name: String,
    /// The only workflows that it may touch.
    pub workflows: Option<Vec<WorkflowId>>,
}

impl Principal {
    /// Whether this is allowed.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.allow(permission)
    }

    /// Whether a key's list lets it touch a workflow; people may touch any.
    pub fn may_touch(&self, workflow: &WorkflowId) -> bool {
        match &self.who {
            Who::Person(_) => true,
            Who::Key(key) => key.workflows.as_ref().is_none_or(|list| list.contains(workflow)),
        }
    }

    /// The only workflows whose things they may see; `None` for all.
    pub fn only_workflows(&self) -> Option<Vec<String>> {
        match &self.who {
            Who::Person(_) => None,
            Who::Key(key) => key.workflows.as_ref().map(|ids| ids.iter().map(|id| id.0.clone()).collect()),
        }
    }

    /// Whether no list keeps a key to some workflows; people have none.
    pub fn is_for_all(&self) -> bool {
        match &self.who {
            Who::Person(_) => true,
            Who::Key(key) => key.workflows.is_none(),
        }
    }

    /// The person, where it is one.
    pub fn person(&self) -> Option<&Person> {
        match &self.who {
            Who::Person(person) => Some(person),
            Who::Key(_) => None,
        }
    }

    /// What the audit log calls them.
    pub fn actor(&self) -> String {
        match &self.who {
            Who::Person(person) => person.email.clone(),
            Who::Key(key) => format!("key:{}", key.name),
        }
    }

    /// On whose behalf an event of theirs comes.
    pub fn requester(&self) -> Requester {
        match &self.who {
            Who::Person(person) => Requester {
                kind: RequesterKind::Person,
                name: person.name.clone(),
                email: Some(person.email.clone()),
            },
            Who::Key(key) => Requester { kind: RequesterKind::Key, name: key.name.clone(), email: None },
        }
    }
}

/// The hash under which a token of full strength is stored.
pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
