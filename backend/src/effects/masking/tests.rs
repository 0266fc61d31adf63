use super::*;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use serde_json::json;
use std::fmt::Write as _;

const SECRET: &str = "s3cret/Va+lue \"ü\"?~";

fn masked(secrets: &[&str], text: &str) -> String {
    Masker::new(secrets.iter().copied()).mask_text(text.to_owned())
}

fn percent(text: &str, is_kept: impl Fn(u8) -> bool, upper: bool) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match (is_kept(byte), upper) {
            (true, _) => out.push(char::from(byte)),
            (false, true) => write!(out, "%{byte:02X}").unwrap(),
            (false, false) => write!(out, "%{byte:02x}").unwrap(),
        }
        out
    })
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}

/// The secret in every encoding that a receiver may echo it in, with a name for each.
fn encodings(secret: &str) -> Vec<(String, String)> {
    let mut all = vec![
        ("plain".to_owned(), secret.to_owned()),
        ("upper case".to_owned(), secret.to_uppercase()),
        ("lower case".to_owned(), secret.to_lowercase()),
        ("reversed".to_owned(), secret.chars().rev().collect()),
        ("hex".to_owned(), hex(secret)),
        ("upper hex".to_owned(), hex(secret).to_uppercase()),
        ("JSON".to_owned(), json!(secret).to_string().trim_matches('"').to_owned()),
        ("JSON in JSON".to_owned(), json!(json!(secret).to_string()).to_string()),
        ("JSON with slashes escaped".to_owned(), secret.replace('/', "\\/").replace('"', "\\\"")),
        ("JSON in ASCII".to_owned(), secret.replace('ü', "\\u00FC").replace('"', "\\\"")),
        ("HTML".to_owned(), secret.replace('"', "&quot;").replace('/', "&#47;").replace('+', "&#x2B;")),
        ("form".to_owned(), form_urlencoded::byte_serialize(secret.as_bytes()).collect()),
        ("percent twice".to_owned(), percent(&percent(secret, |_| false, true), |b| b != b'%', true)),
    ];
    for (name, engine) in [
        ("standard", STANDARD),
        ("standard, unpadded", STANDARD_NO_PAD),
        ("for URLs", URL_SAFE),
        ("for URLs, unpadded", URL_SAFE_NO_PAD),
    ] {
        all.push((format!("base64 twice, {name}"), engine.encode(engine.encode(secret))));
        all.push((
            format!("base64 in Basic, {name}"),
            STANDARD.encode(format!("me:{}", engine.encode(secret))),
        ));
    }
    for upper in [true, false] {
        all.push((format!("percent, all, {upper}"), percent(secret, |_| false, upper)));
        all.push((format!("percent, {upper}"), percent(secret, |b| b.is_ascii_alphanumeric(), upper)));
        all.push((
            format!("path, {upper}"),
            percent(secret, |b| b.is_ascii() && !b" \"?".contains(&b), upper),
        ));
    }
    for (before, after) in [("", ""), ("u:", ""), ("user:", ""), ("x", "tail"), ("xy", "t"), ("xyz", "ta")] {
        let text = format!("{before}{secret}{after}");
        for (name, engine) in [
            ("std", STANDARD),
            ("std, bare", STANDARD_NO_PAD),
            ("url", URL_SAFE),
            ("url, bare", URL_SAFE_NO_PAD),
        ] {
            all.push((format!("base64 {name} of {before}_{after}"), engine.encode(&text)));
        }
    }
    all
}

#[test]
fn a_secret_is_masked_in_every_common_encoding() {
    for secret in [SECRET, "hunter22", "0123456789", "ÄÖÜßéèê-token"] {
        for (name, encoded) in encodings(secret) {
            let text = format!("you said <{encoded}>, thank you");
            let masked = masked(&[secret], &text);
            assert!(masked.contains(MASK), "{secret} as {name}: {masked}");
            assert!(masked.starts_with("you said <") && masked.ends_with(">, thank you"), "{name}: {masked}");
            let left = masked.replace("you said <", "").replace(">, thank you", "").replace(MASK, "");
            // Only what a neighbour's bits are part of may be left.
            assert!(left.len() < 12, "{secret} as {name}: {masked}");
            let plain = masked.to_lowercase();
            assert!(!plain.contains(&secret.to_lowercase()), "{secret} as {name}: {masked}");
        }
    }
}

