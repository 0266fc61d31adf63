//! Headers of outgoing calls: which names and values can be sent, and which names the server keeps for itself.

/// The headers that the server sets itself, in lower case: they frame the message, are for one connection alone (RFC
/// 9110, section 7.6.1), or identify the call.
pub const OWN_HEADERS: [&str; 12] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "idempotency-key",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
];

/// Why a header can't be sent. The message never quotes the value, since a secret may stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// The name is no token of RFC 9110.
    #[error("a header's name holds letters, digits and `-` only, such as `X-Request-Id`")]
    Name,
    /// The value holds a line break, which would begin another header.
    #[error("a header's value is one line; take the line break out")]
    LineBreak,
    /// The value holds another control character.
    #[error("a header's value can't hold the control character U+{0:04X}; take it out")]
    Control(u32),
}

/// Whether the server sets this header itself, in whatever letter case it is written.
pub fn is_own(name: &str) -> bool {
    OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name.trim()))
}

/// Why a name can't be sent: it must be a token of RFC 9110, section 5.6.2.
pub fn name_fault(name: &str) -> Option<HeaderFault> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    (name.is_empty() || !name.chars().all(is_token)).then_some(HeaderFault::Name)
}

/// Why a value can't be sent: tabs are allowed, other control characters are not (RFC 9110, section 5.5).
pub fn value_fault(value: &str) -> Option<HeaderFault> {
    let control = value.chars().find(|c| c.is_control() && *c != '\t')?;
    Some(match control {
        '\n' | '\r' => HeaderFault::LineBreak,
        other => HeaderFault::Control(u32::from(other)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_the_message_cannot_be_sent() {
        for name in ["", "X Request", "X-Ümlaut", "X:Y", "X\n", "X-Id ", "(x)"] {
            assert_eq!(name_fault(name), Some(HeaderFault::Name), "{name:?}");
        }
        for name in ["X-Request-Id", "accept", "x_y", "X.Y"] {
            assert_eq!(name_fault(name), None, "{name}");
        }
        for (value, fault) in [
            ("a\nb", Some(HeaderFault::LineBreak)),
            ("a\r", Some(HeaderFault::LineBreak)),
            ("a\u{0}", Some(HeaderFault::Control(0))),
            ("a\u{7f}", Some(HeaderFault::Control(0x7f))),
            ("a\u{85}", Some(HeaderFault::Control(0x85))),
            ("a\tb ü", None),
            ("", None),
        ] {
            assert_eq!(value_fault(value), fault, "{value:?}");
        }
        assert!(is_own("HOST") && is_own("idempotency-Key") && !is_own("Host-Name"));
    }
}
