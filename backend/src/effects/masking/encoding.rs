//! The encodings in which a secret may come back: what it becomes in them, and how escapes are undone.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use std::{borrow::Cow, collections::BTreeSet, fmt::Write as _, ops::Range};

/// The fewest characters of base64 that are looked for: fewer stand in any base64 by chance.
const SHORTEST_BASE64: usize = 6;

/// The shortest line of a secret that is looked for by itself: shorter ones would mask ordinary words.
const SHORTEST_LINE: usize = 8;

/// What is looked for.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    /// In whatever letter case.
    pub(super) any_case: Vec<Vec<u8>>,
    /// As it is.
    pub(super) as_is: Vec<Vec<u8>>,
}

/// What secrets become in the encodings that aren't undone before the search.
pub(super) fn patterns<'s>(secrets: impl Iterator<Item = &'s str>) -> Patterns {
    let mut patterns = Patterns::default();
    for secret in secrets {
        let parts = [secret, secret.trim()].into_iter().chain(lines(secret));
        // Most secrets have one line and no blanks around it: each text is encoded once.
        let texts: BTreeSet<String> =
            parts.flat_map(|text| [text.to_owned(), text.to_lowercase(), text.to_uppercase()]).collect();
        for text in texts.iter().filter(|text| !text.is_empty()) {
            patterns.any_case.push(text.clone().into_bytes());
            patterns.any_case.push(text.chars().rev().collect::<String>().into_bytes());
            patterns.any_case.push(hex(text.as_bytes()));
            base64(text.as_bytes(), &mut patterns.as_is);
            // As it comes back from whoever encodes what is encoded already.
            for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
                base64(engine.encode(text).as_bytes(), &mut patterns.as_is);
            }
        }
    }
    patterns
}

/// The lines of a secret of several, such as a private key, of which each is as secret as the whole.
fn lines(secret: &str) -> impl Iterator<Item = &str> {
    let lines = secret.trim().lines().map(str::trim).filter(|line| line.chars().count() >= SHORTEST_LINE);
    // What frames a key is known to everybody.
    lines.filter(|line| !line.starts_with("-----"))
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a text can't fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex.into_bytes()
}

/// What some bytes become in base64 behind 0, 1 or 2 other bytes: the characters that they determine alone, and the
/// same up to the end of the encoded text.
fn base64(bytes: &[u8], patterns: &mut Vec<Vec<u8>>) {
    for alignment in 0..3 {
        let mut shifted = vec![0; alignment];
        shifted.extend_from_slice(bytes);
        // Characters of 6 bits: the first that holds no bit of the bytes before, the last that holds none after.
        let (first, last) = ((alignment * 8).div_ceil(6), shifted.len() * 8 / 6);
        for engine in [&STANDARD, &URL_SAFE] {
            let encoded = engine.encode(&shifted).into_bytes();
            let unpadded = encoded.iter().take_while(|byte| **byte != b'=').count();
            for end in [last, unpadded, encoded.len()] {
                if end >= first + SHORTEST_BASE64 {
                    patterns.push(encoded[first..end].to_vec());
                }
            }
        }
    }
}

/// A text with its escapes undone, and where each of its bytes came from.
#[derive(Debug)]
pub(super) struct View<'t> {
    bytes: Cow<'t, [u8]>,
    /// Where in the text each byte begins, and after the last one the text's end; `None` where nothing was undone.
    /// Bytes of one escaped character begin at the same place.
    starts: Option<Vec<usize>>,
}

/// A way to write a character by others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    /// `%2F`
    Percent,
    /// `%2F`, and `+` for a blank.
    Form,
    /// `\n`, `\/`, `\u00e9`
    Json,
    /// `&amp;`, `&#39;`
    Html,
}

impl Escape {
    const ALL: [Self; 4] = [Self::Percent, Self::Form, Self::Json, Self::Html];

    fn is_in(self, bytes: &[u8]) -> bool {
        match self {
            Self::Percent => bytes.contains(&b'%'),
            Self::Form => bytes.contains(&b'+'),
            Self::Json => bytes.contains(&b'\\'),
            Self::Html => bytes.contains(&b'&'),
        }
    }

