//! Templates: `{{ … }}` in Jinja, bounded in steps and size, with no access to the machine.

use super::{
    number,
    scope::{Scope, Secrets},
};
use minijinja::{Environment, Error, Output, State, UndefinedBehavior, value::ValueKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

/// How many steps of the template engine one evaluation may take.
const FUEL: u64 = 200_000;
/// How many bytes one evaluation may give.
const MAX_BYTES: usize = 1024 * 1024;

/// A text that may hold templates.
#[derive(Debug, Clone)]
pub struct Template {
    source: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// No template in it.
    Literal,
    /// One path alone, which needs no engine: `{{ order.total }}`.
    Path(Vec<String>),
    /// One expression alone, which keeps its type: `{{ items | length }}`.
    Expression { body: String, names: Vec<String> },
    /// Text with templates in it.
    Mixed { body: String, names: Vec<String> },
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
        Self { source, kind }
    }

    /// The text as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Why the template can't be read, if it can't.
    pub fn fault(&self) -> Option<&str> {
        match &self.kind {
            Kind::Broken(why) => Some(why),
            Kind::Literal | Kind::Path(_) | Kind::Expression { .. } | Kind::Mixed { .. } => None,
        }
    }

    /// Whether it is plain text.
    pub fn is_literal(&self) -> bool {
        matches!(self.kind, Kind::Literal)
    }

    /// The top-level names that it reads.
    pub fn names(&self) -> Vec<&str> {
        match &self.kind {
            Kind::Literal | Kind::Broken(_) => Vec::new(),
            Kind::Path(path) => path.first().map(String::as_str).into_iter().collect(),
            Kind::Expression { names, .. } | Kind::Mixed { names, .. } => {
                names.iter().map(String::as_str).collect()
            }
        }
    }

    /// The secrets that it reads by name; a text search, so that it never says too few.
    pub fn secrets(&self) -> Vec<&str> {
        self.source
            .match_indices("secrets.")
            .map(|(at, found)| &self.source[at + found.len()..])
            .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default())
            .collect()
    }

    /// The value: a template alone keeps its type (null where the path isn't there), else a text.
    pub fn value(&self, scope: &Scope<'_>) -> Result<Value, TemplateError> {
        match &self.kind {
            Kind::Literal => Ok(Value::String(self.source.clone())),
            Kind::Path(path) => {
                Ok(scope.find(path.iter().map(String::as_str)).map_or(Value::Null, Cow::into_owned))
            }
            Kind::Expression { body, names } => {
                let value = ENGINE
                    .compile_expression(body)
                    .and_then(|expression| expression.eval(variables(scope, names)))
                    .map_err(|error| self.failed(&error))?;
                let json = serde_json::to_value(&value).unwrap_or(Value::Null);
                if value.kind() == ValueKind::String && value.as_str().is_some_and(|s| s.len() > MAX_BYTES) {
                    return Err(self.too_long());
                }
                Ok(json)
            }
            Kind::Mixed { body, names } => self.mixed(body, names, scope).map(Value::String),
            Kind::Broken(why) => {
                Err(TemplateError::Syntax { template: self.source.clone(), why: why.clone() })
            }
        }
    }

    /// The value as text; what isn't there is empty.
    pub fn text(&self, scope: &Scope<'_>) -> Result<String, TemplateError> {
        match &self.kind {
            Kind::Literal => Ok(self.source.clone()),
            Kind::Mixed { body, names } => self.mixed(body, names, scope),
            Kind::Path(_) | Kind::Expression { .. } | Kind::Broken(_) => Ok(as_text(&self.value(scope)?)),
        }
    }

    /// The value as text where an empty one is a failure.
    pub fn needed(&self, what: &'static str, scope: &Scope<'_>) -> Result<String, TemplateError> {
        let text = self.text(scope)?;
        if text.trim().is_empty() {
            return Err(TemplateError::Missing { what, template: self.source.clone() });
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
        TemplateError::Failed { template: self.source.clone(), why: error.to_string() }
    }

    fn too_long(&self) -> TemplateError {
        let why = format!("it gives more than {MAX_BYTES} bytes");
        TemplateError::Failed { template: self.source.clone(), why }
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
        let body = length_as_filter(inner);
        return match ENGINE.compile_expression(&body) {
            Ok(expression) => {
                let names = sorted(expression.undeclared_variables(false));
                Kind::Expression { body, names }
            }
            Err(error) => Kind::Broken(error.to_string()),
        };
    }
    let body = length_as_filter(source);
    match ENGINE.template_from_str(&body) {
        Ok(template) => {
            let names = sorted(template.undeclared_variables(false));
            Kind::Mixed { body, names }
        }
        Err(error) => Kind::Broken(error.to_string()),
    }
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

/// Names separated by dots, with no filter, call or sign.
fn plain_path(inner: &str) -> Option<Vec<String>> {
    let is_name = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    let starts_well = inner.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let is_word = matches!(inner, "true" | "false" | "none" | "True" | "False" | "None");
    (starts_well && !is_word && inner.split('.').all(is_name))
        .then(|| inner.split('.').map(str::to_owned).collect())
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

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl From<&str> for Template {
    fn from(source: &str) -> Self {
        Self::new(source)
    }
}

impl Serialize for Template {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
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

/// Any JSON value in which every text may hold templates.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplateValue {
    /// Nothing in it to evaluate.
    Literal(Value),
    /// A text with templates.
    Text(Template),
    /// A list with templates somewhere in it.
    List(Vec<TemplateValue>),
    /// A map with templates somewhere in it.
    Map(BTreeMap<String, TemplateValue>),
}

impl TemplateValue {
    /// Reads a JSON value.
    pub fn new(value: Value) -> Self {
        match value {
            Value::String(text) => {
                let template = Template::new(text);
                if template.is_literal() {
                    Self::Literal(Value::String(template.source))
                } else {
                    Self::Text(template)
                }
            }
            Value::Array(list) => {
                let list: Vec<Self> = list.into_iter().map(Self::new).collect();
                if list.iter().all(Self::is_literal) {
                    Self::Literal(Value::Array(list.iter().map(Self::source).collect()))
                } else {
                    Self::List(list)
                }
            }
            Value::Object(map) => {
                let map: BTreeMap<String, Self> = map.into_iter().map(|(k, v)| (k, Self::new(v))).collect();
                if map.values().all(Self::is_literal) {
                    Self::Literal(Value::Object(map.iter().map(|(k, v)| (k.clone(), v.source())).collect()))
                } else {
                    Self::Map(map)
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::Literal(value),
        }
    }

    /// Whether there is nothing to evaluate.
    pub fn is_literal(&self) -> bool {
        matches!(self, Self::Literal(_))
    }

    /// The value as written.
    pub fn source(&self) -> Value {
        match self {
            Self::Literal(value) => value.clone(),
            Self::Text(template) => Value::String(template.source.clone()),
            Self::List(list) => Value::Array(list.iter().map(Self::source).collect()),
            Self::Map(map) => Value::Object(map.iter().map(|(k, v)| (k.clone(), v.source())).collect()),
        }
    }

    /// The value with every template evaluated.
    pub fn value(&self, scope: &Scope<'_>) -> Result<Value, TemplateError> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Text(template) => template.value(scope),
            Self::List(list) => list.iter().map(|item| item.value(scope)).collect(),
            Self::Map(map) => map
                .iter()
                .map(|(key, value)| Ok((key.clone(), value.value(scope)?)))
                .collect::<Result<Map<_, _>, _>>()
                .map(Value::Object),
        }
    }

    /// The value as text; what isn't there is empty.
    pub fn text(&self, scope: &Scope<'_>) -> Result<String, TemplateError> {
        Ok(as_text(&self.value(scope)?))
    }

    /// Every template in it, with its pointer below this value.
    pub fn templates(&self) -> Vec<(String, &Template)> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Text(template) => vec![(String::new(), template)],
            Self::List(list) => list
                .iter()
                .enumerate()
                .flat_map(|(n, item)| item.templates().into_iter().map(move |(p, t)| (format!("/{n}{p}"), t)))
                .collect(),
            Self::Map(map) => map
                .iter()
                .flat_map(|(key, item)| {
                    let key = super::finding::escape_segment(key);
                    item.templates().into_iter().map(move |(p, t)| (format!("/{key}{p}"), t))
                })
                .collect(),
        }
    }
}

impl Serialize for TemplateValue {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.source().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TemplateValue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::new)
    }
}

