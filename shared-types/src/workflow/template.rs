//! Templates: `{{ … }}` in Jinja, bounded in steps and size, with no access to the machine.

mod value;

pub use value::TemplateValue;

use super::{number, scope::Scope};
use minijinja::{Environment, Error, Expression, Output, State, UndefinedBehavior, value::ValueKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock},
};

/// How many steps of the template engine one evaluation may take.
const FUEL: u64 = 200_000;
/// How many bytes one evaluation may give.
const MAX_BYTES: usize = 1024 * 1024;

/// A text that may hold templates; read once, and cheap to clone.
#[derive(Clone)]
pub struct Template(Arc<Inner>);

struct Inner {
    source: String,
    kind: Kind,
}

enum Kind {
    /// No template in it.
    Literal,
    /// One path alone, which needs no engine: `{{ order.total }}`.
    Path(Vec<String>),
    /// One expression alone, which keeps its type: `{{ items | length }}`.
    Expression { compiled: Expression<'static, 'static>, names: Vec<String> },
    /// Text with paths in it, which mostly needs no engine: `order {{ order.id }}`.
    Joined { parts: Vec<Part>, body: String, names: Vec<String> },
    /// Text with templates in it.
    Mixed { body: String, names: Vec<String> },
    /// It can't be read; the check says so, and evaluating it fails.
    Broken(String),
}

/// A part of a text with paths in it.
enum Part {
    Text(String),
    Path(Vec<String>),
}

/// Why a template gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It can't be read.
    #[error("the template \"{template}\" can't be read: {why}")]
    Syntax {
        /// The text.
        template: String,
        /// What the engine said.
        why: String,
    },
    /// It failed, or took too long.
    #[error("the template \"{template}\" failed: {why}")]
    Failed {
        /// The text.
        template: String,
        /// What the engine said.
        why: String,
    },
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
            Self::Syntax { .. } | Self::Failed { .. } => "template.failed",
            Self::Missing { .. } => "template.missing",
        }
    }
}

static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Chainable);
    engine.set_fuel(Some(FUEL));
    engine.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    engine.set_formatter(print_value);
    engine.add_filter("money", money);
    engine
});

/// Prints floats with at most 15 significant digits, and null as nothing.
fn print_value(out: &mut Output, state: &mut State, value: &minijinja::Value) -> Result<(), Error> {
    if value.is_none() {
        return Ok(());
    }
    if value.kind() == ValueKind::Number
        && !value.is_integer()
        && let Ok(double) = f64::try_from(value.clone())
    {
        return out.write_str(&number::print_double(double)).map_err(Error::from);
    }
    minijinja::escape_formatter(out, state, value)
}

#[expect(clippy::needless_pass_by_value, reason = "the engine hands filters their arguments by value")]
fn money(amount: minijinja::Value, currency: Option<String>) -> String {
    let text = f64::try_from(amount.clone()).map_or_else(|_| amount.to_string(), number::print_double);
    number::money(&text, currency.as_deref().unwrap_or_default())
}

impl Template {
    /// Reads a text. A template in it that can't be read is kept and fails when evaluated.
    pub fn new(source: impl Into<String>) -> Self {
        let source = source.into();
        let kind = classify(&source);
        Self(Arc::new(Inner { source, kind }))
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
        match &self.0.kind {
            Kind::Broken(why) => Some(why),
            Kind::Literal
            | Kind::Path(_)
            | Kind::Expression { .. }
            | Kind::Joined { .. }
            | Kind::Mixed { .. } => None,
        }
    }

    /// The path, of a template that is one path alone.
    pub fn path(&self) -> Option<&[String]> {
        if let Kind::Path(path) = &self.0.kind { Some(path) } else { None }
    }

    /// Whether it is text with templates in it, which always gives a text.
    pub fn is_mixed(&self) -> bool {
        matches!(self.0.kind, Kind::Joined { .. } | Kind::Mixed { .. })
    }

    /// Whether it is plain text.
    pub fn is_literal(&self) -> bool {
        matches!(self.0.kind, Kind::Literal)
    }

    /// The top-level names that it reads.
    pub fn names(&self) -> Vec<&str> {
        match &self.0.kind {
            Kind::Literal | Kind::Broken(_) => Vec::new(),
            Kind::Path(path) => path.first().map(String::as_str).into_iter().collect(),
            Kind::Expression { names, .. } | Kind::Joined { names, .. } | Kind::Mixed { names, .. } => {
                names.iter().map(String::as_str).collect()
            }
        }
    }

