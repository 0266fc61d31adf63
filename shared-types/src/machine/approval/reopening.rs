//! What was approved is what runs: an effect that would send something else than what people saw isn't sent, and its request
//! is open again at its first level.

use super::super::{
    address::{StepAddress, lanes},
    child_run::ChildRun,
    command::{Command, RequestUpdate, Voided},
    fact::StepState,
    failure::Failure,
    frames::Activity,
    preview,
    preview::Asked,
    resolved_effects::{ResolvedWith, call_now, revision_of, send_now, sends, set_now, version_of},
    state::{ApprovedRequest, OpenRequest, ResumePoint},
    transition::{Next, Transition},
};
use crate::{
    approval::{
        progress::{FieldChange, Reopening, ResolvedAnew, differences},
        seen::{CALL, CALLED_BELOW, RULE_VERSION, ResolvedEffect, SET, WAY, WORKFLOW_REVISION},
    },
    ids::{ApprovalId, WorkflowId},
    workflow::{
        TemplateValue,
        effect::Effect,
        rule::Rule,
        step::{CallWorkflow, Step},
        template::as_text,
    },
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl ApprovedRequest {
    /// Whether something that was resolved is this effect of a place.
    fn is_of(&self, held: &ResolvedEffect, place: &StepAddress, index: u32) -> bool {
        let around = &self.request.place.within;
        held.step_id == place.step
            && held.index == index
            && place.within.strip_prefix(around.as_slice()).is_some_and(|below| lanes(below) == held.lanes)
    }
}

/// What would be other than approved: the effect's number among those of its step, its type, and the workflow or rule whose
/// revision it is.
#[derive(Clone, Copy)]
struct Differing<'d> {
    index: u32,
    kind: &'d str,
    of: Option<&'d str>,
}

/// Why a request is open again, in words.
fn because(place: &StepAddress, what: Differing<'_>, changes: &[FieldChange]) -> String {
    let step = &place.step;
    let named: Vec<&str> = changes.iter().map(|change| change.pointer.as_str()).collect();
    let named = if named == [""] { "all of it".to_owned() } else { named.join(", ") };
    match (what.kind, changes) {
        (_, [change]) if change.pointer.is_empty() && change.from.is_null() => {
            format!("{step} is beyond what could be looked at when it was approved")
        }
        (WAY, _) => format!("{step} would go another way than when it was approved: {named}"),
        (SET, _) => format!("{step} would set something else than what was approved: {named}"),
        (CALLED_BELOW, _) => {
            format!("{step} would lead to other revisions than when it was approved: {named}")
        }
        (WORKFLOW_REVISION, [change]) => {
            let (from, to) = (as_text(&change.from), as_text(&change.to));
            let of = what.of.unwrap_or("its workflow");
            format!("{step} would run revision {to} of {of}, and revision {from} was approved: {named}")
        }
        (RULE_VERSION, [change]) => {
            let (from, to) = (as_text(&change.from), as_text(&change.to));
            let of = what.of.map_or_else(|| "its rule".to_owned(), |rule| format!("the rule {rule}"));
            format!("{step} would ask version {to} of {of}, and version {from} was approved: {named}")
        }
        _ => format!("{step} would send something else than what was approved: {named}"),
    }
}

