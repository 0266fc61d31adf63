//! Reading something for a page: what was read stays while it is read anew, and when that fails.

use gloo_timers::callback::{Interval, Timeout};
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

/// Whether nothing newer follows: what was seen is given first where the server's answer takes its time.
fn is_last<T>(answer: &Result<Loaded<T>, Failure>) -> bool {
    !matches!(answer, Ok(loaded) if !loaded.fresh)
}

/// How reading stands after an answer, given what is shown: that stays where the answer is older, or where there is none.
fn after<T>(answer: Result<Loaded<T>, Failure>, shown: Option<&Rc<Loaded<T>>>) -> Load<T> {
    match (answer, shown) {
        (Ok(loaded), Some(shown)) if !loaded.fresh && shown.at > loaded.at => Load::Ready(Rc::clone(shown)),
        (Ok(loaded), _) => Load::Ready(Rc::new(loaded)),
        (Err(_), Some(shown)) => Load::Ready(Rc::clone(shown)),
        (Err(failure), None) => Load::Failed(failure),
    }
}

/// The interval of polling, in milliseconds.
const POLL_INTERVAL_MS: u32 = 10_000;
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

/// Calls back at an interval, for what changes without an event; not while the page is hidden.
#[hook]
pub(crate) fn use_polling(callback: Callback<()>) {
    let latest = use_mut_ref(|| callback.clone());
    *latest.borrow_mut() = callback;
    use_effect_with((), move |()| {
        let timer = Interval::new(POLL_INTERVAL_MS, move || {
            let document = web_sys::window().and_then(|window| window.document());
            if document.is_none_or(|document| !document.hidden()) {
                let callback = latest.borrow().clone();
                callback.emit(());
            }
        });
        move || drop(timer)
    });
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
                    let (is_last, next) = (is_last(&answer), after(answer, kept.as_ref()));
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

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Duration};

    fn loaded(data: &'static str, minute: i64, fresh: bool) -> Loaded<&'static str> {
        Loaded { data, at: DateTime::UNIX_EPOCH + Duration::minutes(minute), fresh }
    }

    fn shown(load: &Load<&'static str>) -> &'static str {
        match load {
            Load::Ready(loaded) => loaded.data,
            Load::Waiting => "waiting",
            Load::Failed(_) => "failed",
        }
    }

    #[test]
    fn what_was_seen_is_shown_until_the_answer_comes() {
        let seen = Ok(loaded("seen", 1, false));
        assert!(!is_last(&seen));
        let load = after(seen, None);
        assert_eq!(shown(&load), "seen");
        let Load::Ready(kept) = load else { panic!("it is there") };
        let answer = Ok(loaded("now", 2, true));
        assert!(is_last(&answer));
        assert_eq!(shown(&after(answer, Some(&kept))), "now");
    }

    #[test]
    fn what_is_shown_is_not_replaced_by_something_older() {
        let kept = Rc::new(loaded("now", 5, true));
        assert_eq!(shown(&after(Ok(loaded("seen", 1, false)), Some(&kept))), "now");
        assert_eq!(shown(&after(Ok(loaded("seen later", 6, false)), Some(&kept))), "seen later");
        // The server's answer counts whatever its clock says.
        assert_eq!(shown(&after(Ok(loaded("answer", 4, true)), Some(&kept))), "answer");
    }

    #[test]
    fn what_could_not_be_read_anew_stays_and_what_was_never_read_has_failed() {
        let kept = Rc::new(loaded("now", 5, true));
        assert!(is_last::<&str>(&Err(Failure::Offline)));
        assert_eq!(shown(&after(Err(Failure::Offline), Some(&kept))), "now");
        assert_eq!(after::<&str>(Err(Failure::Offline), None), Load::Failed(Failure::Offline));
    }
}
