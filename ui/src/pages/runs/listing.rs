//! The runs that were read: the newest are read anew as runs change, older ones as somebody scrolls to them.

use super::filters::Filters;
use crate::{
    bridge,
    load::{Load, use_load},
};
use shared_types::{
    api::{Page, executions::Execution},
    desktop::{CachePolicy, Loaded, commands::ListRuns},
    ids::ExecutionId,
};
use std::{cell::RefCell, cmp::Reverse, collections::BTreeMap, rc::Rc};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

type First = Rc<Loaded<Page<Execution>>>;

/// The runs that were read with some filters, newest first.
#[derive(Default)]
struct Listing {
    of: Filters,
    rows: BTreeMap<Reverse<ExecutionId>, Rc<Execution>>,
    /// The first page, as it was last taken.
    first: Option<First>,
    /// Where the older ones begin that were not read yet.
    next: Option<String>,
    reading: bool,
    /// The newest run that is shown; those after it are held back.
    top: Option<ExecutionId>,
}

impl Listing {
    /// Takes the first page. What it should hold and doesn't is shown no more: it fits the filters no longer.
    fn take(&mut self, of: &Filters, first: &First, is_calm: bool) {
        if self.of != *of {
            *self = Self { of: of.clone(), ..Self::default() };
        }
        if self.first.as_ref().is_some_and(|taken| Rc::ptr_eq(taken, first)) {
            return;
        }
        let page = &first.data;
        // More came than one page holds: between it and what was read before there would be a hole.
        let meets = page.items.iter().any(|run| self.rows.contains_key(&Reverse(run.execution_id)));
        if page.next_cursor.is_some() && !meets {
            self.rows.clear();
        }
        let oldest = page.items.last().map(|run| run.execution_id).filter(|_| page.next_cursor.is_some());
        self.rows.retain(|Reverse(id), _| oldest.is_some_and(|oldest| *id < oldest));
        if self.rows.is_empty() {
            self.next.clone_from(&page.next_cursor);
        }
        self.add(&page.items);
        self.first = Some(Rc::clone(first));
        if is_calm || self.top.is_none() {
            self.show_all();
        }
    }

    fn add(&mut self, items: &[Execution]) {
        for run in items {
            self.rows.insert(Reverse(run.execution_id), Rc::new(run.clone()));
        }
    }

    fn show_all(&mut self) {
        self.top = self.rows.keys().next().map(|Reverse(id)| *id);
    }

    fn shown(&self) -> Vec<Rc<Execution>> {
        self.rows
            .iter()
            .filter(|(Reverse(id), _)| self.top.is_none_or(|top| *id <= top))
            .map(|(_, run)| Rc::clone(run))
            .collect()
    }
}

/// The runs as they are shown.
pub(super) struct Runs {
    pub(super) rows: Vec<Rc<Execution>>,
    /// How many new ones are held back.
    pub(super) held: usize,
    /// How the newest were read.
    pub(super) load: Load<Page<Execution>>,
    pub(super) cancel: Callback<()>,
    pub(super) again: Callback<()>,
    /// Reads older ones.
    pub(super) older: Callback<()>,
    /// Shows the new ones.
    pub(super) release: Callback<()>,
}

/// Reads runs; new ones are shown at once only while `is_calm`, so that no row moves under the pointer.
#[hook]
pub(super) fn use_runs(filters: &Filters, is_calm: bool) -> Runs {
    let reading = use_load(filters.clone(), |filters: Filters, policy| {
        bridge::ask(ListRuns { query: filters.query(None), policy })
    });
    let listing = use_mut_ref(Listing::default);
    let redraw = use_force_update();
    if let Load::Ready(first) = &reading.load {
        listing.borrow_mut().take(filters, first, is_calm);
    }
    let older = {
        let (listing, redraw, filters) = (listing.clone(), redraw.clone(), filters.clone());
        Callback::from(move |()| read_older(&listing, &redraw, &filters))
    };
    let release = {
        let (listing, redraw) = (listing.clone(), redraw);
        Callback::from(move |()| {
            listing.borrow_mut().show_all();
            redraw.force_update();
        })
    };
    let rows = listing.borrow().shown();
    let held = listing.borrow().rows.len() - rows.len();
    Runs { rows, held, load: reading.load, cancel: reading.cancel, again: reading.again, older, release }
}

fn read_older(listing: &Rc<RefCell<Listing>>, redraw: &UseForceUpdateHandle, filters: &Filters) {
    let cursor = {
        let mut listing = listing.borrow_mut();
        if listing.reading || listing.next.is_none() {
            return;
        }
        listing.reading = true;
        listing.next.clone()
    };
    let (listing, redraw, filters) = (Rc::clone(listing), redraw.clone(), filters.clone());
    spawn_local(async move {
        let answer =
            bridge::ask(ListRuns { query: filters.query(cursor.clone()), policy: CachePolicy::NetworkOnly })
                .await;
        let mut known = listing.borrow_mut();
        if known.of != filters {
            return;
        }
        known.reading = false;
        // The list began anew meanwhile: these would stand below a hole.
        if known.next != cursor {
            return;
        }
        // What could not be read is asked for again by the next scroll.
        if let Ok(loaded) = answer {
            known.add(&loaded.data.items);
            known.next.clone_from(&loaded.data.next_cursor);
            drop(known);
            redraw.force_update();
        }
    });
}
