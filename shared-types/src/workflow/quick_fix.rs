//! Applying a finding's fix to a text as it is written, so that comments and layout stay.
//!
//! The text is edited at the place that the fix names; then it is read again and held against what the JSON
//! Patch makes of the value. Only where both agree is the edit given: a fix never says one thing and does
//! another.

use super::{
    Finding, Format, Source,
    finding::{PatchOp, escape_segment},
};
use serde_json::Value;

/// The text with a finding's fix applied; `None` where there is none, or it can't be applied to the text.
pub fn apply_fix(text: &str, format: Format, finding: &Finding) -> Option<String> {
    let fix = finding.fix.as_ref()?;
    let source = Source::parse(text, format).ok()?;
    let mut wanted = source.value.clone();
    for op in fix {
        patch(&mut wanted, op)?;
    }
    if format == Format::Json {
        return serde_json::to_string_pretty(&wanted).ok();
    }
    let [op] = fix.as_slice() else { return None };
    let edited = edit(text, &source, op)?;
    let reads_as = Source::parse(&edited, format).ok()?.value;
    (reads_as == wanted).then_some(edited)
}

/// Applies one operation to a value (RFC 6902).
fn patch(value: &mut Value, op: &PatchOp) -> Option<()> {
    match op {
        PatchOp::Add { path, value: new } => insert(value, path, new.clone()),
        PatchOp::Replace { path, value: new } => {
            *value.pointer_mut(path)? = new.clone();
            Some(())
        }
        PatchOp::Remove { path } => remove(value, path).map(drop),
        PatchOp::Move { from, path } => {
            let moved = remove(value, from)?;
            insert(value, path, moved)
        }
    }
}

fn insert(value: &mut Value, path: &str, new: Value) -> Option<()> {
    let (parent, key) = path.rsplit_once('/')?;
    match value.pointer_mut(parent)? {
        Value::Object(map) => drop(map.insert(plain(key), new)),
        Value::Array(list) => list.insert(key.parse::<usize>().ok().filter(|at| *at <= list.len())?, new),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    }
    Some(())
}

fn remove(value: &mut Value, path: &str) -> Option<Value> {
    let (parent, key) = path.rsplit_once('/')?;
    match value.pointer_mut(parent)? {
        Value::Object(map) => map.remove(&plain(key)),
        Value::Array(list) => {
            let at = key.parse::<usize>().ok().filter(|at| *at < list.len())?;
            Some(list.remove(at))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn plain(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

fn edit(text: &str, source: &Source, op: &PatchOp) -> Option<String> {
    match op {
        PatchOp::Replace { path, value } => {
            let start = offset(text, source.position(path)?)?;
            let length = scalar_length(&text[start..]);
            Some(format!("{}{}{}", &text[..start], scalar(value)?, &text[start + length..]))
        }
        PatchOp::Move { from, path } => {
            let (parent, old) = from.rsplit_once('/')?;
            let new = path.strip_prefix(parent)?.strip_prefix('/').filter(|key| !key.contains('/'))?;
            let value_at = offset(text, source.position(from)?)?;
            let key_at = text[..value_at].rfind(&plain(old))?;
            let after = key_at + plain(old).len();
            Some(format!("{}{}{}", &text[..key_at], escape_segment(new), &text[after..]))
        }
        PatchOp::Remove { path } => {
            let start = offset(text, source.position(path)?)?;
            remove_lines(text, start)
        }
        PatchOp::Add { .. } => None,
    }
}

/// Where a line and column (from 1, in characters) stand in a text.
fn offset(text: &str, (line, column): (u64, u64)) -> Option<usize> {
    let (line, column) =
        (usize::try_from(line).ok()?.checked_sub(1)?, usize::try_from(column).ok()?.checked_sub(1)?);
    let start = text.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
    let within: usize = text.get(start..)?.chars().take(column).map(char::len_utf8).sum();
    Some(start + within)
}

/// How long the scalar is with which a text begins.
fn scalar_length(text: &str) -> usize {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        return text[1..].find(quote).map_or(text.len(), |end| end + 2);
    }
    let end = text.find(['\n', ',', '}', ']']).unwrap_or(text.len());
    let end = text[..end].find(" #").unwrap_or(end);
    text[..end].trim_end().len()
}

/// A scalar as YAML takes it.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')) => {
            Some(text.clone())
        }
        Value::String(_) | Value::Bool(_) | Value::Number(_) | Value::Null => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The text without the line at a place and those below it that are indented more.
fn remove_lines(text: &str, at: usize) -> Option<String> {
    let line_start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let indent = |line: &str| line.len() - line.trim_start().len();
    let depth = indent(text[line_start..].lines().next()?);
    let mut end = line_start;
    for (n, line) in text[line_start..].split_inclusive('\n').enumerate() {
        if n > 0 && !line.trim().is_empty() && indent(line) <= depth {
            break;
        }
        end += line.len();
    }
    Some(format!("{}{}", &text[..line_start], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::check::{Environment, check};

    /// The text with the first finding that has a fix mended.
    fn mended(text: &str) -> Option<String> {
        let checked = check(text, Format::Yaml, &Environment::Unknown);
        let finding = checked.findings.iter().find(|finding| finding.fix.is_some())?;
        apply_fix(text, Format::Yaml, finding)
    }

    const HEAD: &str = "workflow_id: w # mine\nname: W\ntrigger: { type: manual }\nsteps:\n";

    #[test]
    fn fixes_change_only_what_they_name_and_keep_comments() {
        for (broken, fixed) in [
            (
                "  - { id: first, type: set, set: {}, next: secnd } # go\n  - { id: second, type: set, set: {} }\n",
                "  - { id: first, type: set, set: {}, next: second } # go\n  - { id: second, type: set, set: {} }\n",
            ),
            (
                "  - id: a\n    type: condition\n    condition: { field: x, operator: 'gteq', value: 1 }\n    # why\n    on_true: a2\n  - { id: a2, type: set, set: {} }\n",
                "  - id: a\n    type: condition\n    condition: { field: x, operator: gte, value: 1 }\n    # why\n    on_true: a2\n  - { id: a2, type: set, set: {} }\n",
            ),
            (
                "  - id: a\n    type: set\n    set: {}\n    nxet: b # then\n  - { id: b, type: set, set: {} }\n",
                "  - id: a\n    type: set\n    set: {}\n    next: b # then\n  - { id: b, type: set, set: {} }\n",
            ),
            (
                "  - { id: a, type: set, set: {} }\n  - id: lost\n    type: set\n    set: {}\n",
                "  - { id: a, type: set, set: {} }\n",
            ),
        ] {
            assert_eq!(mended(&format!("{HEAD}{broken}")), Some(format!("{HEAD}{fixed}")), "{broken}");
        }
    }
}
