//! Reading something for a page: what was read stays while it is read anew, and when that fails.

use gloo_timers::callback::Timeout;
use shared_types::desktop::{CachePolicy, Failure, Loaded};
use std::{cell::RefCell, future::Future, rc::Rc};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// How reading something stands.
#[derive(Debug, PartialEq)]
pub(crate) enum Load<T> {
    /// Nothing is there yet.
    Waiting,
    /// It is there, with its age.
    Ready(Rc<Loaded<T>>),
    /// It could not be read, and never was.
    Failed(Failure),
}

impl<T> Clone for Load<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Waiting => Self::Waiting,
            Self::Ready(loaded) => Self::Ready(Rc::clone(loaded)),
            Self::Failed(failure) => Self::Failed(failure.clone()),
        }
    }
}

/// How long what comes often is gathered, in milliseconds.
const THROTTLE_MS: u32 = 250;

/// Calls back at once, and then at most once in a while, however often it is called.
#[hook]
pub(crate) fn use_throttle(callback: Callback<()>) -> Callback<()> {
    let latest = use_mut_ref(|| callback.clone());
    *latest.borrow_mut() = callback;
    // The pause that runs, and whether something came in it.
    let pause = use_mut_ref(|| None::<Timeout>);
    let came = use_mut_ref(|| false);
    Callback::from(move |()| throttle(&latest, &pause, &came))
}

type Shared<T> = Rc<RefCell<T>>;

fn throttle(latest: &Shared<Callback<()>>, pause: &Shared<Option<Timeout>>, came: &Shared<bool>) {
    if pause.borrow().is_some() {
        *came.borrow_mut() = true;
        return;
    }
    let (then, after, more) = (latest.clone(), pause.clone(), came.clone());
    *pause.borrow_mut() = Some(Timeout::new(THROTTLE_MS, move || {
        after.borrow_mut().take();
        if more.replace(false) {
            throttle(&then, &after, &more);
        }
    }));
    let callback = latest.borrow().clone();
    callback.emit(());
}

/// Something that is read, and how to read it anew.
pub(crate) struct Reading<T> {
    pub(crate) load: Load<T>,
    pub(crate) again: Callback<()>,
    /// Waits no longer for an answer.
    pub(crate) cancel: Callback<()>,
}

/// Reads something whenever `key` changes, and again on demand.
#[hook]
pub(crate) fn use_load<K, T, F, A>(key: K, read: F) -> Reading<T>
where
    K: PartialEq + Clone + 'static,
    T: PartialEq + 'static,
    F: Fn(K, CachePolicy) -> A + 'static,
    A: Future<Output = Result<Loaded<T>, Failure>> + 'static,
{
    let state = use_state(|| (None::<K>, Load::Waiting));
    let round = use_mut_ref(|| 0u64);
    let again = {
        let (state, round, key) = (state.clone(), round.clone(), key.clone());
        let read = Rc::new(read);
        Callback::from(move |()| {
            *round.borrow_mut() += 1;
            let this = *round.borrow();
            let (state, round, key) = (state.clone(), round.clone(), key.clone());
            let read = read.clone();
            spawn_local(async move {
                let mut kept = match &*state {
                    (Some(of), Load::Ready(kept)) if *of == key => Some(kept.clone()),
                    _ => None,
                };
                // Where the answer doesn't come at once, what was last seen is shown until it does.
                for policy in [CachePolicy::CacheFirst, CachePolicy::NetworkOnly] {
                    let answer = read(key.clone(), policy).await;
                    // An answer that was overtaken by a later question is dropped.
                    if *round.borrow() != this {
                        return;
                    }
                    let is_last = !matches!(&answer, Ok(loaded) if !loaded.fresh);
                    let next = match (answer, &kept) {
                        // What is shown is newer than what was kept.
                        (Ok(loaded), Some(shown)) if !loaded.fresh && shown.at > loaded.at => {
                            Load::Ready(shown.clone())
                        }
                        (Ok(loaded), _) => Load::Ready(Rc::new(loaded)),
                        (Err(_), Some(shown)) => Load::Ready(shown.clone()),
                        (Err(failure), None) => Load::Failed(failure),
                    };
                    if let Load::Ready(shown) = &next {
                        kept = Some(shown.clone());
                    }
                    state.set((Some(key.clone()), next));
                    if is_last {
                        return;
                    }
                }
            });
        })
    };
    let cancel = {
        let (state, round, key) = (state.clone(), round.clone(), key.clone());
        Callback::from(move |()| {
            *round.borrow_mut() += 1;
            state.set((Some(key.clone()), Load::Failed(Failure::Cancelled)));
        })
    };
    {
        let (again, round) = (again.clone(), round.clone());
        use_effect_with(key.clone(), move |_| {
            again.emit(());
            // What is on its way when the component goes, or asks for something else, is for nobody.
            move || *round.borrow_mut() += 1
        });
    }
    let load = match &*state {
        (Some(of), load) if *of == key => load.clone(),
        _ => Load::Waiting,
    };
    Reading { load, again, cancel }
}
