//! Templates: `{{ … }}` in Jinja, bounded in length, depth, work and memory, with no access to the machine.
//!
//! The text is read by the parser of the crate `minijinja` ([`parse`]) and evaluated here ([`evaluation`]), since
//! what an operation costs, how numbers count and how a failure reads are promises of the language.

mod address;
mod budget;
mod data;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "an operation takes some kinds of values and refuses the others"
)]
mod evaluation;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a filter takes some kinds of values and refuses the others"
)]
#[expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "all filters have one signature"
)]
mod filters;
#[expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "all functions have one signature"
)]
mod functions;
mod limits;
mod parameters;
#[expect(clippy::wildcard_enum_match_arm, reason = "the parser's tree has more forms than templates may use")]
mod parse;
mod predicates;
#[expect(clippy::wildcard_enum_match_arm, reason = "a path has few of the parser's forms")]
mod references;
mod tree;
mod value;

pub(crate) use budget::count_work;
pub use budget::work_done;
pub use limits::{MAX_CHAIN, MAX_LENGTH, MAX_NESTING};
pub use value::TemplateValue;

use super::{
    bounds,
    number::Quantity,
    scope::{Scope, is_time},
};
use budget::{Fail, FailCode};
use evaluation::{Evaluation, Library};
use references::References;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{borrow::Cow, fmt, sync::Arc};
use tree::{Expression, Statement};

/// What templates may use.
static LIBRARY: Library = Library {
    filter: filters::at,
    predicate: predicates::at,
    function: functions::at,
    has_filter: |name| filters::find(name).is_some(),
};

/// A text that may hold templates; read once, and cheap to clone.
#[derive(Clone)]
pub struct Template(Arc<Inner>);

struct Inner {
    source: String,
    kind: Kind,
    references: References,
}

enum Kind {
    /// No template in it.
    Literal,
    /// One path alone: `{{ order.total }}`.
    Path(Vec<String>),
    /// One expression alone, which keeps its type: `{{ items | length }}`.
    Expression(Expression),
    /// Text with templates in it.
    Mixed(Vec<Statement>),
    /// It can't be read; the check says so, and evaluating it fails.
    Broken(String),
}

/// Why a template gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It can't be read.
    #[error("the template \"{template}\" can't be read: {why}")]
    Syntax {
        /// The text.
        template: String,
        /// What is wrong with it.
        why: String,
    },
    /// It failed, or was stopped.
    #[error("the template \"{template}\" failed: {why}")]
    Failed {
        /// The stable code.
        code: &'static str,
        /// The text.
        template: String,
        /// What happened.
        why: String,
    },
    /// A value around templates nests too deep.
    #[error("a value nests more than {} deep", bounds::MAX_DEPTH)]
    TooDeep,
    /// It gave nothing where something is needed.
    #[error("{what} is empty: \"{template}\" gives nothing")]
    Missing {
        /// What needs a value.
        what: &'static str,
        /// The text.
        template: String,
    },
}

impl TemplateError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => FailCode::Failed.as_str(),
            Self::Failed { code, .. } => code,
            Self::TooDeep => FailCode::TooDeep.as_str(),
            Self::Missing { .. } => "template.missing",
        }
    }
}

impl Template {
    /// Reads a text. A template in it that can't be read is kept and fails when evaluated.
    pub fn new(source: impl Into<String>) -> Self {
        let source = source.into();
        let (kind, references) = classify(&source);
        Self(Arc::new(Inner { source, kind, references }))
    }

