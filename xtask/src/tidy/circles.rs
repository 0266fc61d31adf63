//! Circles of imports: two files that use each other can only be understood together. A module and its parent may.

use anyhow::Context as _;
use petgraph::{algo::tarjan_scc, graphmap::DiGraphMap};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};
use syn::{
    Attribute, ItemMod, ItemUse, Meta, UseTree,
    visit::{self, Visit},
};

/// A module by its path from the root of its crate.
type Module = Vec<String>;

/// The circles among the files of a crate, each as its modules; `folder` is the crate's source folder below `root`.
pub(super) fn circles(root: &Path, folder: &str, files: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut modules: BTreeMap<Module, &str> = BTreeMap::new();
    for file in files {
        let Some(inside) = file.strip_prefix(&format!("{folder}/")) else { continue };
        modules.insert(module_of(inside), file);
    }
    let names: Vec<&Module> = modules.keys().collect();
    let mut graph = DiGraphMap::<usize, ()>::new();
    for (n, (module, file)) in modules.iter().enumerate() {
        let text = fs::read_to_string(root.join(file)).with_context(|| (*file).to_owned())?;
        for used in imports(module, &text, &modules).with_context(|| (*file).to_owned())? {
            let is_family = used.starts_with(module) || module.starts_with(&used);
            if let Some(to) = names.iter().position(|name| **name == used).filter(|_| !is_family) {
                graph.add_edge(n, to, ());
            }
        }
    }
    let found = tarjan_scc(&graph).into_iter().filter(|circle| circle.len() > 1).map(|circle| {
        let mut circle: Vec<String> = circle.into_iter().map(|n| names[n].join("::")).collect();
        circle.sort();
        circle
    });
    Ok(found.map(|circle| format!("{folder}: these use each other: {}", circle.join(", "))).collect())
}

/// `machine/frames.rs` is `machine::frames`; the crate's own file is the root.
fn module_of(file: &str) -> Module {
    let name = file.trim_end_matches(".rs");
    if matches!(name, "lib" | "main") { Vec::new() } else { name.split('/').map(str::to_owned).collect() }
}

/// The modules that a file uses outside of its tests.
fn imports(
    module: &Module,
    text: &str,
    modules: &BTreeMap<Module, &str>,
) -> anyhow::Result<BTreeSet<Module>> {
    let file = syn::parse_file(text)?;
    let mut uses = Uses { module, modules, found: BTreeSet::new() };
    uses.visit_file(&file);
    uses.found.remove(module);
    Ok(uses.found)
}

struct Uses<'u> {
    module: &'u Module,
    modules: &'u BTreeMap<Module, &'u str>,
    found: BTreeSet<Module>,
}

impl Uses<'_> {
    /// Notes the module that a path leads into: the longest part of it that is a file.
    fn note(&mut self, path: &[String]) {
        let Some(first) = path.first() else { return };
        let mut base = self.module.clone();
        let mut rest = path;
        match first.as_str() {
            "crate" => (base, rest) = (Module::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {
                while let Some((step, after)) = rest.split_first().filter(|(step, _)| *step == "super") {
                    debug_assert_eq!(step, "super");
                    base.pop();
                    rest = after;
                }
            }
            name => {
                let child: Module = base.iter().cloned().chain([name.to_owned()]).collect();
                if !self.modules.contains_key(&child) {
                    return;
                }
            }
        }
        let whole: Module = base.iter().cloned().chain(rest.iter().cloned()).collect();
        let longest =
            (1..=whole.len()).rev().map(|n| &whole[..n]).find(|part| self.modules.contains_key(*part));
        self.found.extend(longest.map(<[String]>::to_vec));
    }

    fn note_tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: &syn::Ident| before.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
        match tree {
            UseTree::Path(path) => self.note_tree(&with(&path.ident), &path.tree),
            UseTree::Name(name) if name.ident == "self" => self.note(before),
            UseTree::Name(name) => self.note(&with(&name.ident)),
            UseTree::Rename(rename) => self.note(&with(&rename.ident)),
            UseTree::Glob(_) => self.note(before),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.note_tree(before, tree)),
        }
    }
}

impl<'ast> Visit<'ast> for Uses<'_> {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.note_tree(&[], &item.tree);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !item.attrs.iter().any(is_for_tests) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if matches!(names.first().map(String::as_str), Some("crate" | "super")) {
            self.note(&names);
        }
        visit::visit_path(self, path);
    }
}

/// `#[cfg(test)]`
fn is_for_tests(attribute: &Attribute) -> bool {
    matches!(&attribute.meta, Meta::List(list) if list.path.is_ident("cfg") && list.tokens.to_string() == "test")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(module: &str, text: &str) -> Vec<String> {
        let path = |name: &str| name.split("::").map(str::to_owned).collect::<Module>();
        let modules = ["a", "b", "b::c", "d"].map(|name| (path(name), "")).into();
        imports(&path(module), text, &modules).unwrap().iter().map(|module| module.join("::")).collect()
    }

    #[test]
    fn what_a_file_uses_is_found_however_it_is_named() {
        assert_eq!(of("a", "use crate::{b::{self, c::Thing}, d::*};"), ["b", "b::c", "d"]);
        assert_eq!(
            of("b::c", "use super::super::a::It; fn f() -> crate::d::It { super::g() }"),
            ["a", "b", "d"]
        );
        assert_eq!(of("b", "use c::Thing; use std::fmt;"), ["b::c"]);
        assert_eq!(of("a", "#[cfg(test)] mod tests { use crate::b; }"), Vec::<String>::new());
    }
}
