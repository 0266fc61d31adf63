//! `call`: a run of another workflow, and what becomes of it.

use super::{
    InputError, MAX_DEPTH,
    address::StepAddress,
    child_run::{ChildEnd, ChildRun, ChildStatus},
    command::{Command, StartRun},
    fact::StepState,
    failure::Failure,
    frames::Activity,
    input::Timer,
    result::FinalResult,
    transition::{Next, Transition},
};
use crate::{
    ids::{EventId, ExecutionId},
    workflow::{
        scope::Scope,
        step::{CallWorkflow, Step},
    },
};
use serde_json::{Map, Value, json};

impl Transition<'_> {
    pub(super) fn call_workflow(
        &mut self,
        step: &Step,
        place: &StepAddress,
        call: &CallWorkflow,
    ) -> Result<Next, Failure> {
        if self.state.depth + 1 > MAX_DEPTH {
            let message =
                format!("Runs set each other off {MAX_DEPTH} deep; {} isn't run.", call.workflow_id);
            return Err(Failure::new("call.depth", message));
        }
        let context = self.context(place);
        let input = call.input.as_ref().map(|input| input.value(&Scope::masked(&context, self.stamp.at)));
        let input = match input.transpose()? {
            Some(Value::Object(input)) => input,
            None | Some(Value::Null) => Map::new(),
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                return Err(Failure::new("call.input", "`input` must be a map of names and values."));
            }
        };
        if !self.state.approved.is_empty()
            && let Some(next) = self.call_held_back(place, call)
        {
            return Ok(next);
        }
        let revision = self.approved_revision(place);
        let execution_id = ExecutionId(self.fresh_id());
        let awaited = call.wait.unwrap_or(true);
        let until = if awaited { self.set_step_timeout(step, place) } else { None };
        let fact = self.fact(place, StepState::Entered);
        fact.reason = Some(format!("Runs {}", call.workflow_id));
        fact.input = Some(json!({
            "workflow_id": call.workflow_id, "execution_id": execution_id, "input": input,
        }));
        let child = ChildRun {
            execution_id,
            workflow_id: call.workflow_id.clone(),
            input,
            awaited,
            revision,
            started: false,
            waiting: false,
            seq: 0,
            until,
        };
        self.command(Command::StartRun(Box::new(start_of(self.state, place, &child))));
        Ok(self.set_frame(place, Activity::AwaitingChild(Box::new(child))))
    }

    /// What the other run came to, or how it stands.
    pub(super) fn child_changed(
        &mut self,
        place: &StepAddress,
        seq: i32,
        stands: &ChildStatus,
    ) -> Result<(), InputError> {
        if self.state.end.is_some() {
            return Err(InputError::Ended);
        }
        let Some(Activity::AwaitingChild(child)) = self.frame(place).map(|frame| &frame.activity) else {
            return Err(InputError::NotExpected);
        };
        if seq <= child.seq {
            return Err(InputError::NotExpected);
        }
        let mut child = child.as_ref().clone();
        child.seq = seq;
        if !matches!(stands, ChildStatus::OtherRevision { .. }) {
            self.pass_revision(place);
        }
        let flow = match stands {
            ChildStatus::OtherRevision { revision } => {
                self.clear_step_timeout(place, &child);
                self.revision_held_back(place, &child, *revision)
            }
            ChildStatus::Refused { code, message } => {
                self.clear_step_timeout(place, &child);
                self.step_failed(place, Failure::new(code, message.clone())).next
            }
            ChildStatus::Started if child.awaited => {
                child.started = true;
                self.set_frame(place, Activity::AwaitingChild(Box::new(child)))
            }
            ChildStatus::Started => {
                let id = json!(child.execution_id);
                self.put_for_step(&place.within, &place.step, "execution_id", id);
                self.complete_call(place, &child, format!("{} runs", child.workflow_id))
            }
            ChildStatus::Working | ChildStatus::Waiting => {
                child.started = true;
                child.waiting = *stands == ChildStatus::Waiting;
                self.set_frame(place, Activity::AwaitingChild(Box::new(child)))
            }
            ChildStatus::Ended(end) => self.child_ended(place, &child, end),
        };
        self.continue_from(place, flow);
        Ok(())
    }

    fn child_ended(&mut self, place: &StepAddress, child: &ChildRun, end: &ChildEnd) -> Next {
        self.clear_step_timeout(place, child);
        let within = &place.within;
        for (name, value) in [
            ("execution_id", json!(child.execution_id)),
            ("result", json!(end.result)),
            ("decision", json!(end.decision)),
            ("reason", json!(end.reason)),
            ("values", Value::Object(end.values.clone())),
        ] {
            self.put_for_step(within, &place.step, name, value);
        }
        let because = end.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let (code, what) = match end.result {
            FinalResult::Failed => ("call.failed", "failed"),
            FinalResult::Cancelled => ("call.cancelled", "was cancelled"),
            FinalResult::TimedOut => ("call.timed_out", "took too long"),
            FinalResult::Allowed | FinalResult::Blocked | FinalResult::Executed => {
                let reason = format!("{} came to {}{because}", child.workflow_id, end.result.as_str());
                return self.complete_call(place, child, reason);
            }
        };
        let message = format!("{} {what}{because}", child.workflow_id);
        let end = self.step_failed(place, Failure::new(code, message));
        let output = end.fact.output.get_or_insert_with(|| json!({}));
        output["execution_id"] = json!(child.execution_id);
        end.next
    }

    fn complete_call(&mut self, place: &StepAddress, child: &ChildRun, reason: String) -> Next {
        let next = self.definition.step(&place.step).and_then(|step| step.next.as_ref());
        let flow = self.next_or_following(place, next);
        let end = self.complete_waiting_step(place, reason, flow);
        let output = end.fact.output.get_or_insert_with(|| json!({}));
        output["execution_id"] = json!(child.execution_id);
        end.next
    }

    fn clear_step_timeout(&mut self, place: &StepAddress, child: &ChildRun) {
        if child.until.is_some() {
            self.command(Command::ClearTimer { timer: Timer::StepTimeout { place: place.clone() } });
        }
    }
}

/// The command that starts a run for a place.
pub(super) fn start_of(state: &super::State, place: &StepAddress, child: &ChildRun) -> StartRun {
    StartRun {
        place: place.clone(),
        execution_id: child.execution_id,
        workflow_id: child.workflow_id.clone(),
        event_id: EventId(format!("{}:{place}:call", state.execution_id)),
        input: child.input.clone(),
        awaited: child.awaited,
        revision: child.revision,
        depth: state.depth + 1,
        requester: state.requester.clone(),
    }
}
