//! What a step holds, what it does, and where it leads.

use super::{Action, EventWait, Foreach, Outcomes, Step, StepKind, Wait};
use crate::{ids::StepId, workflow::effect::Effect};

impl Step {
    /// The sequences of steps that stand in this one: its branches, or its body.
    pub fn sequences(&self) -> impl Iterator<Item = &[Step]> {
        let parallel = if let StepKind::Parallel { parallel } = &self.kind { Some(parallel) } else { None };
        let branches = parallel.map(|parallel| parallel.branches().map(|(_, steps)| steps));
        branches.into_iter().flatten().chain(self.foreach().map(|foreach| foreach.steps.as_slice()))
    }

    /// One of the sequences of steps that stand in this one.
    pub fn sequence(&self, n: usize) -> Option<&[Step]> {
        self.sequences().nth(n)
    }

    /// The items and the body of a foreach step.
    pub fn foreach(&self) -> Option<&Foreach> {
        if let StepKind::Foreach { foreach } = &self.kind { Some(foreach) } else { None }
    }

    /// Whether the step says itself what follows it. In a branch or body, one that doesn't runs in order;
    /// where a failure leads (`on_error`, `on_timeout`) says nothing of that.
    pub fn names_what_follows(&self) -> bool {
        self.links().iter().any(|(key, _)| !matches!(key.as_str(), "on_error" | "wait/on_timeout"))
    }

    /// Every link of the step to another, with its key's pointer below the step.
    ///
    /// Links of steps nested in a branch or a body are not among them.
    pub fn links(&self) -> Vec<(String, &StepId)> {
        let mut links: Vec<(String, &StepId)> = Vec::new();
        let shared = [("next", &self.next), ("on_error", &self.on_error)];
        let own: Vec<(String, &Option<StepId>)> = match &self.kind {
            StepKind::Condition { on_true, on_false, .. } => {
                vec![("on_true".to_owned(), on_true), ("on_false".to_owned(), on_false)]
            }
            StepKind::Switch { cases, default } => cases
                .iter()
                .enumerate()
                .map(|(n, case)| (format!("cases/{n}/next"), &case.next))
                .chain([("default".to_owned(), default)])
                .collect(),
            StepKind::Action { outcomes, .. }
            | StepKind::Execute { outcomes, .. }
            | StepKind::Approval { outcomes, .. } => {
                links.extend(outcomes.links().map(|(key, link)| (key.to_owned(), link)));
                Vec::new()
            }
            StepKind::Wait { wait: Wait::Event(wait) } => {
                vec![("wait/on_timeout".to_owned(), &wait.on_timeout)]
            }
            StepKind::Wait { .. }
            | StepKind::Parallel { .. }
            | StepKind::Foreach { .. }
            | StepKind::Set { .. }
            | StepKind::Call { .. }
            | StepKind::Ai { .. }
            | StepKind::Emit { .. }
            | StepKind::Fail { .. } => Vec::new(),
        };
        let named = shared.into_iter().map(|(key, link)| (key.to_owned(), link)).chain(own);
        links.extend(named.filter_map(|(key, link)| link.as_ref().map(|link| (key, link))));
        links
    }

    /// The effects of the step, in order; none where its type has no list.
    pub fn effects(&self) -> &[Effect] {
        match &self.kind {
            StepKind::Action { execute, .. } | StepKind::Execute { execute, .. } => execute,
            StepKind::Condition { .. }
            | StepKind::Switch { .. }
            | StepKind::Approval { .. }
            | StepKind::Parallel { .. }
            | StepKind::Foreach { .. }
            | StepKind::Wait { .. }
            | StepKind::Set { .. }
            | StepKind::Call { .. }
            | StepKind::Ai { .. }
            | StepKind::Emit { .. }
            | StepKind::Fail { .. } => &[],
        }
    }

    /// Where the decision of a request made in this step leads; `None` where its type can't ask.
    pub fn outcomes(&self) -> Option<&Outcomes> {
        match &self.kind {
            StepKind::Action { outcomes, .. }
            | StepKind::Execute { outcomes, .. }
            | StepKind::Approval { outcomes, .. } => Some(outcomes),
            StepKind::Condition { .. }
            | StepKind::Switch { .. }
            | StepKind::Parallel { .. }
            | StepKind::Foreach { .. }
            | StepKind::Wait { .. }
            | StepKind::Set { .. }
            | StepKind::Call { .. }
            | StepKind::Ai { .. }
            | StepKind::Emit { .. }
            | StepKind::Fail { .. } => None,
        }
    }

    /// The decision of an action step.
    pub fn action(&self) -> Option<&Action> {
        if let StepKind::Action { action, .. } = &self.kind { Some(action) } else { None }
    }

    /// The event that a wait step waits for, where it waits for one.
    pub fn awaited_event(&self) -> Option<&EventWait> {
        if let StepKind::Wait { wait: Wait::Event(wait) } = &self.kind { Some(wait) } else { None }
    }

    /// Whether the step asks people.
    pub fn asks(&self) -> bool {
        matches!(self.kind, StepKind::Approval { .. })
            || self.effects().iter().any(|effect| matches!(effect, Effect::CreateApprovalRequest(_)))
    }

    /// Whether the run waits here for the people whom the step asks, and doesn't go on meanwhile.
    pub fn waits_for_people(&self) -> bool {
        let is_native = matches!(self.kind, StepKind::Approval { .. });
        self.asks() && (is_native || self.next.is_none() || self.outcomes().is_some_and(Outcomes::any))
    }

    /// The document's name for the step's type.
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            StepKind::Condition { .. } => "condition",
            StepKind::Switch { .. } => "switch",
            StepKind::Action { .. } => "action",
            StepKind::Execute { .. } => "execute",
            StepKind::Approval { .. } => "approval",
            StepKind::Parallel { .. } => "parallel",
            StepKind::Foreach { .. } => "foreach",
            StepKind::Wait { .. } => "wait",
            StepKind::Set { .. } => "set",
            StepKind::Call { .. } => "call",
            StepKind::Ai { .. } => "ai",
            StepKind::Emit { .. } => "emit",
            StepKind::Fail { .. } => "fail",
        }
    }
}
