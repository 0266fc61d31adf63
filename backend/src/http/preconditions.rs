//! `If-Match` and `If-None-Match` (RFC 9110): a change is made only to what its sender has read.

use super::problem::{ApiError, ApiResult};
use axum::http::{HeaderMap, header};
use shared_types::api::problem::Code;

/// What `If-Match` asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IfMatch {
    /// `*`: whatever is there.
    Any,
    /// One of these tags, quotes and all.
    OneOf(Vec<String>),
}

impl IfMatch {
    /// Reads the header; `None` where it isn't sent.
    pub(super) fn of(headers: &HeaderMap) -> ApiResult<Option<Self>> {
        let mut lines = headers.get_all(header::IF_MATCH).iter().peekable();
        if lines.peek().is_none() {
            return Ok(None);
        }
        let mut tags = Vec::new();
        for line in lines {
            let line = line.to_str().map_err(|_| unreadable())?.trim();
            if line == "*" {
                return Ok(Some(Self::Any));
            }
            read_tags(line, &mut tags).ok_or_else(unreadable)?;
        }
        Ok(Some(Self::OneOf(tags)))
    }

    /// Whether it names this tag.
    pub(super) fn names(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.iter().any(|tag| tag == etag),
        }
    }
}

/// Whether `If-None-Match: *` asks for something that isn't there yet.
pub(super) fn is_for_new(headers: &HeaderMap) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().any(|line| line.as_bytes().trim_ascii() == b"*")
}

fn unreadable() -> ApiError {
    let detail = "If-Match must be `*`, or etags as they were answered, in quotes and separated by commas: \"r1\", \"r2\".";
    ApiError::new(Code::HeaderBad, detail)
}

/// Adds the strong tags of a list. Weak ones (`W/"…"`) are read, and match nothing.
fn read_tags(line: &str, tags: &mut Vec<String>) -> Option<()> {
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(());
        }
        let (is_weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let inner = quoted.strip_prefix('"')?;
        let end = inner.find('"')?;
        if !is_weak {
            tags.push(format!("\"{}\"", &inner[..end]));
        }
        rest = inner[end + 1..].trim_start();
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> ApiResult<Option<IfMatch>> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::IF_MATCH, line.parse().unwrap());
        }
        IfMatch::of(&headers)
    }

    #[test]
    fn if_match_is_read_as_the_rfc_has_it() {
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&["*"]).unwrap(), Some(IfMatch::Any));
        for lines in
            [&["\"r1\", \"r2\""][..], &["\"r1\",\"r2\""], &["\"r1\"", "\"r2\""], &[" , \"r1\" ,, \"r2\""]]
        {
            let read = read(lines).unwrap().unwrap();
            assert!(read.names("\"r1\"") && read.names("\"r2\"") && !read.names("\"r3\""), "{lines:?}");
        }
        assert!(!read(&["W/\"r1\""]).unwrap().unwrap().names("\"r1\""), "a weak tag matches nothing");
        for bad in ["r1", "\"r1", "\"r1\" \"r2\"", "* \"r1\""] {
            assert_eq!(read(&[bad]).unwrap_err().problem().code, "header.bad", "{bad}");
        }
    }
}
