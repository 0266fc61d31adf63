//! A document's text: JSON or YAML, with the line and column of every value in it.

mod json;
mod yaml;

use super::{bounds, finding::Finding};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The largest text that is read, in bytes: as large as a request's body may be.
const MAX_TEXT: usize = 1024 * 1024;
/// How deep lists and maps nest in a text.
const MAX_DEPTH: usize = 128;

/// A line and a column, each from 1.
type Place = (u64, u64);

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// JSON.
    Json,
    /// YAML 1.2.
    Yaml,
}

impl Format {
    /// What a text is written in, by how it begins.
    pub fn of(text: &str) -> Self {
        if text.trim_start().starts_with('{') { Self::Json } else { Self::Yaml }
    }

    /// Its name, as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Yaml => "yaml",
        }
    }
}

/// A parsed text that still knows where everything stood.
#[derive(Debug, Clone)]
pub struct Source {
    /// What it holds.
    pub value: Value,
    positions: BTreeMap<String, Place>,
}

impl Source {
    /// Reads a text.
    ///
    /// # Errors
    /// A finding with the place where the text can't be read.
    pub fn parse(text: &str, format: Format) -> Result<Self, Box<Finding>> {
        Self::parse_up_to(text, format, MAX_TEXT)
    }

    /// Reads a text of up to so many bytes.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_up_to(text: &str, format: Format, most: usize) -> Result<Self, Box<Finding>> {
        if text.len() > most {
            let message = format!(
                "The text has {} bytes, and at most {most} are read; divide it into several documents.",
                text.len()
            );
            return Err(Box::new(Finding::error("document.too_large", "", message)));
        }
        // Editors on Windows begin a file with a byte order mark, which says nothing.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let source = match format {
            Format::Json => json::parse(text),
            Format::Yaml => yaml::parse(text),
        }?;
        match bounds::place_of_zero(&source.value) {
            Some(pointer) => {
                let message = "The character U+0000 can't be stored; leave it out.";
                let mut finding = [Finding::error("text.zero", pointer, message)];
                source.locate(&mut finding);
                let [finding] = finding;
                Err(Box::new(finding))
            }
            None => Ok(source),
        }
    }

    /// Where a value stands, from 1; `None` where the text has no such value.
    pub fn position(&self, pointer: &str) -> Option<Place> {
        self.positions.get(pointer).copied()
    }

    /// A value that came without a text.
    pub fn of_value(value: Value) -> Self {
        Self { value, positions: BTreeMap::new() }
    }

    /// Puts line and column into findings, from the nearest place that the text knows.
    pub fn locate(&self, findings: &mut [Finding]) {
        for finding in findings {
            let mut pointer = finding.pointer.as_str();
            loop {
                if let Some((line, column)) = self.positions.get(pointer) {
                    (finding.line, finding.column) = (*line, *column);
                    break;
                }
                let Some(parent) = pointer.rfind('/') else { break };
                pointer = &pointer[..parent];
            }
        }
    }
}

