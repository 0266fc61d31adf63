//! Drives a run against a workspace that may change while people are asked.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use shared_types::{
    machine::{
        Applied, ChildStatus, Command, Definition, Input, Limits, Run, Stamp, VERSION, command::Request,
        environment::RunEnvironment, input::Start,
    },
    workflow::{
        Format,
        check::{Environment, check},
    },
};
use std::{collections::VecDeque, sync::Arc};
use uuid::Uuid;

/// What the run finds in its workspace.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) id: &'static str,
    pub(crate) total: i64,
    pub(crate) lines: Vec<i64>,
    /// Something that no step reads.
    pub(crate) other: i64,
    pub(crate) rule: (i32, i64),
    pub(crate) revision: i32,
    /// The revision of the connector `desk`.
    pub(crate) connector: i32,
}

impl Found {
    pub(crate) fn value(&self) -> Value {
        json!({ "id": self.id, "total": self.total, "lines": self.lines, "other": self.other })
    }

    pub(crate) fn environment(&self) -> RunEnvironment {
        serde_json::from_value(json!({
            "people": [
                { "email": "bo@example.com", "name": "Bo", "roles": ["operator", "finance"] },
                { "email": "ada@example.com", "name": "Ada", "roles": ["operator", "legal"] },
            ],
            "rules": { "limit": self.rule() }, "revisions": { "refunds": self.revision },
            "operations": [{
                "called": { "named": "desk.open" }, "base_url": "https://desk.test",
                "revision": { "connector": Uuid::from_u128(3), "revision": self.connector },
                "call": { "http_templates": { "method": "POST", "path": self.path(), "body": { "title": "{{ title }}" } } },
            }],
        }))
        .unwrap()
    }

    /// Where the connector opens tickets: its third revision does it elsewhere.
    pub(crate) fn path(&self) -> &'static str {
        if self.connector < 3 { "/tickets" } else { "/cases" }
    }

    pub(crate) fn rule(&self) -> Value {
        let (version, limit) = self.rule;
        json!({ "version": version, "condition": { "field": "found.total", "operator": "lte", "value": limit } })
    }
}

/// A run, with what became of it so far.
#[derive(Clone)]
pub(crate) struct Driver {
    pub(crate) run: Run,
    inputs: u32,
    commands: VecDeque<Command>,
    pub(crate) request: Option<Request>,
    pub(crate) sent: Vec<String>,
    pub(crate) facts: Vec<String>,
    /// What was applied and what it told, to be kept.
    pub(crate) journal: Vec<Value>,
    pub(crate) told: Vec<Value>,
}

pub(crate) fn begin() -> DateTime<Utc> {
    "2026-11-26T10:00:00Z".parse().unwrap()
}

impl Driver {
    /// Starts a document, written as YAML.
    pub(crate) fn start(document: &str, found: &Found) -> Self {
        let start: Start = serde_json::from_value(json!({
            "execution_id": Uuid::from_u128(7),
            "event": { "type": "go", "id": "start", "time": begin(), "payload": { "found": found.value() } },
            "limits": Limits::default(), "machine": VERSION,
        }))
        .unwrap();
        let checked = check(document, Format::Yaml, &Environment::Unknown);
        let definition = Arc::new(Definition::new(checked.document.unwrap()));
        let (run, applied) = Run::start(definition, &Self::stamp(0, found), &start);
        let mut driver = Self {
            run,
            inputs: 0,
            commands: VecDeque::new(),
            request: None,
            sent: Vec::new(),
            facts: Vec::new(),
            journal: vec![json!([Self::stamp(0, found), Input::Start(Box::new(start))])],
            told: Vec::new(),
        };
        driver.take(applied);
        driver
    }

    pub(crate) fn stamp(n: u32, found: &Found) -> Stamp {
        let id = Uuid::from_u128((0x7 << 76) | (0b10 << 62) | u128::from(n * 1000));
        let at = begin() + Duration::seconds(i64::from(n) * 61);
        Stamp { environment: Some(Arc::new(found.environment())), ..Stamp::new(at, id) }
    }

    pub(crate) fn take(&mut self, applied: Applied) {
        self.commands.extend(applied.commands);
        self.told.extend(applied.facts.iter().map(|fact| json!(fact)));
        self.facts.extend(applied.facts.iter().filter_map(|fact| {
            let reason = fact.reason.as_deref()?.strip_prefix("Not sent, and asked again: ")?;
            Some(reason.to_owned())
        }));
    }

    pub(crate) fn apply(&mut self, found: &Found, input: &Input) {
        self.inputs += 1;
        let stamp = Self::stamp(self.inputs, found);
        let applied = self.run.apply(&stamp, input).unwrap();
        self.journal.push(json!([stamp, input]));
        self.take(applied);
    }

    /// Answers all that is out, with what is there now, until the run waits for people or has ended.
    pub(crate) fn settle(&mut self, found: &Found) {
        while let Some(command) = self.commands.pop_front() {
            match command {
                Command::Perform(call) => {
                    let body = if call.place.step.as_str() == "ask" { found.value() } else { json!({}) };
                    if call.place.step.as_str() != "ask" {
                        self.sent.push(call.place.step.to_string());
                    }
                    let input = json!({
                        "input": "effect_done", "place": call.place, "index": call.index, "attempt": call.attempt,
                        "took_ms": 1, "outcome": { "outcome": "answered", "status": 200, "headers": {}, "body": body },
                    });
                    self.apply(found, &serde_json::from_value(input).unwrap());
                }
                Command::ReadRule { place, .. } => {
                    let rule = serde_json::from_value(found.rule()).unwrap();
                    self.apply(found, &Input::RuleRead { place, rule });
                }
                Command::StartRun(start) => {
                    let is_approved = start.revision.is_none_or(|approved| approved == found.revision);
                    let status = if is_approved {
                        self.sent.push(start.place.step.to_string());
                        ChildStatus::Ended(
                            serde_json::from_value(
                                json!({ "result": "executed", "decision": null, "reason": null }),
                            )
                            .unwrap(),
                        )
                    } else {
                        ChildStatus::OtherRevision { revision: found.revision }
                    };
                    self.apply(found, &Input::Child { place: start.place, seq: 1, status });
                }
                Command::Publish { place, index: Some(_), .. } => self.sent.push(place.step.to_string()),
                Command::Ask { request, .. } => self.request = Some(*request),
                Command::Publish { index: None, .. }
                | Command::StopRun { .. }
                | Command::SetTimer { .. }
                | Command::ClearTimer { .. }
                | Command::RecordDecision { .. }
                | Command::VoidDecisions { .. }
                | Command::UpdateRequest(_)
                | Command::Close { .. }
                | Command::AwaitEvent(_)
                | Command::StopAwaiting { .. }
                | Command::Notify(_)
                // These documents load nothing.
                | Command::Load(_)
                | Command::Finish(_) => {}
            }
        }
    }

    pub(crate) fn approve(&mut self, found: &Found) {
        self.decide(found, "approve");
    }

    pub(crate) fn decide(&mut self, found: &Found, verb: &str) {
        self.decide_as(
            found,
            &json!({ "verb": verb, "by": "bo@example.com", "name": "Bo", "comment": "So" }),
        );
    }

    pub(crate) fn decide_as(&mut self, found: &Found, decision: &Value) {
        let approval_id = self.run.state().open_request().unwrap();
        let input = json!({ "input": "decided", "approval_id": approval_id, "decision": decision });
        self.apply(found, &serde_json::from_value(input).unwrap());
        self.settle(found);
    }
}
