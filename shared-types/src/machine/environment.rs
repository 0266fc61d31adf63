//! What a run has to know of its workspace when something happens to it: people, absences and calendars. It is read before
//! the input is applied, and journaled with it, so that a replay sees the same.

use crate::{
    approval::people::Person,
    connector::{BoundOperation, CalledOperation},
    ids::WorkflowId,
    recipient::Approver,
    workflow::{
        calendar::{Calendar, WorkingTime},
        effect::Effect,
        rule::Rule,
    },
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a run has to know of its workspace.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunEnvironment {
    /// The workspace's `environment_version` at which it was read.
    #[serde(default)]
    pub version: i64,
    /// The people whom a request concerns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
    /// Whether a role has other members than these: in a simulation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub roles_are_open: bool,
    /// The calendars that are counted in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calendars: Vec<Calendar>,
    /// The stored rules that its steps ask as they stand, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<String, Rule>,
    /// The current revisions of the workflows that its steps call.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub revisions: BTreeMap<WorkflowId, i32>,
    /// What those workflows call and ask in turn, by the workflow that a step calls.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub called_below: BTreeMap<WorkflowId, CalledBelow>,
    /// The operations that its steps call, as they stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<BoundOperation>,
    /// The address of whoever published the workflow's revision, who is told when a request is stuck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
}

/// What a called workflow calls and asks in turn, by all that it leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalledBelow {
    /// The current revisions of the workflows that are called.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub workflows: BTreeMap<WorkflowId, i32>,
    /// The current versions of the stored rules that are asked as they stand.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<String, i32>,
}

impl RunEnvironment {
    /// The operation that an effect calls, as it stands; none where it isn't known.
    pub fn operation(&self, effect: &Effect) -> Option<&BoundOperation> {
        let called = CalledOperation::of(effect)?;
        self.operations.iter().find(|operation| operation.called == called)
    }

    /// The calendar of a name, ready to count; none if it isn't set up, or isn't sound.
    pub fn working_time(&self, name: &str) -> Option<WorkingTime> {
        let calendar = self.calendars.iter().find(|calendar| calendar.name == name)?;
        WorkingTime::of(calendar).ok()
    }
}

/// What of the environment an input needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvironmentNeeds {
    /// The calendars, by name.
    pub calendars: Vec<String>,
    /// The stored rules that its steps ask as they stand, by id.
    pub rules: Vec<String>,
    /// The workflows that its steps call.
    pub workflows: Vec<WorkflowId>,
    /// The operations that its steps call.
    pub operations: Vec<CalledOperation>,
    /// The people whom a request concerns.
    pub people: Option<PeopleNeeds>,
}

/// Which people an input needs: all whom these entries name, these persons, and everybody who stands in for one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeopleNeeds {
    /// The entries of the request.
    pub entries: Vec<Approver>,
    /// Addresses of persons: who is behind the run, who decided, who decides now.
    pub persons: Vec<String>,
}

impl EnvironmentNeeds {
    /// Whether nothing is needed.
    pub fn is_empty(&self) -> bool {
        self.calendars.is_empty()
            && self.rules.is_empty()
            && self.workflows.is_empty()
            && self.operations.is_empty()
            && self.people.is_none()
    }
}
