//! No `_` stands for our own enums inside a tuple: a new variant has to be looked at wherever the others are.
//!
//! Outside tuples clippy holds this (`wildcard_enum_match_arm`); it doesn't look into them.

use anyhow::Context as _;
use std::{collections::BTreeSet, fs, path::Path};
use syn::{
    ExprMatch, ItemEnum, Pat,
    visit::{self, Visit},
};

/// The places where `_` stands for one of our enums in a tuple.
pub(super) fn wildcards(root: &Path, files: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut parsed = Vec::new();
    let mut enums = Enums::default();
    for file in files {
        let text = fs::read_to_string(root.join(file)).with_context(|| (*file).to_owned())?;
        let source = syn::parse_file(&text).with_context(|| (*file).to_owned())?;
        enums.visit_file(&source);
        parsed.push((*file, source));
    }
    let mut faults = Vec::new();
    for (file, source) in &parsed {
        let mut matches = Matches { own: &enums.0, names: BTreeSet::new() };
        matches.visit_file(source);
        let fault = |name| format!("{file}: in a tuple, `_` stands for variants of {name}; name them");
        faults.extend(matches.names.into_iter().map(fault));
    }
    Ok(faults)
}

/// The names of all enums that we define.
#[derive(Default)]
struct Enums(BTreeSet<String>);

impl<'ast> Visit<'ast> for Enums {
    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.0.insert(item.ident.to_string());
    }
}

/// The matches over tuples.
struct Matches<'a> {
    own: &'a BTreeSet<String>,
    names: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Matches<'_> {
    fn visit_expr_match(&mut self, matched: &'ast ExprMatch) {
        // A guard may refuse its arm, and then the others are looked at.
        let unguarded = matched.arms.iter().filter(|arm| !matches!(arm.pat, Pat::Guard(_)));
        let tuples: Vec<Vec<&Pat>> = unguarded.flat_map(|arm| alternatives(&arm.pat)).collect();
        let width = tuples.iter().map(Vec::len).max().unwrap_or_default();
        for place in 0..width {
            let patterns = || tuples.iter().filter_map(|tuple| tuple.get(place));
            let name = patterns().find_map(|pattern| self.enum_of(pattern));
            if let Some(name) = name
                && patterns().any(|pattern| matches!(pattern, Pat::Wild(_)))
            {
                self.names.insert(name);
            }
        }
        visit::visit_expr_match(self, matched);
    }
}

impl Matches<'_> {
    /// Our enum whose variant a pattern names, if it does.
    fn enum_of(&self, pattern: &Pat) -> Option<String> {
        if let Pat::Or(either) = pattern {
            return either.cases.iter().find_map(|case| self.enum_of(case));
        }
        let path = if let Pat::Path(path) = pattern {
            &path.path
        } else if let Pat::TupleStruct(tuple) = pattern {
            &tuple.path
        } else if let Pat::Struct(fields) = pattern {
            &fields.path
        } else {
            return None;
        };
        let name = path.segments.iter().rev().nth(1)?.ident.to_string();
        self.own.contains(&name).then_some(name)
    }
}

/// The tuples that a pattern is made of, place by place.
fn alternatives(pattern: &Pat) -> Vec<Vec<&Pat>> {
    if let Pat::Tuple(tuple) = pattern {
        vec![tuple.elems.iter().collect()]
    } else if let Pat::Or(either) = pattern {
        either.cases.iter().flat_map(alternatives).collect()
    } else {
        Vec::new()
    }
}
