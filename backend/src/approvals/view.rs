//! A request as a caller sees it: how its levels stand, who is asked by name, what they may do, who is still needed.

use crate::{
    auth::{Principal, Who},
    clock::Clock,
    store::{
        self,
        approvals::{StoredApproval, people_needs},
        calendars, environment, roles, snoozes,
    },
};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use shared_types::{
    api::approvals::{
        Approval, ApprovalDecision, ApprovalEffect, ApprovalField, ApprovalHandover, ApprovalLevel,
        LevelStatus, Represented, Standpoint,
    },
    approval::{
        decision::{MadeDecision, RequestLevel, RequestStatus},
        people::People,
        policy::Policy,
        quorum::Place,
        seen::ResolvedEffect,
        standing::filling,
    },
    ids::ApprovalId,
    recipient::Approver,
    role::RoleNames,
    workflow::calendar::WorkingTime,
};
use sqlx::PgPool;
use std::{cmp::Ordering, collections::BTreeMap};

/// How many of the effects that an approval sends are listed.
const MAX_SHOWN_EFFECTS: usize = 100;

/// Requests as a caller sees them. The people and the names of roles are read by a few queries for all of them.
///
/// # Errors
/// When the database fails.
pub async fn views(
    (pool, clock): (&PgPool, &Clock),
    principal: &Principal,
    stored: Vec<StoredApproval>,
) -> store::Result<Vec<Approval>> {
    if stored.is_empty() {
        return Ok(Vec::new());
    }
    let now = clock.now();
    let mut needs = people_needs(&stored);
    if let Who::Person(person) = &principal.who {
        needs.persons.push(person.email.clone());
    }
    let mut conn = pool.acquire().await?;
    let people = environment::people(&mut conn, principal.workspace, &needs, now).await?;
    let are_roles = needs.entries.iter().any(|approver| matches!(approver, Approver::Role(_)));
    let role_names =
        if are_roles { roles::names(&mut conn, principal.workspace).await? } else { RoleNames::default() };
    let snoozed = match &principal.who {
        Who::Person(person) => snoozes::of(&mut conn, principal.workspace, person.user_id, now).await?,
        Who::Key(_) => Vec::new(),
    };
    let open = stored.iter().filter(|stored| stored.status == RequestStatus::Pending);
    let named: Vec<String> = open.filter_map(|stored| stored.request.calendar.clone()).collect();
    let calendars = calendars::named(&mut conn, principal.workspace, &named).await?;
    let viewer = Viewer {
        address: match &principal.who {
            Who::Person(person) => Some(person.email.as_str()),
            Who::Key(_) => None,
        },
        people: People::new(&people, now),
        role_names: &role_names,
        snoozed: snoozed.into_iter().collect(),
        calendars: calendars
            .iter()
            .filter_map(|c| Some((c.name.clone(), WorkingTime::of(c).ok()?)))
            .collect(),
    };
    Ok(stored.into_iter().map(|stored| viewer.view(stored)).collect())
}

/// Who looks, and what is known of those whom the requests concern.
struct Viewer<'v> {
    /// The person's address; none for a key.
    address: Option<&'v str>,
    people: People<'v>,
    role_names: &'v RoleNames,
    snoozed: BTreeMap<ApprovalId, DateTime<Utc>>,
    /// The calendars that deadlines of open requests are counted in.
    calendars: BTreeMap<String, WorkingTime>,
}

