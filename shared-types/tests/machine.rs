//! What the machine promises, whatever the document and whatever happens: no panic, the same on replay,
//! and every run ends or waits for something that it can name. And journals of older versions still read.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks at the commands it is about")]

#[path = "reference_interpreter/documents.rs"]
mod documents;

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use shared_types::{
    approval::decision::Decision,
    ids::{EventId, ExecutionId},
    machine::{
        Applied, ChildStatus, Command, Definition, Event, Input, Limits, Outcome, Run, RunStatus, Snapshot,
        Stamp, State, Timer, VERSION,
        child_run::ChildEnd,
        command::Request,
        frames::Activity,
        input::{Answer, Start},
        result::FinalResult,
        state::OpenRequest,
        supported::unsupported,
    },
    recipient::Approver,
    workflow::{
        Document, Format,
        approval::Verdict,
        check::{Environment, check},
        test_script::ScriptedError,
    },
};
use std::sync::Arc;
use uuid::Uuid;

fn begin() -> DateTime<Utc> {
    "2026-03-01T10:00:00Z".parse().unwrap()
}

fn stamp(n: u32) -> Stamp {
    // A v7's version and variant, with a number that differs from input to input.
    let id = Uuid::from_u128((0x7 << 76) | (0b10 << 62) | u128::from(n * 1000));
    Stamp::new(begin() + Duration::seconds(i64::from(n)), id)
}

fn start(payload: Value) -> Start {
    let Value::Object(payload) = payload else { panic!("a map") };
    let event = Event {
        kind: "go".into(),
        id: EventId("start".into()),
        source: None,
        time: begin(),
        requester: None,
        payload,
    };
    Start {
        execution_id: ExecutionId(Uuid::from_u128(7)),
        event: Arc::new(event),
        depth: 0,
        limits: Limits::default(),
        version: VERSION,
        unserved: Vec::new(),
        fault: None,
    }
}

/// What might happen next; which of the open places it hits is drawn.
#[derive(Debug, Clone)]
enum Happens {
    Answer(u16),
    NoAnswer,
    Decide(Verdict),
    Timer(usize),
    Event(&'static str),
    Child(bool),
    Cancel,
    StaleAnswer,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => prop_oneof![Just(200), Just(500), Just(404), Just(429)].prop_map(Happens::Answer),
        1 => Just(Happens::NoAnswer),
        4 => prop_oneof![Just(Verdict::Approve), Just(Verdict::Reject), Just(Verdict::RequestChanges)].prop_map(Happens::Decide),
        4 => (0usize..4).prop_map(Happens::Timer),
        3 => prop_oneof![Just("a.b"), Just("a.c")].prop_map(Happens::Event),
        2 => any::<bool>().prop_map(Happens::Child),
        1 => Just(Happens::Cancel),
        1 => Just(Happens::StaleAnswer),
    ]
}

/// A decision of somebody whom a request asks.
fn decision(request: &OpenRequest, verdict: Verdict) -> Decision {
    let (by, role) = match &request.levels[request.open].approvers[0] {
        Approver::Role(role) => ("bo@example.com", role.as_str()),
        Approver::Person(address) => (address.as_str(), "viewer"),
    };
    Decision {
        verdict,
        by: by.to_owned(),
        name: "Bo".into(),
        comment: verdict.needs_comment().then(|| "So".to_owned()),
        edits: None,
        level: None,
        roles: Some(vec!["operator".to_owned(), role.to_owned()]),
        seen: Some(request.seen.clone()),
        decided_at: None,
    }
}

fn link() -> impl Strategy<Value = Value> {
    prop_oneof![2 => (0usize..6).prop_map(|n| json!(format!("s{n}"))), 1 => Just(Value::Null)]
}