    /// The template that is this path alone; nothing where templates can't say it.
    pub fn of_path<'a>(path: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut path = path.into_iter();
        let mut inner = path.next()?.to_owned();
        for part in path {
            if name(part).is_some_and(|(_, rest)| rest.is_empty()) {
                inner.extend([".", part]);
            } else {
                let quote = if part.contains('\'') { "\"" } else { "'" };
                inner.extend(["[", quote, part, quote, "]"]);
            }
        }
        Some(Self::new(format!("{{{{ {inner} }}}}"))).filter(|template| template.path().is_some())
    }

    /// The text as written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Why the template can't be read, if it can't.
    pub fn fault(&self) -> Option<&str> {
        if let Kind::Broken(why) = &self.0.kind { Some(why) } else { None }
    }

    /// What fails when it is evaluated, or is passed over, though it can be read.
    pub fn misuses(&self) -> &[String] {
        &self.0.references.misuses
    }

    /// What its author hardly means, though it can be read.
    pub fn doubts(&self) -> &[String] {
        &self.0.references.doubts
    }

    /// The path, of a template that is one path alone.
    pub fn path(&self) -> Option<&[String]> {
        if let Kind::Path(path) = &self.0.kind { Some(path) } else { None }
    }

    /// Whether it is text with templates in it, which always gives a text.
    pub fn is_mixed(&self) -> bool {
        matches!(self.0.kind, Kind::Mixed(_))
    }

    /// Whether it is plain text.
    pub fn is_literal(&self) -> bool {
        matches!(self.0.kind, Kind::Literal)
    }

    /// The top-level names of the run's context that it reads.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.references.names.iter().map(String::as_str)
    }

    /// The secrets that it reads, by name; found by its syntax.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.references.secrets.iter().map(String::as_str)
    }

    /// The value: a template alone keeps its type (null where the path isn't there), else a text.
    ///
    /// # Errors
    /// When it can't be read, fails, or costs more than a template may.
    pub fn value(&self, scope: &Scope<'_>) -> Result<Value, TemplateError> {
        match &self.0.kind {
            Kind::Literal => Ok(Value::String(self.source().to_owned())),
            Kind::Path(path) => {
                let found = scope.find(path.iter().map(String::as_str));
                let value = found.map_or(Value::Null, Cow::into_owned);
                self.sound(value)
            }
            Kind::Expression(expression) => {
                let evaluated = Evaluation::new(&LIBRARY, scope).json(expression);
                evaluated.map_err(|fail| self.failed(fail)).and_then(|value| self.sound(value))
            }
            Kind::Mixed(_) | Kind::Broken(_) => self.text(scope).map(Value::String),
        }
    }

    /// The value as text; what isn't there is empty.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn text(&self, scope: &Scope<'_>) -> Result<String, TemplateError> {
        match &self.0.kind {
            Kind::Literal => Ok(self.source().to_owned()),
            Kind::Mixed(statements) => {
                let text =
                    Evaluation::new(&LIBRARY, scope).text(statements).map_err(|fail| self.failed(fail))?;
                if text.contains('\0') { Err(self.failed(Fail::unstorable())) } else { Ok(text) }
            }
            Kind::Path(_) | Kind::Expression(_) => Ok(as_text(&self.value(scope)?)),
            Kind::Broken(why) => {
                Err(TemplateError::Syntax { template: shortened(self.source()), why: why.clone() })
            }
        }
    }

    /// The value as an address: what stands in its path or query is percent-encoded, unless it is passed on by
    /// `| url`. A template alone is the address itself.
    ///
    /// # Errors
    /// As [`Self::value`]; when a value would lead to another path; when it is empty.
    pub fn address(&self, scope: &Scope<'_>) -> Result<String, TemplateError> {
        match &self.0.kind {
            Kind::Mixed(statements) => {
                let text = Evaluation::of_address(&LIBRARY, scope)
                    .text(statements)
                    .map_err(|fail| self.failed(fail))?;
                self.there("url", text)
            }
            Kind::Literal | Kind::Path(_) | Kind::Expression(_) | Kind::Broken(_) => {
                self.needed("url", scope)
            }
        }
    }

    /// The value as text where an empty one is a failure, and so is a part that isn't there.
    ///
    /// # Errors
    /// As [`Self::value`], and when it is empty.
    pub fn needed(&self, what: &'static str, scope: &Scope<'_>) -> Result<String, TemplateError> {
        self.there(what, as_text(&self.whole(scope)?))
    }

    /// The value, where a text that a part of isn't there would mean something else.
    ///
    /// # Errors
    /// As [`Self::value`], and when a part of a text isn't there.
    pub fn whole(&self, scope: &Scope<'_>) -> Result<Value, TemplateError> {
        match &self.0.kind {
            Kind::Mixed(statements) => {
                let text = Evaluation::of_whole(&LIBRARY, scope)
                    .text(statements)
                    .map_err(|fail| self.failed(fail))?;
                self.sound(Value::String(text))
            }
            Kind::Literal | Kind::Path(_) | Kind::Expression(_) | Kind::Broken(_) => self.value(scope),
        }
    }

    /// Holds a value that goes into a run against what can be stored and read back.
    fn sound(&self, value: Value) -> Result<Value, TemplateError> {
        if bounds::is_storable(&value, bounds::MAX_DEPTH) {
            return Ok(value);
        }
        let is_deep = bounds::too_deep(&value, bounds::MAX_DEPTH).is_some();
        Err(self.failed(if is_deep { Fail::too_deep() } else { Fail::unstorable() }))
    }

    fn there(&self, what: &'static str, text: String) -> Result<String, TemplateError> {
        if text.trim().is_empty() {
            return Err(TemplateError::Missing { what, template: shortened(self.source()) });
        }
        Ok(text)
    }

    fn failed(&self, fail: Fail) -> TemplateError {
        TemplateError::Failed { code: fail.code.as_str(), template: shortened(self.source()), why: fail.why }
    }
}

