//! What this machine knows of the workspace's connectors: it checks and completes a text while it is written, also offline.

mod checks;
mod completion;

use crate::{clock, session::Scope};
use chrono::{DateTime, Duration, Utc};
use shared_types::{
    api::connectors::{Connector, ConnectorOperation},
    connector::ConnectorKind,
};
use std::sync::{Arc, Mutex, PoisonError};

/// How long what is known counts before it is asked for anew.
const MAX_AGE: Duration = Duration::seconds(30);

/// The connectors of a workspace, with the operations that a text may name.
#[derive(Debug, Default)]
pub(crate) struct KnownConnectors {
    /// Each with its operations, where those were read.
    pub(crate) connectors: Vec<(Connector, Option<Vec<ConnectorOperation>>)>,
}

/// For whom something is known, since when, and what.
type ForWhom = (Scope, DateTime<Utc>, Arc<KnownConnectors>);

/// What was known last, and for whom.
#[derive(Debug, Default)]
pub(crate) struct RecentConnectors(Mutex<Option<ForWhom>>);

impl RecentConnectors {
    /// A connector was written: what is known is asked for anew.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What is known for a text, where that isn't too old.
    pub(crate) fn get(&self, scope: &Scope, text: &str) -> Option<Arc<KnownConnectors>> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, at, known) = last.as_ref()?;
        (of == scope && clock::now() - *at < MAX_AGE && known.has_all_of(text)).then(|| Arc::clone(known))
    }

    /// Keeps what was just read.
    pub(crate) fn set(&self, scope: Scope, known: &Arc<KnownConnectors>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((scope, clock::now(), Arc::clone(known)));
    }
}

impl KnownConnectors {
    /// Whether the operations of every connector that a text names are here.
    fn has_all_of(&self, text: &str) -> bool {
        self.connectors
            .iter()
            .all(|(connector, operations)| operations.is_some() || !is_needed(text, connector))
    }

    /// Whether the fields of a record are the body of a connector's operation, or its inputs.
    fn has_body(connector: &Connector) -> bool {
        match connector.spec.kind {
            ConnectorKind::OpenApi { .. } | ConnectorKind::Http { .. } => true,
            ConnectorKind::Sql { .. } | ConnectorKind::Mcp { .. } => false,
        }
    }

    fn connector(&self, name: &str) -> Option<&(Connector, Option<Vec<ConnectorOperation>>)> {
        self.connectors.iter().find(|(connector, _)| connector.name == name)
    }

    /// The connector that serves a kind of record.
    fn serving(&self, entity: &str) -> Option<&(Connector, Option<Vec<ConnectorOperation>>)> {
        self.connectors.iter().find(|(connector, _)| connector.spec.entities.contains_key(entity))
    }
}

/// Whether a text may name an operation of a connector, or a record that it serves.
pub(crate) fn is_needed(text: &str, connector: &Connector) -> bool {
    let mut entities = connector.spec.entities.keys();
    text.contains(&format!("{}.", connector.name)) || entities.any(|entity| text.contains(entity.as_str()))
}
