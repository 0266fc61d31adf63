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
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long the loop sleeps where nothing wakes it.
const PAUSE: Duration = Duration::from_secs(5);

/// What tells people.
#[derive(Clone)]
pub struct Notifier {
    /// The database.
    pub pool: PgPool,
    /// Tells the time, in UTC; tests move it.
    pub clock: Clock,
    /// What sends mail; none where no mail server is set up.
    pub mailer: Option<Mailer>,
    /// Where links lead: scheme, host and port, with or without a slash at its end.
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

/// Tells what is due, until the server stops. Finding out who is told and sending it are two loops, so that a slow mail server
/// holds up its own alone.
pub async fn run(notifier: Notifier, engine: Engine, stop: CancellationToken) {
    let wanted = Notify::new();
    let telling = async {
        while !stop.is_cancelled() {
            match tell(&notifier).await {
                Ok(0) => {}
                Ok(_) => {
                    wanted.notify_one();
                    continue;
                }
                Err(error) => tracing::warn!(%error, "who is to be told will be looked at again"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = engine.deliveries_wanted() => wanted.notify_one(),
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    };
    let sending = async {
        while !stop.is_cancelled() {
            match sending::send(&notifier).await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => tracing::warn!(%error, "messages will be sent later"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = wanted.notified() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    };
    tokio::join!(telling, sending);
}

/// Finds who is told some of what is due; how much there was.
async fn tell(notifier: &Notifier) -> store::Result<usize> {
    // A notice about a request tells of it as well, so that nobody is told twice.
    Ok(outreach::notices(notifier).await? + outreach::requests(notifier).await?)
}
