//! Mail goes out over SMTP, and what a mail server refuses for good is kept with its reason.

use crate::app::{App, eventually};
use backend::commands::sample_mail::mail_server::Mailbox;
use mail_parser::MessageParser;
use serde_json::{Value, json};
use std::fmt;
use tokio::net::TcpListener;

const TELL: &str = "
workflow_id: tell
name: Tell
trigger: { type: event, event: told }
enabled: true
steps:
  - id: tell
    type: execute
    execute:
      - { type: notify, recipients: ['{{ to }}'], subject: 'Order {{ order }}', message: \"It is on its <way>.\\n.\\n..end\" }
";

/// A mail as its reader sees it.
#[derive(Clone)]
pub(crate) struct ReadMail {
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
    pub(crate) raw: String,
}

impl fmt::Debug for ReadMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "to {}: {}", self.to, self.subject)
    }
}

/// A mail server, with its address as a setting has it.
pub(crate) async fn mail_server() -> (Mailbox, String) {
    let mailbox = Mailbox::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    tokio::spawn(mailbox.clone().serve(listener));
    (mailbox, url)
}

/// What came so far, oldest first.
pub(crate) fn mails(mailbox: &Mailbox) -> Vec<ReadMail> {
    let read = |mail: &backend::commands::sample_mail::mail_server::Received| {
        let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
        ReadMail {
            to: mail.to.join(","),
            subject: parsed.subject().unwrap_or_default().to_owned(),
            text: parsed.body_text(0).unwrap_or_default().into_owned(),
            html: parsed.body_html(0).unwrap_or_default().into_owned(),
            raw: String::from_utf8_lossy(&mail.bytes).into_owned(),
        }
    };
    mailbox.all().iter().map(read).collect()
}

/// The mails, once there are so many.
pub(crate) async fn mails_when(mailbox: &Mailbox, count: usize) -> Vec<ReadMail> {
    eventually("mail comes", || async {
        let mails = mails(mailbox);
        if mails.len() == count { Ok(mails) } else { Err(format!("{mails:#?}")) }
    })
    .await
}

#[tokio::test]
async fn mail_goes_out_and_what_is_refused_for_good_is_kept_with_its_reason() {
    let (mailbox, url) = mail_server().await;
    let app = App::start_with(|config| config.smtp_url = Some(url)).await;
    app.publish(TELL).await;
    let shop = app.key(&["events:write"]).await;
    for to in ["bo@example.org", "nobody@example.org"] {
        shop.post("events", json!({ "type": "told", "payload": { "to": to, "order": "A1" } }))
            .await
            .json(202);
    }
    let admin = app.admin().await;
    let deliveries: Vec<Value> = eventually("both are settled", || async {
        let all = admin.get("deliveries").await.json(200);
        let all = all["items"].as_array().unwrap().clone();
        let is_settled = all.len() == 2 && all.iter().all(|delivery| delivery["status"] != "pending");
        if is_settled { Ok(all) } else { Err(json!(all).to_string()) }
    })
    .await;
    let of = |to: &str| deliveries.iter().find(|delivery| delivery["recipient"] == to).unwrap();
    assert_eq!(
        (&of("bo@example.org")["status"], &of("bo@example.org")["channel"]),
        (&json!("delivered"), &json!("mail"))
    );
    assert_eq!(of("nobody@example.org")["status"], "undeliverable");
    assert!(of("nobody@example.org")["reason"].as_str().unwrap().contains("nobody of that name"));
    let mails = mails(&mailbox);
    let [mail] = mails.as_slice() else { panic!("{mails:#?}") };
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("bo@example.org", "Order A1"));
    assert_eq!(mail.text.trim().replace("\r\n", "\n"), "It is on its <way>.\n.\n..end");
    assert!(mail.html.contains("It is on its &#60;way&#62;."), "{}", mail.html);
    for header in ["From: workflows@example.com", "Auto-Submitted: auto-generated"] {
        assert!(mail.raw.contains(header), "{header} in {}", mail.raw);
    }
    app.stop().await;
}
