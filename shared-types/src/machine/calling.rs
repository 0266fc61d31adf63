//! `call`: a run of another workflow, and what becomes of it.

use super::{
    MAX_DEPTH, Refused,
    command::{Command, StartRun, StepState},
    input::{ChildEnd, ChildStands, Timer},
    lanes::ChildRun,
    place::Place,
    state::{Doing, RunResult},
    turn::{Failure, Flow, Turn},
};
use crate::{
    ids::{EventId, ExecutionId},
    workflow::{
        scope::Scope,
        step::{Call, Step},
    },
};
use serde_json::{Map, Value, json};

impl Turn<'_> {
    pub(super) fn call_workflow(&mut self, step: &Step, place: &Place, call: &Call) -> Result<Flow, Failure> {
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
        let execution_id = ExecutionId(self.fresh_id());
        let awaited = call.wait.unwrap_or(true);
        let until = if awaited { self.bound(step, place) } else { None };
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
            begun: false,
            waiting: false,
            seq: 0,
            until,
        };
        self.command(Command::StartRun(Box::new(start_of(self.state, place, &child))));
        Ok(self.stand(place, Doing::Running(Box::new(child))))
    }

    /// What the other run came to, or how it stands.
    pub(super) fn child_stands(
        &mut self,
        place: &Place,
        seq: i32,
        stands: &ChildStands,
    ) -> Result<(), Refused> {
        if self.state.end.is_some() {
            return Err(Refused::Ended);
        }
        let Some(Doing::Running(child)) = self.frame(place).map(|frame| &frame.doing) else {
            return Err(Refused::NotExpected);
        };
        if seq <= child.seq {
            return Err(Refused::NotExpected);
        }
        let mut child = child.as_ref().clone();
        child.seq = seq;
        let flow = match stands {
            ChildStands::Refused { code, message } => {
                self.unbind(place, &child);
                self.step_failed(place, Failure::new(code, message.clone()))
            }
            ChildStands::Started if child.awaited => {
                child.begun = true;
                self.stand(place, Doing::Running(Box::new(child)))
            }
            ChildStands::Started => {
                let id = json!(child.execution_id);
                self.put_for_step(&place.within, &place.step, "execution_id", id);
                self.child_left(place, &child, format!("{} runs", child.workflow_id))
            }
            ChildStands::Working | ChildStands::Waiting => {
                child.begun = true;
                child.waiting = *stands == ChildStands::Waiting;
                self.stand(place, Doing::Running(Box::new(child)))
            }
            ChildStands::Ended(end) => self.child_ended(place, &child, end),
        };
        self.follow(place, flow);
        Ok(())
    }

    fn child_ended(&mut self, place: &Place, child: &ChildRun, end: &ChildEnd) -> Flow {
        self.unbind(place, child);
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
            RunResult::Failed => ("call.failed", "failed"),
            RunResult::Cancelled => ("call.cancelled", "was cancelled"),
            RunResult::TimedOut => ("call.timed_out", "took too long"),
            RunResult::Allowed | RunResult::Blocked | RunResult::Executed | RunResult::PendingApproval => {
                let reason = format!("{} came to {}{because}", child.workflow_id, end.result.as_str());
                return self.child_left(place, child, reason);
            }
        };
        let message = format!("{} {what}{because}", child.workflow_id);
        let flow = self.step_failed(place, Failure::new(code, message));
        let output = self.last_fact().output.get_or_insert_with(|| json!({}));
        output["execution_id"] = json!(child.execution_id);
        flow
    }

    fn child_left(&mut self, place: &Place, child: &ChildRun, reason: String) -> Flow {
        let next = self.definition.step(&place.step).and_then(|step| step.next.as_ref());
        let flow = self.onward(place, next);
        let flow = self.left(place, reason, flow);
        if let Some(output) = &mut self.last_fact().output {
            output["execution_id"] = json!(child.execution_id);
        }
        flow
    }

    fn unbind(&mut self, place: &Place, child: &ChildRun) {
        if child.until.is_some() {
            self.command(Command::ClearTimer { timer: Timer::StepOver { place: place.clone() } });
        }
    }
}

/// The command that starts a run for a place.
pub(super) fn start_of(state: &super::State, place: &Place, child: &ChildRun) -> StartRun {
    StartRun {
        place: place.clone(),
        execution_id: child.execution_id,
        workflow_id: child.workflow_id.clone(),
        event_id: EventId(format!("{}:{place}:call", state.execution_id)),
        input: child.input.clone(),
        awaited: child.awaited,
        depth: state.depth + 1,
        requester: state.requester.clone(),
    }
}
