//! JSON texts: their values, and the line and column of each.

use super::{MAX_DEPTH, Place, Source, unreadable};
use crate::workflow::finding::{Finding, escape_segment};
use serde_json::{Value, error::Category};
use std::{
    collections::{BTreeMap, BTreeSet},
    iter::Peekable,
    str::CharIndices,
};

/// Reads a JSON text. A key that stands twice in one map is a fault: readers differ in which of the two they take.
pub(super) fn parse(text: &str) -> Result<Source, Box<Finding>> {
    let value: Value = serde_json::from_str(text).map_err(|error| Box::new(fault(&error)))?;
    let mut scan = Scan {
        text,
        rest: text.char_indices().peekable(),
        place: (1, 1),
        positions: BTreeMap::new(),
        twice: None,
    };
    scan.value(&mut String::new());
    match scan.twice {
        Some(twice) => Err(Box::new(twice)),
        None => Ok(Source { value, positions: scan.positions }),
    }
}

fn fault(error: &serde_json::Error) -> Finding {
    let why = match error.classify() {
        Category::Eof => "it ends in the middle of a value".to_owned(),
        Category::Syntax | Category::Data | Category::Io
            if error.to_string().starts_with("recursion limit") =>
        {
            format!("lists and maps nest more than {MAX_DEPTH} deep")
        }
        Category::Syntax | Category::Data | Category::Io
            if error.to_string().starts_with("number out of range") =>
        {
            "a number is too large; write it as a text".to_owned()
        }
        Category::Syntax | Category::Data | Category::Io => {
            "look for a comma, a quote or a bracket that is missing or too much here".to_owned()
        }
    };
    let place = |n: usize| u64::try_from(n).unwrap_or_default();
    unreadable(&format!("The JSON can't be read: {why}."), (place(error.line()), place(error.column())))
}

/// A walk over a text that is known to be JSON.
struct Scan<'t> {
    text: &'t str,
    rest: Peekable<CharIndices<'t>>,
    place: Place,
    positions: BTreeMap<String, Place>,
    /// The first key that stands twice in a map.
    twice: Option<Finding>,
}

impl Scan<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest.peek().map(|(_, c)| *c)
    }

    fn next(&mut self) -> Option<char> {
        let (_, c) = self.rest.next()?;
        let (line, column) = self.place;
        self.place = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
        Some(c)
    }

    /// The byte at which the rest begins.
    fn at(&mut self) -> usize {
        self.rest.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    /// Goes past blanks, commas and colons, which matter to nobody any more.
    fn skip(&mut self) {
        while self.peek().is_some_and(|c| c.is_whitespace() || matches!(c, ',' | ':')) {
            self.next();
        }
    }

    /// Goes past a value, and notes where it and all in it stand. The text nests no deeper than its reader allowed.
    fn value(&mut self, pointer: &mut String) {
        self.skip();
        self.positions.insert(pointer.clone(), self.place);
        match self.peek() {
            Some('{') => self.map(pointer),
            Some('[') => self.list(pointer),
            Some('"') => drop(self.string()),
            Some(_) | None => {
                while self.peek().is_some_and(|c| !c.is_whitespace() && !matches!(c, ',' | '}' | ']')) {
                    self.next();
                }
            }
        }
    }

    fn map(&mut self, pointer: &mut String) {
        self.next();
        let mut keys = BTreeSet::new();
        let length = pointer.len();
        loop {
            self.skip();
            let place = self.place;
            if self.peek() != Some('"') {
                break;
            }
            let key = self.string();
            pointer.push('/');
            pointer.push_str(&escape_segment(&key));
            self.value(pointer);
            if self.twice.is_none() && keys.contains(&key) {
                self.twice = Some(key_twice(pointer, &key, place));
            }
            keys.insert(key);
            pointer.truncate(length);
        }
        self.next();
    }

    fn list(&mut self, pointer: &mut String) {
        self.next();
        let length = pointer.len();
        for n in 0.. {
            self.skip();
            if matches!(self.peek(), Some(']') | None) {
                break;
            }
            pointer.push('/');
            pointer.push_str(&n.to_string());
            self.value(pointer);
            pointer.truncate(length);
        }
        self.next();
    }

    /// Goes past a string and gives what it says.
    fn string(&mut self) -> String {
        let begin = self.at();
        self.next();
        while let Some(c) = self.next() {
            match c {
                '\\' => drop(self.next()),
                '"' => break,
                _ => {}
            }
        }
        let end = self.at();
        serde_json::from_str(&self.text[begin..end]).unwrap_or_default()
    }
}

/// A key that stands twice in one map.
pub(super) fn key_twice(pointer: &str, key: &str, (line, column): Place) -> Finding {
    let mut finding =
        Finding::error("key.twice", pointer, format!("`{key}` is written twice in one map; keep one."));
    (finding.line, finding.column) = (line, column);
    finding
}
