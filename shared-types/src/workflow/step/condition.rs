//! A condition step: what it asks, and where it goes.

use super::RuleVersion;
use crate::{ids::StepId, workflow::condition::Condition};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A condition step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "WrittenConditionStep", into = "WrittenConditionStep")]
#[schemars(with = "WrittenConditionStep")]
pub struct ConditionStep {
    /// What is asked.
    pub test: Test,
    /// Where it goes when true.
    pub on_true: Option<StepId>,
    /// Where it goes when false.
    pub on_false: Option<StepId>,
}

/// What a condition step asks: a condition of its own or a stored rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// A condition of its own.
    Condition(Condition),
    /// A stored rule.
    Rule {
        /// The rule's slug.
        rule_id: String,
        /// Which version; as it stood at publishing where none is named.
        version: Option<RuleVersion>,
    },
}

/// Why a condition step asks nothing that can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TestFault {
    /// Neither is there.
    #[error("A condition step needs `condition` or `rule_id`.")]
    Missing,
    /// Both are there.
    #[error("`condition` and `rule_id` can't stand together.")]
    Twice,
}

impl TestFault {
    /// What is wrong with a step that has these two keys or not.
    pub fn of(has_condition: bool, has_rule: bool) -> Option<Self> {
        match (has_condition, has_rule) {
            (false, false) => Some(Self::Missing),
            (true, true) => Some(Self::Twice),
            (true, false) | (false, true) => None,
        }
    }

    /// The finding's code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "condition.missing",
            Self::Twice => "condition.twice",
        }
    }
}

/// A condition step as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct WrittenConditionStep {
    /// What is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    condition: Option<Condition>,
    /// A stored rule instead of a condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rule_id: Option<String>,
    /// Which version of the stored rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rule: Option<RuleVersion>,
    /// Where it goes when true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_true: Option<StepId>,
    /// Where it goes when false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_false: Option<StepId>,
}

impl TryFrom<WrittenConditionStep> for ConditionStep {
    type Error = TestFault;

    fn try_from(written: WrittenConditionStep) -> Result<Self, TestFault> {
        let WrittenConditionStep { condition, rule_id, rule, on_true, on_false } = written;
        let test = match (condition, rule_id) {
            (Some(condition), None) => Test::Condition(condition),
            (None, Some(rule_id)) => Test::Rule { rule_id, version: rule },
            (None, None) => return Err(TestFault::Missing),
            (Some(_), Some(_)) => return Err(TestFault::Twice),
        };
        Ok(Self { test, on_true, on_false })
    }
}

impl From<ConditionStep> for WrittenConditionStep {
    fn from(step: ConditionStep) -> Self {
        let ConditionStep { test, on_true, on_false } = step;
        let (condition, rule_id, rule) = match test {
            Test::Condition(condition) => (Some(condition), None, None),
            Test::Rule { rule_id, version } => (None, Some(rule_id), version),
        };
        Self { condition, rule_id, rule, on_true, on_false }
    }
}
