//! What roles and the scopes of API keys allow.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Something that a role or a key's scope may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Read workflows.
    ReadWorkflows,
    /// Write, check and simulate workflows.
    WriteWorkflows,
    /// Enable and disable workflows.
    ToggleWorkflows,
    /// Send events.
    SendEvents,
    /// Start workflows by hand and cancel runs.
    ControlExecutions,
    /// Read runs.
    ReadExecutions,
    /// Read every request of the workspace.
    ReadApprovals,
    /// Decide where asked.
    Decide,
    /// Read what went out and what could not.
    ReadDeliveries,
    /// People and their roles.
    ManageUsers,
    /// API keys.
    ManageKeys,
    /// Secrets.
    ManageSecrets,
    /// Calendars.
    ManageCalendars,
    /// Connectors.
    ManageConnectors,
    /// Read the audit log.
    ReadAudit,
}

/// A set of permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions(BTreeSet<Permission>);

use Permission::{
    ControlExecutions, Decide, ManageCalendars, ManageConnectors, ManageKeys, ManageSecrets, ManageUsers,
    ReadApprovals, ReadAudit, ReadDeliveries, ReadExecutions, ReadWorkflows, SendEvents, ToggleWorkflows,
    WriteWorkflows,
};

/// The base roles and what each allows; any other name is an approver role, which allows nothing by itself.
pub const BASE_ROLES: [(&str, &[Permission]); 4] = [
    ("viewer", &[ReadWorkflows, ReadExecutions]),
    (
        "operator",
        &[
            ReadWorkflows,
            ReadExecutions,
            SendEvents,
            ControlExecutions,
            ToggleWorkflows,
            ReadApprovals,
            Decide,
            ReadDeliveries,
        ],
    ),
    ("author", &[ReadWorkflows, ReadExecutions, WriteWorkflows, ToggleWorkflows]),
    (
        "admin",
        &[
            ReadWorkflows,
            WriteWorkflows,
            ToggleWorkflows,
            SendEvents,
            ControlExecutions,
            ReadExecutions,
            ReadApprovals,
            Decide,
            ReadDeliveries,
            ManageUsers,
            ManageKeys,
            ManageSecrets,
            ManageCalendars,
            ManageConnectors,
            ReadAudit,
        ],
    ),
];

/// The scopes of API keys and what each allows. No scope allows deciding.
pub const SCOPES: [(&str, &[Permission]); 6] = [
    ("events:write", &[SendEvents]),
    ("executions:read", &[ReadExecutions]),
    ("executions:write", &[ControlExecutions]),
    ("workflows:read", &[ReadWorkflows]),
    ("workflows:write", &[WriteWorkflows, ToggleWorkflows]),
    ("approvals:read", &[ReadApprovals]),
];

impl Permissions {
    /// What a person with these roles may do.
    pub fn of_roles<'r>(roles: impl IntoIterator<Item = &'r str>) -> Self {
        Self::gather(&BASE_ROLES, roles)
    }

    /// What a key with these scopes may do.
    pub fn of_scopes<'s>(scopes: impl IntoIterator<Item = &'s str>) -> Self {
        Self::gather(&SCOPES, scopes)
    }

    /// Whether this is allowed.
    pub fn allow(&self, permission: Permission) -> bool {
        self.0.contains(&permission)
    }

    fn gather<'n>(table: &[(&str, &[Permission])], names: impl IntoIterator<Item = &'n str>) -> Self {
        let lists = names.into_iter().filter_map(|name| table.iter().find(|(known, _)| *known == name));
        Self(lists.flat_map(|(_, permissions)| permissions.iter().copied()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn approver_roles_alone_allow_nothing_and_no_key_decides() {
        assert_eq!(Permissions::of_roles(["sales_manager"]), Permissions::default());
        assert!(Permissions::of_roles(["sales_manager", "operator"]).allow(Decide));
        let every_scope = Permissions::of_scopes(SCOPES.map(|(name, _)| name));
        assert!(!every_scope.allow(Decide));
    }
}
