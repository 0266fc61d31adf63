//! How lists are searched by text: in bounded steps, each of which reads an index.
//!
//! A frequent word fills a page from the newest rows; a rare one has few rows, which indexes find at once. So the newest rows
//! are read first, then what the indexes have of the older ones. Where that is too much to be sorted, a further part of the
//! newest rows is read, and the page ends there, with a cursor to go on from: no search reads more than that.

use uuid::Uuid;

/// How many of the newest rows are read before indexes are asked.
pub(super) const FIRST_PART: i64 = 1_000;
/// How many hits in the first part make a text so frequent that the indexes aren't asked: they would have too much.
pub(super) const FREQUENT: usize = 3;
/// How many more are read where the indexes have too much.
pub(super) const SECOND_PART: i64 = 10_000;
/// How many rows of one index are sorted at most.
pub(super) const MOST_HITS: i64 = 1_000;

/// What a search found, newest first.
#[derive(Debug)]
pub struct Found<T> {
    /// The rows, at most as many as were asked for.
    pub items: Vec<T>,
    /// Where the search ended before it was through: what is below this id wasn't looked at.
    pub ended_at: Option<Uuid>,
}

impl<T> Found<T> {
    /// Everything that there is, or as much as was asked for.
    pub fn all(items: Vec<T>) -> Self {
        Self { items, ended_at: None }
    }
}

/// What a text is held against: beginnings of ids and keys, and words of a subject.
#[derive(Debug)]
pub(super) struct Needle<'q> {
    /// The text itself; its words are looked for in subjects.
    pub(super) words: &'q str,
    /// The end of all texts that begin with it, in the order of their bytes.
    pub(super) end: String,
    /// The least and the greatest id that begin with its digits, where it has only such.
    pub(super) ids: Option<(Uuid, Uuid)>,
}

impl<'q> Needle<'q> {
    /// What a query asks for; `None` where it is empty.
    pub(super) fn of(query: Option<&'q str>) -> Option<Self> {
        let words = query.map(str::trim).filter(|words| !words.is_empty())?;
        Some(Self { words, end: format!("{words}\u{10ffff}"), ids: id_range(words) })
    }
}

/// The least and greatest id that begin with these digits.
fn id_range(start: &str) -> Option<(Uuid, Uuid)> {
    let digits: String = start.chars().filter(|c| *c != '-').collect();
    if digits.len() < 4 || digits.len() > 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let fill =
        |with: char| Uuid::parse_str(&format!("{digits}{}", with.to_string().repeat(32 - digits.len()))).ok();
    Some((fill('0')?, fill('f')?))
}