impl Viewer<'_> {
    fn view(&self, stored: StoredApproval) -> Approval {
        let policy = stored.policy();
        let is_open = stored.status == RequestStatus::Pending;
        let needed = if is_open { policy.still_needed(&self.people, self.role_names) } else { None };
        // What was found when it was looked at last may not be so any more.
        let stuck = stored.stuck.clone().filter(|_| is_open && policy.stuck(&self.people).is_some());
        let cannot = match self.address {
            Some(address) => policy.may_decide(&self.people, address).err().map(|why| format!("{why}.")),
            None => Some("An API key can't decide; people do.".to_owned()),
        };
        let you = self.address.map(|address| self.standpoint(&policy, address));
        let levels: Vec<ApprovalLevel> = stored
            .request
            .levels
            .iter()
            .enumerate()
            .map(|(n, level)| {
                let needed = needed.clone().filter(|_| n == stored.open);
                self.level(&stored, n, level, needed)
            })
            .collect();
        let request = stored.request;
        let values = request.values;
        let form = request.form.into_iter().map(|field| {
            let value = values.get(&field.name).cloned().unwrap_or_default();
            ApprovalField { field, value }
        });
        Approval {
            approval_id: request.approval_id,
            execution_id: stored.execution_id,
            workflow_id: stored.workflow_id,
            workflow_name: stored.workflow_name,
            step_id: request.place.step,
            status: stored.status,
            withdrawn_because: stored.withdrawn_because,
            subject: request.subject,
            reason: request.reason,
            amount: request.amount,
            currency: request.currency,
            entity: request.entity,
            entity_id: request.entity_id,
            data: request.data,
            requester: request.requester,
            asked_at: stored.asked_at,
            expires_at: request.expires_at,
            closed_at: stored.closed_at,
            levels,
            still_needed: needed,
            can_decide: cannot.is_none(),
            cannot_because: cannot,
            you,
            stuck,
            reopened: stored.reopened,
            working_seconds_left: self.working_seconds_left(request.calendar.as_deref(), request.expires_at),
            calendar: request.calendar,
            form: form.collect(),
            effects: shown_effects(request.effects),
            quick: request.quick,
            why: request.why,
            if_approved: request.if_approved,
            if_rejected: request.if_rejected,
            seen: stored.seen,
            snoozed_until: self.snoozed.get(&request.approval_id).copied().filter(|_| is_open),
        }
    }

    fn working_seconds_left(&self, calendar: Option<&str>, until: Option<DateTime<Utc>>) -> Option<i64> {
        let hours = self.calendars.get(calendar?)?;
        Some(hours.open_between(self.people.at, until?).num_seconds())
    }

    fn standpoint(&self, policy: &Policy<'_>, address: &str) -> Standpoint {
        let rights = policy.rights(&self.people, address).unwrap_or_default();
        let may = policy.may(&self.people, address);
        // Whoever can only reject does so for those whose veto it is.
        let decides_in = if rights.capacities.is_empty() { rights.vetoes } else { rights.capacities };
        let stands_for = decides_in.into_iter().filter_map(|capacity| capacity.stands_for);
        let stands_for: Vec<String> = stands_for.collect();
        let represents = stands_for.iter().map(|other| Represented {
            name: self.people.name(other).to_owned(),
            away_until: self
                .people
                .find(other)
                .and_then(|person| Some(person.absence_at(self.people.at)?.until)),
        });
        Standpoint {
            level: policy.level().filter(|_| !may.is_empty()).map(|level| level.name.clone()),
            may,
            represents: represents.collect(),
            stands_for,
        }
    }

    fn level(
        &self,
        stored: &StoredApproval,
        n: usize,
        level: &RequestLevel,
        still_needed: Option<String>,
    ) -> ApprovalLevel {
        let progress = &level.progress;
        let filled = filling(level);
        let handovers = progress.handovers.iter().map(|handover| ApprovalHandover {
            from_name: self.people.name(&handover.from).to_owned(),
            from: handover.from.clone(),
            to_name: self.people.name(&handover.to).to_owned(),
            to: handover.to.clone(),
            comment: handover.comment.clone(),
            at: handover.at,
        });
        let mut places = filled.places.iter();
        let decisions = level.decisions.iter().map(|made| {
            let place = if made.counts() && made.decision.approves() { places.next() } else { None };
            let edited_from = edited_from(made, &stored.request.levels).cloned();
            let shown =
                ApprovalDecision { edited_from, ..shown_decision(made, place.and_then(Option::as_ref)) };
            let stands_for_name = shown.stands_for.as_deref().map(|other| self.people.name(other).to_owned());
            ApprovalDecision { stands_for_name, ..shown }
        });
        ApprovalLevel {
            name: level.name.clone(),
            approvers: level.approvers.clone(),
            quorum: level.quorum.clone(),
            rejections: level.rejections,
            escalate_to: level.escalate_to.clone(),
            status: level_status(stored, n),
            filled: filled.filled,
            opened_at: progress.opened_at.or((n == 0).then_some(stored.asked_at)),
            expires_at: progress.expires_at.or(stored.request.expires_at.filter(|_| n == stored.open)),
            reminds_at: progress.reminds_at,
            reminded_at: progress.reminded_at,
            escalates_at: progress.escalates_at,
            escalated_at: progress.escalated_at,
            still_needed,
            decisions: decisions.collect(),
            handovers: handovers.collect(),
        }
    }
}

