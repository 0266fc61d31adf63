//! Signatures of webhooks: as Standard Webhooks has them (<https://www.standardwebhooks.com>), as GitHub signs, and
//! as Stripe does. Each is an HMAC-SHA256 that is compared in constant time.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Duration, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use shared_types::workflow::document::Signature;

/// How old, or how far ahead, a signed timestamp may be, in minutes.
const TOLERANCE: i64 = 5;
/// What Standard Webhooks' secrets begin with.
const PREFIX: &str = "whsec_";
const MAX_ID: usize = 150;

/// Why a webhook's signature isn't taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// A header is missing, or can't be read.
    #[error("the header {0} is missing or can't be read")]
    Header(&'static str),
    /// It was signed too long ago, or in the future.
    #[error("it was signed at {0}, more than five minutes from now")]
    Time(String),
    /// No live secret gives it.
    #[error("no live secret gives this signature")]
    Wrong,
    /// There is no secret.
    #[error("the webhook has no secret yet")]
    NoSecret,
}

/// A message as it came in.
pub struct SignedMessage<'m> {
    /// A header's text, by its name in small letters.
    pub header: &'m dyn Fn(&str) -> Option<String>,
    /// The body, byte for byte.
    pub body: &'m [u8],
}

/// A fresh secret, as Standard Webhooks writes them.
pub fn fresh_secret() -> String {
    format!("{PREFIX}{}", STANDARD.encode(crate::clock::random::<24>()))
}

/// Verifies a message against the live secrets; gives its id, by which a replay is known.
pub fn verify(
    signature: Signature,
    secrets: &[String],
    message: &SignedMessage<'_>,
    now: DateTime<Utc>,
) -> Result<String, BadSignature> {
    if secrets.is_empty() {
        return Err(BadSignature::NoSecret);
    }
    match signature {
        Signature::Standard => standard(secrets, message, now),
        Signature::Github => github(secrets, message),
        Signature::Stripe => stripe(secrets, message, now),
    }
}

fn header(message: &SignedMessage<'_>, name: &'static str) -> Result<String, BadSignature> {
    (message.header)(name).filter(|text| !text.is_empty()).ok_or(BadSignature::Header(name))
}

fn standard(
    secrets: &[String],
    message: &SignedMessage<'_>,
    now: DateTime<Utc>,
) -> Result<String, BadSignature> {
    let id = header(message, "webhook-id")?;
    let timestamp = header(message, "webhook-timestamp")?;
    let signatures = header(message, "webhook-signature")?;
    if id.len() > MAX_ID {
        return Err(BadSignature::Header("webhook-id"));
    }
    in_time(&timestamp, "webhook-timestamp", now)?;
    let given: Vec<Vec<u8>> = signatures
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"))
        .filter_map(|text| STANDARD.decode(text).ok())
        .collect();
    let keys = secrets.iter().map(|secret| standard_key(secret));
    signed_by(keys, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", message.body], &given)?;
    Ok(id)
}

/// The bytes of a secret: what stands behind the prefix, in Base64; another text as it is.
fn standard_key(secret: &str) -> Vec<u8> {
    let text = secret.strip_prefix(PREFIX).unwrap_or(secret);
    STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec())
}

/// How many bytes a secret has, however its sender signs: blanks at its ends don't count.
pub fn strength(secret: &str) -> usize {
    let secret = secret.trim();
    if secret.starts_with(PREFIX) { standard_key(secret).len() } else { secret.len() }
}

fn github(secrets: &[String], message: &SignedMessage<'_>) -> Result<String, BadSignature> {
    let given = header(message, "x-hub-signature-256")?;
    let given = given.strip_prefix("sha256=").and_then(unhex);
    let given = given.ok_or(BadSignature::Header("x-hub-signature-256"))?;
    signed_by(secrets.iter().map(|secret| secret.as_bytes().to_vec()), &[message.body], &[given])?;
    let id = header(message, "x-github-delivery")?;
    if id.len() > MAX_ID {
        return Err(BadSignature::Header("x-github-delivery"));
    }
    Ok(id)
}

fn stripe(
    secrets: &[String],
    message: &SignedMessage<'_>,
    now: DateTime<Utc>,
) -> Result<String, BadSignature> {
    const NAME: &str = "stripe-signature";
    let text = header(message, NAME)?;
    let parts: Vec<(&str, &str)> = text.split(',').filter_map(|part| part.trim().split_once('=')).collect();
    let timestamp = parts.iter().find(|(key, _)| *key == "t").ok_or(BadSignature::Header(NAME))?.1;
    in_time(timestamp, NAME, now)?;
    let given: Vec<Vec<u8>> =
        parts.iter().filter(|(key, _)| *key == "v1").filter_map(|(_, value)| unhex(value)).collect();
    let keys = secrets.iter().map(|secret| secret.as_bytes().to_vec());
    signed_by(keys, &[timestamp.as_bytes(), b".", message.body], &given)?;
    // Its id stands in the signed body.
    let body: Value = serde_json::from_slice(message.body).unwrap_or_default();
    let id = body.get("id").and_then(Value::as_str).filter(|id| !id.is_empty() && id.len() <= MAX_ID);
    let of_all = || unsigned_id(&[timestamp.as_bytes(), b".", message.body]);
    Ok(id.map_or_else(of_all, str::to_owned))
}

