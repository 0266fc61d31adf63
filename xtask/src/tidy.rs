//! Rules that reading would otherwise repeat: who may depend on whom, no circles of imports, no unused dependencies,
//! SQL only in `store`, how long files and functions may be.

mod circles;
mod wildcards;

use crate::process::{command, output, root, say};
use anyhow::{Context as _, bail};
use std::{fs, path::Path};

/// What each package may use of the others.
const MAY_USE: [(&str, &[&str]); 7] = [
    ("shared-types", &[]),
    ("backend/embedded-postgres", &[]),
    ("backend", &["shared-types", "embedded-postgres"]),
    ("ui", &["shared-types"]),
    ("src-tauri", &["shared-types"]),
    ("xtask", &["embedded-postgres"]),
    ("tests", &["shared-types"]),
];
const PACKAGES: [&str; 7] =
    ["shared-types", "embedded-postgres", "backend", "ui", "src-tauri", "xtask", "tests"];
/// What a path below `backend/src` may not name: `store` calls nobody, `http` leaves the world to the engine.
const MAY_NOT_NAME: [(&str, &[&str]); 12] = [
    (
        "backend/src/store",
        &["crate::engine", "crate::http", "crate::effects", "crate::auth", "crate::dispatch"],
    ),
    ("backend/src/connectors", &["crate::engine", "crate::http", "crate::effects"]),
    ("backend/src/effects", &["crate::engine", "crate::http"]),
    ("backend/src/engine", &["crate::http", "crate::approvals", "crate::publishing", "reqwest"]),
    ("backend/src/approvals", &["crate::http", "axum"]),
    ("backend/src/publishing", &["crate::http", "axum"]),
    ("backend/src/http", &["reqwest", "crate::effects"]),
    ("shared-types/src/workflow", &["crate::machine", "crate::api", "crate::approval", "crate::desktop"]),
    ("shared-types/src/machine", &["crate::api", "crate::desktop"]),
    ("shared-types/src/approval", &["crate::api", "crate::machine", "crate::desktop"]),
    ("shared-types/src/api", &["crate::desktop"]),
    // The pages have no network and no files; they ask the shell.
    ("ui/src", &["reqwest", "tokio", "std::fs", "std::net"]),
];
/// The source folders whose files must not use each other in a circle.
const CRATES: [&str; 6] = [
    "shared-types/src",
    "backend/src",
    "backend/embedded-postgres/src",
    "src-tauri/src",
    "ui/src",
    "xtask/src",
];
/// The most lines of a function.
const MAX_FUNCTION: usize = 100;
/// The most lines of a file, its tests aside.
const MAX_FILE: usize = 500;
const LONG_FUNCTION: usize = 40;
const LONG_FILE: usize = 400;

/// Holds the rules, and says how long functions and files are.
pub(crate) fn tidy() -> anyhow::Result<()> {
    let listed =
        output(&mut command("git", &["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"]))?;
    let files: Vec<&str> = listed.lines().filter(|file| root().join(file).exists()).collect();
    let mut faults = Vec::new();
    let mut lengths = Lengths::default();
    for file in &files {
        let text = fs::read_to_string(root().join(file)).with_context(|| (*file).to_owned())?;
        check_file(file, &text, &mut faults);
        lengths.count(file, &text, &mut faults);
    }
    for folder in CRATES {
        faults.extend(circles::circles(&root(), folder, &files)?);
    }
    faults.extend(wildcards::wildcards(&root(), &files)?);
    for (package, may_use) in MAY_USE {
        check_dependencies(package, may_use, &mut faults)?;
        check_unused(package, &files, &mut faults)?;
    }
    if !faults.is_empty() {
        bail!("{} rules are broken:\n  {}", faults.len(), faults.join("\n  "));
    }
    lengths.say(files.len());
    Ok(())
}

fn check_file(file: &str, text: &str, faults: &mut Vec<String>) {
    if file.ends_with("/mod.rs") {
        faults.push(format!("{file}: a module's file stands beside its folder, under its name"));
    }
    let is_test = file.contains("/tests/") || file.starts_with("tests/");
    let in_store = file.starts_with("backend/src/store") || file.starts_with("src-tauri/src/cache");
    if !is_test && !in_store && file.starts_with("backend/src") && text.contains("sqlx::query") {
        faults.push(format!("{file}: SQL stands in `store` and nowhere else"));
    }
    if file.starts_with("backend/src/store") {
        check_spans(file, text, faults);
    }
    for (place, names) in MAY_NOT_NAME {
        if file.starts_with(place) {
            for name in names.iter().filter(|name| text.contains(**name)) {
                faults.push(format!("{file}: {place} may not use {name}"));
            }
        }
    }
    for word in ["/utils", "/helpers", "/common", "/manager"] {
        if file.contains(word) {
            faults.push(format!("{file}: modules are named by their subject"));
        }
    }
}