/// The words of templates, in order: filters, tests and functions.
pub fn vocabulary() -> [(&'static str, Vec<&'static str>); 3] {
    let sorted = |mut names: Vec<&'static str>| {
        names.sort_unstable();
        names
    };
    [
        ("filters", sorted(filters::names().collect())),
        ("tests", sorted(predicates::names().collect())),
        ("functions", sorted(functions::names().collect())),
    ]
}

/// A template in a message: its beginning, where it is long.
fn shortened(source: &str) -> String {
    const MOST: usize = 200;
    if source.chars().count() <= MOST {
        source.to_owned()
    } else {
        source.chars().take(MOST).chain(['…']).collect()
    }
}

fn classify(source: &str) -> (Kind, References) {
    if !source.contains("{{") && !source.contains("{%") && !source.contains("{#") {
        return (Kind::Literal, References::default());
    }
    if let Some(path) = alone(source).and_then(plain_path)
        && path != ["secrets"]
        && (!path[0].starts_with("now") || is_time(&path[0]))
        && path.len() <= MAX_CHAIN
        && source.len() <= MAX_LENGTH
    {
        let references = References::of_path(&path);
        return (Kind::Path(path), references);
    }
    let trimmed = source.trim();
    let is_alone = trimmed.starts_with("{{") && trimmed.ends_with("}}");
    match parse::template(if is_alone { trimmed } else { source }) {
        Ok((mut statements, references)) => {
            if is_alone && statements.len() == 1 {
                match statements.pop() {
                    Some(Statement::Print(expression)) => return (Kind::Expression(expression), references),
                    other => statements.extend(other),
                }
            }
            (Kind::Mixed(statements), references)
        }
        Err(why) => (Kind::Broken(why), References::default()),
    }
}

/// The inside of a text that is one `{{ … }}` and nothing else.
fn alone(source: &str) -> Option<&str> {
    let inner = source.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{") && !inner.contains("}}") && !inner.contains("{%")).then(|| inner.trim())
}

/// Names separated by dots, or quoted in brackets, with no filter, call or sign.
fn plain_path(inner: &str) -> Option<Vec<String>> {
    let starts_well = inner.starts_with(|c: char| c.is_alphabetic() || c == '_');
    if !starts_well || is_constant(inner) {
        return None;
    }
    let (first, mut rest) = name(inner)?;
    let mut path = vec![first.to_owned()];
    while !rest.is_empty() {
        let (part, after) = match rest.strip_prefix('.') {
            Some(rest) => name(rest)?,
            None => quoted(rest.strip_prefix('[')?)?,
        };
        path.push(part.to_owned());
        rest = after;
    }
    Some(path)
}

fn is_constant(name: &str) -> bool {
    matches!(name, "true" | "false" | "none" | "True" | "False" | "None")
}

/// A name and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// A quoted key, and what follows its bracket.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (key, rest) = text[1..].split_once(quote)?;
    Some((key, rest.strip_prefix(']')?)).filter(|(key, _)| !key.is_empty() && !key.contains('\\'))
}

/// A value as text: a text as it is, null as nothing, a number with all its digits, the rest as JSON.
pub fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => Quantity::of_number(number).to_string(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.source()).finish()
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl From<&str> for Template {
    fn from(source: &str) -> Self {
        Self::new(source)
    }
}

impl Serialize for Template {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.source())
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Text that may hold {{ … }}",
            "type": "string",
            "format": "template",
        })
    }
}

#[cfg(test)]
mod tests;
