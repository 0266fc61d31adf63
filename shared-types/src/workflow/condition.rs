//! Conditions as they are written.

pub mod expr;

use super::TemplateValue;
use expr::Expression;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A condition: a leaf, or a group of conditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Condition {
    /// Compares one field.
    Leaf(Leaf),
    /// All must hold.
    And {
        /// The conditions.
        #[schemars(length(min = 1))]
        and: Vec<Condition>,
    },
    /// One must hold.
    Or {
        /// The conditions.
        #[schemars(length(min = 1))]
        or: Vec<Condition>,
    },
    /// Must not hold.
    Not {
        /// The condition.
        not: Box<Condition>,
    },
    /// The same, written in CEL.
    Expr {
        /// The text.
        expr: Expression,
    },
}

/// A comparison of one field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Leaf {
    /// Names separated by dots.
    #[schemars(extend("format" = "field"))]
    pub field: String,
    /// How it is compared.
    pub operator: Operator,
    /// With what; may be a template. A null that is written stays one.
    #[serde(default, deserialize_with = "as_written", skip_serializing_if = "Option::is_none")]
    pub value: Option<TemplateValue>,
}

fn as_written<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<TemplateValue>, D::Error> {
    TemplateValue::deserialize(deserializer).map(Some)
}

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident = $word:literal $(| $other:literal)*, $phrase:literal;)*) => {
        /// How a field is compared.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Operator { $($(#[$doc])* $name,)* }

        impl Operator {
            /// Every spelling that a document may use.
            pub const SPELLINGS: &'static [&'static str] = &[$($word, $($other,)*)*];

            /// Reads a spelling.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word $(| $other)* => Some(Self::$name),)* _ => None }
            }

            /// The name as stored and shown to programs.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The comparison in words, between the field's value and the other.
            pub fn phrase(self) -> &'static str {
                match self { $(Self::$name => $phrase,)* }
            }
        }
    };
}

operators! {
    /// Equal.
    Eq = "eq" | "==", "equal to";
    /// Not equal.
    Neq = "neq" | "!=", "other than";
    /// Greater.
    Gt = "gt" | ">", "more than";
    /// Greater or equal.
    Gte = "gte" | ">=", "at least";
    /// Less.
    Lt = "lt" | "<", "less than";
    /// Less or equal.
    Lte = "lte" | "<=", "at most";
    /// One of a list.
    In = "in", "one of";
    /// None of a list.
    NotIn = "not_in", "none of";
    /// A text, list or map that holds the value.
    Contains = "contains", "containing";
    /// A text, list or map that doesn't hold the value.
    NotContains = "not_contains", "not containing";
    /// A text that begins so.
    StartsWith = "starts_with", "beginning with";
    /// A text that ends so.
    EndsWith = "ends_with", "ending with";
    /// A text in which the regular expression is found.
    Regex = "regex" | "matches", "matching";
    /// There, and not null.
    Exists = "exists", "there";
    /// Not there, or null.
    NotExists = "not_exists", "missing";
    /// Not there, null, or an empty text, list or map.
    IsEmpty = "is_empty", "empty";
    /// Within two ends, both counted.
    Between = "between", "from";
    /// A list with every one of these.
    HasAll = "has_all", "with all of";
    /// A list with at least one of these.
    HasAny = "has_any", "with any of";
    /// An earlier time.
    Before = "before", "before";
    /// A later time.
    After = "after", "after";
    /// A time not longer ago than this.
    WithinLast = "within_last", "within the last";
    /// A time longer ago than this.
    OlderThan = "older_than", "longer ago than";
}

impl Operator {
    /// Whether it is true for a field that isn't there.
    pub fn holds_for_missing(self) -> bool {
        matches!(self, Self::Neq | Self::NotIn | Self::NotContains | Self::NotExists | Self::IsEmpty)
    }

    /// Whether it compares with a value at all.
    pub fn needs_value(self) -> bool {
        !matches!(self, Self::Exists | Self::NotExists | Self::IsEmpty)
    }
}

impl Serialize for Operator {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Operator {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&word).ok_or_else(|| serde::de::Error::custom(format!("unknown operator {word}")))
    }
}

impl JsonSchema for Operator {
    fn schema_name() -> Cow<'static, str> {
        "Operator".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": Self::SPELLINGS })
    }
}

impl Condition {
    /// Every leaf with its pointer below this condition.
    pub fn leaves(&self) -> Vec<(String, &Leaf)> {
        match self {
            Self::Leaf(leaf) => vec![(String::new(), leaf)],
            Self::And { and } => grouped("and", and),
            Self::Or { or } => grouped("or", or),
            Self::Not { not } => {
                not.leaves().into_iter().map(|(p, leaf)| (format!("/not{p}"), leaf)).collect()
            }
            Self::Expr { .. } => Vec::new(),
        }
    }

    /// Every `expr` in it with its pointer.
    pub fn expressions(&self) -> Vec<(String, &Expression)> {
        fn below<'c>(key: &str, list: &'c [Condition]) -> Vec<(String, &'c Expression)> {
            let parts = list.iter().enumerate();
            parts
                .flat_map(|(n, c)| c.expressions().into_iter().map(move |(p, e)| (n, p, e)))
                .map(|(n, p, e)| (format!("/{key}/{n}{p}"), e))
                .collect()
        }
        match self {
            Self::Leaf(_) => Vec::new(),
            Self::And { and } => below("and", and),
            Self::Or { or } => below("or", or),
            Self::Not { not } => {
                not.expressions().into_iter().map(|(p, e)| (format!("/not{p}"), e)).collect()
            }
            Self::Expr { expr } => vec![("/expr".to_owned(), expr)],
        }
    }
}

fn grouped<'a>(key: &str, list: &'a [Condition]) -> Vec<(String, &'a Leaf)> {
    list.iter()
        .enumerate()
        .flat_map(|(n, c)| c.leaves().into_iter().map(move |(p, leaf)| (n, p, leaf)))
        .map(|(n, p, leaf)| (format!("/{key}/{n}{p}"), leaf))
        .collect()
}
