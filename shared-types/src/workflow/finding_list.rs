//! The findings of one document: the gravest first, and not more of them than anybody reads.

use super::finding::{Finding, Severity};
use serde::{Deserialize, Serialize};

/// How many findings of a document are told; how many more there are is told by one more.
pub const MAX_FINDINGS: usize = 200;

/// Findings in the order in which they are told: errors first, then by their place in the text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FindingList {
    findings: Vec<Finding>,
    /// How many findings were left out behind the first [`MAX_FINDINGS`].
    #[serde(default)]
    left_out: usize,
    /// The gravest of those that were left out.
    #[serde(default)]
    left_out_severity: Option<Severity>,
}

impl FindingList {
    /// Adds findings, and leaves out what is behind the first [`MAX_FINDINGS`].
    pub fn add(&mut self, mut more: Vec<Finding>) {
        self.findings.append(&mut more);
        self.findings.sort_by_key(|finding| (finding.severity, finding.line, finding.column));
        if self.findings.len() > MAX_FINDINGS {
            let left_out = self.findings.split_off(MAX_FINDINGS);
            self.left_out += left_out.len();
            let gravest = left_out.iter().map(|finding| finding.severity).min();
            self.left_out_severity = self.left_out_severity.into_iter().chain(gravest).min();
        }
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.findings.first().is_some_and(|finding| finding.severity == Severity::Error)
    }

    /// The findings as they are told, with how many more there are.
    pub fn told(&self) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        if let Some(severity) = self.left_out_severity {
            let message = match self.left_out {
                1 => "There is 1 more finding; correct these first.".to_owned(),
                count => format!("There are {count} more findings; correct these first."),
            };
            let more = Finding::error("findings.more", "", message);
            findings.push(Finding { severity, ..more });
        }
        findings
    }

    /// The findings as they are told, with others among them.
    pub fn told_with(&self, more: Vec<Finding>) -> Vec<Finding> {
        if more.is_empty() {
            return self.told();
        }
        let mut all = self.clone();
        all.add(more);
        all.told()
    }

    /// Whether a finding of this code is among those that are told.
    pub fn names(&self, code: &str) -> bool {
        self.findings.iter().any(|finding| finding.code == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_two_hundred_are_told_errors_first_and_then_how_many_more_there_are() {
        let mut list = FindingList::default();
        let at = |line: u64, finding: Finding| Finding { line, ..finding };
        list.add((0..150).map(|n| at(n, Finding::warning("w", "", ""))).collect());
        assert_eq!(list.told().len(), 150);
        list.add((0..100).rev().map(|n| at(n, Finding::error("e", "", ""))).collect());
        list.add(vec![at(7, Finding::warning("w", "", ""))]);
        let findings = list.told();
        assert_eq!(findings.len(), 201);
        let lines: Vec<u64> = findings.iter().take(100).map(|finding| finding.line).collect();
        assert_eq!(lines, (0..100).collect::<Vec<_>>());
        assert!(findings[..100].iter().all(|finding| finding.code == "e"));
        let last = findings.last().unwrap();
        assert_eq!((last.code.as_ref(), last.severity), ("findings.more", Severity::Warning));
        assert_eq!(last.message, "There are 51 more findings; correct these first.");
        assert!(list.has_errors());
    }
}