fn step(n: usize) -> impl Strategy<Value = Value> {
    let kinds = prop_oneof![
        (link(), link()).prop_map(|(a, b)| json!({"type": "condition", "condition": {"field": "n", "operator": "gt", "value": 3}, "on_true": a, "on_false": b})),
        (link(), link()).prop_map(|(a, b)| json!({"type": "switch", "cases": [{"when": {"field": "n", "operator": "eq", "value": 5}, "next": a}], "default": b})),
        (link(), link()).prop_map(|(a, b)| json!({"type": "execute", "execute": [{"type": "webhook", "url": "http://x/{{ n }}", "save_as": "n"}, {"type": "log", "message": "{{ n }}"}], "retry": {"max_attempts": 3, "backoff": "exponential"}, "next": a, "on_error": b})),
        (link(), link()).prop_map(|(a, b)| json!({"type": "approval", "approval": {"levels": [{"approvers": ["role:x"], "expires_in": "1h"}]}, "on_approved": a, "on_rejected": b})),
        link().prop_map(|a| json!({"type": "action", "action": {"type": "block", "reason": "{{ n }}"}, "execute": [{"type": "create_approval_request", "data": {"approver_role": "x"}}, {"type": "http_request", "url": "http://y"}], "on_approved": a})),
        link().prop_map(|a| json!({"type": "execute", "execute": [{"type": "create_approval_request", "data": {"approver_role": "x"}}], "next": a})),
        link().prop_map(|a| json!({"type": "action", "action": {"type": "allow"}, "next": a})),
        (link(), link()).prop_map(|(a, b)| json!({"type": "wait", "wait": {"event": "a.*", "timeout": "2h", "on_timeout": b}, "next": a})),
        link().prop_map(|a| json!({"type": "wait", "wait": {"for": "10m"}, "next": a})),
        link().prop_map(|a| json!({"type": "set", "set": {"n": "{{ n + 1 }}"}, "next": a})),
        link().prop_map(|a| json!({"type": "emit", "emit": {"event": "out", "payload": {"n": "{{ n }}"}}, "next": a})),
        Just(json!({"type": "fail", "reason": "{{ n }}"})),
    ];
    kinds.prop_map(move |mut step| {
        step["id"] = json!(format!("s{n}"));
        step
    })
}

/// Documents with branches and bodies, of the kind that the second interpreter is held against.
fn nested() -> impl Strategy<Value = Option<Document>> {
    any::<u64>().prop_map(|seed| {
        let document = &documents::case(seed)["document"];
        let checked = check(&document.to_string(), Format::Json, &Environment::Unknown);
        checked.document.filter(|document| unsupported(document).is_empty())
    })
}

fn document() -> impl Strategy<Value = Option<Document>> {
    let steps: Vec<_> = (0..6).map(step).collect();
    (steps, prop_oneof![Just(Value::Null), Just(json!("5s"))]).prop_map(|(steps, timeout)| {
        let mut document =
            json!({"workflow_id": "w", "name": "W", "trigger": {"type": "manual"}, "steps": steps});
        if !timeout.is_null() {
            document["timeout"] = timeout;
        }
        let checked = check(&document.to_string(), Format::Json, &Environment::Unknown);
        checked.document.filter(|document| unsupported(document).is_empty())
    })
}

/// The input that something that happens makes of where the run stands; `None` where it can't happen.
fn input(run: &Run, timers: &[Timer], n: u32, happens: &Happens) -> Option<Input> {
    let state = run.state();
    let calling = state.all_frames().filter_map(|frame| match frame.activity {
        Activity::AwaitingEffect { index, attempt } => Some((frame.place.clone(), index, attempt)),
        _ => None,
    });
    let calling: Vec<_> = calling.collect();
    let call = calling.get(n as usize % calling.len().max(1)).cloned();
    let done = |outcome: Outcome| {
        let (place, index, attempt) = call.clone()?;
        Some(Input::EffectDone { place, index, attempt, took_ms: 5, outcome })
    };
    match happens {
        Happens::Answer(status) => done(Outcome::Answered(Answer {
            status: *status,
            headers: Map::new(),
            body: json!(n),
            record_id: None,
        })),
        Happens::NoAnswer => {
            done(Outcome::Unanswered { error: ScriptedError::Timeout, message: "none".into() })
        }
        Happens::Decide(verdict) => {
            let (approval_id, request) =
                state.requests.iter().find(|(_, request)| request.early_outcome.is_none())?;
            Some(Input::Decided { approval_id: *approval_id, decision: decision(request, *verdict) })
        }
        Happens::Timer(at) => Some(Input::TimerDue { timer: timers.get(at % timers.len().max(1))?.clone() }),
        Happens::Event(kind) => {
            let frame =
                state.all_frames().find(|frame| matches!(frame.activity, Activity::AwaitingEvent { .. }))?;
            let event = Event {
                kind: (*kind).into(),
                id: EventId(format!("e{n}")),
                source: None,
                time: begin(),
                requester: None,
                payload: Map::from_iter([
                    ("n".to_owned(), json!(n)),
                    ("quote".to_owned(), json!({"number": "Q-1"})),
                    ("warehouse".to_owned(), json!("Lund")),
                ]),
            };
            Some(Input::EventArrived { place: frame.place.clone(), event: Arc::new(event) })
        }
        Happens::Child(ended) => child(state, *ended),
        Happens::Cancel => Some(Input::Cancel { by: "Bo".into(), reason: None }),
        Happens::StaleAnswer => {
            let place =
                shared_types::machine::StepAddress { step: "s0".into(), visit: 99, within: Vec::new() };
            let outcome = Outcome::Refused { code: "x".into(), message: "x".into() };
            Some(Input::EffectDone { place, index: 0, attempt: 1, took_ms: 0, outcome })
        }
    }
}

