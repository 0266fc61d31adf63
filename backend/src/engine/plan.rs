//! Turns the commands of the machine into rows that are written with a change, and into work that begins after the commit.

use super::{Engine, perform::Work};
use crate::store::{
    self,
    approvals::{NewDecision, StoredDecision, VoidedDecisions},
    audit::Entry,
    commit::{Closed, Delivery, NewEvent, Notice, SideRows},
    people, timers,
};
use serde_json::json;
use shared_types::{
    api::{live::LiveKind, notices::Channel},
    ids::{DeliveryId, ExecutionId, NoticeId, UserId, WorkspaceId},
    machine::{
        Command,
        command::RequestUpdate,
        event::{AwaitedEvent, Event},
    },
    recipient::{Approver, Recipient},
    role,
};
use std::sync::Arc;
use uuid::Uuid;

/// Work that begins once a change is committed.
#[derive(Debug, Default)]
pub(super) struct PostCommit {
    pub(super) work: Vec<(ExecutionId, i32, Work)>,
    pub(super) stops: Vec<ExecutionId>,
    pub(super) notifies_parent: Option<ExecutionId>,
    pub(super) awaited: Vec<(ExecutionId, AwaitedEvent)>,
    pub(super) messages: Vec<(LiveKind, String, Option<UserId>)>,
    pub(super) timers: bool,
    pub(super) published: bool,
    pub(super) deliveries: bool,
}

/// Sorts the commands of a change into rows to write and work to begin.
pub(super) async fn plan(
    engine: &Engine,
    workspace: WorkspaceId,
    execution_id: ExecutionId,
    epoch: i32,
    commands: Vec<Command>,
    decision_key: Option<&str>,
) -> store::Result<(SideRows, PostCommit)> {
    let mut side_rows = SideRows::default();
    let mut post_commit = PostCommit::default();
    post_commit.messages.push((LiveKind::ExecutionChanged, execution_id.to_string(), None));
    for command in commands {
        match command {
            Command::Perform(call) => post_commit.work.push((execution_id, epoch, Work::Call(call))),
            Command::Load(load) => post_commit.work.push((execution_id, epoch, Work::Load(load))),
            Command::StartRun(start) => {
                side_rows.calls.push((*start).clone());
                post_commit.work.push((execution_id, epoch, Work::Run(start)));
            }
            Command::StopRun { execution_id, because } => {
                post_commit.stops.push(execution_id);
                side_rows.stops.push((execution_id, because));
            }
            Command::ReadRule { place, rule_id } => {
                post_commit.work.push((execution_id, epoch, Work::Rule { place, rule_id }));
            }
            Command::SetTimer { timer, at } => {
                post_commit.timers = true;
                side_rows.timers_set.push((timers::key(&timer), at));
            }
            Command::ClearTimer { timer } => {
                let key = timers::key(&timer);
                side_rows.timers_set.retain(|(set, _)| *set != key);
                side_rows.timers_cleared.push(key);
            }
            Command::Ask { request, seen } => {
                post_commit.deliveries = true;
                post_commit.messages.push((LiveKind::ApprovalAsked, request.approval_id.to_string(), None));
                side_rows.asked.push((*request, seen));
            }
            Command::RecordDecision { approval_id, level, level_name, made } => {
                let idempotency_key = decision_key.map(str::to_owned);
                let stored = StoredDecision { level, made, idempotency_key, retraction_key: None };
                side_rows.decisions.push(NewDecision {
                    approval_id,
                    level_name,
                    id: engine.0.clock.new_id(),
                    stored,
                });
            }
            Command::VoidDecisions { approval_id, decisions, voided } => {
                let at = engine.0.clock.now();
                let key = decision_key.map(str::to_owned);
                side_rows.voided.push(VoidedDecisions { approval_id, numbers: decisions, voided, at, key });
            }
            Command::UpdateRequest(update) => plan_update(*update, &mut side_rows, &mut post_commit),
            Command::Close { approval_id, status, because } => {
                post_commit.deliveries = true;
                post_commit.messages.push((LiveKind::ApprovalChanged, approval_id.to_string(), None));
                side_rows.closed.push(Closed { approval_id, status, because });
            }
            Command::AwaitEvent(awaited) => {
                side_rows.waits_opened.push((*awaited).clone());
                post_commit.awaited.push((execution_id, *awaited));
            }
            Command::StopAwaiting { place } => {
                post_commit.awaited.retain(|(_, awaited)| awaited.place != place);
                side_rows.waits_opened.retain(|awaited| awaited.place != place);
                side_rows.waits_closed.push(place.to_string());
            }
            Command::Notify(notice) => {
                Box::pin(plan_notice(engine, workspace, &notice, &mut side_rows, &mut post_commit)).await?;
            }
            Command::Publish { event, depth, .. } => {
                post_commit.published = true;
                side_rows.published.push(published(
                    engine.0.clock.new_id(),
                    workspace,
                    execution_id,
                    event,
                    depth,
                ));
            }
            Command::Finish(_) => {
                metrics::counter!("iw_runs_ended_total").increment(1);
                post_commit.awaited.clear();
                post_commit.work.clear();
            }
        }
    }
    Ok((side_rows, post_commit))
}