    /// The character that begins the bytes, where it is escaped, and how many bytes it takes.
    fn read(self, bytes: &[u8]) -> Option<(Decoded, usize)> {
        match (self, bytes) {
            (Self::Percent | Self::Form, [b'%', high, low, ..]) => {
                let byte = u8::try_from(hex_digit(*high)? * 16 + hex_digit(*low)?).ok()?;
                Some((Decoded::Byte(byte), 3))
            }
            (Self::Form, [b'+', ..]) => Some((Decoded::Byte(b' '), 1)),
            (Self::Json, [b'\\', rest @ ..]) => {
                read_json(rest).map(|(decoded, length)| (decoded, length + 1))
            }
            (Self::Html, [b'&', rest @ ..]) => read_html(rest).map(|(decoded, length)| (decoded, length + 1)),
            _ => None,
        }
    }
}

/// What an escape stands for.
enum Decoded {
    Byte(u8),
    Char(char),
}

fn hex_digit(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}

fn read_json(bytes: &[u8]) -> Option<(Decoded, usize)> {
    let plain = match bytes.first()? {
        b'u' => return read_unicode(bytes),
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        other @ (b'"' | b'\\' | b'/' | b'\'') => *other,
        _ => return None,
    };
    Some((Decoded::Byte(plain), 1))
}

/// `u00e9`, or two halves of a character: `ud83d\ude00`.
fn read_unicode(bytes: &[u8]) -> Option<(Decoded, usize)> {
    let unit = |bytes: &[u8]| {
        let [b'u', digits @ ..] = bytes else { return None };
        digits.get(..4)?.iter().try_fold(0, |unit, digit| Some(unit * 16 + hex_digit(*digit)?))
    };
    let first = unit(bytes)?;
    if let Some(one) = char::from_u32(first) {
        return Some((Decoded::Char(one), 5));
    }
    let [b'\\', rest @ ..] = bytes.get(5..)? else { return None };
    let second = unit(rest)?;
    let both = 0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff);
    Some((Decoded::Char(char::from_u32(both)?), 11))
}

fn read_html(bytes: &[u8]) -> Option<(Decoded, usize)> {
    let length = bytes.iter().take(10).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(&bytes[..length]).ok()?;
    let decoded = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((Decoded::Char(decoded), length + 1))
}

impl<'t> View<'t> {
    /// Shows the text as it is, and with its escapes undone once and twice; at most three views exist at a time.
    pub(super) fn each(text: &'t str, with_forms: bool, mut show: impl FnMut(&View<'_>)) {
        let escapes = || Escape::ALL.into_iter().filter(|escape| with_forms || *escape != Escape::Form);
        let plain = Self { bytes: Cow::Borrowed(text.as_bytes()), starts: None };
        show(&plain);
        for once in escapes().filter_map(|escape| plain.undone(escape)) {
            show(&once);
            for twice in escapes().filter_map(|escape| once.undone(escape)) {
                show(&twice);
            }
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where a range of this view stands in the text.
    pub(super) fn origin(&self, range: Range<usize>) -> Range<usize> {
        let Some(starts) = &self.starts else { return range };
        let at = |n: usize| starts.get(n).or(starts.last()).copied().unwrap_or_default();
        let (start, last) = (at(range.start), at(range.end.saturating_sub(1)));
        let end = starts.iter().skip(range.end).copied().find(|next| *next > last);
        start..end.unwrap_or_else(|| at(usize::MAX))
    }

    /// This view with one kind of escape undone; `None` where there is none.
    fn undone(&self, escape: Escape) -> Option<View<'static>> {
        if !escape.is_in(&self.bytes) {
            return None;
        }
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut starts = Vec::with_capacity(self.bytes.len() + 1);
        let start_of = |at: usize| self.starts.as_ref().map_or(at, |starts| starts[at]);
        let (mut at, mut any) = (0, false);
        while let Some(byte) = self.bytes.get(at) {
            let read = escape.read(&self.bytes[at..]);
            any |= read.is_some();
            let (decoded, length) = read.unwrap_or((Decoded::Byte(*byte), 1));
            let mut buffer = [0; 4];
            let decoded = match &decoded {
                Decoded::Byte(byte) => std::slice::from_ref(byte),
                Decoded::Char(char) => char.encode_utf8(&mut buffer).as_bytes(),
            };
            bytes.extend_from_slice(decoded);
            starts.extend(std::iter::repeat_n(start_of(at), decoded.len()));
            at += length;
        }
        starts.push(start_of(at));
        any.then_some(View { bytes: Cow::Owned(bytes), starts: Some(starts) })
    }
}
