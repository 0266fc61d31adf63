//! What a template reads from the run, found by its syntax.

use minijinja::{machinery::ast, value::ValueKind};
use std::collections::BTreeSet;

/// What a template reads from the run, found by its syntax.
#[derive(Debug, Default)]
pub(super) struct References {
    /// Top-level names of the context.
    pub(super) names: BTreeSet<String>,
    /// Secrets by name.
    pub(super) secrets: BTreeSet<String>,
    /// What fails, or is passed over, when it is evaluated.
    pub(super) misuses: Vec<String>,
    /// What it surely doesn't mean: `order.ship-to` is a difference.
    pub(super) doubts: Vec<String>,
}

impl References {
    /// What one path alone reads.
    pub(super) fn of_path(path: &[String]) -> Self {
        let mut references = Self::default();
        match path {
            [secrets, secret, ..] if secrets == "secrets" => drop(references.secrets.insert(secret.clone())),
            _ => {}
        }
        references.names.extend(path.first().cloned());
        references
    }
}

/// What stands before the first filter.
fn unfiltered<'e, 's>(expression: &'e ast::Expr<'s>) -> &'e ast::Expr<'s> {
    match expression {
        ast::Expr::Filter(filter) => filter.expr.as_ref().map_or(expression, unfiltered),
        _ => expression,
    }
}

/// The names of a path: fields and constant keys of a name.
pub(super) fn path_of(expression: &ast::Expr<'_>) -> Option<Vec<String>> {
    match expression {
        ast::Expr::Var(name) => Some(vec![name.id.to_owned()]),
        ast::Expr::GetAttr(field) => {
            let mut path = path_of(&field.expr)?;
            path.push(field.name.to_owned());
            Some(path)
        }
        ast::Expr::GetItem(item) => {
            let ast::Expr::Const(key) = &item.subscript_expr else { return None };
            let key = match key.value.kind() {
                ValueKind::String => key.value.as_str()?.to_owned(),
                ValueKind::Number if key.value.is_integer() => key.value.to_string(),
                _ => return None,
            };
            let mut path = path_of(&item.expr)?;
            path.push(key);
            Some(path)
        }
        _ => None,
    }
}

/// What to say of `order.ship-to`: with no blank around the sign and a bare name after it, that is a key more often
/// than a difference. `is_local` tells the names that the template itself sets.
pub(super) fn hyphen_doubt(
    source: &str,
    difference: &ast::BinOp<'_>,
    is_local: impl Fn(&str) -> bool,
) -> Option<String> {
    let left = path_of(&difference.left)?;
    let right = path_of(unfiltered(&difference.right))?;
    let ([before @ .., last], [right, ..]) = (left.as_slice(), right.as_slice()) else { return None };
    if before.is_empty() || is_local(right) || !source.contains(&format!(".{last}-{right}")) {
        return None;
    }
    let before = before.join(".");
    Some(format!(
        "`{before}.{last}-{right}` is `{before}.{last}` minus `{right}`. A key with a hyphen is written \
         `{before}['{last}-{right}']`; a difference with blanks, `{before}.{last} - {right}`"
    ))
}
