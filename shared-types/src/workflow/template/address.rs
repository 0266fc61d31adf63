//! Values in an address: percent-encoded where they stand in its path or query, so that none leads elsewhere.

use super::{
    budget::{Fail, FailCode},
    tree::Expression,
};
use crate::workflow::scope::MASK;
use std::fmt::Write as _;

/// The filters that pass on a text which is itself a part of an address.
pub(super) const PART_FILTERS: [&str; 2] = ["url", "urlencode"];

/// Whether an expression says that its value is itself a part of an address, or encodes it itself.
pub(super) fn is_part(expression: &Expression) -> bool {
    matches!(expression, Expression::Filter(_, call) if call.makes_address_part)
}

/// Where the next text of an address stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before the host: what comes is the address itself.
    Start,
    Host,
    PathOrQuery,
}

fn at(address: &str) -> At {
    let Some((_, after)) = address.split_once("://") else {
        // `/path?query` alone can't be called, and a value at the very beginning is the address itself.
        return if address.contains(['/', '?', '#']) { At::PathOrQuery } else { At::Start };
    };
    if after.contains(['/', '?', '#']) { At::PathOrQuery } else { At::Host }
}

/// Whether the next text of an address stands in its query, where nothing may be meant.
pub(super) fn is_in_query(address: &str) -> bool {
    address.contains(['?', '#'])
}

/// Appends a value to an address.
pub(super) fn push(address: &mut String, value: &str) {
    match at(address) {
        At::Start => address.push_str(value),
        At::Host => encode(address, value, |byte| matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')),
        At::PathOrQuery => encode(address, value, |byte| matches!(byte, b'.' | b'-' | b'_' | b'~')),
    }
}

/// Percent-encodes a text as a part of a path or a query; letters, digits and `-._~` stay.
pub(super) fn encoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    encode(&mut out, value, |byte| matches!(byte, b'.' | b'-' | b'_' | b'~'));
    out
}

fn encode(out: &mut String, value: &str, stays: impl Fn(u8) -> bool) {
    // The mask of a secret is shown, never called.
    let mut parts = value.split(MASK).peekable();
    while let Some(part) = parts.next() {
        for byte in part.bytes() {
            if byte.is_ascii_alphanumeric() || stays(byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        if parts.peek().is_some() {
            out.push_str(MASK);
        }
    }
}

/// Holds an address against parts that would lead up in its path: `.` and `..` mean that whatever way they are written.
pub(super) fn check(address: &str) -> Result<(), Fail> {
    let after = address.split_once("://").map_or(address, |(_, after)| after);
    let path = after.split(['?', '#']).next().unwrap_or_default();
    let leads_up = path.split(['/', '\\']).skip(1).any(|part| {
        let part = part.to_ascii_lowercase().replace("%2e", ".");
        part == "." || part == ".."
    });
    if !leads_up {
        return Ok(());
    }
    let why = "`.` or `..` stands alone between two `/` of the address, and would lead to another one";
    Err(Fail { code: FailCode::Address, why: why.to_owned() })
}