/// An id for a message that brings none: made of what is signed, so that nobody else can give it another.
fn unsigned_id(signed: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in signed {
        hash.update(part);
    }
    STANDARD.encode(hash.finalize())
}

fn in_time(timestamp: &str, name: &'static str, now: DateTime<Utc>) -> Result<(), BadSignature> {
    let seconds: i64 = timestamp.parse().map_err(|_| BadSignature::Header(name))?;
    let at = DateTime::from_timestamp(seconds, 0).ok_or(BadSignature::Header(name))?;
    if (now - at).abs() > Duration::minutes(TOLERANCE) {
        return Err(BadSignature::Time(at.to_rfc3339()));
    }
    Ok(())
}

fn signed_by(
    keys: impl Iterator<Item = Vec<u8>>,
    parts: &[&[u8]],
    given: &[Vec<u8>],
) -> Result<(), BadSignature> {
    for key in keys {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { continue };
        for part in parts {
            mac.update(part);
        }
        if given.iter().any(|given| mac.clone().verify_slice(given).is_ok()) {
            return Ok(());
        }
    }
    Err(BadSignature::Wrong)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn check(
        signature: Signature,
        secrets: &[&str],
        headers: &[(&str, &str)],
        body: &str,
        now: i64,
    ) -> Result<String, BadSignature> {
        let headers: HashMap<String, String> =
            headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let message = SignedMessage { header: &|name| headers.get(name).cloned(), body: body.as_bytes() };
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        verify(signature, &secrets, &message, DateTime::from_timestamp(now, 0).unwrap())
    }

    /// The vector that the libraries of Standard Webhooks test themselves with.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &str = r#"{"test": 2432232314}"#;
    const AT: i64 = 1_614_265_330;
    const HEADERS: [(&str, &str); 3] = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ];

    #[test]
    fn the_published_vector_of_standard_webhooks_is_taken() {
        let id = check(Signature::Standard, &[SECRET], &HEADERS, BODY, AT);
        assert_eq!(id.as_deref(), Ok("msg_p5jXN8AQM9LWM0D4loKWxJek"));
        // While secrets are rotated, either is good; so is one of several signatures.
        let two = ["whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", SECRET];
        let mut headers = HEADERS;
        headers[2].1 = "v1,AAAA v1a,zzzz v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert!(check(Signature::Standard, &two, &headers, BODY, AT).is_ok());
        assert_eq!(check(Signature::Standard, &two[..1], &HEADERS, BODY, AT), Err(BadSignature::Wrong));
    }

    #[test]
    fn another_body_a_stale_time_and_missing_headers_are_refused() {
        let standard = |headers: &[(&str, &str)], body: &str, now| {
            check(Signature::Standard, &[SECRET], headers, body, now)
        };
        assert_eq!(standard(&HEADERS, r#"{"test": 1}"#, AT), Err(BadSignature::Wrong));
        assert!(standard(&HEADERS, BODY, AT + 299).is_ok());
        assert!(matches!(standard(&HEADERS, BODY, AT + 301), Err(BadSignature::Time(_))));
        assert!(matches!(standard(&HEADERS, BODY, AT - 301), Err(BadSignature::Time(_))));
        assert_eq!(standard(&HEADERS[..2], BODY, AT), Err(BadSignature::Header("webhook-signature")));
        assert_eq!(check(Signature::Standard, &[], &HEADERS, BODY, AT), Err(BadSignature::NoSecret));
    }

    /// From GitHub's "Validating webhook deliveries".
    #[test]
    fn the_published_vector_of_github_is_taken() {
        let headers = [
            (
                "x-hub-signature-256",
                "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
            ),
            ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ];
        let secrets = ["It's a Secret to Everybody"];
        let github = |body| check(Signature::Github, &secrets, &headers, body, 0);
        assert_eq!(github("Hello, World!").as_deref(), Ok("72d3162e-cc78-11e3-81ab-4c9367dc0958"));
        assert_eq!(github("Hello, World?"), Err(BadSignature::Wrong));
    }

    #[test]
    fn stripes_header_is_read_with_its_time_and_any_of_its_signatures() {
        let body = r#"{"id":"evt_1","object":"event"}"#;
        let mut mac = Hmac::<Sha256>::new_from_slice(b"whsec_test").unwrap();
        mac.update(format!("{AT}.{body}").as_bytes());
        let hex =
            mac.finalize().into_bytes().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let text = format!("t={AT},v1=00,v1={hex},v0=11");
        let stripe =
            |now| check(Signature::Stripe, &["whsec_test"], &[("stripe-signature", &text)], body, now);
        assert_eq!(stripe(AT + 60).as_deref(), Ok("evt_1"));
        assert!(matches!(stripe(AT + 600), Err(BadSignature::Time(_))));
    }
}
