//! A connector as it is shown: with what uses it, and how it stands.

use crate::{
    auth::Principal,
    http::{AppState, problem::ApiResult},
    store::{
        connector_health::{self, Health},
        connectors::{self, StoredConnector},
        secrets,
        workflows::etag,
    },
};
use chrono::Duration;
use shared_types::{
    api::connectors::{Connector, ConnectorHealth, HealthState, OperationUse},
    connector::{ConnectorSpec, OperationName},
    ids::WorkflowId,
    workflow::{
        Finding,
        check::{Reference, Target},
    },
};
use sqlx::PgConnection;
use std::collections::BTreeMap;

fn shown_health(name: &str, health: Option<&Health>) -> ConnectorHealth {
    let none = Health::default();
    let Health { calls, held_until, held_because } = health.unwrap_or(&none);
    let because = held_because.as_deref().unwrap_or("it doesn't answer");
    ConnectorHealth {
        state: if held_until.is_some() { HealthState::Ailing } else { HealthState::Well },
        because: held_until.map(|_| format!("{name} takes no calls for now: {because}.")),
        held_until: *held_until,
        calls: calls.calls.unsigned_abs().into(),
        failures: calls.failures.unsigned_abs().into(),
        p95_ms: calls.percentile(95),
    }
}

/// What of a workspace is shown with its connectors.
pub(super) struct Around {
    secrets: Vec<String>,
    users: Vec<(WorkflowId, Vec<Reference>)>,
    /// Which connector serves a kind of record.
    serving: BTreeMap<String, String>,
    /// Which connector loads a name.
    loading: BTreeMap<String, String>,
    /// How connectors stand, by name.
    health: BTreeMap<String, Health>,
}

/// Of how long the health tells.
const HEALTH_OF: Duration = Duration::hours(1);

impl Around {
    pub(super) async fn read(
        state: &AppState,
        conn: &mut PgConnection,
        principal: &Principal,
        name: Option<&str>,
    ) -> ApiResult<Self> {
        let secrets = secrets::names(&mut *conn, principal.workspace).await?;
        let users = connectors::users(&mut *conn, principal.workspace).await?;
        let serving = connectors::entities(&mut *conn, principal.workspace).await?.into_iter().collect();
        let loading = connectors::loads(&mut *conn, principal.workspace).await?.into_iter().collect();
        let since = state.clock.now() - HEALTH_OF;
        let health = connector_health::health(conn, principal.workspace, name, since).await?;
        let secrets = secrets.into_iter().map(|secret| secret.name).collect();
        Ok(Self { secrets, users, serving, loading, health })
    }

    /// The connector that something refers to.
    fn connector_of(&self, target: &Target) -> Option<String> {
        match target {
            Target::Operation(operation) => {
                let name: OperationName = operation.name.parse().ok()?;
                Some(name.connector.to_string())
            }
            Target::Record(record) => self.serving.get(&record.entity).cloned(),
            Target::Context(name) => self.loading.get(name).cloned(),
            Target::Rule(_)
            | Target::Workflow(_)
            | Target::Level(_)
            | Target::Apart(_)
            | Target::Escalation(_)
            | Target::Approver(_)
            | Target::Veto(_)
            | Target::Recipient(_)
            | Target::Calendar(_)
            | Target::Secret(_)
            | Target::Event(_)
            | Target::Trigger(_) => None,
        }
    }

    pub(super) fn used_by(&self, connector: &str) -> Vec<&WorkflowId> {
        let uses = |references: &[Reference]| {
            references.iter().any(|reference| self.connector_of(&reference.to).as_deref() == Some(connector))
        };
        self.users.iter().filter(|(_, references)| uses(references)).map(|(id, _)| id).collect()
    }

    /// The workflows that use an operation: by its name, by a record that it makes or changes, or by what it loads.
    pub(super) fn uses(&self, connector: &str, spec: &ConnectorSpec, operation: &str) -> Vec<OperationUse> {
        let name = format!("{connector}.{operation}");
        let is_called = |to: &Target| match to {
            Target::Operation(called) => called.name == name,
            Target::Record(record) => spec.entities.get(&record.entity).is_some_and(|operations| {
                let by = if record.is_made { &operations.create } else { &operations.update };
                by.as_deref() == Some(operation)
            }),
            Target::Context(loaded) => spec.loads.get(loaded).is_some_and(|load| load.operation == operation),
            Target::Rule(_)
            | Target::Workflow(_)
            | Target::Level(_)
            | Target::Apart(_)
            | Target::Escalation(_)
            | Target::Approver(_)
            | Target::Veto(_)
            | Target::Recipient(_)
            | Target::Calendar(_)
            | Target::Secret(_)
            | Target::Event(_)
            | Target::Trigger(_) => false,
        };
        let calls = |references: &[Reference]| references.iter().any(|reference| is_called(&reference.to));
        let users = self.users.iter().filter(|(_, references)| calls(references));
        users
            .map(|(id, _)| OperationUse { operation: operation.to_owned(), workflow_id: id.clone() })
            .collect()
    }

    pub(super) fn shown(&self, principal: &Principal, stored: StoredConnector) -> Connector {
        let mut findings = stored.findings;
        if let Some(secret) = stored.spec.auth.secret()
            && !self.secrets.iter().any(|name| name == secret)
        {
            findings.push(Finding::warning(
                "secret.missing",
                "/auth/secret",
                format!("There is no secret {secret}."),
            ));
        }
        let used_by = self.used_by(&stored.name).into_iter();
        Connector {
            revision: stored.revision,
            etag: etag(stored.revision),
            base_url: stored.overview.base_url,
            operation_count: stored.overview.operation_count,
            offered_auth: stored.overview.offered_auth,
            findings,
            health: shown_health(&stored.name, self.health.get(&stored.name)),
            used_by: used_by.filter(|id| principal.may_touch(id)).cloned().collect(),
            updated_at: stored.created_at,
            updated_by: stored.created_by,
            name: stored.name,
            spec: stored.spec,
        }
    }
}
