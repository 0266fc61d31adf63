//! Sending what is due.

use super::{
    Notifier,
    mailer::{MailError, Mailer},
    mails::{self, Mail, SummaryItem},
    outreach::wanted,
};
use crate::{
    approvals,
    auth::{Person, Principal, Who},
    store::{
        self, approvals as stored_approvals, deliveries,
        deliveries::{DeliveryKind, DueDelivery},
        people, preferences,
    },
};
use chrono::Duration as Span;
use futures_util::future::join_all;
use shared_types::{
    api::{Permissions, approvals::Approval, notices::Channel, preferences::MessagePreference},
    approval::decision::RequestStatus,
    card::{Card, words::question},
    ids::{ApprovalId, UserId, WorkspaceId},
};
use std::sync::Arc;

const PART: i64 = 20;
const CLAIM_SECONDS: i64 = 60;
const MAX_ATTEMPTS: i32 = 8;

/// Sends some of what is due; how many there were. Each is recorded before and after, in two transactions.
pub(super) async fn send(notifier: &Notifier) -> store::Result<usize> {
    let channels = notifier.channels();
    if channels.is_empty() {
        return Ok(0);
    }
    let now = notifier.clock.now();
    let due = {
        let mut conn = notifier.pool.acquire().await?;
        deliveries::claim_due(&mut conn, &channels, now, now + Span::seconds(CLAIM_SECONDS), PART).await?
    };
    let count = due.len();
    // At once, so that all are recorded well before another server may claim them.
    let results = join_all(together(due).into_iter().map(|all| deliver(notifier, all))).await;
    results.into_iter().collect::<store::Result<()>>()?;
    Ok(count)
}

/// What goes out as one message: what was held for a member by one way, and anything else by itself.
fn together(due: Vec<DueDelivery>) -> Vec<Vec<DueDelivery>> {
    let mut groups: Vec<Vec<DueDelivery>> = Vec::new();
    for due in due {
        let is_same = |other: &DueDelivery| {
            other.in_quiet_hours
                && (other.workspace, other.user, other.channel) == (due.workspace, due.user, due.channel)
        };
        let group = groups.iter_mut().find(|group| due.in_quiet_hours && group.iter().all(is_same));
        match group {
            Some(group) => group.push(due),
            None => groups.push(vec![due]),
        }
    }
    groups
}