/// News of a run that was called.
fn child(state: &State, ended: bool) -> Option<Input> {
    let (place, seq) = state.all_frames().find_map(|frame| match &frame.activity {
        Activity::AwaitingChild(child) => Some((frame.place.clone(), child.seq + 1)),
        _ => None,
    })?;
    let end = ChildEnd { result: FinalResult::Executed, decision: None, reason: None, values: Map::new() };
    let stands = if ended { ChildStatus::Ended(Box::new(end)) } else { ChildStatus::Waiting };
    Some(Input::Child { place, seq, status: stands })
}

fn keep_timers(timers: &mut Vec<Timer>, applied: &Applied) {
    for command in &applied.commands {
        match command {
            Command::SetTimer { timer, .. } => timers.push(timer.clone()),
            Command::ClearTimer { timer } => timers.retain(|other| other != timer),
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(600), ..ProptestConfig::default() })]

    #[test]
    fn a_run_never_panics_replays_the_same_and_ends_or_waits_for_something_named(
        document in prop_oneof![document(), nested()], number in 0i64..8, script in prop::collection::vec(happens(), 0..40)
    ) {
        let Some(document) = document else { return Ok(()) };
        let definition = Arc::new(Definition::new(document));
        let start = start(json!({"n": number}));
        let (mut run, first) = Run::start(Arc::clone(&definition), &stamp(0), &start);
        let mut timers = Vec::new();
        keep_timers(&mut timers, &first);
        let mut journal = vec![(stamp(0), Input::Start(Box::new(start)))];
        let mut live = vec![first];
        for (n, happens) in (1u32..).zip(&script) {
            let Some(input) = input(&run, &timers, n, happens) else { continue };
            let before = run.snapshot();
            if let Ok(applied) = run.apply(&stamp(n), &input) {
                keep_timers(&mut timers, &applied);
                journal.push((stamp(n), input));
                live.push(applied);
            } else {
                prop_assert_eq!(run.snapshot(), before, "what is refused changes nothing");
            }
            let state = run.state();
            prop_assert!(state.end.is_some() != (state.status() != RunStatus::Ended));
            prop_assert!(state.status() == RunStatus::Ended || !state.waits_for().is_empty());
            // What is stored reads back the same.
            let stored = serde_json::to_string(&run.snapshot()).unwrap();
            prop_assert_eq!(serde_json::from_str::<Snapshot>(&stored).unwrap(), run.snapshot());
        }
        let (replayed, again) = Run::replay(definition, journal.iter().map(|(stamp, input)| (stamp, input))).unwrap();
        prop_assert_eq!(replayed.snapshot(), run.snapshot());
        prop_assert_eq!(again, live);
    }
}

/// A journal as it was written, with what it led to then.
#[derive(serde::Serialize, serde::Deserialize)]
struct Golden {
    document: Value,
    journal: Vec<(Stamp, Input)>,
    facts: Value,
    snapshot: Value,
}

