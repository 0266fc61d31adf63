//! No workflow, event or stored run can stop, slow or fail another's.

use crate::app::{App, Client, eventually};
use serde_json::{Value, json};
use sqlx::{Executor as _, Row as _};

const NORMAL: &str = "workflow_id: normal\nname: Normal\ntrigger: { type: event, event: go }\nenabled: true\nsubject: 'Order {{ id }}'\n\
    steps:\n  - { id: allow, type: action, action: { type: allow } }\n";

fn hostile(head: &str, step: &str) -> String {
    format!(
        "workflow_id: hostile\nname: Hostile\ntrigger: {{ type: event, event: go }}\nenabled: true\n{head}\nsteps:\n  - {step}\n"
    )
}

/// The runs that one event starts, once they have settled.
async fn runs_of(app: &App, events: &Client, reader: &Client) -> Vec<Value> {
    let sent = events.post("events?wait=10s", json!({ "type": "go", "payload": { "id": "A1" } })).await;
    let runs = sent.json(200)["runs"].as_array().unwrap().clone();
    assert!(app.running.state.pool.size() > 0);
    let mut settled = Vec::new();
    for run in runs {
        settled.push(reader.run_ended(&run["execution_id"]).await);
    }
    settled
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_hostile_workflow_of_each_kind_fails_alone() {
    let blow_up = "{% set ns = namespace(x=[1]) %}{% for i in range(40) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x | length }}";
    let work = "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}";
    for (head, step, code) in [
        ("", format!("{{ id: a, type: set, set: {{ x: \"{blow_up}\" }} }}"), "template.limit"),
        ("", format!("{{ id: a, type: set, set: {{ x: \"{work}\" }} }}"), "template.limit"),
        ("", "{ id: a, type: set, set: { x: '{{ [0] * 100000000 }}' } }".to_owned(), "template.limit"),
        ("", "{ id: a, type: set, set: { x: 'z{{ \"\\u0000\" }}' } }".to_owned(), "value.unstorable"),
        ("", "{ id: a, type: action, action: { type: block, reason: 'z{{ \"\\u0000\" }}' } }".to_owned(), "value.unstorable"),
        ("", "{ id: a, type: fail, reason: '{{ \"\\u0000\" }}' }".to_owned(), "value.unstorable"),
        ("", format!("{{ id: a, type: switch, cases: [{{ when: {{ field: id, operator: eq, value: \"{blow_up}\" }}, next: b }}] }}\n  - {{ id: b, type: set, set: {{}} }}"), "condition.failed"),
        ("", format!("{{ id: a, type: execute, execute: [{{ type: log, message: \"{work}\" }}] }}"), "template.limit"),
        ("", "{ id: a, type: foreach, foreach: { items: '{{ range(9000) | list }}', steps: [{ id: b, type: set, set: { y: '{{ range(9000) | sum }}' } }] } }".to_owned(), "limit.work"),
        ("amount: 'z{{ \"\\u0000\" }}'", "{ id: a, type: action, action: { type: allow } }".to_owned(), "value.unstorable"),
    ] {
        let app = App::start().await;
        app.publish(NORMAL).await;
        app.publish(&hostile(head, &step)).await;
        let events = app.key(&["events:write"]).await;
        let reader = app.person("Per Dahl", &["viewer"]).await;
        let runs = runs_of(&app, &events, &reader).await;
        assert_eq!(runs.len(), 2, "{step}");
        for run in runs {
            if run["workflow_id"] == "normal" {
                assert_eq!((&run["result"], &run["subject"]), (&json!("allowed"), &json!("Order A1")));
            } else {
                assert_eq!((&run["result"], &run["error"]["code"]), (&json!("failed"), &json!(code)), "{step}");
            }
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn a_subject_that_can_not_be_made_marks_its_run_and_is_no_failure() {
    let app = App::start().await;
    app.publish(NORMAL).await;
    let step = "{ id: allow, type: action, action: { type: allow } }";
    app.publish(&hostile("subject: 'z{{ \"\\u0000\" }}'", step)).await;
    let events = app.key(&["events:write"]).await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    for run in runs_of(&app, &events, &reader).await {
        assert_eq!(run["result"], "allowed");
        let is_marked = run["subject"].as_str().unwrap().starts_with("(no subject: ");
        assert_eq!(is_marked, run["workflow_id"] == "hostile");
    }
    app.stop().await;
}

#[tokio::test]
async fn ids_and_subjects_that_an_index_can_not_hold_are_cut_or_fail_their_step() {
    let app = App::start().await;
    app.publish(
        "workflow_id: w\nname: W\ntrigger: { type: event, event: go }\nenabled: true\nsubject: '{{ long }}'\nsteps:\n  \
         - { id: ask, type: approval, approval: { entity: order, entity_id: '{{ id }}', levels: [{ approvers: ['role:x'] }] } }\n",
    )
    .await;
    let events = app.key(&["events:write"]).await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    let random: String =
        (0..5_000).map(|n| char::from(b'a' + u8::try_from((n * n + n / 7) % 26).unwrap())).collect();
    let sent = json!({ "type": "go", "payload": { "id": random, "long": "word ".repeat(200_000) } });
    let run = events.post("events?wait=10s", sent).await.json(200)["runs"][0].clone();
    let run = reader.run_ended(&run["execution_id"]).await;
    assert_eq!(run["error"]["code"], "value.too_long", "{run:#}");
    assert_eq!(run["subject"].as_str().unwrap().chars().count(), 500);
    app.stop().await;
}

async fn asked(app: &App) -> (Client, Client, Value, Value) {
    app.publish(
        "workflow_id: w\nname: W\ntrigger: { type: event, event: go }\nenabled: true\nsteps:\n  \
         - { id: ask, type: approval, approval: { levels: [{ approvers: ['role:finance'] }] } }\n",
    )
    .await;
    let events = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let run = events.post("events?wait=5s", json!({ "type": "go" })).await.json(200)["runs"][0].clone();
    (events, bo, run["execution_id"].clone(), run["approval_id"].clone())
}

/// Makes a run's state one that no version can read.
async fn spoil(app: &App, run: &Value) {
    let id = uuid::Uuid::parse_str(run.as_str().unwrap()).unwrap();
    let pool = &app.running.state.pool;
    pool.execute(sqlx::query("update executions set state = '{\"v\": \"nothing\"}' where id = $1").bind(id))
        .await
        .unwrap();
    pool.execute(sqlx::query("update journal set input = '{}' where execution_id = $1").bind(id))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_run_that_can_not_be_read_any_more_is_shown_and_can_be_cancelled() {
    let app = App::start().await;
    let (_, bo, run, approval) = asked(&app).await;
    spoil(&app, &run).await;
    let path = format!("executions/{}", run.as_str().unwrap());
    assert_eq!(bo.get(&path).await.json(200)["status"], "waiting");
    let cancelled = bo.post(&format!("{path}/cancel"), json!({ "reason": "stuck" })).await.json(200);
    assert_eq!((&cancelled["status"], &cancelled["result"]), (&json!("ended"), &json!("cancelled")));
    assert_eq!(cancelled["reason"], "Cancelled by Bo Ek: “stuck”");
    let approval = bo.get(&format!("approvals/{}", approval.as_str().unwrap())).await.json(200);
    assert_eq!(approval["status"], "withdrawn");
    assert_eq!(bo.get(&path).await.json(200)["result"], "cancelled");
    let again = bo.post(&format!("{path}/cancel"), json!({})).await;
    assert!(again.status.is_client_error(), "{}", again.text);
    app.stop().await;
}

#[tokio::test]
async fn a_timer_of_a_run_that_can_not_be_read_sets_it_aside_with_the_reason() {
    let app = App::start().await;
    app.publish(
        "workflow_id: w\nname: W\ntrigger: { type: event, event: go }\nenabled: true\nsteps:\n  \
         - { id: pause, type: wait, wait: { for: 1s } }\n",
    )
    .await;
    let events = app.key(&["events:write"]).await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    let run =
        events.post("events?wait=5s", json!({ "type": "go" })).await.json(200)["runs"][0]["execution_id"]
            .clone();
    spoil(&app, &run).await;
    let run = reader.run_ended(&run).await;
    assert_eq!((&run["result"], &run["error"]["code"]), (&json!("failed"), &json!("run.set_aside")));
    let pool = &app.running.state.pool;
    let timers = sqlx::query("select count(*) from timers").fetch_one(pool).await.unwrap().get::<i64, _>(0);
    assert_eq!(timers, 0);
    app.stop().await;
}

#[tokio::test]
async fn a_document_that_can_not_be_read_starts_nothing_and_keeps_no_other_from_it() {
    let app = App::start().await;
    app.publish(NORMAL).await;
    app.publish(&hostile("", "{ id: a, type: action, action: { type: allow } }")).await;
    let pool = &app.running.state.pool;
    pool.execute("update workflow_revisions set document = '{\"steps\": 5}' where workflow_id = 'hostile'")
        .await
        .unwrap();
    let author = app.person("Ada Lind", &["author"]).await;
    // Changing what starts runs has it read anew.
    app.publish(
        &NORMAL.replace("workflow_id: normal", "workflow_id: other").replace("event: go", "event: else"),
    )
    .await;
    let events = app.key(&["events:write"]).await;
    let runs = events.post("events?wait=5s", json!({ "type": "go", "payload": { "id": 1 } })).await.json(200);
    let runs = runs["runs"].as_array().unwrap();
    assert!(runs.iter().any(|run| run["workflow_id"] == "normal" && run["result"] == "allowed"), "{runs:?}");
    let off = author.post("workflows/hostile/disable", json!({})).await;
    assert!(off.status.is_success(), "{}", off.text);
    let listed = author.get("workflows").await.json(200);
    let enabled = |id: &str| {
        listed["items"].as_array().unwrap().iter().find(|w| w["workflow_id"] == id).unwrap()["enabled"]
            .clone()
    };
    assert_eq!((enabled("hostile"), enabled("normal")), (json!(false), json!(true)));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_breed_end_at_a_thousand_runs_with_the_reason() {
    let app = App::start().await;
    app.publish(
        "workflow_id: breed\nname: Breed\ntrigger: { type: event, event: go }\nenabled: true\nsteps:\n  \
         - { id: a, type: execute, execute: [{ type: emit_event, event: go }, { type: emit_event, event: go }] }\n",
    )
    .await;
    let events = app.key(&["events:write"]).await;
    events.post("events", json!({ "type": "go" })).await.json(202);
    let pool = &app.running.state.pool;
    let count = async |what: &str| {
        let query = sqlx::AssertSqlSafe(format!("select count(*) from {what}"));
        sqlx::query(query).fetch_one(pool).await.unwrap().get::<i64, _>(0)
    };
    eventually("all events start their runs", || async {
        let (pending, open) =
            (count("events where pending").await, count("executions where status <> 'ended'").await);
        let runs = count("executions").await;
        if pending == 0 && open == 0 && runs > 1_000 {
            Ok(())
        } else {
            Err(format!("{pending} {open} {runs}"))
        }
    })
    .await;
    assert_eq!(
        count("executions where result = 'executed'").await,
        1_001,
        "the first, and a thousand below it"
    );
    let failed = count("executions where error ->> 'code' = 'limit.descendants'").await;
    assert_eq!((failed, count("executions").await), (1, 1_002), "and one that says why there are no more");
    app.stop().await;
}

#[tokio::test]
async fn a_run_over_which_its_server_ended_three_times_is_set_aside_and_others_go_on() {
    let app = App::start().await;
    app.publish(
        "workflow_id: w\nname: W\ntrigger: { type: event, event: go }\nenabled: true\nsteps:\n  \
         - { id: pause, type: wait, wait: { for: 1h } }\n",
    )
    .await;
    let events = app.key(&["events:write"]).await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    let pool = &app.running.state.pool;
    for (attempts, result) in [(3, "failed"), (2, "executed"), (1, "executed")] {
        let run = events.post("events?wait=5s", json!({ "type": "go" })).await.json(200)["runs"][0].clone();
        // As if its server had ended so often while it applied the timer.
        let due = "update timers set due_at = now() - interval '1 s', attempts = $1";
        pool.execute(sqlx::query(due).bind(attempts)).await.unwrap();
        let run = reader.run_ended(&run["execution_id"]).await;
        assert_eq!(run["result"], result, "{attempts}: {run:#}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_fewest_connections_everything_goes_on() {
    let app = App::start_with(|config| config.connections = backend::config::FEWEST_CONNECTIONS).await;
    app.publish(
        "workflow_id: first\nname: First\ntrigger: { type: event, event: go }\nenabled: true\nsteps:\n  \
         - { id: a, type: execute, execute: [{ type: emit_event, event: again }, { type: notify, recipients: ['role:finance'], message: m }] }\n",
    )
    .await;
    app.publish(
        "workflow_id: second\nname: Second\ntrigger: { type: event, event: again }\nenabled: true\nsteps:\n  \
         - { id: ask, type: execute, on_approved: done, execute: [{ type: create_approval_request, data: { approver_role: finance } }, \
             { type: notify, recipients: ['role:finance'], message: m }] }\n  \
         - { id: done, type: action, action: { type: allow } }\n",
    )
    .await;
    let events = app.key(&["events:write"]).await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let sent = (0..60).map(|_| events.post("events?wait=10s", json!({ "type": "go" })));
    for answer in futures_util::future::join_all(sent).await {
        assert!(answer.status.is_success(), "{}", answer.text);
    }
    eventually("all are asked", || async {
        let asked =
            bo.get("approvals?mine=true&limit=100").await.json(200)["items"].as_array().unwrap().len();
        if asked == 60 { Ok(()) } else { Err(asked.to_string()) }
    })
    .await;
    app.stop().await;
}
