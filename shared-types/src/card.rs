//! What a request says to whoever is asked: the same on the web page, in mail and in a chat.

pub mod words;

use crate::{
    api::approvals::{Approval, ApprovalDecision},
    approval::decision::RequestStatus,
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use words::{amount, label, question, value, verdict_word, with_role_names};

/// What a request says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Card {
    /// The question, amount first: `Approve €12,400 for Order A1?`.
    pub question: String,
    /// What people call the workflow.
    pub workflow: String,
    /// Why it is asked: the reason that the workflow gives, then the conditions passed on the way, in sentences.
    pub because: Vec<String>,
    /// The evidence, in the order of the request.
    pub facts: Vec<CardFact>,
    /// What the form's fields hold now.
    pub fields: Vec<CardFact>,
    /// What follows an approval, in sentences.
    pub if_approved: Vec<String>,
    /// What follows a rejection, in sentences.
    pub if_rejected: Vec<String>,
    /// When it expires.
    pub deadline: Option<DateTime<Utc>>,
    /// Who still has to decide, as a sentence; none once it is closed.
    pub still_needed: Option<String>,
    /// Who said what, oldest first.
    pub said: Vec<CardDecision>,
    /// How it ended, as a sentence; none while it is open.
    pub outcome: Option<String>,
}

/// One fact of the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CardFact {
    /// What it is.
    pub label: String,
    /// What it holds; a line for each thing of a list.
    pub value: String,
}

/// What somebody decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CardDecision {
    /// Who and what, as a sentence without its full stop: `Bo Ek approved, for Dee Ash`.
    pub text: String,
    /// What they said.
    pub comment: Option<String>,
    /// When it was recorded, in UTC.
    pub at: DateTime<Utc>,
}

impl Card {
    /// What a request says as it stands.
    pub fn of(approval: &Approval) -> Self {
        let is_open = approval.status == RequestStatus::Pending;
        let conditions = approval.why.iter().map(|passed| condition(&passed.reason));
        let decisions = approval.levels.iter().flat_map(|level| &level.decisions);
        Self {
            question: one_line(&question(approval)),
            workflow: one_line(&approval.workflow_name),
            because: approval.reason.as_deref().map(one_line).into_iter().chain(conditions).collect(),
            facts: facts(approval),
            fields: fields(approval),
            if_approved: approval.if_approved.iter().map(|line| one_line(line)).collect(),
            if_rejected: approval.if_rejected.iter().map(|line| one_line(line)).collect(),
            deadline: approval.expires_at.filter(|_| is_open),
            still_needed: approval
                .still_needed
                .as_deref()
                .filter(|_| is_open)
                .map(|needed| one_line(&with_role_names(needed))),
            said: decisions.map(said).collect(),
            outcome: outcome(approval),
        }
    }
}

/// A text on one line: what somebody wrote can't look like a line of ours.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A condition that was passed, as a sentence: that it is true goes without saying.
fn condition(reason: &str) -> String {
    one_line(&with_role_names(reason.strip_suffix(": true").unwrap_or(reason)))
}

fn facts(approval: &Approval) -> Vec<CardFact> {
    let fact = |label: &str, value: Option<String>| Some(CardFact { label: label.to_owned(), value: value? });
    let about = approval.entity.as_deref().map(|entity| {
        format!("{} {}", label(entity), approval.entity_id.as_deref().unwrap_or_default()).trim().to_owned()
    });
    let own = [
        fact("Amount", amount(approval.amount.as_deref(), approval.currency.as_deref())),
        fact("About", about),
        fact("Asked for by", approval.requester.as_ref().map(|requester| requester.name.clone())),
    ];
    let data = approval.data.iter().filter(|(_, value)| !value.is_null());
    let data = data.map(|(key, held)| CardFact { label: label(key), value: value(held) });
    own.into_iter().flatten().chain(data).collect()
}

fn fields(approval: &Approval) -> Vec<CardFact> {
    let held = approval.form.iter().filter(|shown| !shown.value.is_null());
    held.map(|shown| CardFact { label: label(&shown.field.name), value: value(&shown.value) }).collect()
}

fn said(made: &ApprovalDecision) -> CardDecision {
    let instead = made.stands_for_name.as_ref().or(made.stands_for.as_ref());
    let instead = instead.map(|name| format!(", for {name}")).unwrap_or_default();
    let taken_back = if made.retracted_at.is_some() { ", and took it back" } else { "" };
    CardDecision {
        text: one_line(&format!("{} {}{instead}{taken_back}", made.name, verdict_word(made.decision))),
        comment: made.comment.as_deref().map(one_line),
        at: made.at,
    }
}

/// How a request ended, with who decided.
fn outcome(approval: &Approval) -> Option<String> {
    let counting = |made: &&ApprovalDecision| made.retracted_at.is_none() && made.superseded_at.is_none();
    let decisions = || approval.levels.iter().flat_map(|level| &level.decisions).filter(counting);
    let by = |approves: bool| {
        let mut names: Vec<&str> = Vec::new();
        for made in decisions().filter(|made| made.decision.approves() == approves) {
            if !names.contains(&made.name.as_str()) {
                names.push(&made.name);
            }
        }
        if names.is_empty() { String::new() } else { format!(" by {}", names.join(", ")) }
    };
    let comment = || {
        let comment = decisions().next_back().and_then(|made| made.comment.as_ref());
        comment.map(|comment| format!(": “{comment}”")).unwrap_or_default()
    };
    match approval.status {
        RequestStatus::Pending => None,
        RequestStatus::Approved => Some(format!("Approved{}.", by(true))),
        RequestStatus::Rejected => Some(format!("Rejected{}{}.", by(false), comment())),
        RequestStatus::ChangesRequested => Some(format!("Changes requested{}{}.", by(false), comment())),
        RequestStatus::Expired => Some("Expired before it was decided.".to_owned()),
        RequestStatus::Withdrawn => Some(match &approval.withdrawn_because {
            Some(because) => format!("Withdrawn: {because}."),
            None => "Withdrawn.".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests;
