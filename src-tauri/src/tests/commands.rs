//! What a page may ask: every command has its handler, and asks the server as its endpoint says.

use super::fixture::{App, Server, session};
use crate::commands::dispatch;
use serde_json::{Value, json};
use shared_types::{
    desktop::{
        CachePolicy, Failure, Settings, Theme,
        commands::{
            self, Command as _, DropDraft, KeepDraft, KeepSettings, ListRuns, ReadDraft, ReadSettings,
            SaveWorkflow, StartWorkflow, TryWorkflow,
        },
    },
    for_each_command,
};

macro_rules! names {
    ($($name:ident)*) => { [$(commands::$name::NAME),*] };
}

#[tokio::test]
async fn every_command_has_a_name_of_its_own_and_is_answered() {
    let app = App::open().await;
    let names = for_each_command!(names);
    let distinct: std::collections::BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(distinct.len(), names.len());
    for name in names {
        // With arguments that no command has: each is found, and either needs none or says that it can't read them.
        match dispatch(&app.shell, name, json!(7)).await {
            Err(Failure::Shell(says)) => assert!(says.starts_with(name), "{name}: {says}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_no_command_is_said_to_be_none() {
    let app = App::open().await;
    let Err(Failure::Shell(says)) = dispatch(&app.shell, "ReadKeyring", json!({})).await else { panic!() };
    assert_eq!(says, "The shell has no command ReadKeyring.");
}

#[tokio::test]
async fn settings_are_kept_and_painted_at_once() {
    let app = App::open().await;
    let settings = Settings { theme: Theme::Dark, notifications: true };
    app.ask(KeepSettings { settings }).await.unwrap();
    assert_eq!(app.ask(ReadSettings {}).await.unwrap(), settings);
    assert_eq!(*app.recorder.painted.lock().unwrap(), [Theme::Dark]);
}

#[tokio::test]
async fn a_draft_is_its_persons_and_goes_when_it_is_dropped() {
    let server = Server::with([]).await;
    let app = App::open().await;
    let id = || "order".to_owned();
    assert!(matches!(app.ask(ReadDraft { id: id() }).await, Err(Failure::SignedOut)));
    app.sign_in(&server, "ina").await;
    app.ask(KeepDraft { id: id(), text: "a: 1".to_owned(), base: Some("\"r1\"".to_owned()) }).await.unwrap();
    let draft = app.ask(ReadDraft { id: id() }).await.unwrap().unwrap();
    assert_eq!((draft.text.as_str(), draft.base.as_deref()), ("a: 1", Some("\"r1\"")));
    app.shell.sign_out().await;
    app.sign_in(&server, "bo").await;
    assert!(app.ask(ReadDraft { id: id() }).await.unwrap().is_none());
    app.shell.sign_out().await;
    app.sign_in(&server, "ina").await;
    app.ask(DropDraft { id: id() }).await.unwrap();
    assert!(app.ask(ReadDraft { id: id() }).await.unwrap().is_none());
}

/// What was asked of the server when a command failed for want of an answer.
async fn asked(send: impl AsyncFn(&App)) -> super::fixture::Heard {
    let server = Server::with([("auth/me", session("ina", 3600)["user"].clone())]).await;
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    send(&app).await;
    let heard = server.heard.lock().unwrap();
    heard.last().unwrap().clone()
}

#[tokio::test]
async fn a_workflow_is_sent_as_it_is_written_over_the_revision_that_was_read() {
    let save = async |text: &str, id: Option<&str>, base: Option<&str>| {
        let (text, id, base) = (text.to_owned(), id.map(str::to_owned), base.map(str::to_owned));
        asked(async |app| {
            let save = SaveWorkflow { id: id.clone(), text: text.clone(), base: base.clone() };
            assert!(app.ask(save).await.is_err());
        })
        .await
    };
    let header = |heard: &super::fixture::Heard, name: &str| {
        heard.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    let yaml = save("# mine\na: 1\n", Some("order"), Some("\"r3\"")).await;
    assert_eq!((yaml.method.as_str(), yaml.path.as_str()), ("PUT", "workflows/order"));
    assert_eq!(yaml.body, Value::String("# mine\na: 1\n".to_owned()));
    assert_eq!(
        (header(&yaml, "content-type"), header(&yaml, "if-match")),
        ("application/yaml".into(), "\"r3\"".into())
    );
    let new = save("{\"a\": 1}", None, None).await;
    assert_eq!((new.method.as_str(), new.path.as_str()), ("POST", "workflows"));
    assert_eq!(
        (header(&new, "content-type"), header(&new, "if-match")),
        ("application/json".into(), String::new())
    );
}

#[tokio::test]
async fn what_makes_something_carries_a_key_of_its_own() {
    let start = || {
        asked(async |app| {
            assert!(
                app.ask(StartWorkflow { id: "order".to_owned(), input: serde_json::Map::new() })
                    .await
                    .is_err()
            );
        })
    };
    let (first, second) = (start().await, start().await);
    assert_eq!(first.path, "workflows/order/executions");
    assert_ne!(first.headers["idempotency-key"], second.headers["idempotency-key"]);
}

#[tokio::test]
async fn the_newest_runs_are_kept_and_later_parts_are_not() {
    let page = json!({ "items": [], "next_cursor": null });
    let server = Server::with([("executions", page)]).await;
    let app = App::open().await;
    app.sign_in(&server, "ina").await;
    let list = async |cursor: Option<&str>| {
        let query = shared_types::api::executions::ExecutionQuery {
            cursor: cursor.map(str::to_owned),
            ..Default::default()
        };
        app.ask(ListRuns { query, policy: CachePolicy::NetworkOnly }).await.unwrap()
    };
    assert!(list(None).await.fresh && list(Some("c")).await.fresh);
    let (scope, _) = app.shell.who().unwrap();
    let key = format!(
        "runs/None/{}",
        serde_json::to_string(&shared_types::api::executions::ExecutionQuery::default()).unwrap()
    );
    assert!(app.shell.cache().get::<Value>(&scope, &key).await.unwrap().is_some());
    assert_eq!(server.sent("executions")[1].query, "cursor=c");
}

#[tokio::test]
async fn a_document_is_tried_on_this_machine_and_a_bad_event_is_told_with_its_place() {
    let app = App::open().await;
    let text = "workflow_id: a\nname: A\ntrigger: { type: event, event: go }\nsteps: [{ id: s, type: action, action: { type: allow } }]\n";
    let trial =
        |event: &str| TryWorkflow { text: text.to_owned(), event: event.to_owned(), script: String::new() };
    let simulated = app.ask(trial("{ \"type\": \"go\", \"payload\": {} }")).await.unwrap();
    assert_eq!(simulated["result"], "allowed", "{simulated:#}");
    let Err(Failure::Input(says)) = app.ask(trial("{")).await else { panic!() };
    assert_eq!(says, "The event ends at line 1, column 1 before its JSON is complete.");
}
