//! The stand-in for a mail server: it takes whatever mail the server sends, to anybody, and shows it on a page.

pub mod mail_server;

use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
    routing::get,
};
use mail_parser::MessageParser;
use mail_server::Mailbox;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// A page of mail may show its own style, and loads nothing else; its links open beside it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
     sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation";

#[derive(Template)]
#[template(path = "sample_mail.html")]
struct Inbox {
    mails: Vec<Row>,
}

struct Row {
    n: usize,
    at: String,
    to: String,
    subject: String,
}

/// Runs it until it is stopped: `smtp` takes mail, `listen` shows it.
///
/// # Errors
/// An address can't be listened on.
pub async fn run(smtp: SocketAddr, listen: SocketAddr) -> anyhow::Result<()> {
    let mailbox = Mailbox::default();
    let receiver = TcpListener::bind(smtp).await?;
    tokio::spawn(mailbox.clone().serve(receiver));
    let app = Router::new()
        .route("/", get(inbox))
        .route("/mails/{n}", get(html))
        .route("/mails/{n}/text", get(text))
        .with_state(mailbox);
    axum::serve(TcpListener::bind(listen).await?, app).await?;
    Ok(())
}

async fn inbox(State(mailbox): State<Mailbox>) -> Response {
    let parser = MessageParser::default();
    let mails = mailbox.all().into_iter().enumerate().rev().map(|(n, mail)| {
        let parsed = parser.parse(&mail.bytes);
        let subject = parsed.as_ref().and_then(|parsed| parsed.subject()).unwrap_or_default().to_owned();
        Row { n, at: mail.at.format("%H:%M:%S").to_string(), to: mail.to.join(", "), subject }
    });
    Inbox { mails: mails.collect() }
        .render()
        .map_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response(), |page| Html(page).into_response())
}

async fn html(State(mailbox): State<Mailbox>, Path(n): Path<usize>) -> Response {
    part(&mailbox, n, |parsed| parsed.body_html(0), "text/html; charset=utf-8")
}

async fn text(State(mailbox): State<Mailbox>, Path(n): Path<usize>) -> Response {
    part(&mailbox, n, |parsed| parsed.body_text(0), "text/plain; charset=utf-8")
}

fn part(
    mailbox: &Mailbox,
    n: usize,
    of: impl for<'m> Fn(&'m mail_parser::Message<'m>) -> Option<std::borrow::Cow<'m, str>>,
    kind: &'static str,
) -> Response {
    let Some(mail) = mailbox.all().into_iter().nth(n) else { return StatusCode::NOT_FOUND.into_response() };
    let parsed = MessageParser::default().parse(&mail.bytes);
    let Some(body) = parsed.as_ref().and_then(|parsed| of(parsed).map(std::borrow::Cow::into_owned)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, body).into_response()
}
