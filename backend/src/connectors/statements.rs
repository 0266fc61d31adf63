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
            Ok(_) => {}
        }
        check_schema(operation.input_schema.as_ref(), &at, &mut say);
    }
    let mut operations: Vec<Operation> = written.iter().cloned().map(Operation::from).collect();
    operations.sort_by(|a, b| a.id.cmp(&b.id));
    Catalog { base_url: settings.address(), operations, ..Catalog::default() }
}
