//! Writing workflows: checked and tried on this machine, kept as drafts, saved as revisions.

use super::{Handle, calendars, connectors::connectors_of};
use crate::{
    client::{Document, DocumentKind, Request},
    clock,
    shell::Shell,
};
use serde_json::Value;
use shared_types::{
    api::{
        NoBody,
        workflows::{CreateWorkflow, GetWorkflow, PutWorkflow, RevisionQuery, Workflow},
    },
    desktop::{ComparedLine, Comparison, Draft, Failure, LineOf, Merged, Review, commands},
    machine::{
        Definition, ladder::ladder, review::review as check, simulate::simulate, supported::unsupported,
    },
    workflow::{
        Format,
        calendar::Calendar,
        check::Environment,
        quick_fix::apply_fix,
        sample::sample_event,
        test_script::{ScriptItem, ScriptedEvent},
    },
};
use std::sync::Arc;

/// What a text is written in.
pub(super) fn kind_of(text: &str) -> DocumentKind {
    match Format::of(text) {
        Format::Json => DocumentKind::Json,
        Format::Yaml => DocumentKind::Yaml,
    }
}

/// The calendars for a text that names one.
async fn calendars_for(shell: &Shell, text: &str) -> Vec<Calendar> {
    if text.contains("calendar") { calendars::known(shell).await } else { Vec::new() }
}

impl Handle for commands::ReviewWorkflow {
    async fn handle(self, shell: &Shell) -> Result<Review, Failure> {
        let Self { text } = self;
        let (calendars, now) = (calendars_for(shell, &text).await, clock::now());
        let connectors = connectors_of(shell, &text).await;
        let reviewing = tauri::async_runtime::spawn_blocking(move || {
            let format = Format::of(&text);
            let mut checked = check(&text, format, &Environment::Unknown);
            if let Some(connectors) = connectors {
                checked.add(connectors.findings(&checked.references));
            }
            let sample = checked.document.as_ref().map(sample_event);
            let sample = sample.and_then(|event| serde_json::to_string_pretty(&event).ok());
            let ladder = checked.document.as_ref().map(|document| ladder(document, &calendars, now));
            let with_fix = checked.findings.into_iter().map(|finding| {
                let mended = apply_fix(&text, format, &finding);
                (finding, mended)
            });
            Review { findings: with_fix.collect(), sample, ladder: ladder.unwrap_or_default() }
        });
        reviewing.await.map_err(|error| Failure::Shell(error.to_string()))
    }
}

impl Handle for commands::CompareWorkflow {
    async fn handle(self, shell: &Shell) -> Result<Comparison, Failure> {
        let Self { id, revision, mine, theirs } = self;
        let query = RevisionQuery { revision: Some(revision) };
        let call = Request::<GetWorkflow> { path: &[&id], query: &query, body: &NoBody {}, headers: &[] };
        let base = shell.call(&call).await?.source;
        let comparing = tauri::async_runtime::spawn_blocking(move || against(&base, &mine, &theirs));
        comparing.await.map_err(|error| Failure::Shell(error.to_string()))
    }
}

fn against(base: &str, mine: &str, theirs: &str) -> Comparison {
    let both = match diffy::merge(base, mine, theirs) {
        Ok(clean) => Merged::Clean(clean),
        Err(marked) => Merged::Marked(marked),
    };
    Comparison { mine: changes(base, mine), theirs: changes(base, theirs), both }
}

/// The lines that differ, with two of the lines around them.
fn changes(before: &str, after: &str) -> Vec<ComparedLine> {
    const AROUND: usize = 2;
    let diff = similar::TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for (n, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if n > 0 {
            lines.push(ComparedLine { of: LineOf::Gap, text: String::new() });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let of = match change.tag() {
                similar::ChangeTag::Equal => LineOf::Both,
                similar::ChangeTag::Delete => LineOf::Before,
                similar::ChangeTag::Insert => LineOf::After,
            };
            lines.push(ComparedLine { of, text: change.value().trim_end_matches('\n').to_owned() });
        }
    }
    lines
}

