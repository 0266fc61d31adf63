//! The headers of an outgoing call: the author's where they can be sent, and the server's own.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use shared_types::workflow::header::{HeaderFault, is_own, name_fault, value_fault};
use std::collections::BTreeMap;

/// A header that can't be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The header {name:?} can't be sent: {fault}")]
pub(super) struct BadHeader {
    /// Its name, as the author wrote it.
    name: String,
    fault: HeaderFault,
}

/// The author's headers as they are sent, each name once.
///
/// The server's own names are left out: a document that was saved before they were refused may still have them.
pub(super) fn sendable(headers: &BTreeMap<String, String>) -> Result<HeaderMap, BadHeader> {
    let mut sent = HeaderMap::with_capacity(headers.len() + 2);
    for (name, value) in headers.iter().filter(|(name, _)| !is_own(name)) {
        let bad = |fault| BadHeader { name: name.clone(), fault };
        if let Some(fault) = name_fault(name).or_else(|| value_fault(value)) {
            return Err(bad(fault));
        }
        let sendable_name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad(HeaderFault::Name))?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| bad(HeaderFault::LineBreak))?;
        sent.insert(sendable_name, value);
    }
    Ok(sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn each_name_is_sent_once_and_the_servers_own_are_left_to_it() {
        let sent = sendable(&map(&[
            ("Content-Length", "999"),
            ("HOST", "elsewhere"),
            ("transfer-encoding", "chunked"),
            ("Connection", "close"),
            ("idempotency-KEY", "mine"),
            ("X-A", "1"),
            ("x-a", "2"),
        ]))
        .unwrap();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent.get_all("x-a").iter().count(), 1);
    }

    #[test]
    fn what_cannot_be_sent_is_said_without_its_value() {
        let message = |name: &str, value: &str| sendable(&map(&[(name, value)])).unwrap_err().to_string();
        assert_eq!(
            message("X-Note", "hush\nhush"),
            "The header \"X-Note\" can't be sent: a header's value is one line; take the line break out"
        );
        assert!(message("X Note", "hush").ends_with("such as `X-Request-Id`"));
        assert!(!message("X-Note", "hush\u{0}").contains("hush"));
    }
}
