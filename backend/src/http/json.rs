//! JSON as it is taken from outside: a key that stands twice in one object is refused, since readers differ in which of
//! the two they take.

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, map::Entry};
use std::fmt;

/// A value in which each key stands once.
pub(super) struct Unambiguous(pub(super) Value);

/// How the error about a key that stands twice begins; serde's errors are texts.
const KEY_TWICE: &str = "the key stands twice: ";

/// The key that stands twice, where that is the error.
pub(super) fn key_twice(error: &serde_json::Error) -> Option<String> {
    let text = error.to_string();
    let key = text.strip_prefix(KEY_TWICE)?;
    Some(key.rfind(" at line ").map_or(key, |end| &key[..end]).to_owned())
}

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unambiguous(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            match map.entry(key) {
                Entry::Occupied(entry) => return Err(Error::custom(format!("{KEY_TWICE}{}", entry.key()))),
                Entry::Vacant(entry) => drop(entry.insert(entries.next_value::<Unambiguous>()?.0)),
            }
        }
        Ok(Value::Object(map))
    }
}