fn holds(name: &str, golden: &Golden) {
    let document: Document = serde_json::from_value(golden.document.clone()).unwrap();
    let journal = golden.journal.iter().map(|(stamp, input)| (stamp, input));
    let (run, applied) = Run::replay(Arc::new(Definition::new(document)), journal).unwrap();
    let facts: Vec<_> = applied.into_iter().flat_map(|applied| applied.facts).collect();
    assert_eq!(serde_json::to_value(facts).unwrap(), golden.facts, "{name}");
    assert_eq!(serde_json::to_value(run.snapshot()).unwrap(), golden.snapshot, "{name}");
}

/// Runs of each version, written once and read by every machine after it: what each is, its document, how it
/// starts and what happens to it.
fn recorded() -> Vec<(&'static str, &'static str, Value, Vec<Happens>)> {
    use Happens::{Answer, Cancel, Decide, Event, NoAnswer, Timer};
    let order = include_str!("../../docs/examples/high_value_order.yaml");
    let refund = include_str!("../../docs/examples/refund.yaml");
    let quote = include_str!("../../docs/examples/quote.yaml");
    let large = json!({"order": {"id": "A1", "customer": "Ada Lind", "total": 12400.1, "currency": "EUR"}});
    let small = json!({"order": {"id": "A2", "customer": "Ada Lind", "total": 120, "currency": "EUR"}});
    let broken = json!({"refund": {"order_id": "A1", "customer": "Ada Lind", "amount": 900, "currency": "EUR", "cause": "Broken"}});
    let offer = json!({"quote": {"number": "Q-1", "customer": "Kestrel Metals", "total": 9000, "currency": "EUR", "discount": 18}});
    let restock = include_str!("../../docs/examples/restock.yaml");
    let lines =
        json!([{ "sku": "seal-8", "n": 12 }, { "sku": "pump-40", "n": 2 }, { "sku": "hose-1", "n": 1 }]);
    let stock = json!({"stock": {"warehouse": "Lund", "supplier": "kestrel", "total": 900, "currency": "EUR", "lines": lines}});
    let agreed = vec![Decide(Verdict::Approve), Answer(200), Event("supplier.confirmed")];
    let ordered = [Answer(200), Answer(404), Answer(200)];
    vec![
        ("v2_restock", restock, stock.clone(), [agreed.clone(), ordered.to_vec()].concat()),
        ("v2_restock_refused", restock, stock.clone(), vec![Decide(Verdict::Reject)]),
        ("v2_restock_cancelled", restock, stock.clone(), [agreed, vec![Cancel]].concat()),
        ("v2_restock_late", restock, stock, vec![Answer(200), Timer(0)]),
        (
            "v1_order",
            order,
            large.clone(),
            vec![Decide(Verdict::Approve), Answer(503), Timer(0), Answer(200)],
        ),
        ("v3_order", order, large.clone(), vec![Decide(Verdict::Approve), Answer(200)]),
        ("v3_quote_asked", quote, offer.clone(), vec![]),
        ("v1_order_small", order, small, vec![]),
        ("v1_order_expired", order, large.clone(), vec![Timer(0), Answer(200)]),
        ("v1_order_cancelled", order, large, vec![Cancel]),
        ("v1_refund_rejected", refund, broken.clone(), vec![Decide(Verdict::Reject)]),
        ("v1_refund_failed", refund, broken, vec![Decide(Verdict::Approve), NoAnswer, Timer(0), Answer(404)]),
        (
            "v1_quote_accepted",
            quote,
            offer.clone(),
            vec![Decide(Verdict::Approve), Answer(200), Event("quote.accepted")],
        ),
        ("v1_quote_lapsed", quote, offer, vec![Decide(Verdict::Approve), Answer(200), Timer(0)]),
    ]
}

#[test]
fn journals_of_every_version_replay_to_the_same_facts_and_state() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    let mut written = Vec::new();
    for (name, document, payload, script) in recorded() {
        let path = format!("{folder}/{name}.json");
        if !std::path::Path::new(&path).exists() {
            let golden = record(document, payload, &script);
            std::fs::write(&path, serde_json::to_string_pretty(&golden).unwrap()).unwrap();
            written.push(path);
        }
    }
    assert!(written.is_empty(), "these were not there; they are now, read and commit them: {written:#?}");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let golden: Golden = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        holds(&path.display().to_string(), &golden);
    }
}