fn level_status(stored: &StoredApproval, n: usize) -> LevelStatus {
    match (n.cmp(&stored.open), stored.status) {
        (
            Ordering::Less,
            RequestStatus::Pending
            | RequestStatus::Approved
            | RequestStatus::Rejected
            | RequestStatus::ChangesRequested
            | RequestStatus::Expired
            | RequestStatus::Withdrawn,
        )
        | (Ordering::Equal, RequestStatus::Approved) => LevelStatus::Approved,
        (Ordering::Greater, RequestStatus::Pending) => LevelStatus::Waiting,
        (Ordering::Equal, RequestStatus::Pending) => LevelStatus::Open,
        (Ordering::Equal, RequestStatus::Rejected) => LevelStatus::Rejected,
        (Ordering::Equal, RequestStatus::Expired) => LevelStatus::Expired,
        (Ordering::Equal, RequestStatus::ChangesRequested) => LevelStatus::ChangesRequested,
        (Ordering::Equal, RequestStatus::Withdrawn)
        | (
            Ordering::Greater,
            RequestStatus::Approved
            | RequestStatus::Rejected
            | RequestStatus::Expired
            | RequestStatus::ChangesRequested
            | RequestStatus::Withdrawn,
        ) => LevelStatus::Withdrawn,
    }
}

/// What the fields held that a decision edited. One that stands for an approval at a later level edited what that one did.
fn edited_from<'l>(made: &'l MadeDecision, levels: &'l [RequestLevel]) -> Option<&'l Map<String, Value>> {
    let is_edit = |other: &&MadeDecision| !other.by_edit && other.by == made.by && other.at == made.at;
    let all = || levels.iter().flat_map(|level| &level.decisions);
    let edit = if made.by_edit { all().find(is_edit)? } else { made };
    edit.edited_from.as_ref()
}

/// A decision with whom it is for: the place that it fills says so; else the first capacity that it was made in, where
/// people's own comes first.
fn shown_decision(made: &MadeDecision, place: Option<&Place>) -> ApprovalDecision {
    let stands_for = match place {
        Some(place) => place.stands_for.clone(),
        None => made.capacities.first().and_then(|capacity| capacity.stands_for.clone()),
    };
    ApprovalDecision {
        decision: made.decision,
        by: made.by.clone(),
        name: made.name.clone(),
        stands_for,
        stands_for_name: None,
        place: place.and_then(|place| place.entry.clone()),
        comment: made.comment.clone(),
        edits: made.edits.clone(),
        edited_from: made.edited_from.clone(),
        at: made.at,
        decided_at: made.decided_at,
        retracted_at: made.retracted_at,
        superseded_at: made.superseded_at,
    }
}

/// The first of what an approval sends; all of it is part of what is seen.
fn shown_effects(effects: Vec<ResolvedEffect>) -> Vec<ApprovalEffect> {
    effects.into_iter().filter(ResolvedEffect::is_listed).take(MAX_SHOWN_EFFECTS).map(shown_effect).collect()
}

fn shown_effect(effect: ResolvedEffect) -> ApprovalEffect {
    ApprovalEffect {
        at_the_time: effect.at_the_time(),
        step_id: effect.step_id,
        lanes: Some(effect.lanes).filter(|lanes| !lanes.is_empty()),
        index: effect.index,
        kind: effect.kind,
        request: effect.request,
    }
}
