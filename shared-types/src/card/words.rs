//! Values, names and states in the words that people read on every channel.

use crate::{
    api::approvals::Approval,
    approval::decision::RequestStatus,
    role,
    workflow::{
        approval::Verdict,
        number::{grouped, money},
        template::as_text,
    },
};
use chrono::{DateTime, Utc};
use serde_json::Value;

/// An amount with its currency.
pub fn amount(amount: Option<&str>, currency: Option<&str>) -> Option<String> {
    amount.map(|amount| money(amount, currency.unwrap_or_default()))
}

/// The question of a card: amount first.
pub fn question(approval: &Approval) -> String {
    let what = approval.subject.clone().unwrap_or_else(|| approval.workflow_name.clone());
    match amount(approval.amount.as_deref(), approval.currency.as_deref()) {
        Some(amount) => format!("Approve {amount} for {what}?"),
        None => format!("Approve {what}?"),
    }
}

/// A value of data, for people.
pub fn value(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Number(_) => grouped(&as_text(value)),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) if list.is_empty() => "none".to_owned(),
        Value::Array(list) => list.iter().map(self::value).collect::<Vec<_>>().join("\n"),
        Value::Object(map) => {
            let is_there = |(_, inner): &(&String, &Value)| !inner.is_null() && *inner != "";
            let said = map.iter().filter(is_there);
            let parts: Vec<String> = said
                .map(|(key, inner)| format!("{}: {}", label(key), self::value(inner).replace('\n', ", ")))
                .collect();
            parts.join(" · ")
        }
    }
}

/// A key of data, for people: `order_total` is `Order total`.
pub fn label(key: &str) -> String {
    let words = key.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What people call a level or an entry: a role by its name, anything else as it is.
pub fn role_or_name(name: &str) -> String {
    if role::is_id(name) { label(name) } else { name.to_owned() }
}

/// A sentence of the machine with its roles as people call them: `one of sales_manager` is `one of sales manager`.
pub fn with_role_names(sentence: &str) -> String {
    let mut before = ["", ""];
    let mut words = Vec::new();
    for word in sentence.split(' ') {
        let bare = word.trim_end_matches([',', ':', '.']);
        let rest = &word[bare.len()..];
        let role = match bare.strip_prefix("role:") {
            Some(role) => Some(role),
            None => (is_one_of(before) && role::is_id(bare)).then_some(bare),
        };
        words.push(role.map_or_else(|| word.to_owned(), |id| format!("{}{rest}", role::default_name(id))));
        before = [before[1], word];
    }
    words.join(" ")
}

fn is_one_of(words: [&str; 2]) -> bool {
    matches!(words, ["one" | "One", "of"])
}

/// A time for people who may be anywhere: `Sat 28 Nov 2026, 14:05 UTC`.
pub fn moment(at: DateTime<Utc>) -> String {
    at.format("%a %-d %b %Y, %H:%M UTC").to_string()
}

/// How a request stands, in a word.
pub fn request_word(status: RequestStatus) -> &'static str {
    match status {
        RequestStatus::Pending => "Waiting",
        RequestStatus::Approved => "Approved",
        RequestStatus::Rejected => "Rejected",
        RequestStatus::ChangesRequested => "Changes requested",
        RequestStatus::Expired => "Expired",
        RequestStatus::Withdrawn => "Withdrawn",
    }
}

/// What somebody did, in a word.
pub fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "approved",
        Verdict::Reject => "rejected",
        Verdict::RequestChanges => "asked for changes",
        Verdict::ApproveWithEdits => "approved with edits",
    }
}

#[cfg(test)]
mod tests {
    use super::with_role_names;

    #[test]
    fn roles_in_a_sentence_are_as_people_call_them() {
        for (sentence, says) in [
            ("a decision of one of sales_manager", "a decision of one of sales manager"),
            ("one of sales_manager, one of finance.", "one of sales manager, one of finance."),
            ("asks role:sales_manager: soon", "asks sales manager: soon"),
            ("one of Ina or Bo", "one of Ina or Bo"),
            ("One of sales_manager (Ina).", "One of sales manager (Ina)."),
        ] {
            assert_eq!(with_role_names(sentence), says);
        }
    }
}
