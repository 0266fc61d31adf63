//! `iw-server validate` and `simulate`: with no server and no network.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared_types::{
    api::reading,
    machine::{
        Definition,
        review::review,
        simulate::{Simulation, simulate},
        supported::unsupported,
    },
    workflow::{
        Finding, Format, Severity,
        calendar::{self, Calendar},
        check::Environment,
        test_script::{ScriptItem, ScriptedEvent},
    },
};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

const BAD_DOCUMENT: u8 = 1;
const UNREADABLE_FILE: u8 = 2;

/// Checks documents.
pub fn validate(files: &[PathBuf], json: bool, out: &mut impl Write) -> ExitCode {
    let mut code = 0;
    let mut all = Vec::new();
    for file in files {
        let findings = match fs::read_to_string(file) {
            Ok(text) => review(&text, format_of(file), &Environment::Unknown).findings,
            Err(error) => {
                code = UNREADABLE_FILE;
                vec![Finding::error("file.unreadable", "", format!("The file can't be read: {error}."))]
            }
        };
        if code == 0 && findings.iter().any(|finding| finding.severity == Severity::Error) {
            code = BAD_DOCUMENT;
        }
        if !json {
            print_findings(file, &findings, out);
        }
        all.push(json!({ "file": file.display().to_string(), "findings": findings }));
    }
    if json {
        print_json(&Value::Array(all), out);
    }
    ExitCode::from(code)
}

fn format_of(file: &Path) -> Format {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Format::Json,
        Some(_) | None => Format::Yaml,
    }
}

fn print_findings(file: &Path, findings: &[Finding], out: &mut impl Write) {
    if findings.is_empty() {
        let _ = writeln!(out, "{}: no findings", file.display());
    }
    for finding in findings {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Unsupported => "unsupported",
            Severity::Warning => "warning",
        };
        let place = format!("{}:{}:{}", file.display(), finding.line, finding.column);
        let _ = writeln!(out, "{place}: {severity} {}: {}", finding.code, finding.message);
    }
}

fn print_json(value: &Value, out: &mut impl Write) {
    // A reader that went away is no failure of the document.
    let _ = writeln!(out, "{}", serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Simulates a run.
pub fn simulate_file(
    file: &Path,
    event: &Path,
    script: Option<&Path>,
    calendars: Option<&Path>,
    json: bool,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let text = read(file)?;
    let event: ScriptedEvent = parse(event)?;
    let script: Vec<ScriptItem> = script.map(parse_script).transpose()?.unwrap_or_default();
    let calendars: Vec<Calendar> = match calendars {
        Some(file) => parse_calendars(file)?,
        None => Vec::new(),
    };
    let checked = review(&text, format_of(file), &Environment::Unknown);
    let stopping = checked.findings.iter().any(|finding| finding.severity != Severity::Warning);
    let document = checked.document.filter(|document| !stopping && unsupported(document).is_empty());
    let Some(document) = document else {
        if json {
            print_json(&json!([{ "file": file.display().to_string(), "findings": checked.findings }]), out);
        } else {
            print_findings(file, &checked.findings, out);
        }
        return Ok(ExitCode::from(BAD_DOCUMENT));
    };
    let simulation = simulate(&Arc::new(Definition::new(document)), &event, &script, &calendars);
    if json {
        print_json(&serde_json::to_value(&simulation)?, out);
    } else {
        print_simulation(&simulation, out);
    }
    Ok(if simulation.unused.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(BAD_DOCUMENT) })
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))
}

/// Reads a JSON file by its type's schema, as the API reads a body.
fn parse<T: DeserializeOwned + JsonSchema + 'static>(file: &Path) -> anyhow::Result<T> {
    let text = read(file)?;
    // Editors on Windows begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let value = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        anyhow::anyhow!("{}:{line}:{column}: this isn't JSON", file.display())
    })?;
    reading::read(value).map_err(|findings| {
        let faults: Vec<String> =
            findings.iter().map(|finding| format!("{}: {}", finding.pointer, finding.message)).collect();
        anyhow::anyhow!("{}: {}", file.display(), faults.join(" "))
    })
}

/// Reads calendars, each of which can count.
fn parse_calendars(file: &Path) -> anyhow::Result<Vec<Calendar>> {
    let calendars: Vec<Calendar> = parse(file)?;
    let faults = calendar::faults(&calendars, "");
    let faults: Vec<String> =
        faults.iter().map(|finding| format!("{}: {}", finding.pointer, finding.message)).collect();
    anyhow::ensure!(faults.is_empty(), "{}: {}", file.display(), faults.join(" "));
    Ok(calendars)
}

/// Reads a script; a fault names its entry, counted from 0 as in `unused`.
fn parse_script(file: &Path) -> anyhow::Result<Vec<ScriptItem>> {
    let text = read(file)?;
    let mut reader = serde_json::Deserializer::from_str(&text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let entry = error.path().iter().find_map(|segment| {
            if let serde_path_to_error::Segment::Seq { index } = segment { Some(*index) } else { None }
        });
        let entry = entry.map(|n| format!("entry {n} of the script: ")).unwrap_or_default();
        anyhow::anyhow!("{}: {entry}{}", file.display(), error.inner())
    })
}

fn print_simulation(simulation: &Simulation, out: &mut impl Write) {
    for step in &simulation.steps {
        let state = serde_json::to_value(step.state).ok();
        let state = state.as_ref().and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(out, "{state:<10} {:<24} {}", step.id, step.reason.as_deref().unwrap_or_default());
    }
    for effect in &simulation.effects {
        let _ = writeln!(out, "effect     {:<24} {} {}", effect.step, effect.kind, effect.request);
    }
    for waits in &simulation.waits_for {
        let _ = writeln!(out, "waits for  {:<24} {}", waits.step_id, waits.what);
    }
    for unused in &simulation.unused {
        let _ = writeln!(out, "unused     entry {} of the script: {}", unused.index, unused.why);
    }
    let result = simulation.result.map_or("no result yet", shared_types::machine::result::RunResult::as_str);
    let reason = simulation.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let _ = writeln!(out, "{} {result}{reason}", simulation.status.as_str());
}
