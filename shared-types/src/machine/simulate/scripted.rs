//! How a script answers: a call, or a run of another workflow.

use crate::{
    machine::{
        child_run::ChildEnd,
        effects::silent_answer,
        input::{Answer, LoadOutcome, Outcome},
        result::FinalResult,
    },
    workflow::{
        step::Retry,
        test_script::{ScriptedError, ScriptedResponse},
    },
};
use serde_json::{Map, Value};

/// How another workflow's run ends when nothing is scripted.
pub(super) fn executed() -> ChildEnd {
    ChildEnd { result: FinalResult::Executed, decision: None, reason: None, values: Map::new() }
}

/// How a scripted answer ends another workflow's run.
pub(super) fn end_of(outcome: &Outcome) -> ChildEnd {
    let Outcome::Answered(answer) = outcome else {
        let reason = Some("It gave no answer".to_owned());
        return ChildEnd { result: FinalResult::TimedOut, reason, ..executed() };
    };
    let said = |key: &str| answer.body.get(key).cloned().unwrap_or(Value::Null);
    let usual = if (200..300).contains(&answer.status) { FinalResult::Executed } else { FinalResult::Failed };
    ChildEnd {
        result: serde_json::from_value(said("result")).unwrap_or(usual),
        decision: serde_json::from_value(said("decision")).unwrap_or_default(),
        reason: said("reason").as_str().map(str::to_owned),
        values: serde_json::from_value(said("values")).unwrap_or_default(),
    }
}

/// What a load comes to. An error is what is left after all attempts.
pub(super) fn scripted_load(response: Option<&Value>, error: Option<ScriptedError>) -> LoadOutcome {
    if error.is_some() {
        let outcome = scripted_outcome(None, error);
        return LoadOutcome::Failed { outcome, retry: Some(Retry::of_attempts(1)) };
    }
    LoadOutcome::Loaded { value: response.cloned().unwrap_or(Value::Null), from: None }
}

/// What a call comes to.
pub(super) fn scripted_outcome(response: Option<&ScriptedResponse>, error: Option<ScriptedError>) -> Outcome {
    if let Some(error) = error {
        let message = match error {
            ScriptedError::Timeout => "No answer in time",
            ScriptedError::Connection => "No connection",
        };
        return Outcome::Unanswered { error, message: message.to_owned() };
    }
    let Some(response) = response else { return silent_answer() };
    let headers: Map<String, Value> =
        response.headers.iter().map(|(key, value)| (key.to_lowercase(), value.clone())).collect();
    Outcome::Answered(Answer {
        record_id: None,
        status: response.status,
        headers,
        body: response.body.clone().unwrap_or(Value::Null),
    })
}
