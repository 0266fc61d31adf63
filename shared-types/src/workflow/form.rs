//! Forms: what a person or another workflow fills in, held against what the fields ask for.

use super::{
    approval::{FieldKind, FormField},
    evaluate::{equal, time_of},
    finding::closest,
    number::Quantity,
};
use serde_json::{Map, Value};
use std::{cmp::Ordering, fmt};

/// A field that isn't filled in as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormFault {
    /// Path of the field.
    pub field: String,
    /// What is wrong, and what to write.
    pub message: String,
}

impl fmt::Display for FormFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.field, self.message)
    }
}

impl FieldKind {
    /// What somebody typed, as the field's value: null where they typed nothing, and a text where it is no value of the kind,
    /// so that the fault can be named.
    pub fn typed(self, text: &str) -> Value {
        let text = text.trim();
        if text.is_empty() {
            return Value::Null;
        }
        match self {
            Self::Number => match serde_json::from_str::<Value>(text) {
                Ok(number @ Value::Number(_)) => number,
                Ok(_) | Err(_) => Value::String(text.to_owned()),
            },
            Self::Boolean => text.parse().map_or_else(|_| Value::String(text.to_owned()), Value::Bool),
            Self::Text | Self::Date | Self::Choice => Value::String(text.to_owned()),
        }
    }
}

impl FormField {
    /// Everything in which what a person filled in isn't what a form asks for: wrong values, then keys that it doesn't name.
    /// A form without fields asks for nothing, and takes everything.
    pub fn faults(form: &[Self], input: &Map<String, Value>) -> Vec<FormFault> {
        let mut faults = Self::field_faults(form, input);
        if !form.is_empty() {
            let unknown = input.keys().filter(|key| form.iter().all(|field| field.name != **key));
            faults.extend(unknown.map(|key| unknown_key(form, key)));
        }
        faults
    }

    /// Every field whose value isn't what it asks for. Whatever else the input holds is let through: a workflow that calls
    /// another may bring more than its form names.
    pub fn field_faults(form: &[Self], input: &Map<String, Value>) -> Vec<FormFault> {
        let faults = form.iter().filter_map(|field| {
            let message = field.fault(input.get(&field.name).filter(|value| !value.is_null()))?;
            Some(FormFault { field: field.name.clone(), message })
        });
        faults.collect()
    }

    fn fault(&self, value: Option<&Value>) -> Option<String> {
        let Some(value) = value else { return self.required.then(|| "must be filled in.".to_owned()) };
        if self.required && value.as_str().is_some_and(|text| text.trim().is_empty()) {
            return Some("must be filled in.".to_owned());
        }
        let fits = match self.kind {
            FieldKind::Text => value.is_string(),
            FieldKind::Number => Quantity::of(value).is_some(),
            FieldKind::Boolean => value.is_boolean(),
            FieldKind::Date => value.as_str().is_some_and(|text| time_of(text).is_some()),
            FieldKind::Choice => {
                if self.choices.iter().any(|choice| equal(choice, value)) {
                    return None;
                }
                let choices: Vec<String> = self.choices.iter().map(Value::to_string).collect();
                return Some(format!("must be one of {}.", choices.join(", ")));
            }
        };
        if !fits {
            return Some(format!("must be {}.", self.kind.in_words()));
        }
        let below = self.min.as_ref().is_some_and(|min| order(value, min) == Some(Ordering::Less));
        let above = self.max.as_ref().is_some_and(|max| order(value, max) == Some(Ordering::Greater));
        match (&self.min, &self.max) {
            (Some(min), _) if below => Some(format!("must be at least {min}.")),
            (_, Some(max)) if above => Some(format!("must be at most {max}.")),
            _ => None,
        }
    }
}

fn unknown_key(form: &[FormField], key: &str) -> FormFault {
    let names = || form.iter().map(|field| field.name.as_str());
    let message = match closest(key, names()) {
        Some(close) => format!("is no field of the form; `{close}` is."),
        None => format!(
            "is no field of the form, whose fields are `{}`.",
            names().collect::<Vec<_>>().join("`, `")
        ),
    };
    FormFault { field: key.to_owned(), message }
}

fn order(a: &Value, b: &Value) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (Quantity::of(a), Quantity::of(b)) {
        return Some(a.order(b));
    }
    Some(time_of(a.as_str()?)?.cmp(&time_of(b.as_str()?)?))
}

impl FieldKind {
    fn in_words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Date => "a date such as 2026-03-01",
            Self::Choice => "one of the choices",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_typed_becomes_the_value_of_its_kind() {
        assert_eq!(FieldKind::Number.typed(" 14 "), json!(14));
        assert_eq!(FieldKind::Number.typed("12,5"), json!("12,5"));
        assert_eq!(FieldKind::Text.typed("14"), json!("14"));
        assert_eq!(FieldKind::Text.typed("  "), Value::Null);
        assert_eq!(FieldKind::Boolean.typed("false"), json!(false));
        assert_eq!(FieldKind::Boolean.typed("maybe"), json!("maybe"));
    }

    #[test]
    fn a_form_says_which_field_is_wrong_and_what_to_write() {
        let form: Vec<FormField> = serde_json::from_value(json!([
            { "name": "discount", "type": "number", "max": 20, "required": true },
            { "name": "from", "type": "date", "min": "2026-01-01" },
            { "name": "kind", "type": "choice", "choices": ["a", "b"] },
        ]))
        .unwrap();
        let faults = |input: Value| -> Vec<String> {
            let Value::Object(input) = input else { panic!("a map") };
            FormField::faults(&form, &input).iter().map(ToString::to_string).collect()
        };
        assert_eq!(faults(json!({ "discount": "12.5", "from": null })), Vec::<String>::new());
        assert_eq!(faults(json!({})), ["`discount` must be filled in."]);
        assert_eq!(
            faults(json!({ "discount": 21, "from": "2025-12-31", "kind": "c" })),
            [
                "`discount` must be at most 20.",
                "`from` must be at least \"2026-01-01\".",
                "`kind` must be one of \"a\", \"b\"."
            ]
        );
    }

    #[test]
    fn a_blank_is_no_text_and_a_key_that_no_field_has_is_told() {
        let form: Vec<FormField> = serde_json::from_value(json!([
            { "name": "note", "type": "text", "required": true },
            { "name": "amount", "type": "number" },
        ]))
        .unwrap();
        let faults = |form: &[FormField], input: Value| -> Vec<String> {
            let Value::Object(input) = input else { panic!("a map") };
            FormField::faults(form, &input).iter().map(ToString::to_string).collect()
        };
        for blank in ["", "  ", "\t\n", "\u{a0}"] {
            assert_eq!(faults(&form, json!({ "note": blank })), ["`note` must be filled in."], "{blank:?}");
        }
        assert_eq!(
            faults(&form, json!({ "note": "x", "amuont": 5, "zzz": null })),
            [
                "`amuont` is no field of the form; `amount` is.",
                "`zzz` is no field of the form, whose fields are `note`, `amount`."
            ]
        );
        assert_eq!(faults(&[], json!({ "anything": 5 })), Vec::<String>::new());
        let Value::Object(more) = json!({ "note": "x", "more": 5 }) else { panic!("a map") };
        assert_eq!(FormField::field_faults(&form, &more), []);
    }
}
