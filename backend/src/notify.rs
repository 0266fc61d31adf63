//! Telling people by other ways than the app: who is told what by which way ([`outreach`]), and sending it ([`sending`]). A
//! message is recorded before it goes out and after, each tried a few times, then kept with the reason.

mod mailer;
mod mails;
mod outreach;
mod sending;

pub use mailer::{MailError, Mailer};

use crate::{clock::Clock, engine::Engine, store};
use shared_types::api::notices::Channel;
use sqlx::PgPool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the loop sleeps where nothing wakes it.
const PAUSE: Duration = Duration::from_secs(5);

/// What tells people.
#[derive(Clone)]
pub struct Notifier {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: Clock,
    /// What sends mail; none where no mail server is set up.
    pub mailer: Option<Mailer>,
    /// Where links lead.
    pub public_url: String,
}

impl Notifier {
    /// The ways that are set up.
    fn channels(&self) -> Vec<Channel> {
        self.mailer.iter().map(|_| Channel::Mail).collect()
    }

    /// The address of a request's page.
    fn link(&self, approval: shared_types::ids::ApprovalId) -> String {
        format!("{}/a/{approval}", self.public_url.trim_end_matches('/'))
    }
}

/// Tells what is due, until the server stops.
pub async fn run(notifier: Notifier, engine: Engine, stop: CancellationToken) {
    loop {
        match tick(&notifier).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::warn!(%error, "messages will be looked at again"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = engine.deliveries_wanted() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Does some of what is due; how much there was.
async fn tick(notifier: &Notifier) -> store::Result<usize> {
    // A notice about a request tells of it as well, so that nobody is told twice.
    let told = outreach::notices(notifier).await? + outreach::requests(notifier).await?;
    Ok(told + sending::send(notifier).await?)
}
