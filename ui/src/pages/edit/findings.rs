//! What the findings of a draft come to.

use shared_types::{desktop::Review, workflow::Severity};

/// In a line: how many there are, and what they keep from being done.
pub(super) fn summary(review: &Review) -> String {
    let count = |severity| review.findings.iter().filter(|(finding, _)| finding.severity == severity).count();
    let plural = |n: usize, word: &str| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") };
    match (count(Severity::Error), count(Severity::Unsupported), count(Severity::Warning)) {
        (0, 0, 0) => "No findings".to_owned(),
        (0, 0, warnings) => plural(warnings, "warning"),
        (0, unsupported, _) => {
            format!("{} can’t run on this server yet: it is saved disabled", plural(unsupported, "part"))
        }
        (errors, _, warnings) => {
            let keep = if errors == 1 { "keeps" } else { "keep" };
            let also =
                if warnings == 0 { String::new() } else { format!(" · {}", plural(warnings, "warning")) };
            format!("{} {keep} it from being saved{also}", plural(errors, "error"))
        }
    }
}
