//! What a document refers to outside of itself. It is stored with a revision, so that what is missing around it can
//! be told without reading the document again.

use super::{StepSite, events::published, levels::is_as_long};
use crate::{
    ids::WorkflowId,
    workflow::{
        Document, Source, Span, Template, TemplateValue,
        approval::{ApprovalSpec, Forbid, Level, QuorumSpec},
        document::Trigger,
        effect::{Effect, RecordChange},
        rule::asked_rules,
        step::StepKind,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// A place of a document that names something outside of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// What is named.
    pub to: Target,
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// The line in the source, from 1; 0 where there is no text.
    pub line: u64,
    /// The column in the source, from 1; 0 where there is no text.
    pub column: u64,
}

/// What a document names outside of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Target {
    /// A stored rule.
    Rule(String),
    /// A workflow that it calls.
    Workflow(WorkflowId),
    /// Data that a connector would load.
    Context(String),
    /// An operation of a connector, with its input.
    Operation(OperationReference),
    /// A kind of record that a connector serves.
    Record(RecordReference),
    /// A level of a request, with its entries that are written out.
    Level(LevelReference),
    /// The levels of a request at none of which those may decide who decided at an earlier one.
    Apart(Vec<LevelReference>),
    /// The times of a level that are counted in a calendar.
    Escalation(EscalationReference),
    /// A literal approver, such as `role:finance`.
    Approver(String),
    /// Somebody with a veto, written out as an approver is.
    Veto(String),
    /// A literal recipient of a notice, such as `slack:#sales`.
    Recipient(String),
    /// A calendar in which deadlines are counted.
    Calendar(String),
    /// A secret of the workspace.
    Secret(String),
    /// The type of an event that it publishes.
    Event(String),
    /// The type of event that starts it, or a prefix of types.
    Trigger(String),
}

/// A call to a connector's operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationReference {
    /// The connector and its operation: `crm.create_task`.
    pub name: String,
    /// The input as written, templates and all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
}

/// A record that is made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordReference {
    /// What kind of record.
    pub entity: String,
    /// Whether it is made; else it is changed.
    pub is_made: bool,
    /// Its fields as written, templates and all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// A level of a request whose approvers are all written out: whether it can be filled depends on the people of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelReference {
    /// The level's name, or its number.
    pub name: String,
    /// Who is asked.
    pub approvers: Vec<String>,
    /// Who is asked besides when it takes long.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalate_to: Vec<String>,
    /// How many must approve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<QuorumSpec>,
}

/// A level that escalates and expires in the hours of a calendar: which comes first depends on these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationReference {
    /// Name of the calendar in whose open hours both spans count.
    pub calendar: String,
    /// When it escalates, from its opening.
    pub escalate_after: Span,
    /// When it expires, from its opening.
    pub expires_in: Span,
}

/// Everything that a document names outside of itself, with the place of each in its source.
pub(super) fn references(document: &Document, sites: &[StepSite<'_>], source: &Source) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut add = |to: Target, pointer: String| {
        let (line, column) = nearest(source, &pointer);
        found.push(Reference { to, pointer, line, column });
    };
    for (id, sites) in asked_rules(document) {
        for site in sites {
            add(Target::Rule(id.clone()), format!("{}/rule_id", site.pointer));
        }
    }
    for (n, entry) in document.context.iter().flat_map(|context| context.load.iter().enumerate()) {
        add(Target::Context(entry.name().to_owned()), format!("/context/load/{n}"));
    }
    if let Trigger::Event { event, .. } = &document.trigger {
        add(Target::Trigger(event.clone()), "/trigger/event".to_owned());
    }
    for site in sites {
        for (below, event) in published(site.step) {
            add(Target::Event(event.to_owned()), format!("{}/{below}", site.pointer));
        }
        if let StepKind::Call { call } = &site.step.kind {
            let pointer = format!("{}/call/workflow_id", site.pointer);
            add(Target::Workflow(call.workflow_id.clone()), pointer);
        }
        for (n, effect) in site.step.effects().iter().enumerate() {
            if let Some(target) = called(effect) {
                add(target, format!("{}/execute/{n}", site.pointer));
            }
        }
        for (below, approver) in approvers(site) {
            add(Target::Approver(approver), format!("{}/{below}", site.pointer));
        }
        for (n, who) in vetoes(site) {
            add(Target::Veto(who), format!("{}/approval/veto/{n}", site.pointer));
        }
        if let StepKind::Approval { approval, .. } = &site.step.kind {
            if let Some(calendar) = &approval.calendar {
                add(Target::Calendar(calendar.clone()), format!("{}/approval/calendar", site.pointer));
            }
            let levels = approval.levels.iter().enumerate();
            let levels: Vec<_> = levels.map(|(n, level)| level_reference(n, level)).collect();
            for (n, level) in levels.iter().enumerate() {
                if let Some(level) = level {
                    add(Target::Level(level.clone()), format!("{}/approval/levels/{n}", site.pointer));
                }
            }
            let is_apart = approval.forbids(Forbid::PreviousLevel) && levels.len() > 1;
            if let Some(levels) = levels.into_iter().collect::<Option<Vec<_>>>().filter(|_| is_apart) {
                add(Target::Apart(levels), format!("{}/approval/forbid", site.pointer));
            }
            for (n, escalation) in escalations(approval) {
                let pointer = format!("{}/approval/levels/{n}/escalate_after", site.pointer);
                add(Target::Escalation(escalation), pointer);
            }
        }
        for (below, recipient) in recipients(site) {
            add(Target::Recipient(recipient), format!("{}/{below}", site.pointer));
        }
        let json = serde_json::to_value(site.step).unwrap_or(Value::Null);
        for name in secrets_of(&json) {
            add(Target::Secret(name), site.pointer.clone());
        }
    }
    found
}

