//! What a schema says of a value, for whoever fills it in: its properties, which of them are needed, what may stand there.

use serde_json::Value;
use std::collections::BTreeSet;

/// How many references are followed, and schemas looked into, for one value.
const MAX_FOLLOWED: usize = 16;
/// How many properties of a map are looked at.
const MAX_PROPERTIES: usize = 1_000;
/// How many characters of a description are shown.
const MAX_DESCRIPTION: usize = 80;

/// A schema within the one that it stands in, whose definitions it leads to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape<'s> {
    root: &'s Value,
    schema: &'s Value,
}

impl<'s> Shape<'s> {
    /// A schema that stands alone.
    pub fn new(root: &'s Value) -> Self {
        Self { root, schema: root }.resolved()
    }

    fn of(self, schema: &'s Value) -> Self {
        Self { schema, ..self }.resolved()
    }

    /// The definition that it leads to, else itself.
    fn resolved(mut self) -> Self {
        for _ in 0..MAX_FOLLOWED {
            let reference = self.schema.get("$ref").and_then(Value::as_str);
            let Some(next) = reference.and_then(|to| self.root.pointer(to.strip_prefix('#')?)) else { break };
            self.schema = next;
        }
        self
    }

    /// The schemas that say of one value what it may have: itself, and all that `allOf`, `anyOf` and `oneOf` name.
    fn parts(self) -> Vec<Self> {
        self.parts_of(&["allOf", "anyOf", "oneOf"])
    }

    fn parts_of(self, keys: &[&str]) -> Vec<Self> {
        let mut found = vec![self];
        let mut at = 0;
        while at < found.len() && found.len() < MAX_FOLLOWED {
            let schema = found[at].schema;
            let within = keys.iter().filter_map(|key| schema.get(*key)?.as_array());
            found.extend(within.flatten().map(|part| self.of(part)));
            at += 1;
        }
        found
    }

    /// The properties of a map: the needed ones first, then by name, each once.
    pub fn properties(self) -> Vec<(&'s str, Self)> {
        let maps = self.parts().into_iter().filter_map(|part| part.schema.get("properties")?.as_object());
        let required = self.required();
        let mut found: Vec<(bool, &str, Self)> = maps
            .flatten()
            .take(MAX_PROPERTIES)
            .map(|(name, schema)| (!required.contains(name.as_str()), name.as_str(), self.of(schema)))
            .collect();
        found.sort_by_key(|(is_optional, name, _)| (*is_optional, *name));
        found.dedup_by_key(|(_, name, _)| *name);
        found.into_iter().map(|(_, name, shape)| (name, shape)).collect()
    }

    /// A property of a map, or of the items of a list.
    pub fn property(self, name: &str) -> Option<Self> {
        let of = |shape: Self| shape.properties().into_iter().find(|(other, _)| *other == name);
        let (_, found) = of(self).or_else(|| of(self.item()?))?;
        Some(found)
    }

    /// The items of a list.
    pub fn item(self) -> Option<Self> {
        let items = self.parts().into_iter().find_map(|part| part.schema.get("items"))?;
        Some(self.of(items))
    }

    /// The names of the properties that are needed.
    pub fn required(self) -> BTreeSet<&'s str> {
        // What one of several alternatives needs isn't needed as such.
        let parts = self.parts_of(&["allOf"]).into_iter();
        let lists = parts.filter_map(|part| part.schema.get("required")?.as_array());
        lists.flatten().filter_map(Value::as_str).collect()
    }

    /// The values of which one must stand there; none where others may.
    pub fn choices(self) -> Option<&'s [Value]> {
        self.schema.get("enum").and_then(Value::as_array).map(Vec::as_slice)
    }

    /// The type of its values, as the schema names it; several by `or`, and empty where it says none.
    pub fn kind(self) -> String {
        match self.schema.get("type") {
            Some(Value::String(kind)) => kind.clone(),
            Some(Value::Array(kinds)) => {
                kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
            }
            _ => String::new(),
        }
    }

    /// What it is, by the first line of its title or description.
    pub fn description(self) -> String {
        let text = ["title", "description"].iter().find_map(|key| self.schema.get(*key)?.as_str());
        text.unwrap_or_default().lines().next().unwrap_or_default().chars().take(MAX_DESCRIPTION).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_told_through_references_and_parts() {
        let schema = json!({
            "allOf": [{ "$ref": "#/$defs/Base" }, { "properties": { "note": { "type": ["string", "null"] } } }],
            "$defs": {
                "Base": { "required": ["id"], "properties": { "id": { "type": "integer", "description": "Which\none" },
                    "lines": { "type": "array", "items": { "$ref": "#/$defs/Line" } } } },
                "Line": { "properties": { "state": { "enum": ["open"] } } },
            },
        });
        let shape = Shape::new(&schema);
        let names: Vec<&str> = shape.properties().iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["id", "lines", "note"]);
        assert_eq!(shape.required(), BTreeSet::from(["id"]));
        let id = shape.property("id").unwrap();
        assert_eq!((id.kind(), id.description()), ("integer".to_owned(), "Which".to_owned()));
        assert_eq!(shape.property("note").unwrap().kind(), "string or null");
        let state = shape.property("lines").and_then(|lines| lines.property("state")).unwrap();
        assert_eq!(state.choices(), Some([json!("open")].as_slice()));
    }

    #[test]
    fn what_one_alternative_needs_is_not_needed_as_such() {
        let schema = json!({
            "required": ["a"],
            "anyOf": [{ "required": ["b"], "properties": { "b": {} } }, { "properties": { "a": {} } }],
        });
        let shape = Shape::new(&schema);
        assert_eq!(shape.required(), BTreeSet::from(["a"]));
        assert_eq!(shape.properties().len(), 2);
    }

    #[test]
    fn a_schema_that_leads_to_itself_ends() {
        let schema = json!({ "$ref": "#/$defs/A", "$defs": { "A": { "$ref": "#/$defs/A", "anyOf": [{ "$ref": "#/$defs/A" }] } } });
        assert_eq!(Shape::new(&schema).properties(), []);
        let branches = json!({ "$defs": { "B": { "anyOf": [{ "$ref": "#/$defs/B" }, { "$ref": "#/$defs/B" }] } }, "$ref": "#/$defs/B" });
        assert_eq!(Shape::new(&branches).property("a"), None);
    }
}
