//! A second interpreter of the language, as naive as can be: a direct recursion over the document's JSON in
//! which a wait is an `await` and cancelling is dropping. It shares no code with the machine, and knows only
//! the templates and conditions that the random documents use.

use serde_json::{Map, Value, json};
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context as Task, Poll, Waker},
};

type Env = Map<String, Value>;
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// After so many steps a run counts as endless: its cycles have a wait only in a branch that isn't taken.
const ENDLESS: usize = 5000;

/// What a run came to, as far as the two are compared.
#[derive(Debug, PartialEq, Default)]
pub(crate) struct Outcome {
    pub status: String,
    pub result: Option<String>,
    pub path: Vec<String>,
    pub effects: Vec<String>,
    pub waits: Vec<String>,
}

/// A write into the context, to be made again around a branch.
#[derive(Clone)]
enum Write {
    Put(String, Value),
    Merge(String, Value),
    ForStep(String, String, Value),
}

/// How a sequence ends.
enum End {
    Passed,
    /// Ended where this counts as failing in a branch, and as nothing elsewhere.
    NotPassed,
    Failed,
}

struct Lane {
    env: Env,
    writes: Vec<Write>,
    nested: bool,
    /// Whoever was asked last did not approve.
    refused: bool,
}

impl Lane {
    fn write(&mut self, write: Write) {
        match write.clone() {
            Write::Put(name, value) => drop(self.env.insert(name, value)),
            Write::Merge(name, value) => deep(self.env.entry(name).or_insert(Value::Null), &value),
            Write::ForStep(step, name, value) => self.env["steps"][step][name] = value,
        }
        self.writes.push(write);
    }
}

fn deep(into: &mut Value, from: &Value) {
    if let (Value::Object(into), Value::Object(from)) = (&mut *into, from) {
        for (key, value) in from {
            deep(into.entry(key.clone()).or_insert(Value::Null), value);
        }
    } else {
        *into = from.clone();
    }
}

/// Something that a run waits for; `given` is what it gets.
struct Open {
    id: usize,
    step: String,
    kind: Kind,
    due: Option<i64>,
    /// How it reads in the list of effects, once it is answered.
    effect: Option<String>,
    given: Option<Value>,
}

#[derive(Clone, PartialEq)]
enum Kind {
    Call,
    Backoff,
    Decision,
    Event(String),
    Time,
    Bound,
}

#[derive(Default)]
struct World {
    now: i64,
    ids: usize,
    open: Vec<Open>,
    calls: VecDeque<usize>,
    events: Vec<(Value, bool)>,
    scripted: BTreeMap<String, VecDeque<Value>>,
    path: Vec<String>,
    effects: Vec<String>,
}

type Shared = Rc<RefCell<World>>;

/// Waits for something of the world; dropping it lets go of it.
struct Waiting {
    world: Shared,
    id: usize,
}

impl Future for Waiting {
    type Output = Value;
    fn poll(self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<Value> {
        let world = self.world.borrow();
        let given = world.open.iter().find(|open| open.id == self.id).and_then(|open| open.given.clone());
        given.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.world.borrow_mut().open.retain(|open| open.id != self.id);
    }
}

fn wait(world: &Shared, step: &str, kind: Kind, due: Option<i64>) -> Waiting {
    let mut inner = world.borrow_mut();
    inner.ids += 1;
    let id = inner.ids;
    if kind == Kind::Call {
        inner.calls.push_back(id);
    }
    inner.open.push(Open { id, step: step.to_owned(), kind, due, effect: None, given: None });
    Waiting { world: Rc::clone(world), id }
}

fn call(world: &Shared, step: &str, effect: Option<String>) -> Waiting {
    let waiting = wait(world, step, Kind::Call, None);
    if let Some(open) = world.borrow_mut().open.last_mut() {
        open.effect = effect;
    }
    waiting
}

fn seconds(span: &Value) -> i64 {
    let text = span.as_str().unwrap();
    let (number, unit) = text.split_at(text.len() - 1);
    number.parse::<i64>().unwrap()
        * if unit == "h" {
            3600
        } else if unit == "m" {
            60
        } else {
            1
        }
}

/// The one template that the documents know: a path alone, or text with paths in it.
fn fill(text: &Value, env: &Env) -> Value {
    let Some(source) = text.as_str() else { return text.clone() };
    if let Some(path) = source.strip_prefix("{{ ").and_then(|rest| rest.strip_suffix(" }}"))
        && !path.contains("{{")
    {
        return look(path, env);
    }
    let mut out = String::new();
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("{{ ") {
        let (path, after) = after.split_once(" }}").unwrap();
        out += before;
        match look(path, env) {
            Value::Null => {}
            Value::String(text) => out += &text,
            value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                out += &value.to_string();
            }
        }
        rest = after;
    }
    Value::String(out + rest)
}

