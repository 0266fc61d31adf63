//! Who is told what by which way. A request is looked at when it is asked, when it changes, and when it becomes urgent; a
//! notice once. What comes of it are deliveries; a member has each thing once by each way.

use super::Notifier;
use crate::store::{
    self, approvals,
    approvals::{StoredApproval, people_needs},
    deliveries,
    deliveries::{DeliveryKind, NewDelivery},
    environment, outreach,
    outreach::{DueNotice, DueRequest},
    people,
    people::Member,
    preferences,
};
use chrono::{DateTime, Duration as Span, Utc};
use shared_types::{
    api::{
        notices::Channel,
        preferences::{MessagePreference, NotificationPreferences},
    },
    approval::{decision::RequestStatus, people::People},
    ids::{ApprovalId, DeliveryId, ExecutionId, UserId, WorkspaceId},
    preferences::{Quiet, urgent_from},
    recipient::Approver,
};
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// How many are looked at together.
const PART: i64 = 50;
/// For how long another server leaves them alone.
const CLAIM_SECONDS: i64 = 60;

/// Looks at requests that were asked or that changed; how many there were.
pub(super) async fn requests(notifier: &Notifier) -> store::Result<usize> {
    let now = notifier.clock.now();
    let mut conn = notifier.pool.acquire().await?;
    let due = outreach::claim_requests(&mut conn, now, now + Span::seconds(CLAIM_SECONDS), PART).await?;
    drop(conn);
    for request in &due {
        // One that can't be told holds up no other; it was put off as it was claimed.
        if let Err(error) = look_at(notifier, request, now).await {
            tracing::error!(%error, approval.id = %request.approval_id, "nobody could be told of a request");
        }
    }
    Ok(due.len())
}

async fn look_at(notifier: &Notifier, due: &DueRequest, now: DateTime<Utc>) -> store::Result<()> {
    let mut transaction = notifier.pool.begin().await?;
    let again_at = tell_of_request(notifier, &mut transaction, due).await?;
    outreach::settle(&mut transaction, due, again_at, now).await?;
    Ok(transaction.commit().await?)
}

/// Tells everybody who can decide a request now; when it is to be looked at again.
async fn tell_of_request(
    notifier: &Notifier,
    conn: &mut PgConnection,
    due: &DueRequest,
) -> store::Result<Option<DateTime<Utc>>> {
    if notifier.channels().is_empty() {
        return Ok(None);
    }
    approvals::hold(conn, due.workspace, due.approval_id).await?;
    let stored = approvals::find(conn, due.workspace, due.approval_id).await?;
    let Some(stored) = stored.filter(|stored| stored.status == RequestStatus::Pending) else {
        return Ok(None);
    };
    let now = notifier.clock.now();
    let deciders = deciders(conn, due.workspace, &stored, now).await?;
    let urgency = Urgency::of(&stored);
    let news = News {
        kind: DeliveryKind::Request,
        execution_id: stored.execution_id,
        approval_id: Some(due.approval_id),
        subject: None,
        message: stored.request.subject.clone().unwrap_or_else(|| stored.workflow_name.clone()),
        dedup_key: request_key(due.approval_id, &stored),
        urgent_from: urgency.from,
    };
    tell(notifier, conn, due.workspace, &deciders, &news).await?;
    Ok(urgency.from.filter(|from| *from > now))
}

/// The members who can decide a request at a time.
async fn deciders(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    stored: &StoredApproval,
    now: DateTime<Utc>,
) -> store::Result<Vec<Member>> {
    let known = environment::people(conn, workspace, &people_needs([stored]), now).await?;
    let addresses = stored.policy().deciders(&People::new(&known, now));
    let named: Vec<Approver> = addresses.into_iter().map(Approver::Person).collect();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    people::named(conn, workspace, &named).await
}

/// What a member is told of a request: once while a level is open, and again in another round.
fn request_key(approval: ApprovalId, stored: &StoredApproval) -> String {
    format!("request:{approval}:{}:{}", stored.open, stored.reopened.len())
}

/// When a request is urgent.
#[derive(Debug, Clone, Copy)]
struct Urgency {
    from: Option<DateTime<Utc>>,
}

impl Urgency {
    fn of(stored: &StoredApproval) -> Self {
        let progress = stored.request.levels.get(stored.open).map(|level| &level.progress);
        let expires_at = progress.and_then(|progress| progress.expires_at).or(stored.request.expires_at);
        let is_escalated = progress.is_some_and(|progress| progress.escalated_at.is_some());
        Self { from: urgent_from(expires_at, is_escalated) }
    }
}

/// Looks at notices that no other way was looked at for; how many there were.
pub(super) async fn notices(notifier: &Notifier) -> store::Result<usize> {
    let now = notifier.clock.now();
    let mut conn = notifier.pool.acquire().await?;
    let due = outreach::claim_notices(&mut conn, now, now + Span::seconds(CLAIM_SECONDS), PART).await?;
    drop(conn);
    for notice in &due {
        if let Err(error) = look_at_notice(notifier, notice).await {
            tracing::error!(%error, notice.id = %notice.notice_id, "a notice could not be told");
        }
    }
    Ok(due.len())
}

