//! Names of operations: their `operationId`, else one made from method and path. They stay the same when the document is
//! read again, whatever comes or goes beside them.

use shared_types::{connector::names::MAX_OPERATION, workflow::effect::Method};
use std::collections::BTreeMap;

/// An operation that is to be named.
#[derive(Debug, Clone)]
pub(super) struct Unnamed<'d> {
    pub(super) method: Method,
    pub(super) path: &'d str,
    /// The `operationId` that it has.
    pub(super) id: Option<&'d str>,
}

/// The names of operations, and which of them share an `operationId` that none of them gets.
pub(super) fn names(operations: &[Unnamed<'_>]) -> Vec<(String, bool)> {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for id in operations.iter().filter_map(usable) {
        *count.entry(id).or_default() += 1;
    }
    // A name that one would take over when the other goes would lead those who use it to another operation.
    let is_shared = |id: &str| count.get(id).copied().unwrap_or_default() > 1;
    let made = operations.iter().map(|operation| made(operation.method, operation.path));
    let mut named: Vec<(String, bool)> = operations
        .iter()
        .zip(made)
        .map(|(operation, made)| match usable(operation) {
            Some(id) if !is_shared(id) => (id.to_owned(), false),
            Some(_) => (made, true),
            None => (made, false),
        })
        .collect();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for (name, _) in &named {
        *count.entry(name.clone()).or_default() += 1;
    }
    for ((name, is_shared), operation) in named.iter_mut().zip(operations) {
        let is_made = *is_shared || usable(operation).is_none();
        // An `operationId` stays as it is; a made name gives way.
        if is_made && count.get(name).copied().unwrap_or_default() > 1 {
            name.push('_');
            name.push_str(&fingerprint(operation));
        }
    }
    named
}

/// The `operationId`, where it can be a name.
fn usable<'d>(operation: &Unnamed<'d>) -> Option<&'d str> {
    let fits =
        |id: &&str| !id.is_empty() && id.chars().count() <= MAX_OPERATION && !id.contains(char::is_control);
    operation.id.map(str::trim).filter(fits)
}

/// `GET /orders/{id}/lines` makes `get_orders_by_id_lines`.
fn made(method: Method, path: &str) -> String {
    let mut name = method.as_str().to_ascii_lowercase();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let (is_parameter, text) = match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(inner) => (true, inner),
            None => (false, segment),
        };
        name.push_str(if is_parameter { "_by_" } else { "_" });
        name.extend(text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }));
    }
    name.truncate(MAX_OPERATION - 10);
    name
}

/// Eight characters that method and path give.
fn fingerprint(operation: &Unnamed<'_>) -> String {
    use sha2::{Digest as _, Sha256};
    let hash = Sha256::digest(format!("{} {}", operation.method.as_str(), operation.path));
    format!("{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(operations: &[(Method, &str, Option<&str>)]) -> Vec<String> {
        let operations: Vec<Unnamed<'_>> =
            operations.iter().map(|&(method, path, id)| Unnamed { method, path, id }).collect();
        names(&operations).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn names_are_their_ids_or_made_from_method_and_path() {
        let named = named(&[
            (Method::Get, "/orders/{id}/lines", Some("listLines")),
            (Method::Get, "/orders/{id}", None),
            (Method::Post, "/orders/{order-id}:cancel", Some("  ")),
            (Method::Get, "/", None),
        ]);
        assert_eq!(named, ["listLines", "get_orders_by_id", "post_orders__order_id__cancel", "get"]);
    }

    #[test]
    fn nobody_gets_a_name_that_two_have() {
        let both = named(&[
            (Method::Get, "/a", Some("same")),
            (Method::Get, "/b", Some("same")),
            (Method::Get, "/c", Some("get_d")),
            (Method::Get, "/d", None),
        ]);
        assert_eq!(both[..2], ["get_a", "get_b"]);
        assert_eq!(both[2], "get_d", "an operationId stays as it is");
        assert!(both[3].starts_with("get_d_"), "{both:?}");
        let alone = named(&[(Method::Get, "/a", Some("same"))]);
        assert_eq!(alone, ["same"]);
    }
}