/// A request as it stands after the change.
fn plan_update(update: RequestUpdate, side_rows: &mut SideRows, post_commit: &mut PostCommit) {
    let kind = if update.asks_others { LiveKind::ApprovalAsked } else { LiveKind::ApprovalChanged };
    post_commit.deliveries = true;
    post_commit.messages.push((kind, update.approval_id.to_string(), None));
    if update.reopens {
        // It was closed by the same decision.
        side_rows.closed.retain(|closed| closed.approval_id != update.approval_id);
    }
    // What came later of the same request is all that is kept; whom it comes to ask counts all the same.
    let of_same = |other: &RequestUpdate| other.approval_id == update.approval_id;
    let earlier = side_rows.updated.iter().find(|other| of_same(other));
    let (asks_others, reopens) = earlier.map_or((false, false), |other| (other.asks_others, other.reopens));
    side_rows.updated.retain(|other| !of_same(other));
    side_rows.updated.push(RequestUpdate {
        asks_others: update.asks_others || asks_others,
        reopens: update.reopens || reopens,
        ..update
    });
}

/// An event that a run publishes. It is pending until the workflows that it starts are started.
fn published(
    id: Uuid,
    workspace: WorkspaceId,
    publisher: ExecutionId,
    event: Arc<Event>,
    depth: u32,
) -> NewEvent {
    NewEvent {
        id,
        workspace,
        event,
        content_hash: Vec::new(),
        depth,
        pending: true,
        publisher: Some(publisher),
        catalog_version: None,
    }
}

/// A message becomes a notice for each member that it names, and a delivery for each outside address. By which ways besides
/// the app a member is told is looked at after the commit.
async fn plan_notice(
    engine: &Engine,
    workspace: WorkspaceId,
    notice: &shared_types::machine::command::Notice,
    side_rows: &mut SideRows,
    post_commit: &mut PostCommit,
) -> store::Result<()> {
    let named: Vec<Approver> = notice.recipients.iter().filter_map(Recipient::members).collect();
    let members = if named.is_empty() {
        Vec::new()
    } else {
        let mut conn = engine.0.pool.acquire().await?;
        people::named(&mut conn, workspace, &named).await?
    };
    for member in &members {
        let id = NoticeId(engine.0.clock.new_id());
        post_commit.messages.push((LiveKind::Notice, id.to_string(), Some(member.user_id)));
        side_rows.notices.push(Notice {
            id,
            user: member.user_id,
            approval_id: notice.approval_id,
            subject: notice.subject.clone(),
            message: notice.message.clone(),
        });
    }
    post_commit.deliveries |= !members.is_empty();
    for recipient in &notice.recipients {
        let is_reached =
            |named: &Approver| members.iter().any(|member| named.includes(&member.email, &member.roles));
        if recipient.members().as_ref().is_some_and(is_reached) {
            continue;
        }
        let undeliverable = match recipient {
            Recipient::Role(role) => Some(format!("Nobody has the role {}.", role::default_name(role))),
            Recipient::Person(email) => Some(format!("{email} isn't a member of the workspace.")),
            Recipient::SlackChannel(_) => Some("Slack isn't set up.".to_owned()),
            Recipient::PagerDuty(_) => Some("PagerDuty isn't set up.".to_owned()),
            Recipient::Unknown(text) => Some(format!("\"{text}\" is no address.")),
            Recipient::Address(_) if engine.0.mail => None,
            Recipient::Address(_) => Some("Mail isn't set up.".to_owned()),
        };
        post_commit.deliveries |= undeliverable.is_none();
        side_rows.deliveries.push(Delivery {
            id: DeliveryId(engine.0.clock.new_id()),
            channel: channel_of(recipient),
            recipient: recipient.to_string(),
            approval_id: notice.approval_id,
            subject: notice.subject.clone(),
            message: notice.message.clone(),
            undeliverable,
        });
    }
    Ok(())
}

/// By which way a recipient outside of the workspace is reached.
fn channel_of(recipient: &Recipient) -> Channel {
    match recipient {
        Recipient::SlackChannel(_) => Channel::Slack,
        Recipient::Role(_)
        | Recipient::Person(_)
        | Recipient::Address(_)
        | Recipient::PagerDuty(_)
        | Recipient::Unknown(_) => Channel::Mail,
    }
}

/// The entries of the audit log for a change. The entry of a decision is made before the policy has judged it, so that the
/// level that it counts at, those for whom the person decided as a delegate, and what edits changed are added here.
pub(super) fn audit_entries(entries: &[Entry], decisions: &[NewDecision]) -> Vec<Entry> {
    let mut entries = entries.to_vec();
    for entry in entries.iter_mut().filter(|entry| entry.action == "approval.decided") {
        let is_own = |decision: &&NewDecision| {
            !decision.stored.made.by_edit && decision.approval_id.to_string() == entry.subject
        };
        let Some(NewDecision { level_name, stored, .. }) = decisions.iter().find(is_own) else { continue };
        let Some(detail) = entry.detail.as_object_mut() else { continue };
        detail.insert("level".to_owned(), json!(level_name));
        detail.insert("for".to_owned(), json!(stored.made.represented()));
        if let Some(edits) = &stored.made.edits {
            detail.insert("edits".to_owned(), json!({ "from": stored.made.edited_from, "to": edits }));
        }
    }
    entries
}
