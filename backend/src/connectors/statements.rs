//! Statements that somebody wrote by hand: checked, and made into a catalog.

use super::{
    catalog::Catalog,
    http_operations::{MAX_OPERATIONS, check_names, check_schema},
};
use shared_types::{
    connector::{CALL_KEY, Operation, SqlOperation, SqlSettings, numbered},
    workflow::Finding,
};

/// The most parameters that a statement may have.
const MAX_PARAMETERS: usize = 100;

/// The words that a statement which writes begins with.
const WRITES: [&str; 4] = ["insert", "update", "delete", "merge"];
/// The words that one which reads begins with.
const READS: [&str; 4] = ["select", "values", "table", "with"];

/// Why a statement of this kind can't be run as an operation, in a sentence: its rows are asked for by a statement around it.
fn kind_fault(words: &[String], reads: bool) -> Option<String> {
    let first = words.first().map(String::as_str).unwrap_or_default();
    if WRITES.contains(&first) {
        return reads.then(|| format!("A statement with `{first}` writes; leave out `safe`."));
    }
    if !READS.contains(&first) {
        return Some(
            "A statement begins with select, values, table, with, insert, update, delete or merge."
                .to_owned(),
        );
    }
    let writing = words.iter().find(|word| WRITES.contains(&word.as_str())).filter(|_| first == "with");
    writing.map(|word| {
        format!("`{word}` can't stand inside `with` here; begin with it, and end with `returning`.")
    })
}

/// What hand-written statements offer, with what was found in them.
pub(super) fn catalog(
    settings: &SqlSettings,
    written: &[SqlOperation],
    findings: &mut Vec<Finding>,
) -> Catalog {
    let mut say = |pointer: String, message: String| {
        findings.push(Finding::error("connector.operation", pointer, message));
    };
    check_names(written.iter().map(|operation| operation.id.as_str()), &mut say);
    for (n, operation) in written.iter().enumerate().take(MAX_OPERATIONS) {
        let at = format!("/operations/{n}");
        match numbered(&operation.statement) {
            Err(fault) => say(format!("{at}/statement"), format!("The statement can't be read: {fault}.")),
            Ok(numbered) if numbered.names.len() > MAX_PARAMETERS => {
                let message = format!("A statement has at most {MAX_PARAMETERS} parameters.");
                say(format!("{at}/statement"), message);
            }
            Ok(numbered) if operation.safe && numbered.names.iter().any(|name| name == CALL_KEY) => {
                let message = "A statement that only reads needs no `:call_key`; leave it out, or `safe`.";
                say(format!("{at}/statement"), message.to_owned());
            }
            Ok(numbered) => {
                if let Some(fault) = kind_fault(&numbered.words, operation.safe) {
                    say(format!("{at}/statement"), fault);
                }
            }
        }
        check_schema(operation.input_schema.as_ref(), &at, &mut say);
    }
    let mut operations: Vec<Operation> = written.iter().cloned().map(Operation::from).collect();
    operations.sort_by(|a, b| a.id.cmp(&b.id));
    Catalog { base_url: settings.address(), operations, ..Catalog::default() }
}