/// A text that can't be read, with the place of its fault.
fn unreadable(message: &str, (line, column): Place) -> Finding {
    let mut finding = Finding::error("document.unreadable", "", message);
    (finding.line, finding.column) = (line, column);
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn yaml_keeps_what_people_mean_and_knows_where_it_stood() {
        let source = Source::parse(
            "version: 1.2.0\non: no\nzip: 0123\nwait: 24h\nsteps:\n  - id: a\n    on_true: b\n",
            Format::Yaml,
        )
        .unwrap();
        assert_eq!(
            source.value,
            json!({"version": "1.2.0", "on": "no", "zip": "0123", "wait": "24h", "steps": [{"id": "a", "on_true": "b"}]})
        );
        let mut findings =
            [Finding::error("x", "/steps/0/on_true", ""), Finding::error("x", "/steps/0/missing", "")];
        source.locate(&mut findings);
        assert_eq!((findings[0].line, findings[0].column), (7, 14));
        assert_eq!(findings[1].line, 6);
    }

    #[test]
    fn broken_text_is_a_finding_with_its_place() {
        let fault = Source::parse("a: [1, 2\nb: 3", Format::Yaml).unwrap_err();
        assert!(fault.line > 0, "{fault:?}");
        let fault = Source::parse("{\"a\": 1,}", Format::Json).unwrap_err();
        assert_eq!((fault.line, fault.column), (1, 9));
        let source = Source::parse("{\n  \"a\": \"\\ud83d\\ude00\"\n}", Format::Json).unwrap();
        assert_eq!(source.value, json!({"a": "😀"}));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text_and_a_zero_character_is_found() {
        for (text, format) in [("\u{feff}{\"a\": 1}", Format::Json), ("\u{feff}a: 1\n", Format::Yaml)] {
            assert_eq!(Source::parse(text, format).unwrap().value, json!({"a": 1}));
        }
        for (text, format) in [
            (r#"{"a": ["b", "c\u0000"]}"#, Format::Json),
            (r#"a: [b, "c\0"]"#, Format::Yaml),
            (r#"a: [b, "c\x00"]"#, Format::Yaml),
        ] {
            let fault = Source::parse(text, format).unwrap_err();
            assert_eq!((fault.code.as_ref(), fault.pointer.as_str()), ("text.zero", "/a/1"), "{fault:?}");
        }
        let fault = Source::parse(r#"{"a\u0000": 1}"#, Format::Json).unwrap_err();
        assert_eq!(fault.pointer, "/a?");
    }

    #[test]
    fn a_key_that_stands_twice_is_found_at_any_depth_in_both_formats() {
        for (text, format, pointer, place) in [
            ("{\"a\": 1, \"a\": 2}", Format::Json, "/a", (1, 10)),
            (
                "{\n  \"a\": [{\"b\": {\"x y\": 1,\n \"ü\": 2, \"x y\": 1}}]\n}",
                Format::Json,
                "/a/0/b/x y",
                (3, 10),
            ),
            ("{\"\\u0061\": 1, \"a\": 2}", Format::Json, "/a", (1, 15)),
            ("a: 1\nb:\n  c: 1\n  c: 2\n", Format::Yaml, "", (4, 3)),
        ] {
            let fault = Source::parse(text, format).unwrap_err();
            assert_eq!((fault.code.as_ref(), fault.pointer.as_str()), ("key.twice", pointer), "{text}");
            assert_eq!((fault.line, fault.column), place, "{text}");
        }
        let sound = "{\"a\": {\"a\": \"a\\\"}{\", \"b\": [true, null, -1.5e3, {}]}, \"b\": []}";
        let source = Source::parse(sound, Format::Json).unwrap();
        assert_eq!(source.position("/a/b/2"), Some((1, 40)));
        assert_eq!(source.position("/b"), Some((1, 59)));
    }

    #[test]
    fn a_large_document_is_scanned_in_one_pass() {
        let entries: Vec<String> = (0..25_000).map(|n| format!("\"key{n}\": {{\"a\": [{n}]}}")).collect();
        let text = format!("{{{}, \"key0\": 1}}", entries.join(","));
        let begun = std::time::Instant::now();
        assert_eq!(Source::parse(&text, Format::Json).unwrap_err().code, "key.twice");
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    }

    #[test]
    fn a_template_without_quotes_is_told_with_its_line() {
        for (text, place, template) in [
            ("a: 1\nx: {{ a }}\ny: 2\n", (2, 4), "\"{{ a }}\""),
            ("x: {{ a.b }} and more\n", (1, 4), "\"{{ a.b }}\""),
            ("x: {{ a | default(\"b\") }}\n", (1, 4), "'{{ a | default(\"b\") }}'"),
            ("s:\n  - {{ a['b'] }}\n", (2, 5), "\"{{ a['b'] }}\""),
            ("x: { y: {{ a }} }\n", (1, 9), "\"{{ a }}\""),
            ("x: [1, {{ a }}]\n", (1, 8), "\"{{ a }}\""),
            ("x: {% if a %}b{% endif %}\n", (1, 4), "\"{% if a %}\""),
            ("x: {{ a\ny: 2\n", (1, 4), "\"{{ … }}\""),
        ] {
            let fault = Source::parse(text, Format::Yaml).unwrap_err();
            assert_eq!((fault.line, fault.column), place, "{text}");
            let expected = format!("Put quotes around a template: {template}.");
            assert!(fault.message.starts_with(&expected), "{text}: {}", fault.message);
        }
    }

    #[test]
    fn no_message_speaks_of_the_program_that_reads() {
        for text in [
            "a: b: c",
            "a: *nope",
            "a: 1\na: 2",
            "a: &x [*x]",
            "a: 'b",
            "a: [1, 2\nb: 3",
            "- a\nb: 1",
            "? [a]\n: b",
            "a: .nan",
            "a: 1\n---\nb: 2\n",
            "<<: 3",
            "a: |2\n x",
            "a:\n  - b\n c: d",
            "a: !!int x",
            "a: \"\\q\"",
            "a: @b",
            "a: !!binary x",
        ] {
            let message = Source::parse(text, Format::Yaml).unwrap_err().message;
            for word in
                ["Option", "from_str", "error:", "policy", "budget", "scalar", "serde", "Duplicate", "weak"]
            {
                assert!(!message.contains(word), "{text:?}: {message}");
            }
        }
        for text in ["", "{", "{\"a\": 1,}", "{'a': 1}", "[1 2]", "1e999", "nul"] {
            let message = Source::parse(text, Format::Json).unwrap_err().message;
            assert!(
                message.starts_with("The JSON can't be read: ") && !message.contains("at line"),
                "{text:?}: {message}"
            );
        }
    }

    #[test]
    fn what_would_become_large_is_refused_before_it_does() {
        let line =
            |n: usize| format!("a{n}: &a{n} [{}]", vec![format!("*a{}", n.saturating_sub(1)); 10].join(","));
        let lines: Vec<String> = (1..10).map(line).collect();
        let bomb = format!("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n{}\n", lines.join("\n"));
        let brackets = format!("a: {}{}", "[".repeat(200), "]".repeat(200));
        let blocks: Vec<String> = (0..200).map(|n| format!("{}a:", " ".repeat(n))).collect();
        let blocks = blocks.join("\n");
        for (text, format, says) in [
            (bomb, Format::Yaml, "its aliases stand for more than 20000 values"),
            (brackets.clone(), Format::Yaml, "nest more than 128 deep"),
            (blocks, Format::Yaml, "nest more than 128 deep"),
            (brackets.replace("a: ", ""), Format::Json, "nest more than 128 deep"),
            (format!("a: {}", "x".repeat(MAX_TEXT)), Format::Yaml, "at most 1048576 are read"),
        ] {
            let begun = std::time::Instant::now();
            let fault = Source::parse(&text, format).unwrap_err();
            assert!(fault.message.contains(says), "{}", fault.message);
            assert!(begun.elapsed().as_millis() < 2000, "{says}: {:?}", begun.elapsed());
        }
        // What is repeated in earnest is far from that.
        let shared = format!("base: &b {{ x: 1, y: [1, 2] }}\nall: [{}]\n", vec!["*b"; 1000].join(", "));
        assert!(Source::parse(&shared, Format::Yaml).is_ok());
    }
}
