//! What was typed into the forms of requests and not sent: it is there again when its request is opened again.

use serde_json::{Map, Value};
use shared_types::ids::ApprovalId;
use std::{cell::RefCell, collections::BTreeMap};

thread_local! {
    static EDITS: RefCell<BTreeMap<ApprovalId, Map<String, Value>>> = const { RefCell::new(BTreeMap::new()) };
}

/// The fields that were changed.
pub(super) fn edits(id: ApprovalId) -> Map<String, Value> {
    EDITS.with_borrow(|edits| edits.get(&id).cloned().unwrap_or_default())
}

/// Keeps what a field holds now; where that is what it held before, it isn't changed.
pub(super) fn write(id: ApprovalId, field: &str, value: Value, before: &Value) {
    EDITS.with_borrow_mut(|edits| {
        let edits = edits.entry(id).or_default();
        if value == *before {
            edits.remove(field);
        } else {
            edits.insert(field.to_owned(), value);
        }
    });
}

/// Forgets what was sent.
pub(super) fn forget(id: ApprovalId) {
    EDITS.with_borrow_mut(|edits| edits.remove(&id));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    #[test]
    fn a_field_is_changed_as_long_as_it_holds_something_else() {
        let id = ApprovalId(Uuid::from_u128(5));
        write(id, "days", json!(14), &json!(30));
        write(id, "note", json!("x"), &Value::Null);
        assert_eq!(Value::Object(edits(id)), json!({ "days": 14, "note": "x" }));
        write(id, "days", json!(30), &json!(30));
        assert_eq!(Value::Object(edits(id)), json!({ "note": "x" }));
        forget(id);
        assert!(edits(id).is_empty());
    }
}
