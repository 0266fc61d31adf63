//! The formats that a schema names: texts with a meaning of their own.

use super::Walk;
use crate::workflow::{
    bounds,
    duration::Span,
    evaluate::time_of,
    finding::Finding,
    path,
    schedule::{self, CronFault},
    step::RetryOn,
    template::TemplateValue,
};
use serde_json::Value;

impl Walk<'_> {
    pub(super) fn format(&mut self, schema: &Value, value: &Value, at: &str) {
        let Some(format) = schema.get("format").and_then(Value::as_str) else { return };
        let text = value.as_str().unwrap_or_default();
        let fault = match format {
            "span" => text.parse::<Span>().err().map(|error| ("duration.bad", error.to_string())),
            "cron" => schedule::cron_fault(text).map(|fault| match fault {
                CronFault::Never => ("schedule.never", format!("\"{text}\" can't run: {fault}")),
                CronFault::Nickname | CronFault::FieldCount(_) | CronFault::Field { .. } => {
                    ("cron.bad", format!("\"{text}\" is no schedule: {fault}"))
                }
            }),
            "timezone" => schedule::parse_zone(text).err().map(|error| ("timezone.bad", error.to_string())),
            "instant" => time_of(text).is_none().then(|| {
                ("time.bad", format!("\"{text}\" is no time; write RFC 3339 such as 2026-03-01T10:00:00Z"))
            }),
            "uuid" => uuid::Uuid::parse_str(text).is_err().then(|| {
                ("id.bad", format!("\"{}\" is no id: a UUID", text.chars().take(50).collect::<String>()))
            }),
            "date-time" => bounds::instant(text).err().map(|error| ("time.bad", error.to_string())),
            "slug" => (!is_slug(text)).then(|| {
                (
                    "id.bad",
                    format!("\"{text}\" is no id; use letters, digits, `_`, `-` and `.`, 1 to 100 of them"),
                )
            }),
            "field" => field_fault(text).map(|fault| ("field.bad", fault)),
            "retry-on" => RetryOn::parse(value).is_none().then(|| {
                ("value.unknown", format!("{value} is none of timeout, connection, 5xx, a status, *"))
            }),
            "template" | "templates" => return self.templates(value, at),
            _ => None,
        };
        if let Some((code, message)) = fault {
            self.findings.push(Finding::error(code, at, format!("{message}.")));
        }
    }

    fn templates(&mut self, value: &Value, at: &str) {
        for (below, template) in TemplateValue::new(value.clone()).templates() {
            let pointer = format!("{at}{below}");
            let shown = || template.source().chars().take(200).collect::<String>();
            if let Some(why) = template.fault() {
                let message = format!("The template \"{}\" can't be read: {why}.", shown());
                self.findings.push(Finding::error("template.bad", &pointer, message));
            }
            for misuse in template.misuses() {
                let message = format!("In the template \"{}\", {misuse}.", shown());
                self.findings.push(Finding::error("template.bad", &pointer, message));
            }
            for doubt in template.doubts() {
                self.findings.push(Finding::warning("template.doubt", &pointer, format!("{doubt}.")));
            }
            if let Some(name) = template.secrets().next().filter(|_| !is_sent(&pointer)) {
                let message = format!(
                    "`secrets.{name}` can't be read here: a secret may only stand in what an effect sends (`url`, \
                     `query`, `headers`, `body`, a connector's `input`)."
                );
                self.findings.push(Finding::error("secret.misplaced", pointer, message));
            }
        }
    }
}

fn is_slug(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

/// Why a text is no path that a condition could look at.
fn field_fault(text: &str) -> Option<String> {
    if text.contains("{{") || text.contains("{%") {
        let inner = text.trim().trim_start_matches("{{").trim_end_matches("}}").trim();
        return Some(format!(
            "\"{text}\" is a template, and `field` is a path itself: write {inner} without the braces"
        ));
    }
    if text.contains(char::is_whitespace) || path::parse(text).is_none() {
        return Some(format!(
            "\"{text}\" is no path; write names separated by dots, such as order.lines.0.sku, or order['ship-to']"
        ));
    }
    (text.split(['.', '[']).next() == Some("secrets")).then(|| {
        format!("\"{text}\" is a secret, which conditions can't read: its value never comes to them")
    })
}

/// Whether what stands at a pointer is sent by an effect, and never stored or shown.
fn is_sent(pointer: &str) -> bool {
    let mut segments = pointer.split('/').peekable();
    while let Some(segment) = segments.next() {
        if segment != "execute" {
            continue;
        }
        let is_entry =
            segments.next().is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()) && !n.is_empty());
        if is_entry {
            return segments
                .peek()
                .is_some_and(|key| matches!(*key, "url" | "query" | "headers" | "body" | "input"));
        }
    }
    false
}
