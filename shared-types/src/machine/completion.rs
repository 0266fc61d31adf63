//! How a run ends, and what is closed with it.

use super::{
    InputError,
    command::Command,
    failure::RunError,
    input::Timer,
    result::{End, FinalResult, RunDecision},
    transition::{Completion, Transition},
};
use crate::{approval::decision::RequestStatus, workflow::duration::in_words};

impl Transition<'_> {
    /// The run itself is over.
    pub(super) fn complete_run(&mut self, completion: Completion) {
        match completion {
            Completion::Ended(_) => self.end_normally(),
            Completion::Failed(error) => self.end_failed(error),
        }
    }

    /// The run came to its end: the result is what the document last said.
    pub(super) fn end_normally(&mut self) {
        let result = match self.state.decision {
            Some(RunDecision::Allowed) => FinalResult::Allowed,
            Some(RunDecision::Blocked) => FinalResult::Blocked,
            None => FinalResult::Executed,
        };
        self.end(result, None, "The run ended");
    }

    pub(super) fn end_failed(&mut self, error: RunError) {
        self.state.reason = Some(error.message.clone());
        self.abandon_all(&error.message);
        self.end(FinalResult::Failed, Some(error), "The run failed");
    }

    pub(super) fn cancel(&mut self, by: &str, reason: Option<&str>) -> Result<(), InputError> {
        if self.state.end.is_some() {
            return Err(InputError::Ended);
        }
        let because = match reason.filter(|reason| !reason.is_empty()) {
            Some(reason) => format!("Cancelled by {by}: “{reason}”"),
            None => format!("Cancelled by {by}"),
        };
        self.stop(FinalResult::Cancelled, &because);
        Ok(())
    }

    pub(super) fn run_timeout(&mut self) -> Result<(), InputError> {
        let Some(timeout) = &self.definition.document().timeout else { return Err(InputError::NotExpected) };
        if !self.state.is_working() {
            return Err(InputError::NotExpected);
        }
        let because = format!("Its {} of work were used up", in_words(timeout.duration()));
        self.stop(FinalResult::TimedOut, &because);
        Ok(())
    }

    /// Ends the run at once, whatever it was doing.
    fn stop(&mut self, result: FinalResult, because: &str) {
        self.abandon_all(because);
        self.state.reason = Some(because.to_owned());
        self.end(result, None, because);
    }

    /// Gives up all that is still under way.
    fn abandon_all(&mut self, because: &str) {
        if let Some(frame) = self.state.root.take() {
            self.abandon(frame, because);
        }
    }

    fn end(&mut self, result: FinalResult, error: Option<RunError>, because: &str) {
        let requests = std::mem::take(&mut self.state.requests);
        for (approval_id, _) in requests.into_iter().filter(|(_, request)| request.early_outcome.is_none()) {
            let because = Some(because.to_owned());
            self.command(Command::Close { approval_id, status: RequestStatus::Withdrawn, because });
        }
        self.state.root = None;
        self.state.abandoned_calls.clear();
        self.state.approved.clear();
        self.state.context_bytes = 0;
        let end = End { at: self.stamp.at, result, error };
        self.state.end = Some(end.clone());
        self.command(Command::Finish(end));
    }

    /// Counts the time that the run works against its `timeout`, and keeps the timer that ends it.
    pub(super) fn count_working_time(&mut self) {
        let Some(timeout) = &self.definition.document().timeout else { return };
        let works = self.state.end.is_none() && self.state.is_working();
        match (self.state.working_since, works) {
            (None, true) => {
                self.state.working_since = Some(self.stamp.at);
                let left = (timeout.millis() - self.state.worked_ms).max(0);
                let at = self.stamp.at + chrono::Duration::milliseconds(left);
                self.command(Command::SetTimer { timer: Timer::RunTimeout, at });
            }
            (Some(since), false) => {
                self.state.working_since = None;
                self.state.worked_ms += (self.stamp.at - since).num_milliseconds();
                if self.state.end.is_none() {
                    self.command(Command::ClearTimer { timer: Timer::RunTimeout });
                }
            }
            (None, false) | (Some(_), true) => {}
        }
    }
}