impl JsonSchema for TemplateValue {
    fn schema_name() -> Cow<'static, str> {
        "TemplateValue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Any value; texts in it may hold {{ … }}",
            "format": "templates",
        })
    }
}

/// Whether a scope shows secrets in the clear.
pub fn reveals(scope: &Scope<'_>) -> bool {
    matches!(scope.secrets, Secrets::Known(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn scope(context: &Value) -> (Map<String, Value>, chrono::DateTime<chrono::Utc>) {
        (context.as_object().unwrap().clone(), "2026-03-01T10:00:00Z".parse().unwrap())
    }

    fn value(template: &str, context: &Value) -> Value {
        let (context, now) = scope(context);
        Template::new(template).value(&Scope::masked(&context, now)).unwrap()
    }

    #[test]
    fn a_template_alone_keeps_its_type_and_mixed_text_is_text() {
        let context = json!({"order": {"id": "A1", "total": 12400.10, "lines": [1, 2, 3]}});
        for (template, expected) in [
            ("{{ order.total }}", json!(12400.10)),
            ("{{ order }}", json!({"id": "A1", "total": 12400.10, "lines": [1, 2, 3]})),
            ("Order {{ order.id }}: {{ order.total }}", json!("Order A1: 12400.1")),
            ("{{ order.lines | length }}", json!(3)),
            ("{{ order.lines.length }}", json!(3)),
            ("{{ order.lines.length + 1 }}", json!(4)),
            ("{{ order.id.length }} letters", json!("2 letters")),
            ("{{ order.total | money('EUR') }}", json!("€12,400.10")),
            ("{{ nothing.there }}", json!(null)),
            ("[{{ nothing.there }}]", json!("[]")),
            ("{{ now }}", json!("2026-03-01T10:00:00Z")),
            ("{{ now_plus_24h }}", json!("2026-03-02T10:00:00Z")),
            ("since {{ now_minus_7d }}", json!("since 2026-02-22T10:00:00Z")),
            ("{{ secrets.token }}", json!("•••")),
            ("Bearer {{ secrets.token }}", json!("Bearer •••")),
            ("{{ integrations.crm.url }}/x", json!("<integrations.crm.url>/x")),
            ("{{ 0.1 + 0.2 }} m", json!("0.3 m")),
        ] {
            assert_eq!(value(template, &context), expected, "{template}");
        }
    }

    #[test]
    fn what_would_run_away_is_stopped() {
        let context = json!({});
        let (context, now) = scope(&context);
        let scope = Scope::masked(&context, now);
        for template in [
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
            "{{ 'x' * 900000 }}{{ 'x' * 900000 }}",
        ] {
            let error = Template::new(template).text(&scope).unwrap_err();
            assert_eq!(error.code(), "template.failed", "{template}");
        }
    }

    #[test]
    fn a_broken_template_is_known_before_it_is_used() {
        assert!(Template::new("{{ order. }}").fault().is_some());
        assert!(Template::new("{% if x %}").fault().is_some());
        assert!(Template::new("no template at all }}").fault().is_none());
    }
}
