//! What takes days, in a moment: the clock that the server is given is moved.

use crate::app::{App, Client, eventually};
use backend::clock::{Clock, TimeSource};
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// The system's time, moved ahead by some seconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ahead(Arc<AtomicI64>);

impl TimeSource for Ahead {
    fn now(&self) -> DateTime<Utc> {
        let system = DateTime::<Utc>::from(std::time::SystemTime::now());
        system + Duration::seconds(self.0.load(Ordering::SeqCst))
    }
}

impl Ahead {
    pub(crate) fn by(&self, span: Duration) {
        self.0.fetch_add(span.num_seconds(), Ordering::SeqCst);
    }
}

async fn start() -> (Ahead, App) {
    let ahead = Ahead::default();
    let app = App::start_by(Clock::of(ahead.clone())).await;
    (ahead, app)
}

async fn run_of(shop: &Client, kind: &str) -> Value {
    shop.post("events", json!({ "type": kind })).await.json(202)["runs"][0]["execution_id"].clone()
}

#[tokio::test]
async fn a_request_expires_after_its_days_and_not_before() {
    let (ahead, app) = start().await;
    app.publish(
        "workflow_id: ask\nname: Ask\ntrigger: { type: event, event: ask }\nenabled: true\nsteps:\n  \
         - { id: ask, type: approval, approval: { levels: [{ approvers: ['role:finance'], expires_in: 3d }] }, on_expired: late }\n  \
         - { id: late, type: action, action: { type: block, reason: Late } }\n",
    )
    .await;
    let shop = app.key(&["events:write"]).await;
    let run = run_of(&shop, "ask").await;
    ahead.by(Duration::hours(71));
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let waiting = bo.run_when(&run, |run| run["status"] == "waiting").await;
    assert_eq!(waiting["result"], "pending_approval");
    ahead.by(Duration::hours(2));
    let cy = app.person("Cy Roth", &["operator", "finance"]).await;
    let ended = cy.run_ended(&run).await;
    assert_eq!((&ended["result"], &ended["reason"]), (&json!("blocked"), &json!("Late")));
    let took = |key: &str| ended[key].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert!(took("ended_at") - took("started_at") >= Duration::days(3));
    app.stop().await;
}

#[tokio::test]
async fn a_wait_of_a_month_is_over_after_a_month_and_the_run_takes_up_what_came_meanwhile() {
    let (ahead, app) = start().await;
    app.publish(
        "workflow_id: nap\nname: Nap\ntrigger: { type: event, event: nap }\nenabled: true\nsteps:\n  \
         - { id: nap, type: wait, wait: { for: 30d }, next: hold }\n  \
         - { id: hold, type: wait, wait: { event: woken }, next: end }\n  \
         - { id: end, type: action, action: { type: allow, reason: '{{ by }}' } }\n",
    )
    .await;
    let shop = app.key(&["events:write"]).await;
    let run = run_of(&shop, "nap").await;
    ahead.by(Duration::days(10));
    shop.post("events", json!({ "type": "woken", "payload": { "by": "Ina" } })).await.json(202);
    ahead.by(Duration::days(21));
    let reader = app.person("Per Dahl", &["viewer"]).await;
    assert_eq!(reader.run_ended(&run).await["reason"], "Ina");
    app.stop().await;
}

#[tokio::test]
async fn a_daily_schedule_starts_one_run_a_day() {
    let (ahead, app) = start().await;
    app.publish("workflow_id: daily\nname: Daily\ntrigger: { type: schedule, cron: '0 0 6 * * *', catch_up: last }\nenabled: true\nsteps: [{ id: a, type: set, set: { b: 1 } }]\n").await;
    for day in 1..=3 {
        ahead.by(Duration::days(1));
        let reader = app.person(&format!("Reader {day}"), &["viewer"]).await;
        let runs = eventually("the run of the day", || async {
            let runs =
                reader.get("executions?workflow_id=daily").await.json(200)["items"].as_array().unwrap().len();
            if runs >= day { Ok(runs) } else { Err(format!("{runs} of {day}")) }
        })
        .await;
        assert_eq!(runs, day);
    }
    app.stop().await;
}