/// Every function of the store that others call has a span: they become traces.
fn check_spans(file: &str, text: &str, faults: &mut Vec<String>) {
    let mut before = "";
    for (n, line) in text.lines().enumerate() {
        let is_called = line.starts_with("pub") && line.contains("async fn ");
        if is_called && !before.contains("tracing::instrument") {
            faults.push(format!("{file}:{}: it has no span (`#[tracing::instrument]`)", n + 1));
        }
        before = line;
    }
}

/// Dependencies that no source names, and why they are there.
const UNNAMED: [(&str, &str, &str); 2] =
    [("backend", "sqlx-core", "its features"), ("ui", "uuid", "the source of randomness in WebAssembly")];

/// Every dependency of a package is named in its sources.
fn check_unused(package: &str, files: &[&str], faults: &mut Vec<String>) -> anyhow::Result<()> {
    let path = root().join(package).join("Cargo.toml");
    let manifest: toml::Table =
        fs::read_to_string(&path)?.parse().with_context(|| path.display().to_string())?;
    let own = files.iter().filter(|file| file.starts_with(&format!("{package}/")));
    let sources = own.map(|file| fs::read_to_string(root().join(file))).collect::<Result<Vec<_>, _>>()?;
    let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
    let named = tables.iter().filter_map(|table| manifest.get(*table).and_then(toml::Value::as_table));
    for name in named.flat_map(toml::Table::keys) {
        let is_excused = UNNAMED.iter().any(|(of, unnamed, _)| *of == package && unnamed == name);
        let word = name.replace('-', "_");
        if !is_excused && !sources.iter().any(|text| names_word(text, &word)) {
            faults.push(format!("{package} depends on {name}, and no source of it names that"));
        }
    }
    Ok(())
}

/// Whether a word stands in a text by itself.
fn names_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}

fn check_dependencies(package: &str, may_use: &[&str], faults: &mut Vec<String>) -> anyhow::Result<()> {
    let path = root().join(package).join("Cargo.toml");
    if !Path::new(&path).exists() {
        return Ok(());
    }
    let manifest: toml::Table =
        fs::read_to_string(&path)?.parse().with_context(|| path.display().to_string())?;
    let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
    for name in dependencies.into_iter().flat_map(toml::Table::keys) {
        if PACKAGES.contains(&name.as_str()) && !may_use.contains(&name.as_str()) {
            faults.push(format!("{package} may not depend on {name}"));
        }
    }
    Ok(())
}

#[derive(Default)]
struct Lengths {
    functions: usize,
    long_functions: usize,
    long_files: usize,
}

impl Lengths {
    /// Counts functions by their indentation: `fn` to the brace below it at the same depth.
    fn count(&mut self, file: &str, text: &str, faults: &mut Vec<String>) {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
        let length = code.lines().count();
        self.long_files += usize::from(length > LONG_FILE);
        let is_test = file.contains("/tests/") || file.starts_with("tests/");
        if length > MAX_FILE && !is_test {
            faults.push(format!("{file}: it has {length} lines, and may have {MAX_FILE}"));
        }
        let lines: Vec<&str> = code.lines().collect();
        for (n, line) in lines.iter().enumerate() {
            let depth = line.len() - line.trim_start().len();
            let is_function = line.trim_start().split('(').next().is_some_and(|head| {
                head.split(' ').any(|word| word == "fn") && !head.starts_with("//") && !head.contains('"')
            });
            if !is_function || line.trim_end().ends_with(';') {
                continue;
            }
            let end = format!("{}}}", " ".repeat(depth));
            if let Some(length) = lines[n..].iter().position(|line| *line == end) {
                self.functions += 1;
                self.long_functions += usize::from(length > LONG_FUNCTION);
                if length > MAX_FUNCTION {
                    faults.push(format!(
                        "{file}:{}: a function has {length} lines, and may have {MAX_FUNCTION}",
                        n + 1
                    ));
                }
            }
        }
    }

    fn say(&self, files: usize) {
        let share = |long: usize, all: usize| 100 - (100 * long) / all.max(1);
        say(&format!(
            "tidy: {} of {} functions ({} %) within {LONG_FUNCTION} lines, {} of {files} files ({} %) within {LONG_FILE}",
            self.functions - self.long_functions,
            self.functions,
            share(self.long_functions, self.functions),
            files - self.long_files,
            share(self.long_files, files),
        ));
    }
}