/// States of runs that wait, each with the input that came next, as the first version wrote them: together they hold every
/// name that is stored.
#[test]
fn states_and_inputs_of_the_first_version_are_read_and_written_as_they_were() {
    for line in include_str!("states/v1.jsonl").lines() {
        let stored: Value = serde_json::from_str(line).unwrap();
        let snapshot: Snapshot = serde_json::from_value(stored["snapshot"].clone()).unwrap();
        assert_eq!(serde_json::to_value(&snapshot).unwrap(), stored["snapshot"]);
        let input: Input = serde_json::from_value(stored["input"].clone()).unwrap();
        assert_eq!(serde_json::to_value(&input).unwrap(), stored["input"]);
    }
}

/// A run as this machine makes it.
fn record(document: &str, payload: Value, script: &[Happens]) -> Golden {
    let checked = check(document, Format::Yaml, &Environment::Unknown);
    let definition = Arc::new(Definition::new(checked.document.unwrap()));
    let start = start(payload);
    let mut journal = vec![(stamp(0), Input::Start(Box::new(start.clone())))];
    let (mut run, first) = Run::start(Arc::clone(&definition), &stamp(0), &start);
    let mut timers = Vec::new();
    let keep = |applied: &Applied, timers: &mut Vec<Timer>| {
        keep_timers(timers, applied);
        timers.retain(|timer| *timer != Timer::RunTimeout);
    };
    keep(&first, &mut timers);
    let mut facts = first.facts;
    for (n, happens) in (1u32..).zip(script) {
        let input = input(&run, &timers, n, happens).unwrap();
        let applied = run.apply(&stamp(n), &input).unwrap();
        timers.clear();
        keep(&applied, &mut timers);
        facts.extend(applied.facts);
        journal.push((stamp(n), input));
    }
    Golden {
        document: checked.value,
        journal,
        facts: serde_json::to_value(facts).unwrap(),
        snapshot: serde_json::to_value(run.snapshot()).unwrap(),
    }
}

/// The request of a run that asks before it sends.
fn asked(steps: &Value) -> (Request, String) {
    let document = json!({
        "version": "1.0", "workflow_id": "ask_first", "name": "Ask first", "trigger": {"type": "manual"}, "steps": steps,
    });
    let document: Document = serde_json::from_value(document).unwrap();
    let (_, applied) =
        Run::start(Arc::new(Definition::new(document)), &stamp(0), &start(json!({ "id": "A1" })));
    let asked = applied.commands.into_iter().find_map(|command| match command {
        Command::Ask { request, seen } => Some((*request, seen)),
        _ => None,
    });
    asked.unwrap()
}

#[test]
fn a_request_keeps_what_an_approval_sends_up_to_the_first_answer_to_come() {
    let call = |id: &str, next: &str, body: &str| {
        json!({ "id": id, "type": "execute", "next": next, "execute": [
            { "type": "http_request", "method": "POST", "url": "https://shop.test/{{ id }}", "body": { "is": body } },
        ] })
    };
    let steps = |body: &str, last: &str| {
        json!([
            { "id": "ask", "type": "approval", "on_approved": "first",
              "approval": { "levels": [{ "approvers": ["role:finance"] }] } },
            call("first", "second", body),
            call("second", "third", "{{ id }}"),
            call("third", "fourth", last),
            { "id": "fourth", "type": "fail", "fail": { "reason": "Over" } },
        ])
    };
    let (request, seen) = asked(&steps("paid", "{{ steps.first.response.status }}"));
    let sent: Vec<&str> = request.effects.iter().map(|effect| effect.step_id.as_str()).collect();
    assert_eq!(sent, ["first", "second"], "the third needs an answer");
    let first = json!({ "method": "POST", "url": "https://shop.test/A1", "body": { "is": "paid" } });
    assert_eq!(request.effects[0].request, Some(first));
    let (other, other_seen) = asked(&steps("unpaid", "{{ steps.first.response.status }}"));
    assert_eq!(other.if_approved, request.if_approved, "the sentences are the same");
    assert_ne!(other_seen, seen, "what is sent is part of what is seen");
    let (decided, _) = asked(&steps("{{ approval.comment }}", "x"));
    let body = &decided.effects[0].request.as_ref().unwrap()["body"]["is"];
    assert_eq!(body, "(filled in when it is approved)", "the decision itself is still to come");
}
