//! Values of JSON as parameters: written as text, which the database reads as whatever type its statement wants.

use serde_json::Value;
use std::error::Error;
use tokio_postgres::types::{Format, IsNull, Kind, ToSql, Type, private::BytesMut, to_sql_checked};

/// A value that fills a parameter.
#[derive(Debug)]
pub(super) struct Parameter<'v>(pub(super) &'v Value);

impl ToSql for Parameter<'_> {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match text_of(self.0, wanted) {
            None => Ok(IsNull::Yes),
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(IsNull::No)
            }
        }
    }

    fn accepts(_wanted: &Type) -> bool {
        true
    }

    fn encode_format(&self, _wanted: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// A value as the database reads it; none for null.
fn text_of(value: &Value, wanted: &Type) -> Option<String> {
    let is_json = matches!(*wanted, Type::JSON | Type::JSONB);
    match value {
        Value::Null => None,
        Value::String(text) if !is_json => Some(text.clone()),
        Value::Array(items) if !is_json && let Kind::Array(item) = wanted.kind() => {
            Some(array_of(items, item))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Some(value.to_string())
        }
    }
}

/// A list as the database writes arrays: each item in quotes.
fn array_of(items: &[Value], wanted: &Type) -> String {
    let items = items.iter().map(|item| match (item, text_of(item, wanted)) {
        (_, None) => "NULL".to_owned(),
        // An array in an array stands as it is.
        (Value::Array(inner), _) if !matches!(*wanted, Type::JSON | Type::JSONB) => array_of(inner, wanted),
        (_, Some(text)) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    });
    format!("{{{}}}", items.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_written_as_the_type_reads_them() {
        for (value, wanted, text) in [
            (json!(null), Type::INT4, None),
            (json!(12), Type::INT4, Some("12")),
            (json!("12.50"), Type::NUMERIC, Some("12.50")),
            (json!(true), Type::BOOL, Some("true")),
            (json!("a"), Type::TEXT, Some("a")),
            (json!("a"), Type::JSONB, Some("\"a\"")),
            (json!({ "a": [1] }), Type::JSONB, Some("{\"a\":[1]}")),
            (json!({ "a": 1 }), Type::TEXT, Some("{\"a\":1}")),
            (json!(["a\"b", "c\\d", null]), Type::TEXT_ARRAY, Some("{\"a\\\"b\",\"c\\\\d\",NULL}")),
            (json!([[1, 2], [3, 4]]), Type::INT4_ARRAY, Some("{{\"1\",\"2\"},{\"3\",\"4\"}}")),
            (json!([{ "a": 1 }]), Type::JSONB_ARRAY, Some("{\"{\\\"a\\\":1}\"}")),
            (json!([1]), Type::JSONB, Some("[1]")),
        ] {
            assert_eq!(text_of(&value, &wanted).as_deref(), text, "{value} as {wanted}");
        }
    }
}