async fn look_at_notice(notifier: &Notifier, due: &DueNotice) -> store::Result<()> {
    let mut transaction = notifier.pool.begin().await?;
    tell_notice(notifier, &mut transaction, due).await?;
    outreach::settle_notice(&mut transaction, due).await?;
    Ok(transaction.commit().await?)
}

async fn tell_notice(notifier: &Notifier, conn: &mut PgConnection, due: &DueNotice) -> store::Result<()> {
    if notifier.channels().is_empty() {
        return Ok(());
    }
    let Some((member, _)) = people::member(conn, due.workspace, due.user, None).await? else { return Ok(()) };
    let stored = match due.approval_id {
        Some(approval) => {
            approvals::hold(conn, due.workspace, approval).await?;
            approvals::find(conn, due.workspace, approval).await?
        }
        None => None,
    };
    let now = notifier.clock.now();
    let open = stored.filter(|stored| stored.status == RequestStatus::Pending);
    if due.approval_id.is_some() && open.is_none() {
        // What it says of the request is over.
        return Ok(());
    }
    let urgent_from = open.as_ref().and_then(|stored| Urgency::of(stored).from);
    let decides = match &open {
        Some(stored) => deciders(conn, due.workspace, stored, now)
            .await?
            .iter()
            .any(|decider| decider.user_id == member.user_id),
        None => false,
    };
    let Some(execution_id) = due.execution_id.map(ExecutionId) else { return Ok(()) };
    let notice = News {
        kind: if decides { DeliveryKind::Request } else { DeliveryKind::Message },
        execution_id,
        approval_id: due.approval_id,
        subject: due.subject.clone(),
        message: due.message.clone(),
        dedup_key: format!("notice:{}", due.notice_id),
        urgent_from,
    };
    let members = [member];
    // Somebody who wasn't told of the request yet learns of it by the notice, and isn't told twice.
    if let (true, Some(stored), Some(approval)) = (decides, &open, due.approval_id) {
        let first = News { dedup_key: request_key(approval, stored), ..notice.clone() };
        if tell(notifier, conn, due.workspace, &members, &first).await? > 0 {
            return Ok(());
        }
    }
    tell(notifier, conn, due.workspace, &members, &notice).await?;
    Ok(())
}

/// Something that members are told.
#[derive(Debug, Clone)]
struct News {
    kind: DeliveryKind,
    execution_id: ExecutionId,
    approval_id: Option<ApprovalId>,
    subject: Option<String>,
    message: String,
    /// What a member is sent once by each way.
    dedup_key: String,
    urgent_from: Option<DateTime<Utc>>,
}

/// Writes what each member is told by the ways that they want; how much of it was new.
async fn tell(
    notifier: &Notifier,
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    members: &[Member],
    news: &News,
) -> store::Result<usize> {
    let users: Vec<UserId> = members.iter().map(|member| member.user_id).collect();
    let said = preferences::some(conn, workspace, &users).await?;
    let now = notifier.clock.now();
    let mut new: Vec<NewDelivery> =
        members.iter().flat_map(|member| ways(notifier, member, &said, news, now)).collect();
    // In one order, so that two servers that tell the same wait for each other and not both.
    new.sort_by_key(|new| (new.user, new.channel));
    deliveries::insert(conn, workspace, &new, now).await
}

/// What one member is told, by each way that they want.
fn ways(
    notifier: &Notifier,
    member: &Member,
    said: &BTreeMap<UserId, NotificationPreferences>,
    news: &News,
    now: DateTime<Utc>,
) -> Vec<NewDelivery> {
    let preferences = said.get(&member.user_id).cloned().unwrap_or_default();
    // What was stored was sound; a zone that is gone since then holds nothing up.
    let quiet = preferences.quiet_hours.as_ref().and_then(|hours| Quiet::of(hours).ok());
    let held_until = quiet.and_then(|quiet| quiet.holds_until(now, news.urgent_from));
    let is_urgent = news.urgent_from.is_some_and(|from| from <= now);
    let wanted = |channel: &Channel| wanted(&preferences, *channel).takes(is_urgent);
    let channels = notifier.channels().into_iter().filter(wanted);
    channels
        .map(|channel| NewDelivery {
            id: DeliveryId(notifier.clock.new_id()),
            channel,
            kind: news.kind,
            recipient: member.email.clone(),
            user: member.user_id,
            execution_id: news.execution_id,
            approval_id: news.approval_id,
            subject: news.subject.clone(),
            message: news.message.clone(),
            dedup_key: news.dedup_key.clone(),
            held_until,
        })
        .collect()
}

/// What a member wants by a way.
pub(super) fn wanted(preferences: &NotificationPreferences, channel: Channel) -> MessagePreference {
    match channel {
        Channel::Mail => preferences.mail,
        Channel::Slack => preferences.slack,
    }
}
