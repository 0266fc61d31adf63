//! How long the texts may be that a run makes: they are indexed, listed and shown.

/// A subject, in characters; what is longer is cut.
pub(super) const MAX_SUBJECT: usize = 500;
/// A reason or a message, in characters; what is longer is cut.
pub(super) const MAX_REASON: usize = 10_000;
/// A message to people, in characters; what is longer is cut.
pub(super) const MAX_MESSAGE: usize = 50_000;
/// An amount or a currency, in characters; what is longer fails.
pub(super) const MAX_AMOUNT: usize = 100;
/// An entity's id, in characters; what is longer fails.
pub(super) const MAX_ENTITY_ID: usize = 200;

/// A text of at most so many characters; one that is cut ends in `…`.
pub(super) fn shortened(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        let last = text[..end].char_indices().next_back().map_or(0, |(last, _)| last);
        text.truncate(last);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_with_a_mark_and_within_its_length() {
        assert_eq!(shortened("åäö".to_owned(), 3), "åäö");
        assert_eq!(shortened("åäöü".to_owned(), 3), "åä…");
    }
}