#[test]
fn of_overlapping_secrets_nothing_shows() {
    assert_eq!(masked(&["hunter22", "hunter22-TAIL"], "hunter22-TAIL"), MASK);
    assert_eq!(masked(&["hunter22-TAIL", "hunter22"], "a hunter22-TAIL b hunter22"), "a ••• b •••");
    assert_eq!(masked(&["abcdefgh", "efghijkl"], "xabcdefghijklx"), "x•••x");
    assert_eq!(masked(&["abababab"], "ababababab-abab"), "•••-abab");
}

#[test]
fn secrets_of_four_characters_are_masked_and_shorter_ones_are_words() {
    assert_eq!(masked(&["pin7", "abc", ""], "pin7 abc PIN7"), "••• abc •••");
    assert_eq!(masked(&[], "anything"), "anything");
}

#[test]
fn keys_numbers_headers_and_messages_are_masked_like_texts() {
    let masker = Masker::new(["hunter22", "40718293"]);
    let answer = Answer {
        status: 200,
        headers: json!({ "x-hunter22": "HUNTER22" }).as_object().unwrap().clone(),
        body: json!({ "hunter22": [{ "n": 40_718_293, "m": 12, "deep": { "x hunter22": true } }] }),
        record_id: None,
    };
    let Outcome::Answered(masked) = masker.mask(Outcome::Answered(answer)) else { panic!("an answer") };
    assert_eq!(Value::Object(masked.headers), json!({ "x-•••": "•••" }));
    assert_eq!(masked.body, json!({ "•••": [{ "n": "•••", "m": 12, "deep": { "x •••": true } }] }));
    let refused = Outcome::Refused { code: "x".into(), message: "hunter22 is no address".into() };
    let masked = Outcome::Refused { code: "x".into(), message: "••• is no address".into() };
    assert_eq!(masker.mask(refused), masked);
}

#[test]
fn a_text_without_secrets_is_left_as_it_is() {
    let text = "100% of \\u0041 &amp; \\n %zz %4 &#; \\u12 \\ud83d &nope; + ünïcödé";
    assert_eq!(masked(&[SECRET, "hunter22"], text), text);
}

#[test]
fn the_work_grows_with_the_text_alone() {
    let secrets: Vec<String> = (0..50).map(|n| format!("{}{n}", "a".repeat(20))).collect();
    let masker = Masker::new(secrets.iter().map(String::as_str));
    let time = |length: usize| {
        let text = "a%61\\u0061&#97;".repeat(length / 15);
        let begun = std::time::Instant::now();
        masker.mask_text(text);
        begun.elapsed()
    };
    time(10_000);
    let (short, long) = (time(50_000), time(500_000));
    assert!(long < short * 60, "ten times the text took {long:?} after {short:?}");
}

#[test]
fn each_line_of_a_secret_of_several_lines_is_masked() {
    let key = "-----BEGIN KEY-----\r\nMIIEvQIBADANBgkqhk\r\nab\r\nG9w0BAQEFAASCBKcw\r\n-----END KEY-----\r\n";
    assert_eq!(masked(&[key], "first MIIEvQIBADANBgkqhk"), "first •••");
    assert_eq!(masked(&[key], "G9w0BAQEFAASCBKcw then ab"), "••• then ab");
    assert_eq!(masked(&[key], "-----BEGIN KEY-----"), "-----BEGIN KEY-----");
    assert_eq!(masked(&[key], &format!("<{}>", STANDARD.encode("MIIEvQIBADANBgkqhk"))), "<•••>");
}