/// Whether a path in a text leads to nothing: an address would then be another one.
fn lacks_a_part(text: &Value, env: &Env) -> bool {
    let paths = text.as_str().unwrap().split("{{ ").skip(1).map(|rest| rest.split(" }}").next().unwrap());
    paths.map(|path| look(path, env)).any(|value| value.is_null())
}

fn look(path: &str, env: &Env) -> Value {
    let mut parts = path.split('.');
    let mut at = env.get(parts.next().unwrap()).cloned().unwrap_or(Value::Null);
    for part in parts {
        at = part.parse::<usize>().map_or_else(|_| at[part].clone(), |n| at[n].clone());
    }
    at
}

fn holds(condition: &Value, env: &Env) -> bool {
    let seen = look(condition["field"].as_str().unwrap(), env);
    match (condition["operator"].as_str().unwrap(), seen.as_i64(), condition["value"].as_i64()) {
        ("gt", Some(seen), Some(value)) => seen > value,
        ("eq", Some(seen), Some(value)) => seen == value,
        _ => false,
    }
}

/// Polls the lanes in order; the number of one that ended, or that none did.
fn race(lanes: &mut [Option<Boxed<'_, (Lane, End)>>], task: &mut Task<'_>) -> Option<(usize, Lane, End)> {
    for (n, slot) in lanes.iter_mut().enumerate() {
        if let Some(lane) = slot
            && let Poll::Ready((lane, end)) = lane.as_mut().poll(task)
        {
            *slot = None;
            return Some((n, lane, end));
        }
    }
    None
}

fn sequence<'d>(world: &'d Shared, steps: &'d [Value], mut lane: Lane) -> Boxed<'d, (Lane, End)> {
    Box::pin(async move {
        let mut at = 0;
        loop {
            let step = &steps[at];
            let (next, end) = enter(world, step, &mut lane).await;
            let next = match next {
                Next::To(id) => steps.iter().position(|s| s["id"] == id),
                Next::Onward if lane.nested && at + 1 < steps.len() => Some(at + 1),
                Next::Onward | Next::Nowhere => None,
            };
            match next {
                Some(next) => at = next,
                None => return (lane, end),
            }
        }
    })
}

enum Next {
    To(Value),
    Onward,
    Nowhere,
}

fn link(step: &Value, key: &str) -> Option<Next> {
    step.get(key).filter(|to| !to.is_null()).map(|to| Next::To(to.clone()))
}

fn failed(step: &Value, code: &str, lane: &mut Lane) -> (Next, End) {
    match link(step, "on_error") {
        Some(to) => {
            lane.write(Write::Put("error".into(), json!({ "step": step["id"], "code": code })));
            (to, End::Passed)
        }
        None => (Next::Nowhere, End::Failed),
    }
}

fn onward(step: &Value) -> (Next, End) {
    (link(step, "next").unwrap_or(Next::Onward), End::Passed)
}

async fn enter(world: &Shared, step: &Value, lane: &mut Lane) -> (Next, End) {
    let id = step["id"].as_str().unwrap().to_owned();
    world.borrow_mut().path.push(id.clone());
    if world.borrow().path.len() > ENDLESS {
        std::future::pending::<()>().await;
    }
    match step["type"].as_str().unwrap() {
        "condition" => {
            let is_true = holds(&step["condition"], &lane.env);
            let none = ["on_true", "on_false", "next"].iter().all(|key| link(step, key).is_none());
            let otherwise = if none { Next::Onward } else { Next::Nowhere };
            let next = link(step, if is_true { "on_true" } else { "on_false" });
            let next = next.or_else(|| link(step, "next")).unwrap_or(otherwise);
            // Only where the branch ends with it, and only without links, does it say how the branch ends.
            (next, if none && !is_true { End::NotPassed } else { End::Passed })
        }
        "set" => {
            for (name, value) in step["set"].as_object().unwrap() {
                lane.write(Write::Put(name.clone(), fill(value, &lane.env)));
            }
            onward(step)
        }
        "emit" => {
            let payload = fill(&step["emit"]["payload"]["n"], &lane.env);
            world.borrow_mut().effects.push(format!("{id} emit {payload}"));
            onward(step)
        }
        "action" => {
            let verdict = if step["action"]["type"] == "allow" { "allowed" } else { "blocked" };
            lane.write(Write::Put("verdict".into(), verdict.into()));
            onward(step)
        }
        "fail" => (Next::Nowhere, End::Failed),
        "execute" => execute(world, step, &id, lane).await,
        "approval" => ask(world, step, &id, lane).await,
        "wait" => pause(world, step, &id, lane).await,
        "parallel" => parallel(world, step, &id, lane).await,
        "foreach" => foreach(world, step, &id, lane).await,
        "call" => {
            let answer = call(world, &id, Some(format!("{id} call"))).await;
            match answer["status"].as_u64() {
                Some(200..=299) => {
                    lane.write(Write::ForStep(id, "result".into(), "executed".into()));
                    onward(step)
                }
                _ => failed(step, "call", lane),
            }
        }
        other => panic!("{other}"),
    }
}

async fn execute(world: &Shared, step: &Value, id: &str, lane: &mut Lane) -> (Next, End) {
    for (n, effect) in step["execute"].as_array().unwrap().iter().enumerate() {
        if lacks_a_part(&effect["url"], &lane.env) {
            return failed(step, "template", lane);
        }
        let url = fill(&effect["url"], &lane.env);
        let listed = format!("{id} {n} {}", url.as_str().unwrap());
        let most = step["retry"]["max_attempts"].as_i64().unwrap_or(1);
        let mut attempt = 1;
        let answer = loop {
            let answer = call(world, id, (attempt == 1).then(|| listed.clone())).await;
            let retries = answer["status"].as_u64().is_none_or(|status| status >= 500);
            if !retries || attempt == most {
                break answer;
            }
            attempt += 1;
            let due = world.borrow().now + seconds(&step["retry"]["delay"]);
            wait(world, id, Kind::Backoff, Some(due)).await;
        };
        let status = answer["status"].as_u64();
        if let Some(status) = status {
            lane.write(Write::ForStep(id.to_owned(), "response".into(), json!({ "status": status })));
        }
        if !status.is_some_and(|status| (200..300).contains(&status)) {
            return failed(step, "http", lane);
        }
        if let Some(name) = effect["save_as"].as_str() {
            lane.write(Write::Put(name.to_owned(), answer["body"].clone()));
        }
        if !answer["body"].is_null() {
            lane.write(Write::Put("data".into(), answer["body"].clone()));
        }
    }
    onward(step)
}

async fn ask(world: &Shared, step: &Value, id: &str, lane: &mut Lane) -> (Next, End) {
    world.borrow_mut().effects.push(format!("{id} asks"));
    let due = world.borrow().now + seconds(&step["approval"]["levels"][0]["expires_in"]);
    let decision = wait(world, id, Kind::Decision, Some(due)).await;
    let word = decision.as_str().unwrap_or("expired");
    let approved = word == "approve";
    let status = if approved {
        "approved"
    } else if word == "reject" {
        "rejected"
    } else {
        "expired"
    };
    lane.write(Write::Put("approval".into(), json!({ "decision": status })));
    lane.refused = !approved;
    let key = match word {
        "approve" => "on_approved",
        "reject" => "on_rejected",
        "expired" => "on_expired",
        _ => "on_changes_requested",
    };
    if let Some(to) = link(step, key) {
        return (to, End::Passed);
    }
    let any = ["on_approved", "on_rejected", "on_expired", "on_changes_requested"];
    let any = any.iter().any(|key| link(step, key).is_some());
    if !lane.nested {
        let verdict = if approved { "allowed" } else { "blocked" };
        lane.write(Write::Put("verdict".into(), verdict.into()));
        return (Next::Nowhere, End::Passed);
    }
    match (approved, any) {
        (true, false) => (Next::Onward, End::Passed),
        (true, true) => (Next::Nowhere, End::Passed),
        (false, _) => (Next::Nowhere, End::NotPassed),
    }
}

async fn pause(world: &Shared, step: &Value, id: &str, lane: &mut Lane) -> (Next, End) {
    let spec = &step["wait"];
    let now = world.borrow().now;
    if let Some(span) = spec.get("for") {
        wait(world, id, Kind::Time, Some(now + seconds(span))).await;
        return onward(step);
    }
    let due = spec.get("timeout").map(|span| now + seconds(span));
    let event = wait(world, id, Kind::Event(spec["event"].as_str().unwrap().to_owned()), due).await;
    if event.is_null() {
        return match link(spec, "on_timeout") {
            Some(to) => (to, End::Passed),
            None => failed(step, "wait", lane),
        };
    }
    for (name, value) in event["payload"].as_object().unwrap() {
        lane.write(Write::Merge(name.clone(), value.clone()));
    }
    onward(step)
}

/// Waits until the lanes are decided or the step's time is over; `None` is the latter.
async fn within<T>(world: &Shared, step: &Value, id: &str, lanes: impl Future<Output = T>) -> Option<T> {
    let Some(timeout) = step.get("timeout") else { return Some(lanes.await) };
    let due = world.borrow().now + seconds(timeout);
    let mut bound = wait(world, id, Kind::Bound, Some(due));
    let mut lanes = Box::pin(lanes);
    std::future::poll_fn(move |task| {
        if let Poll::Ready(done) = lanes.as_mut().poll(task) {
            return Poll::Ready(Some(done));
        }
        Pin::new(&mut bound).poll(task).map(|_| None)
    })
    .await
}

async fn parallel(world: &Shared, step: &Value, id: &str, lane: &mut Lane) -> (Next, End) {
    let spec = &step["parallel"];
    let mut branches: Vec<(String, &[Value])> = Vec::new();
    for single in spec["steps"].as_array().into_iter().flatten() {
        branches.push((single["id"].as_str().unwrap().to_owned(), std::slice::from_ref(single)));
    }
    for branch in spec["branches"].as_array().into_iter().flatten() {
        branches.push((branch["id"].as_str().unwrap().to_owned(), branch["steps"].as_array().unwrap()));
    }
    let strategy = spec["strategy"].as_str().unwrap_or("all_must_pass");
    let mut over: Vec<Option<(Lane, bool)>> = branches.iter().map(|_| None).collect();
    let decided = {
        let env = &lane.env;
        let (branches, over) = (&branches, &mut over);
        let mut lanes: Vec<Option<Boxed<'_, (Lane, End)>>> = Vec::new();
        let race = std::future::poll_fn(move |task| {
            loop {
                let passed = over.iter().flatten().filter(|(_, passed)| *passed).count();
                let failed = over.iter().flatten().count() - passed;
                let through = passed + failed == branches.len();
                match strategy {
                    "all_must_pass" if failed > 0 => return Poll::Ready(false),
                    "any_can_pass" if passed > 0 => return Poll::Ready(true),
                    "any_can_pass" if through => return Poll::Ready(false),
                    _ if through => return Poll::Ready(true),
                    _ => {}
                }
                if let Some((n, lane, end)) = race(&mut lanes, task) {
                    let passed = matches!(end, End::Passed) && !lane.refused;
                    over[n] = Some((lane, passed));
                } else if lanes.len() < branches.len() {
                    let own = Lane { env: env.clone(), writes: Vec::new(), nested: true, refused: false };
                    lanes.push(Some(sequence(world, branches[lanes.len()].1, own)));
                } else {
                    return Poll::Pending;
                }
            }
        });
        within(world, step, id, race).await
    };
    for (own, _) in over.into_iter().flatten() {
        for write in own.writes {
            lane.write(write);
        }
    }
    match decided {
        Some(true) => onward(step),
        Some(false) => failed(step, "parallel", lane),
        None => failed(step, "timeout", lane),
    }
}

async fn foreach(world: &Shared, step: &Value, id: &str, lane: &mut Lane) -> (Next, End) {
    let spec = &step["foreach"];
    let Value::Array(items) = fill(&spec["items"], &lane.env) else { return failed(step, "items", lane) };
    let body = spec["steps"].as_array().unwrap();
    let at_once = spec["concurrency"].as_u64().unwrap_or(1);
    let stops = spec["on_item_error"] != "continue";
    let stopped = {
        let (env, items) = (&lane.env, &items);
        let mut lanes: Vec<Option<Boxed<'_, (Lane, End)>>> = Vec::new();
        let mut any_failed = false;
        let race = std::future::poll_fn(move |task| {
            loop {
                if stops && any_failed {
                    return Poll::Ready(true);
                }
                let open = lanes.iter().flatten().count() as u64;
                if let Some((_, _, end)) = race(&mut lanes, task) {
                    any_failed |= matches!(end, End::Failed);
                } else if lanes.len() < items.len() && open < at_once {
                    let mut own = Lane { env: env.clone(), writes: Vec::new(), nested: true, refused: false };
                    own.env.insert("item".into(), items[lanes.len()].clone());
                    lanes.push(Some(sequence(world, body, own)));
                } else if open == 0 {
                    return Poll::Ready(false);
                } else {
                    return Poll::Pending;
                }
            }
        });
        within(world, step, id, race).await
    };
    match stopped {
        Some(false) => onward(step),
        Some(true) => failed(step, "item", lane),
        None => failed(step, "timeout", lane),
    }
}

/// Runs a document on a payload, then takes the script.
pub(crate) fn run(document: &Value, payload: &Map<String, Value>, script: &[Value]) -> Outcome {
    let world: Shared = Rc::default();
    for item in script {
        if let Some(step) = item["effect"].as_str() {
            let answer = item.get("response").cloned().unwrap_or(json!({}));
            world.borrow_mut().scripted.entry(step.to_owned()).or_default().push_back(answer);
        }
    }
    let mut env = payload.clone();
    env.insert("steps".into(), json!({}));
    let lane = Lane { env, writes: Vec::new(), nested: false, refused: false };
    let steps = document["steps"].as_array().unwrap();
    let mut root = sequence(&world, steps, lane);
    let mut task = Task::from_waker(Waker::noop());
    let mut script = script.iter();
    let mut advancing = None;
    let ended = loop {
        if let Poll::Ready(ended) = root.as_mut().poll(&mut task) {
            break Some(ended);
        }
        if settle(&world) {
            continue;
        }
        if let Some(until) = advancing {
            if !fire(&mut world.borrow_mut(), until) {
                let now = world.borrow().now.max(until);
                world.borrow_mut().now = now;
                advancing = None;
            }
            continue;
        }
        match script.next() {
            Some(item) => advancing = play(&mut world.borrow_mut(), item),
            None => break None,
        }
    };
    let waits =
        world.borrow().open.iter().filter(|o| o.kind != Kind::Bound).map(|o| o.step.clone()).collect();
    drop(root);
    let world = world.take();
    if world.path.len() > ENDLESS {
        return Outcome { status: "endless".to_owned(), ..Outcome::default() };
    }
    let (status, result, waits) = match &ended {
        Some((_, End::Failed)) => ("ended", Some("failed".to_owned()), Vec::new()),
        Some((lane, End::Passed | End::NotPassed)) => {
            let verdict = lane.env.get("verdict").and_then(Value::as_str).unwrap_or("executed");
            ("ended", Some(verdict.to_owned()), Vec::new())
        }
        None => ("waiting", None, waits),
    };
    Outcome { status: status.to_owned(), result, path: world.path, effects: world.effects, waits }
}

/// Answers a call, gives an event, or lets a retry's delay pass; false where there is nothing to do.
fn settle(world: &Shared) -> bool {
    let mut world = world.borrow_mut();
    while let Some(id) = world.calls.pop_front() {
        let Some(open) = world.open.iter_mut().find(|open| open.id == id) else { continue };
        let (step, effect) = (open.step.clone(), open.effect.take());
        world.effects.extend(effect);
        let scripted = world.scripted.get_mut(&step).and_then(VecDeque::pop_front);
        give(&mut world, id, scripted.unwrap_or(json!({ "status": 200 })));
        return true;
    }
    for at in 0..world.open.len() {
        let Kind::Event(wanted) = world.open[at].kind.clone() else { continue };
        let fits = |event: &Value| {
            let kind = event["type"].as_str().unwrap();
            wanted.strip_suffix('*').map_or(kind == wanted, |prefix| kind.starts_with(prefix))
        };
        let found = world.events.iter_mut().find(|(event, taken)| !*taken && fits(event));
        if let Some((event, taken)) = found {
            *taken = true;
            let event = event.clone();
            world.open[at].given = Some(event);
            return true;
        }
    }
    world.open.iter().any(|open| open.kind == Kind::Backoff) && fire(&mut world, i64::MAX)
}

fn give(world: &mut World, id: usize, value: Value) {
    if let Some(open) = world.open.iter_mut().find(|open| open.id == id) {
        open.given = Some(value);
    }
}

/// Fires the next timer that is due by then.
fn fire(world: &mut World, until: i64) -> bool {
    let due = world.open.iter().filter_map(|open| Some((open.due?, open.id))).min();
    let Some((due, id)) = due.filter(|(due, _)| *due <= until) else { return false };
    world.now = world.now.max(due);
    give(world, id, Value::Null);
    true
}

/// Takes an item of the script; until when it lets time pass.
fn play(world: &mut World, item: &Value) -> Option<i64> {
    if let Some(verdict) = item.get("decide") {
        let wanted = item["step"].as_str();
        let is_wanted = |open: &&Open| wanted.is_none_or(|step| open.step == step);
        let open = world.open.iter().filter(|open| open.kind == Kind::Decision).find(is_wanted);
        if let Some(id) = open.map(|open| open.id) {
            give(world, id, verdict.clone());
        }
    } else if let Some(event) = item.get("event") {
        world.events.push((event.clone(), false));
    }
    item.get("advance").map(|span| world.now + seconds(span))
}