/// What an effect calls by way of a connector.
fn called(effect: &Effect) -> Option<Target> {
    let record = |record: &RecordChange, is_made| {
        let data = record.data.as_ref().map(TemplateValue::source);
        Some(Target::Record(RecordReference { entity: record.entity.clone(), is_made, data }))
    };
    match effect {
        Effect::Connector(call) => {
            let input = call.input.as_ref().map(TemplateValue::source);
            Some(Target::Operation(OperationReference { name: call.connector.clone(), input }))
        }
        Effect::CreateRecord(change) => record(change, true),
        Effect::UpdateRecord(change) => record(change, false),
        Effect::Notify(_)
        | Effect::HttpRequest(_)
        | Effect::Webhook(_)
        | Effect::CreateApprovalRequest(_)
        | Effect::EmitEvent(_)
        | Effect::Log(_) => None,
    }
}

fn level_reference(n: usize, level: &Level) -> Option<LevelReference> {
    let literal = |entries: &[Template]| -> Option<Vec<String>> {
        entries.iter().map(|entry| entry.is_literal().then(|| entry.source().to_owned())).collect()
    };
    Some(LevelReference {
        name: level.name.clone().unwrap_or_else(|| format!("level {}", n + 1)),
        approvers: literal(&level.approvers)?,
        escalate_to: literal(&level.escalate_to)?,
        quorum: level.quorum.clone(),
    })
}

fn escalations(approval: &ApprovalSpec) -> Vec<(usize, EscalationReference)> {
    let Some(calendar) = &approval.calendar else { return Vec::new() };
    let of_level = |(n, level): (usize, &Level)| {
        let (escalate_after, expires_in) = (level.escalate_after.clone()?, level.expires_in.clone()?);
        // What is too late in any calendar is found without one.
        let is_found = is_as_long(&escalate_after, &expires_in);
        let calendar = calendar.clone();
        (!is_found).then_some((n, EscalationReference { calendar, escalate_after, expires_in }))
    };
    approval.levels.iter().enumerate().filter_map(of_level).collect()
}

/// The line and column of a place, or of what stands around it where the text doesn't hold the place itself.
fn nearest(source: &Source, pointer: &str) -> (u64, u64) {
    let mut pointer = pointer;
    loop {
        if let Some(position) = source.position(pointer) {
            return position;
        }
        let Some((parent, _)) = pointer.rsplit_once('/') else { return (0, 0) };
        pointer = parent;
    }
}

fn approvers(site: &StepSite<'_>) -> Vec<(String, String)> {
    if let StepKind::Approval { approval, .. } = &site.step.kind {
        let mut entries: Vec<(String, &Template)> = Vec::new();
        for (l, level) in approval.levels.iter().enumerate() {
            for (key, who) in [("approvers", &level.approvers), ("escalate_to", &level.escalate_to)] {
                let each = who.iter().enumerate();
                entries.extend(each.map(|(n, who)| (format!("approval/levels/{l}/{key}/{n}"), who)));
            }
        }
        let literal = entries.into_iter().filter(|(_, who)| who.is_literal());
        return literal.map(|(below, who)| (below, who.source().to_owned())).collect();
    }
    let effects = site.step.effects().iter().enumerate();
    effects
        .filter_map(|(n, effect)| match effect {
            Effect::CreateApprovalRequest(request) => {
                let role = request.data.get("approver_role")?.source();
                let role = role.as_str().filter(|role| !role.contains("{{"))?.to_owned();
                Some((format!("execute/{n}/data/approver_role"), format!("role:{role}")))
            }
            Effect::Notify(_)
            | Effect::HttpRequest(_)
            | Effect::Webhook(_)
            | Effect::CreateRecord(_)
            | Effect::UpdateRecord(_)
            | Effect::EmitEvent(_)
            | Effect::Log(_)
            | Effect::Connector(_) => None,
        })
        .collect()
}

fn vetoes(site: &StepSite<'_>) -> Vec<(usize, String)> {
    let StepKind::Approval { approval, .. } = &site.step.kind else { return Vec::new() };
    let literal = approval.veto.iter().enumerate().filter(|(_, who)| who.is_literal());
    literal.map(|(n, who)| (n, who.source().to_owned())).collect()
}

fn recipients(site: &StepSite<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (n, effect) in site.step.effects().iter().enumerate() {
        if let Effect::Notify(notify) = effect {
            let literal = notify.recipients.iter().enumerate().filter(|(_, who)| who.is_literal());
            found.extend(
                literal.map(|(r, who)| (format!("execute/{n}/recipients/{r}"), who.source().to_owned())),
            );
        }
    }
    found
}

/// The names after `secrets.` in every text of a value.
fn secrets_of(value: &Value) -> BTreeSet<String> {
    match value {
        Value::String(text) if text.contains("{{") => {
            let template = crate::workflow::Template::new(text.as_str());
            template.secrets().map(str::to_owned).collect()
        }
        Value::Array(list) => list.iter().flat_map(secrets_of).collect(),
        Value::Object(map) => map.values().flat_map(secrets_of).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => BTreeSet::new(),
    }
}