/// Why something isn't sent.
#[derive(Debug, thiserror::Error)]
enum NotSent {
    /// It is of no use any more, or can never go out.
    #[error("{0}")]
    Never(String),
    /// The mail can't be sent.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The text can't be made.
    #[error("the text can't be made: {0}")]
    Text(#[from] askama::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

impl NotSent {
    fn is_hopeless(&self) -> bool {
        match self {
            Self::Never(_) | Self::Text(_) => true,
            Self::Mail(error) => error.is_hopeless(),
            Self::Store(_) => false,
        }
    }
}

async fn deliver(notifier: &Notifier, mut all: Vec<DueDelivery>) -> store::Result<()> {
    let Some(due) = all.first().cloned() else { return Ok(()) };
    if due.in_quiet_hours {
        let now = notifier.clock.now();
        let mut conn = notifier.pool.acquire().await?;
        let again_at = now + Span::seconds(CLAIM_SECONDS);
        all.extend(deliveries::claim_held(&mut conn, &due, now, again_at).await?);
        all.sort_by_key(|due| due.id);
    }
    let sent = send_together(notifier, &due, &all).await;
    let mut conn = notifier.pool.acquire().await?;
    let Err(error) = sent else {
        return deliveries::mark_delivered(&mut conn, due.workspace, &all, notifier.clock.now()).await;
    };
    tracing::warn!(delivery.id = %due.id, %error, "a message could not be sent");
    let again = !error.is_hopeless() && due.attempts < MAX_ATTEMPTS;
    let pause = Span::seconds(30 << due.attempts.clamp(0, 10));
    let again_at = again.then(|| notifier.clock.now() + pause);
    deliveries::mark_failed(&mut conn, due.workspace, &all, &error.to_string(), again_at).await
}

/// Sends what goes out as one message, where its member still wants it.
async fn send_together(notifier: &Notifier, due: &DueDelivery, all: &[DueDelivery]) -> Result<(), NotSent> {
    if let Some(user) = due.user {
        let mut conn = notifier.pool.acquire().await.map_err(store::StoreError::from)?;
        if people::member(&mut conn, due.workspace, user, None).await?.is_none() {
            return Err(NotSent::Never("They aren't a member any more.".to_owned()));
        }
        let said = preferences::some(&mut conn, due.workspace, &[user]).await?.remove(&user);
        if wanted(&said.unwrap_or_default(), due.channel) == MessagePreference::None {
            return Err(NotSent::Never("They don't want it by this way any more.".to_owned()));
        }
    }
    match (due.channel, &notifier.mailer) {
        (Channel::Mail, Some(mailer)) => mail(notifier, mailer, all).await,
        (Channel::Mail, None) => Err(NotSent::Never("Mail isn't set up.".to_owned())),
        (Channel::Slack, _) => Err(NotSent::Never("Slack isn't set up.".to_owned())),
    }
}

/// Sends a mail, or one for all that was held.
async fn mail(notifier: &Notifier, mailer: &Mailer, all: &[DueDelivery]) -> Result<(), NotSent> {
    let [due] = all else { return mail_summary(notifier, mailer, all).await };
    let mail = match (due.kind, due.approval_id, due.user) {
        (DeliveryKind::Request, Some(approval), Some(user)) => {
            let approval = request(notifier, due.workspace, user, approval).await?;
            let lead = due.subject.as_ref().map(|_| due.message.as_str());
            let link = notifier.link(approval.approval_id);
            mails::of_request(&Card::of(&approval), due.subject.as_deref(), lead, &link)?
        }
        (DeliveryKind::Request | DeliveryKind::Message, _, _) => {
            mails::of_message(due.subject.as_deref(), &due.message)?
        }
    };
    Ok(mailer.send(due.id, &due.recipient, &mail).await?)
}

/// One mail for what was held through quiet hours and still matters; a request stands in it once.
async fn mail_summary(notifier: &Notifier, mailer: &Mailer, all: &[DueDelivery]) -> Result<(), NotSent> {
    let (mut items, mut shown): (Vec<SummaryItem>, Vec<ApprovalId>) = (Vec::new(), Vec::new());
    for due in all {
        match (due.kind, due.approval_id, due.user) {
            (DeliveryKind::Request, Some(approval), Some(user)) if !shown.contains(&approval) => {
                shown.push(approval);
                match request(notifier, due.workspace, user, approval).await {
                    Ok(open) => items.push(SummaryItem {
                        title: question(&open),
                        text: String::new(),
                        link: Some(notifier.link(approval)),
                    }),
                    Err(NotSent::Never(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            (DeliveryKind::Request, Some(_), Some(_)) => {}
            (DeliveryKind::Request | DeliveryKind::Message, _, _) => items.push(SummaryItem {
                title: due.subject.clone().unwrap_or_else(|| "A message".to_owned()),
                text: due.message.clone(),
                link: None,
            }),
        }
    }
    let Some(first) = all.first().filter(|_| !items.is_empty()) else {
        return Err(NotSent::Never("Nothing of it was open any more when the quiet hours ended.".to_owned()));
    };
    let mail: Mail = mails::of_summary(&items)?;
    Ok(mailer.send(first.id, &first.recipient, &mail).await?)
}

/// A request as a member sees it, where it still asks them.
async fn request(
    notifier: &Notifier,
    workspace: WorkspaceId,
    user: UserId,
    approval: ApprovalId,
) -> Result<Approval, NotSent> {
    let never = |why: &str| NotSent::Never(why.to_owned());
    let mut conn = notifier.pool.acquire().await.map_err(store::StoreError::from)?;
    let member = people::member(&mut conn, workspace, user, None).await?;
    let (member, workspace_name) = member.ok_or_else(|| never("They aren't a member any more."))?;
    let stored = stored_approvals::find(&mut conn, workspace, approval).await?;
    drop(conn);
    let stored = stored.filter(|stored| stored.status == RequestStatus::Pending);
    let stored = stored.ok_or_else(|| never("Its request was closed before it could go out."))?;
    let permissions = Permissions::of_roles(member.roles.iter().map(String::as_str));
    let person = Person {
        user_id: member.user_id,
        email: member.email,
        name: member.name,
        roles: member.roles,
        session: None,
    };
    let principal = Principal {
        workspace,
        workspace_name: workspace_name.into(),
        who: Who::Person(Arc::new(person)),
        permissions: Arc::new(permissions),
        address: None,
    };
    let mut views = approvals::views((&notifier.pool, &notifier.clock), &principal, vec![stored]).await?;
    let shown = views.pop().filter(|approval| approval.can_decide);
    shown.ok_or_else(|| never("They aren't asked any more."))
}
