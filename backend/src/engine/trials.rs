//! Operations of connectors that somebody tries, by the same way as runs call them.

use super::Engine;
use crate::connectors::{ReadyConnector, Route};
use serde_json::{Map, Value};
use shared_types::{
    api::connectors::{ConnectorChecked, OperationTried},
    connector::ConnectorSpec,
    ids::WorkspaceId,
    workflow::Finding,
};
use std::sync::Arc;

impl Engine {
    /// Makes one call, for nobody's run.
    ///
    /// # Errors
    /// What of the input doesn't fit.
    pub async fn try_operation(
        &self,
        workspace: WorkspaceId,
        route: &Route,
        input: Map<String, Value>,
    ) -> Result<OperationTried, Vec<Finding>> {
        self.0.effects.try_operation(workspace, route, input, self.0.clock.new_id()).await
    }

    /// The tools of the MCP server that a description names, as the document that is imported.
    ///
    /// # Errors
    /// Why there are none, as a sentence.
    pub async fn list_tools(&self, workspace: WorkspaceId, spec: &ConnectorSpec) -> Result<String, String> {
        self.0.effects.list_tools(workspace, spec, self.0.clock.new_id()).await
    }

    /// Finds out whether a connector's system answers, and whether it lets us in.
    pub async fn check_connector(
        &self,
        workspace: WorkspaceId,
        connector: &Arc<ReadyConnector>,
    ) -> ConnectorChecked {
        self.0.effects.check_connector(workspace, connector, self.0.clock.new_id()).await
    }
}