impl Handle for commands::TryWorkflow {
    async fn handle(self, shell: &Shell) -> Result<Value, Failure> {
        let Self { text, event, script } = self;
        let event: ScriptedEvent = parse("The event", &event)?;
        let script: Vec<ScriptItem> =
            if script.trim().is_empty() { Vec::new() } else { parse("The script", &script)? };
        let calendars = calendars_for(shell, &text).await;
        let trying = tauri::async_runtime::spawn_blocking(move || {
            let checked = check(&text, Format::of(&text), &Environment::Unknown);
            let document = checked.document.filter(|document| unsupported(document).is_empty());
            let document = document
                .ok_or_else(|| Failure::Input("It can be tried when it has no errors.".to_owned()))?;
            let simulation = simulate(&Arc::new(Definition::new(document)), &event, &script, &calendars);
            serde_json::to_value(simulation).map_err(|error| Failure::Shell(error.to_string()))
        });
        trying.await.map_err(|error| Failure::Shell(error.to_string()))?
    }
}

/// Reads JSON that a person wrote; what is wrong is said with its place.
pub(super) fn parse<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let said = error.to_string();
        let said = said.split(" at line ").next().unwrap_or_default();
        Failure::Input(match error.classify() {
            serde_json::error::Category::Eof if text.trim().is_empty() => {
                format!("{what} is empty; write it as JSON.")
            }
            serde_json::error::Category::Eof => {
                format!("{what} ends at {place} before its JSON is complete.")
            }
            serde_json::error::Category::Syntax => format!("{what} is no JSON at {place}: {said}."),
            serde_json::error::Category::Data | serde_json::error::Category::Io => {
                format!("{what} can't be used ({place}): {said}.")
            }
        })
    })
}

impl Handle for commands::ReadDraft {
    async fn handle(self, shell: &Shell) -> Result<Option<Draft>, Failure> {
        let Self { id } = self;
        let (scope, _) = shell.who()?;
        let kept = shell.cache().get::<Draft>(&scope, &key(&id)).await.map_err(failed)?;
        Ok(kept.map(|(draft, _)| draft))
    }
}

impl Handle for commands::KeepDraft {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        let Self { id, text, base } = self;
        let (scope, _) = shell.who()?;
        let at = clock::now();
        shell.cache().put(&scope, &key(&id), &Draft { text, base, at }, at).await.map_err(failed)
    }
}

impl Handle for commands::DropDraft {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        let Self { id } = self;
        let (scope, _) = shell.who()?;
        shell.cache().forget(&scope, &key(&id)).await.map_err(failed)
    }
}

impl Handle for commands::SaveWorkflow {
    async fn handle(self, shell: &Shell) -> Result<Workflow, Failure> {
        let Self { id, text, base } = self;
        let document = Document { text: &text, kind: kind_of(&text), if_match: base.as_deref() };
        match &id {
            Some(id) => shell.send_document::<PutWorkflow>(&[id], &document).await,
            None => shell.send_document::<CreateWorkflow>(&[], &document).await,
        }
    }
}

fn key(id: &str) -> String {
    format!("draft/{id}")
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failed(error: sqlx::Error) -> Failure {
    Failure::Shell(format!("The draft can't be kept: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_changed_apart_is_merged_and_what_both_changed_alike_is_no_conflict() {
        let base = "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\n";
        let mine = base.replace("b: 2", "b: 20");
        let theirs = base.replace("e: 5", "e: 50").replace("b: 2", "b: 20");
        let compared = against(base, &mine, &theirs);
        assert_eq!(compared.both, Merged::Clean("a: 1\nb: 20\nc: 3\nd: 4\ne: 50\n".to_owned()));
        let changed = |lines: &[ComparedLine], of: LineOf| {
            lines.iter().filter(|line| line.of == of).map(|line| line.text.clone()).collect::<Vec<_>>()
        };
        assert_eq!(changed(&compared.mine, LineOf::Before), ["b: 2"]);
        assert_eq!(changed(&compared.mine, LineOf::After), ["b: 20"]);
        assert_eq!(changed(&compared.theirs, LineOf::After), ["b: 20", "e: 50"]);
        let Merged::Marked(marked) = against(base, &mine, &base.replace("b: 2", "b: 30")).both else {
            panic!("both changed one line");
        };
        assert!(marked.contains("b: 20") && marked.contains("b: 30"), "{marked}");
    }

    #[test]
    fn what_a_person_wrote_is_told_with_its_place_and_no_code() {
        for (text, says) in [
            ("", "The event is empty; write it as JSON."),
            ("{ \"type\":", "The event ends at line 1, column 9 before its JSON is complete."),
            ("{\n  type: 1 }", "The event is no JSON at line 2, column 3: key must be a string."),
        ] {
            let failure = parse::<ScriptedEvent>("The event", text).unwrap_err();
            assert_eq!(failure.words(), says);
        }
    }
}
