//! What a step holds, what it does, and where it leads.

use super::{Action, ConditionStep, EventWait, Foreach, Outcomes, RuleVersion, Step, StepKind, Test, Wait};
use crate::{
    ids::StepId,
    workflow::{condition::Condition, effect::Effect},
};

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
        let mut own: Vec<(String, &Option<StepId>)> = Vec::new();
        if let StepKind::Condition(step) = &self.kind {
            own.extend([("on_true".to_owned(), &step.on_true), ("on_false".to_owned(), &step.on_false)]);
        }
        if let StepKind::Switch { cases, default } = &self.kind {
            own.extend(cases.iter().enumerate().map(|(n, case)| (format!("cases/{n}/next"), &case.next)));
            own.push(("default".to_owned(), default));
        }
        if let Some(wait) = self.awaited_event() {
            own.push(("wait/on_timeout".to_owned(), &wait.on_timeout));
        }
        links.extend(
            self.outcomes().into_iter().flat_map(Outcomes::links).map(|(key, link)| (key.to_owned(), link)),
        );
        let named = shared.into_iter().map(|(key, link)| (key.to_owned(), link)).chain(own);
        links.extend(named.filter_map(|(key, link)| link.as_ref().map(|link| (key, link))));
        links
    }

    /// The effects of the step, in order; none where its type has no list.
    pub fn effects(&self) -> &[Effect] {
        if let StepKind::Action { execute, .. } | StepKind::Execute { execute, .. } = &self.kind {
            execute
        } else {
            &[]
        }
    }

    /// Where the decision of a request made in this step leads; `None` where its type can't ask.
    pub fn outcomes(&self) -> Option<&Outcomes> {
        if let StepKind::Action { outcomes, .. }
        | StepKind::Execute { outcomes, .. }
        | StepKind::Approval { outcomes, .. } = &self.kind
        {
            Some(outcomes)
        } else {
            None
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

    /// The stored rule that the step asks as it stands at the time, by id.
    pub fn latest_rule(&self) -> Option<&str> {
        let StepKind::Condition(ConditionStep { test: Test::Rule { rule_id, version }, .. }) = &self.kind
        else {
            return None;
        };
        (*version == Some(RuleVersion::Latest)).then_some(rule_id.as_str())
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

    /// The conditions of the step, with their pointers below it.
    pub fn conditions(&self) -> Vec<(String, &Condition)> {
        if let StepKind::Condition(ConditionStep { test: Test::Condition(condition), .. }) = &self.kind {
            return vec![("condition".to_owned(), condition)];
        }
        if let StepKind::Switch { cases, .. } = &self.kind {
            return cases
                .iter()
                .enumerate()
                .map(|(n, case)| (format!("cases/{n}/when"), &case.when))
                .collect();
        }
        Vec::new()
    }

    /// The document's name for the step's type.
    pub fn type_name(&self) -> &'static str {
        self.described().0
    }

    /// How much of the way from here on is known before the step is entered.
    pub fn ahead(&self) -> Ahead {
        self.described().1
    }

    /// Each type of step, by its name, and with what is known of the way from it on.
    fn described(&self) -> (&'static str, Ahead) {
        match &self.kind {
            StepKind::Condition { .. } => ("condition", Ahead::Forks),
            StepKind::Switch { .. } => ("switch", Ahead::Forks),
            StepKind::Action { .. } => ("action", Ahead::Known),
            StepKind::Execute { .. } => ("execute", Ahead::Known),
            StepKind::Approval { .. } => ("approval", Ahead::Forks),
            StepKind::Parallel { .. } => ("parallel", Ahead::Unknown),
            StepKind::Foreach { .. } => ("foreach", Ahead::Unknown),
            StepKind::Wait { wait: Wait::Event(_) } => ("wait", Ahead::Unknown),
            StepKind::Wait { wait: Wait::For { .. } | Wait::Until { .. } } => ("wait", Ahead::Known),
            StepKind::Set { .. } => ("set", Ahead::Known),
            StepKind::Call { .. } => ("call", Ahead::Unknown),
            StepKind::Ai { .. } => ("ai", Ahead::Unknown),
            StepKind::Emit { .. } => ("emit", Ahead::Known),
            StepKind::Fail { .. } => ("fail", Ahead::Forks),
        }
    }
}

/// What is known of the way from a step on, before it is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// All that it does, and what follows it.
    Known,
    /// What follows it, but not all that it brings.
    Unknown,
    /// Not what follows it, or the run ends.
    Forks,
}
