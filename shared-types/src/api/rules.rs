//! Rules: stored conditions that many workflows may ask.

use super::{Access, BodyKind, Condition, NoBody, NoQuery, Page, Permission, Repeated, endpoint, limits};
use crate::{
    ids::WorkflowId,
    workflow::{
        Format,
        rule::{RuleDocument, RuleGiven},
    },
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

endpoint!(
    /// The body is the rule itself, JSON or YAML.
    CreateRule: Post "rules", Access::Needs(Permission::WriteWorkflows), "rules", 201, "Add a rule", (NoQuery, Value) => StoredRule,
    { const BODY: BodyKind = BodyKind::Rule; }
);
endpoint!(ListRules: Get "rules", Access::Needs(Permission::ReadWorkflows), "rules", 200, "List rules", (RuleQuery, NoBody) => Page<RuleSummary>);
endpoint!(GetRule: Get "rules/{rule_id}", Access::Needs(Permission::ReadWorkflows), "rules", 200, "Read a rule", (RuleVersionQuery, NoBody) => StoredRule);
endpoint!(
    /// The body is the rule itself, JSON or YAML. Needs `If-Match`.
    PutRule: Put "rules/{rule_id}", Access::Needs(Permission::WriteWorkflows), "rules", 200, "Write a new version", (NoQuery, Value) => StoredRule,
    { const BODY: BodyKind = BodyKind::Rule; const CONDITION: Condition = Condition::Match; }
);
endpoint!(
    /// Needs `If-Match`. One that a workflow asks is kept: 409 with `used_by`.
    ArchiveRule: Delete "rules/{rule_id}", Access::Needs(Permission::WriteWorkflows), "rules", 204, "Delete a rule", (NoQuery, NoBody) => NoBody,
    { const CONDITION: Condition = Condition::Match; }
);
endpoint!(ListRuleVersions: Get "rules/{rule_id}/versions", Access::Needs(Permission::ReadWorkflows), "rules", 200, "List a rule's versions", (NoQuery, NoBody) => Page<RuleVersionInfo>);
endpoint!(
    /// Asks a rule that is written, stored or not, on a payload; answers with its findings, or the tree of values seen.
    TryRule: Post "rules/try", Access::Needs(Permission::ReadWorkflows), "rules", 200, "Try a rule", (NoQuery, RuleTrial) => RuleTried,
    { const REPEATED: Repeated = Repeated::Harmless; }
);

/// A rule as read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StoredRule {
    /// Slug of the rule, unique in its workspace.
    pub rule_id: String,
    /// The version, from 1.
    pub version: i32,
    /// What it says.
    pub document: RuleDocument,
    /// How the source is written.
    pub format: Format,
    /// The text as its author wrote it.
    pub source: String,
    /// Its condition as CEL, where that can say it.
    pub expr: Option<String>,
    /// Entity tag of the stored text, to be sent back as `If-Match`.
    pub etag: String,
    /// When the version was written.
    pub updated_at: DateTime<Utc>,
    /// Who did it: an email address, or the name of an API key.
    pub updated_by: String,
    /// The workflows whose newest revision asks it.
    pub used_by: Vec<RuleUse>,
}

/// A workflow that asks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleUse {
    /// Slug of the workflow.
    pub workflow_id: WorkflowId,
    /// In which version; null where it asks the rule as it stands, or was published before the rule was there.
    pub version: Option<i32>,
}

/// A rule in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleSummary {
    /// Slug of the rule, unique in its workspace.
    pub rule_id: String,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its condition as CEL, where that can say it.
    pub expr: Option<String>,
    /// The version, from 1.
    pub version: i32,
    /// How many workflows ask it.
    pub used: i64,
    /// When the version was written.
    pub updated_at: DateTime<Utc>,
    /// Who did it: an email address, or the name of an API key.
    pub updated_by: String,
}

/// One version of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleVersionInfo {
    /// The version, from 1.
    pub version: i32,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// Who did it: an email address, or the name of an API key.
    pub created_by: String,
}

/// Which rules to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleQuery {
    /// The `next_cursor` of the previous page; leave it out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::CURSOR))]
    pub cursor: Option<String>,
    /// How many at most, up to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limits::PAGE))]
    pub limit: Option<u32>,
}

/// Which version to read; the newest without one.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleVersionQuery {
    /// The version, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = i32::MAX))]
    pub version: Option<i32>,
}

/// A rule to try.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleTrial {
    /// The rule, as JSON or as a text in YAML.
    pub document: Value,
    /// What there is to see.
    #[serde(default)]
    pub given: RuleGiven,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleTried {
    /// What the checks say.
    pub findings: Vec<crate::workflow::Finding>,
    /// Whether it holds.
    pub result: Option<bool>,
    /// Why, in words.
    pub reason: Option<String>,
    /// Why, as a tree.
    pub why: Option<crate::workflow::evaluate::Why>,
}
