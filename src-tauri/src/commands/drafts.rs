//! Writing workflows: checked and tried on this machine, kept as drafts, saved as revisions.

use crate::{client::Document, clock, shell::Shell};
use serde_json::Value;
use shared_types::{
    api::workflows::{CreateWorkflow, PutWorkflow, Workflow},
    desktop::{ComparedLine, Draft, Failure, LineOf, Review},
    machine::{Definition, review::review as check, simulate::simulate, supported::unsupported},
    workflow::{
        Format,
        check::Around,
        mend::mend,
        sample::sample_event,
        script::{ScriptItem, ScriptedEvent},
    },
};
use std::sync::Arc;
use tauri::State;

fn format_of(text: &str) -> Format {
    if text.trim_start().starts_with('{') { Format::Json } else { Format::Yaml }
}

#[tauri::command]
pub(crate) async fn review(text: String) -> Result<Review, Failure> {
    let reviewing = tauri::async_runtime::spawn_blocking(move || {
        let format = format_of(&text);
        let checked = check(&text, format, &Around::Unknown);
        let sample = checked.document.as_ref().map(sample_event);
        let sample = sample.and_then(|event| serde_json::to_string_pretty(&event).ok());
        let with_fix = checked.findings.into_iter().map(|finding| {
            let mended = mend(&text, format, &finding);
            (finding, mended)
        });
        Review { findings: with_fix.collect(), sample }
    });
    reviewing.await.map_err(|error| Failure::Shell(error.to_string()))
}

/// Two texts against each other: the lines that differ, with two of the lines around them.
#[tauri::command]
pub(crate) async fn compare(mine: String, theirs: String) -> Result<Vec<ComparedLine>, Failure> {
    const AROUND: usize = 2;
    let diff = similar::TextDiff::from_lines(&mine, &theirs);
    let mut lines = Vec::new();
    for (n, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if n > 0 {
            lines.push(ComparedLine { of: LineOf::Gap, text: String::new() });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let of = match change.tag() {
                similar::ChangeTag::Equal => LineOf::Both,
                similar::ChangeTag::Delete => LineOf::Mine,
                similar::ChangeTag::Insert => LineOf::Theirs,
            };
            lines.push(ComparedLine { of, text: change.value().trim_end_matches('\n').to_owned() });
        }
    }
    Ok(lines)
}

#[tauri::command]
pub(crate) async fn try_it(text: String, event: String, script: String) -> Result<Value, Failure> {
    let event: ScriptedEvent = parse("The event", &event)?;
    let script: Vec<ScriptItem> =
        if script.trim().is_empty() { Vec::new() } else { parse("The script", &script)? };
    let trying = tauri::async_runtime::spawn_blocking(move || {
        let checked = check(&text, format_of(&text), &Around::Unknown);
        let document = checked.document.filter(|document| unsupported(document).is_empty());
        let document =
            document.ok_or_else(|| Failure::Shell("It can be tried when it has no errors.".to_owned()))?;
        let simulation = simulate(&Arc::new(Definition::new(document)), &event, &script);
        serde_json::to_value(simulation).map_err(|error| Failure::Shell(error.to_string()))
    });
    trying.await.map_err(|error| Failure::Shell(error.to_string()))?
}

fn parse<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::Shell(format!("{what} can't be read: {error}.")))
}

#[tauri::command]
pub(crate) async fn draft(shell: State<'_, Shell>, id: String) -> Result<Option<Draft>, Failure> {
    let (scope, _) = shell.who()?;
    let kept = shell.cache().seen::<Draft>(&scope, &key(&id)).await.map_err(failed)?;
    Ok(kept.map(|(draft, _)| draft))
}

#[tauri::command]
pub(crate) async fn keep_draft(
    shell: State<'_, Shell>,
    id: String,
    text: String,
    base: Option<String>,
) -> Result<(), Failure> {
    let (scope, _) = shell.who()?;
    let at = clock::now();
    shell.cache().keep(&scope, &key(&id), &Draft { text, base, at }, at).await.map_err(failed)
}

#[tauri::command]
pub(crate) async fn drop_draft(shell: State<'_, Shell>, id: String) -> Result<(), Failure> {
    let (scope, _) = shell.who()?;
    shell.cache().forget(&scope, &key(&id)).await.map_err(failed)
}

#[tauri::command]
pub(crate) async fn save_workflow(
    shell: State<'_, Shell>,
    id: Option<String>,
    text: String,
    base: Option<String>,
) -> Result<Workflow, Failure> {
    let document =
        Document { text: &text, is_json: format_of(&text) == Format::Json, if_match: base.as_deref() };
    match &id {
        Some(id) => shell.send_document::<PutWorkflow>(&[id], &document).await,
        None => shell.send_document::<CreateWorkflow>(&[], &document).await,
    }
}

fn key(id: &str) -> String {
    format!("draft/{id}")
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failed(error: sqlx::Error) -> Failure {
    Failure::Shell(format!("The draft can't be kept: {error}."))
}
