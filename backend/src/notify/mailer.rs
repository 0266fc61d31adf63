//! Mail over SMTP.

use super::mails::Mail;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{ContentType, Header, HeaderName, HeaderValue},
    },
};
use shared_types::ids::DeliveryId;
use std::time::Duration;

/// How long a mail may take: less than another server leaves it alone.
const TIME: Duration = Duration::from_secs(45);

/// A way to send mail.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Why mail can't be sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The server's address is wrong.
    #[error("IW_SMTP_URL: {0}")]
    Server(#[from] lettre::transport::smtp::Error),
    /// An address is wrong.
    #[error("the address: {0}")]
    Address(#[from] lettre::address::AddressError),
    /// The message can't be made.
    #[error("the message: {0}")]
    Message(#[from] lettre::error::Error),
    /// The server doesn't answer.
    #[error("the mail server doesn't answer within {} s", TIME.as_secs())]
    Silent,
}

impl MailError {
    /// Whether trying again is of no use: the address is wrong, or the mail server refuses for good.
    pub(super) fn is_hopeless(&self) -> bool {
        match self {
            // Who we are is the administrator's to mend, and no fault of the mail (RFC 4954).
            Self::Server(error) => {
                let is_of_sign_in =
                    error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538));
                error.is_permanent() && !is_of_sign_in
            }
            Self::Address(_) | Self::Message(_) => true,
            Self::Silent => false,
        }
    }
}

/// Says that no person wrote a mail, so that none answers it by itself (RFC 3834).
#[derive(Debug, Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Mailer {
    /// Mail through a server.
    ///
    /// # Errors
    /// The server's address or the sender's can't be read.
    pub fn new(url: &str, from: &str) -> Result<Self, MailError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?
            .timeout(Some(Duration::from_secs(20)))
            .build();
        Ok(Self { transport, from: from.parse()? })
    }

    pub(super) async fn send(&self, id: DeliveryId, to: &str, mail: &Mail) -> Result<(), MailError> {
        let plain = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(mail.text.clone());
        let html = SinglePart::builder().header(ContentType::TEXT_HTML).body(mail.html.clone());
        let message = Message::builder()
            .from(self.from.clone())
            .to(to.parse()?)
            .subject(&mail.subject)
            .message_id(Some(format!("<{id}@intelligent-workflows>")))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative().singlepart(plain).singlepart(html))?;
        // The transport bounds connecting alone.
        tokio::time::timeout(TIME, self.transport.send(message)).await.map_err(|_| MailError::Silent)??;
        Ok(())
    }
}
