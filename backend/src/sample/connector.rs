//! The connector to the stand-in shop's own system.

use super::SHOP_DOCUMENT;
use crate::{
    clock::Clock,
    connectors::described,
    store::{
        self,
        connectors::{self, NewRevision},
    },
};
use anyhow::{Context as _, anyhow};
use serde_json::json;
use shared_types::{
    connector::{ConnectorName, ConnectorSpec},
    ids::WorkspaceId,
};
use sqlx::PgConnection;

/// Adds it: customers are loaded through it, and tickets opened.
pub(super) async fn add(
    conn: &mut PgConnection,
    clock: &Clock,
    workspace: WorkspaceId,
) -> anyhow::Result<()> {
    let name: ConnectorName = "shop".parse()?;
    let spec: ConnectorSpec = serde_json::from_value(json!({
        "kind": "openapi",
        "auth": { "type": "bearer", "secret": "shop_token" },
        "entities": { "ticket": { "create": "createTicket", "update": "updateTicket" } },
        "loads": { "customer.profile": {
            "operation": "findCustomer", "input": { "name": "{{ order.customer }}" }, "max_age": "5m",
            "timeout": "2s", "retry": { "max_attempts": 2, "delay": "1s" },
        } },
        "limits": { "concurrency": 20 },
    }))
    .context("the sample connector")?;
    let described = described(&spec, Some(SHOP_DOCUMENT))
        .map_err(|findings| anyhow!("the sample connector: {findings:?}"))?;
    let new = NewRevision {
        id: clock.new_id(),
        name: &name,
        revision: 1,
        spec: &spec,
        document: Some(SHOP_DOCUMENT),
        catalog: &store::json_text(&described.catalog),
        overview: &described.overview,
        findings: &described.findings,
        at: clock.now(),
        by: "sample data",
    };
    Ok(connectors::put(conn, workspace, &new).await?)
}
