//! What a revision of a connector offers: its operations, with the schemas that they share.

use crate::store::connectors::Overview;
use serde::{Deserialize, Serialize};
use shared_types::{
    api::connectors::OfferedAuth,
    connector::{Definitions, Operation},
};

/// What a revision of a connector offers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// The address before each path.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub base_url: String,
    /// The operations, by name.
    pub operations: Vec<Operation>,
    /// The schemas that they share.
    #[serde(default)]
    pub definitions: Definitions,
    /// How the system lets callers in, as its description says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offered_auth: Vec<OfferedAuth>,
}

impl Catalog {
    /// An operation by its name.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.get(self.position(id)?)
    }

    /// Where an operation stands, by its name.
    pub(super) fn position(&self, id: &str) -> Option<usize> {
        self.operations.binary_search_by(|operation| operation.id.as_str().cmp(id)).ok()
    }

    /// What is shown of it.
    pub fn overview(&self) -> Overview {
        Overview {
            base_url: self.base_url.clone(),
            operation_count: self.operations.len(),
            offered_auth: self.offered_auth.clone(),
        }
    }
}
