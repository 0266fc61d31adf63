//! Mail: messages to the world go out from here, each tried a few times, then kept with the reason.

use crate::{
    clock::Clock,
    engine::Engine,
    store::{self, deliveries, deliveries::DueDelivery},
};
use chrono::Duration as Span;
use futures_util::future::join_all;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use sqlx::PgPool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PART: i64 = 20;
const PAUSE: Duration = Duration::from_secs(5);
const CLAIM_SECONDS: i64 = 60;
const MAX_ATTEMPTS: i32 = 8;

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
}

impl MailError {
    /// Whether trying again is of no use: the address is wrong, or the mail server refuses for good.
    fn is_hopeless(&self) -> bool {
        match self {
            Self::Server(error) => error.is_permanent(),
            Self::Address(_) | Self::Message(_) => true,
        }
    }
}

impl Mailer {
    /// Mail through a server.
    pub fn new(url: &str, from: &str) -> Result<Self, MailError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?
            .timeout(Some(Duration::from_secs(20)))
            .build();
        Ok(Self { transport, from: from.parse()? })
    }

    async fn send(&self, due: &DueDelivery) -> Result<(), MailError> {
        let subject = due.subject.clone().unwrap_or_else(|| first_line(&due.message));
        let message = Message::builder()
            .from(self.from.clone())
            .to(due.recipient.parse()?)
            .subject(subject)
            .message_id(Some(format!("<{}@intelligent-workflows>", due.id)))
            .header(ContentType::TEXT_PLAIN)
            .body(due.message.clone())?;
        self.transport.send(message).await?;
        Ok(())
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(120).collect()
}

/// Sends what is due, until the server stops.
pub async fn run(pool: PgPool, clock: Clock, mailer: Mailer, engine: Engine, stop: CancellationToken) {
    loop {
        match tick(&pool, &clock, &mailer).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::warn!(%error, "mail will be looked at again"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = engine.deliveries_wanted() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Sends some of what is due; how many there were. Each is recorded before and after, in two transactions.
async fn tick(pool: &PgPool, clock: &Clock, mailer: &Mailer) -> store::Result<usize> {
    let now = clock.now();
    let due = {
        let mut conn = pool.acquire().await?;
        deliveries::claim_due(&mut conn, now, now + Span::seconds(CLAIM_SECONDS), PART).await?
    };
    // At once, so that all are recorded well before another server may claim them.
    let results = join_all(due.iter().map(|due| deliver(pool, clock, mailer, due))).await;
    results.into_iter().collect::<store::Result<()>>()?;
    Ok(due.len())
}

async fn deliver(pool: &PgPool, clock: &Clock, mailer: &Mailer, due: &DueDelivery) -> store::Result<()> {
    let sent = mailer.send(due).await;
    let mut conn = pool.acquire().await?;
    let Err(error) = sent else { return deliveries::mark_delivered(&mut conn, due, clock.now()).await };
    tracing::warn!(delivery.id = %due.id, %error, "a mail could not be sent");
    let again = !error.is_hopeless() && due.attempts < MAX_ATTEMPTS;
    let pause = Span::seconds(30 << due.attempts.clamp(0, 10));
    let again_at = again.then(|| clock.now() + pause);
    deliveries::mark_failed(&mut conn, due, &error.to_string(), again_at).await
}