    /// The secrets that it reads by name; a text search, so that it never says too few.
    pub fn secrets(&self) -> Vec<&str> {
        let source = self.source();
        source
            .match_indices("secrets.")
            .map(|(at, found)| &source[at + found.len()..])
            .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default())
            .collect()
    }

    /// The value: a template alone keeps its type (null where the path isn't there), else a text.
    pub fn value(&self, scope: &Scope<'_>) -> Result<Value, TemplateError> {
        match &self.0.kind {
            Kind::Literal => Ok(Value::String(self.source().to_owned())),
            Kind::Path(path) => {
                Ok(scope.find(path.iter().map(String::as_str)).map_or(Value::Null, Cow::into_owned))
            }
            Kind::Expression { compiled, names } => {
                let value = compiled.eval(variables(scope, names)).map_err(|error| self.failed(&error))?;
                let json = serde_json::to_value(&value).unwrap_or(Value::Null);
                if value.kind() == ValueKind::String && value.as_str().is_some_and(|s| s.len() > MAX_BYTES) {
                    return Err(self.too_long());
                }
                Ok(json)
            }
            Kind::Joined { .. } | Kind::Mixed { .. } => self.text(scope).map(Value::String),
            Kind::Broken(why) => {
                Err(TemplateError::Syntax { template: self.source().to_owned(), why: why.clone() })
            }
        }
    }

    /// The value as text; what isn't there is empty.
    pub fn text(&self, scope: &Scope<'_>) -> Result<String, TemplateError> {
        match &self.0.kind {
            Kind::Literal => Ok(self.source().to_owned()),
            Kind::Joined { parts, body, names } => match join(parts, scope) {
                Some(text) if text.len() > MAX_BYTES => Err(self.too_long()),
                Some(text) => Ok(text),
                None => self.mixed(body, names, scope),
            },
            Kind::Mixed { body, names } => self.mixed(body, names, scope),
            Kind::Path(_) | Kind::Expression { .. } | Kind::Broken(_) => Ok(as_text(&self.value(scope)?)),
        }
    }

    /// The value as text where an empty one is a failure.
    pub fn needed(&self, what: &'static str, scope: &Scope<'_>) -> Result<String, TemplateError> {
        let text = self.text(scope)?;
        if text.trim().is_empty() {
            return Err(TemplateError::Missing { what, template: self.source().to_owned() });
        }
        Ok(text)
    }

    fn mixed(&self, body: &str, names: &[String], scope: &Scope<'_>) -> Result<String, TemplateError> {
        let mut out = Limited { bytes: Vec::with_capacity(body.len()), full: false };
        let rendered = ENGINE
            .template_from_str(body)
            .and_then(|template| template.render_captured_to(variables(scope, names), &mut out).map(|_| ()));
        if out.full {
            return Err(self.too_long());
        }
        rendered.map_err(|error| self.failed(&error))?;
        Ok(String::from_utf8_lossy(&out.bytes).into_owned())
    }

    fn failed(&self, error: &Error) -> TemplateError {
        TemplateError::Failed { template: self.source().to_owned(), why: error.to_string() }
    }

    fn too_long(&self) -> TemplateError {
        let why = format!("it gives more than {MAX_BYTES} bytes");
        TemplateError::Failed { template: self.source().to_owned(), why }
    }
}

/// A writer that stops at the size limit.
struct Limited {
    bytes: Vec<u8>,
    full: bool,
}

impl std::io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAX_BYTES {
            self.full = true;
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn variables(scope: &Scope<'_>, names: &[String]) -> BTreeMap<String, minijinja::Value> {
    names.iter().filter_map(|name| Some((name.clone(), scope.top(name)?))).collect()
}

fn classify(source: &str) -> Kind {
    if !source.contains("{{") && !source.contains("{%") && !source.contains("{#") {
        return Kind::Literal;
    }
    if let Some(inner) = alone(source) {
        if let Some(path) = plain_path(inner) {
            return Kind::Path(path);
        }
        return match ENGINE.compile_expression_owned(length_as_filter(inner)) {
            Ok(compiled) => {
                let names = sorted(compiled.undeclared_variables(false));
                Kind::Expression { compiled, names }
            }
            Err(error) => Kind::Broken(error.to_string()),
        };
    }
    let body = length_as_filter(source);
    match ENGINE.template_from_str(&body) {
        Ok(template) => {
            let names = sorted(template.undeclared_variables(false));
            match plain_parts(source) {
                Some(parts) => Kind::Joined { parts, body, names },
                None => Kind::Mixed { body, names },
            }
        }
        Err(error) => Kind::Broken(error.to_string()),
    }
}

/// A text as its parts, if all its templates are plain paths and the engine would take nothing away from it.
fn plain_parts(source: &str) -> Option<Vec<Part>> {
    // The engine reads these in its own way: tags, comments, and a line's end at the text's end.
    if source.contains("{%") || source.contains("{#") || source.ends_with('\n') {
        return None;
    }
    let mut parts = Vec::new();
    let mut rest = source;
    while let Some((text, after)) = rest.split_once("{{") {
        let (inner, after) = after.split_once("}}")?;
        let path = plain_path(inner.trim())?;
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        parts.push(Part::Path(path));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Some(parts)
}

/// The parts as one text; nothing where a value is a list or a map, which the engine prints.
fn join(parts: &[Part], scope: &Scope<'_>) -> Option<String> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(part) => text.push_str(part),
            Part::Path(path) => match scope.find(path.iter().map(String::as_str)).as_deref() {
                None | Some(Value::Null) => {}
                Some(Value::String(part)) => text.push_str(part),
                Some(Value::Number(number)) if number.is_i64() || number.is_f64() => {
                    text.push_str(&as_text(&Value::Number(number.clone())));
                }
                Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => return None,
            },
        }
    }
    Some(text)
}

fn sorted(names: std::collections::HashSet<String>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort();
    names
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

/// `.length` written as the filter that the engine has, outside of quotes.
fn length_as_filter(body: &str) -> String {
    const ATTRIBUTE: &str = ".length";
    let mut out = String::with_capacity(body.len());
    let mut quote: Option<char> = None;
    let mut rest = body;
    while let Some(c) = rest.chars().next() {
        if quote.is_none()
            && let Some(tail) = rest.strip_prefix(ATTRIBUTE)
            && !tail.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '(')
        {
            out.push_str("|length");
            rest = tail;
            continue;
        }
        match quote {
            Some(open) if open == c => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            Some(_) | None => {}
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// A value as text: a text as it is, null as nothing, a double with 15 digits, the rest as JSON.
pub fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => number::print_double(number.as_f64().unwrap_or_default()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
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