impl Transition<'_> {
    /// Keeps what people approved, to hold its effects against it when they come due.
    pub(super) fn hold_approved(&mut self, approval_id: ApprovalId, request: &OpenRequest) {
        // Asked again at the same place: what was approved before doesn't count any more.
        self.state.approved.retain(|earlier| {
            earlier.request.place.step != request.place.step
                || earlier.request.place.within != request.place.within
        });
        if (request.is_cut || !request.effects.is_empty()) && request.resolved_at.is_some() {
            let request = OpenRequest { resumes: None, suspended: Vec::new(), ..request.clone() };
            self.state.approved.push(ApprovedRequest { approval_id, request });
        }
    }

    /// Whether an effect that comes due is what people approved. One that isn't opens its request again, and the run stands
    /// at the effect; one that nobody approved, or that is as it was, may be sent.
    pub(in crate::machine) fn held_back(
        &mut self,
        place: &StepAddress,
        index: u32,
        effect: &Effect,
    ) -> Option<Next> {
        let Some((at, held)) = self.held(place, index) else {
            return sends(effect).then(|| self.beyond(place, index, effect.type_name())).flatten();
        };
        let placeholders = held.placeholders.clone();
        let with = self.resolved_with(at, placeholders)?;
        let now = send_now(self, place, effect, &with);
        self.hold_against(place, index, effect.type_name(), now)
    }

    /// The same of the input of a workflow that is called.
    pub(in crate::machine) fn call_held_back(
        &mut self,
        place: &StepAddress,
        call: &CallWorkflow,
    ) -> Option<Next> {
        let Some((at, held)) = self.held(place, 0) else { return self.beyond(place, 0, CALL) };
        let placeholders = held.placeholders.clone();
        let with = self.resolved_with(at, placeholders)?;
        let now = call_now(self, place, call, &with);
        self.hold_against(place, 0, CALL, now).or_else(|| {
            self.held(place, 2).filter(|(_, held)| held.kind == CALLED_BELOW)?;
            let now = self.below(&call.workflow_id).unwrap_or_else(|| json!({}));
            self.hold_against(place, 2, CALLED_BELOW, now)
        })
    }

    /// What a workflow calls and asks in turn, as people see it; none where that is nothing.
    pub(in crate::machine) fn below(&self, workflow_id: &WorkflowId) -> Option<Value> {
        let known = self.stamp.environment.as_deref().filter(|_| self.state.holds_places())?;
        serde_json::to_value(known.called_below.get(workflow_id)?).ok()
    }

    /// The same of the values of a `set` step that are made at the time.
    pub(in crate::machine) fn set_held_back(
        &mut self,
        place: &StepAddress,
        set: &BTreeMap<String, TemplateValue>,
    ) -> Option<Next> {
        let (at, held) = self.held(place, 0).filter(|(_, held)| held.kind == SET)?;
        let paths = held.request.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
        let placeholders = held.placeholders.clone();
        let with = self.resolved_with(at, placeholders)?;
        let now = set_now(self, place, set, &paths, &with);
        self.hold_against(place, 0, SET, now)
    }

    /// The same of the way that a step takes.
    pub(in crate::machine) fn way_held_back(&mut self, step: &Step, place: &StepAddress) -> Option<Next> {
        let (_, held) = self.held(place, 0)?;
        if held.kind != WAY {
            return None;
        }
        let way = self.way_of(step, place)?;
        self.hold_against(place, 0, WAY, way)
    }

    /// The same of a rule that was read, and of the way to which it leads.
    pub(in crate::machine) fn rule_held_back(
        &mut self,
        step: &Step,
        place: &StepAddress,
        rule_id: &str,
        rule: &Rule,
    ) -> Option<Next> {
        self.held(place, 0)?;
        let version = version_of(rule_id, rule.version);
        self.hold_against(place, 0, RULE_VERSION, version).or_else(|| {
            self.held(place, 1)?;
            let way = self.way_by(step, place, &rule.condition);
            self.hold_against(place, 1, WAY, way)
        })
    }

    /// The revision of the workflow to call here that people approved.
    pub(in crate::machine) fn approved_revision(&self, place: &StepAddress) -> Option<i32> {
        let (_, held) = self.held(place, 1)?;
        let revision = held.request.as_ref()?.get("revision")?;
        // Revisions count from 1: what wasn't there has none that could be the approved one.
        revision.as_i64().map_or(Some(0), |revision| i32::try_from(revision).ok())
    }

    /// The called workflow runs, or can't run at all: its revision was the approved one.
    pub(in crate::machine) fn pass_revision(&mut self, place: &StepAddress) {
        if let Some((at, held)) = self.held(place, 1)
            && held.kind == WORKFLOW_REVISION
        {
            self.pass(at, place, 1);
        }
    }

    /// The called workflow has another revision than the one that people approved.
    pub(in crate::machine) fn revision_held_back(
        &mut self,
        place: &StepAddress,
        child: &ChildRun,
        revision: i32,
    ) -> Next {
        let now = revision_of(&child.workflow_id, Some(revision));
        let held = self.suspend(place, 0).or_else(|| self.hold_against(place, 1, WORKFLOW_REVISION, now));
        held.unwrap_or_else(|| {
            let message = format!("{} has revision {revision} now.", child.workflow_id);
            self.step_failed(place, Failure::new("call.revision", message)).next
        })
    }

    /// What is sent beyond what was looked at is asked again.
    fn beyond(&mut self, place: &StepAddress, index: u32, kind: &str) -> Option<Next> {
        let at = self.state.approved.iter().position(|approved| {
            approved.request.is_cut && place.within.starts_with(&approved.request.place.within)
        })?;
        let approved = self.state.approved.remove(at);
        let change = FieldChange { pointer: String::new(), from: Value::Null, to: json!(place.to_string()) };
        Some(self.reopen(approved, place, Differing { index, kind, of: None }, &[change]))
    }

    /// What people approved of this effect of a place, and of which of the approved requests it is part.
    fn held(&self, place: &StepAddress, index: u32) -> Option<(usize, &ResolvedEffect)> {
        // What was approved last counts first.
        self.state.approved.iter().enumerate().rev().find_map(|(at, approved)| {
            let held = approved.request.effects.iter().find(|held| approved.is_of(held, place, index))?;
            Some((at, held))
        })
    }

    /// With what an approved request was resolved, and these placeholders.
    fn resolved_with(&self, at: usize, placeholders: Vec<String>) -> Option<ResolvedWith> {
        let request = &self.state.approved.get(at)?.request;
        Some(ResolvedWith { values: request.values.clone(), at: request.resolved_at?, placeholders })
    }

    /// Holds what is due against what people approved.
    fn hold_against(&mut self, place: &StepAddress, index: u32, kind: &str, now: Value) -> Option<Next> {
        let (at, held) = self.held(place, index)?;
        let mut room = usize::MAX;
        let sent = ResolvedEffect::new(&place.step, index, kind, now, &mut room);
        if sent.digest == held.digest {
            self.pass(at, place, index);
            return None;
        }
        let changes = match (&held.request, &sent.request) {
            (Some(before), Some(now)) => differences(before, now),
            // What was too large to be kept differs as a whole.
            (None, _) | (_, None) => {
                vec![FieldChange { pointer: String::new(), from: json!(held.digest), to: json!(sent.digest) }]
            }
        };
        let approved = self.state.approved.remove(at);
        let named = sent.request.as_ref().filter(|_| self.state.holds_places());
        let of = named.and_then(|now| now.get("workflow_id").or_else(|| now.get("rule_id"))?.as_str());
        Some(self.reopen(approved, place, Differing { index, kind, of }, &changes))
    }

    /// What was approved is done.
    fn pass(&mut self, at: usize, place: &StepAddress, index: u32) {
        let Some(approved) = self.state.approved.get_mut(at) else { return };
        let passed = approved.request.effects.iter().position(|held| approved.is_of(held, place, index));
        if let Some(passed) = passed {
            approved.request.effects.remove(passed);
        }
        if approved.request.effects.is_empty() && !approved.request.is_cut {
            self.state.approved.remove(at);
        }
    }

    /// Opens a request again, at its first level, and stands at the effect that would send something else.
    fn reopen(
        &mut self,
        approved: ApprovedRequest,
        place: &StepAddress,
        what: Differing<'_>,
        changes: &[FieldChange],
    ) -> Next {
        let definition = self.definition;
        let ApprovedRequest { approval_id, mut request } = approved;
        let now = self.stamp.at;
        let because = because(place, what, changes);
        let resumes = ResumePoint { place: place.clone(), index: what.index };
        if let Some(step) = definition.step(&request.place.step) {
            let asked = Asked {
                step,
                place: &request.place,
                subject: request.subject.as_deref(),
                resumes: Some(&resumes),
                suspended: &[],
                at: None,
            };
            let previews = preview::previews(self, &asked, &request.values);
            request.show_anew(request.values.clone(), previews.effects.clone());
            request.is_cut = previews.is_cut;
            request.resolved = Some(Box::new(ResolvedAnew {
                if_approved: previews.approved,
                if_rejected: previews.rejected,
                effects: previews.effects,
            }));
        }
        request.resolved_at = Some(now);
        request.round += 1;
        request.stuck = None;
        request.early_outcome = None;
        request.resumes = Some(resumes);
        request.reopened.push(Reopening { at: now, because: because.clone(), changes: changes.to_vec() });
        let mut voided = Vec::new();
        let keeps_handovers = self.state.holds_places();
        for level in &mut request.levels {
            level.progress = level.progress.closed(keeps_handovers);
            for made in level.decisions.iter_mut().filter(|made| made.counts()) {
                made.superseded_at = Some(now);
                voided.push(made.n);
            }
        }
        self.state.requests.insert(approval_id, request);
        self.command(Command::VoidDecisions { approval_id, decisions: voided, voided: Voided::Superseded });
        self.open_first_level(approval_id);
        let fact = self.fact(place, StepState::Waiting);
        fact.reason = Some(format!("Not sent, and asked again: {because}"));
        fact.output = Some(json!({ "approval_id": approval_id, "changes": changes }));
        self.announce_reopened(approval_id);
        self.set_frame(place, Activity::AwaitingApproval { approval_id })
    }

    fn announce_reopened(&mut self, approval_id: ApprovalId) {
        let Some(request) = self.state.requests.get(&approval_id) else { return };
        let update = RequestUpdate {
            approval_id,
            progress: request.progress(),
            seen: request.seen.clone(),
            approvers: request.entries(),
            asks_others: true,
            reopens: true,
        };
        self.command(Command::UpdateRequest(Box::new(update)));
    }

    /// Goes on with the effect that waited for its request to be approved anew.
    pub(super) fn resume_effects(&mut self, resumes: &ResumePoint) -> Next {
        let definition = self.definition;
        let Some(step) = definition.step(&resumes.place.step) else { return Next::Stay };
        if let Some(next) = self.suspend(&resumes.place, resumes.index) {
            return next;
        }
        let has_effects = !step.effects().is_empty();
        let is_entered = has_effects && (resumes.index > 0 || !self.state.looks_ahead());
        let resumed = if is_entered {
            self.effects(step, &resumes.place, resumes.index)
        } else {
            self.take_frame(&resumes.place);
            self.dispatch(step, &resumes.place)
        };
        match resumed {
            Ok(next) => next,
            Err(failure) => self.step_failed(&resumes.place, failure).next,
        }
    }
}
