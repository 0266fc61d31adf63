//! What mails say, as HTML and as text.

use askama::Template;
use shared_types::card::{Card, words::moment};

/// The most characters of a subject line.
const MAX_SUBJECT: usize = 200;

/// What a mail says, twice: as plain text and as HTML. The subject line has one line of 200 characters at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mail {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

#[derive(Template)]
#[template(path = "mail_request.html")]
struct RequestHtml<'a> {
    card: &'a Card,
    lead: Option<&'a str>,
    deadline: Option<String>,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "mail_request.txt")]
struct RequestText<'a> {
    card: &'a Card,
    lead: Option<&'a str>,
    deadline: Option<String>,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "mail_message.html")]
struct MessageHtml<'a> {
    subject: &'a str,
    message: &'a str,
}

#[derive(Template)]
#[template(path = "mail_summary.html")]
struct SummaryHtml<'a> {
    subject: &'a str,
    items: &'a [SummaryItem],
}

#[derive(Template)]
#[template(path = "mail_summary.txt")]
struct SummaryText<'a> {
    subject: &'a str,
    items: &'a [SummaryItem],
}

/// One thing that was held through quiet hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SummaryItem {
    /// The question, or the subject line.
    pub(super) title: String,
    /// What it says, where it isn't a request.
    pub(super) text: String,
    /// The address of the request.
    pub(super) link: Option<String>,
}

/// The mail of a request. `lead` says first why it comes, as a reminder does.
pub(super) fn of_request(
    card: &Card,
    subject: Option<&str>,
    lead: Option<&str>,
    link: &str,
) -> askama::Result<Mail> {
    let deadline = || card.deadline.map(moment);
    Ok(Mail {
        subject: subject_line(subject.unwrap_or(&card.question)),
        text: RequestText { card, lead, deadline: deadline(), link }.render()?,
        html: RequestHtml { card, lead, deadline: deadline(), link }.render()?,
    })
}

/// The mail of a message.
pub(super) fn of_message(subject: Option<&str>, message: &str) -> askama::Result<Mail> {
    let subject = subject_line(subject.unwrap_or_else(|| message.lines().next().unwrap_or_default()));
    let html = MessageHtml { subject: &subject, message }.render()?;
    Ok(Mail { text: message.to_owned(), html, subject })
}

/// The mail of what was held through quiet hours.
pub(super) fn of_summary(items: &[SummaryItem]) -> askama::Result<Mail> {
    let subject = format!("{} messages while your hours were quiet", items.len());
    let text = SummaryText { subject: &subject, items }.render()?;
    let html = SummaryHtml { subject: &subject, items }.render()?;
    Ok(Mail { subject, text, html })
}

/// One line of bounded length.
fn subject_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_SUBJECT).collect()
}