#[tokio::test]
async fn a_token_and_a_key_run_out_at_their_time() {
    let (ahead, app) = start().await;
    let admin = app.admin().await;
    let until = app.running.state.clock.now() + Duration::days(2);
    let made = json!({ "name": "Shop", "scopes": ["events:write"], "expires_at": until });
    let made = admin.post("api-keys", made).await.json(201);
    let key = Client::new(&app.base, made["key"].as_str().map(str::to_owned));
    key.post("events", json!({ "type": "a" })).await.json(202);
    ahead.by(Duration::hours(1));
    assert_eq!(admin.get("workflows").await.problem(401)["code"], "auth.expired");
    key.post("events", json!({ "type": "a" })).await.json(202);
    ahead.by(Duration::days(2));
    key.post("events", json!({ "type": "a" })).await.problem(401);
    app.stop().await;
}

#[tokio::test]
async fn people_are_reminded_others_are_asked_too_and_then_it_expires() {
    let (ahead, app) = start().await;
    app.publish(
        "workflow_id: ask\nname: Ask\ntrigger: { type: event, event: ask }\nenabled: true\nsubject: Order A1\nsteps:\n  \
         - { id: ask, type: approval, approval: { levels: [{ name: finance, approvers: ['role:finance'], quorum: 2, \
         expires_in: 3d, remind_every: 20h, escalate_after: 30h, escalate_to: ['role:cfo'] }] }, on_expired: late }\n  \
         - { id: late, type: action, action: { type: block, reason: Late } }\n",
    )
    .await;
    let shop = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    app.person("Cy Roth", &["operator", "finance"]).await;
    app.person("Fia Lund", &["operator", "cfo"]).await;
    let answer = shop.post("events?wait=5s", json!({ "type": "ask" })).await.json(200);
    let (id, run) = (answer["runs"][0]["approval_id"].clone(), answer["runs"][0]["execution_id"].clone());
    let path = format!("approvals/{}", id.as_str().unwrap());
    bo.post(&format!("{path}/decisions"), json!({ "decision": "approve" })).await.json(200);
    ahead.by(Duration::hours(21));
    let again = app.person("Cy Two", &["operator"]).await;
    let notices = async |who: &Client| -> Vec<String> {
        let notices = who.get("notices").await.json(200);
        notices["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n["subject"].as_str().unwrap().to_owned())
            .collect()
    };
    let card = eventually("a reminder", || async {
        let card = again.get(&path).await.json(200);
        if card["levels"][0]["reminded_at"].is_string() { Ok(card) } else { Err("none".to_owned()) }
    })
    .await;
    assert_eq!(card["levels"][0]["escalated_at"], Value::Null);
    ahead.by(Duration::hours(10));
    let third = app.person("Cy Three", &["operator"]).await;
    eventually("an escalation", || async {
        let card = third.get(&path).await.json(200);
        if card["levels"][0]["escalated_at"].is_string() { Ok(()) } else { Err(card["levels"].to_string()) }
    })
    .await;
    let cy = app.signed_in("Cy Roth").await;
    let bo = app.signed_in("Bo Ek").await;
    let fia = app.signed_in("Fia Lund").await;
    assert_eq!(notices(&cy).await, ["Escalated: Order A1", "Reminder: Order A1"]);
    assert_eq!(notices(&fia).await, ["Escalated: Order A1"], "the new approvers are told");
    assert_eq!(notices(&bo).await, Vec::<String>::new(), "who has decided is left alone");
    ahead.by(Duration::hours(48));
    let reader = app.person("Cy Four", &["operator"]).await;
    assert_eq!(reader.run_ended(&run).await["reason"], "Late");
    assert_eq!(reader.get(&path).await.json(200)["levels"][0]["status"], "expired");
    app.stop().await;
}
