//! Reading something for a page: what was read stays while it is read anew, and when that fails.

use shared_types::desktop::{Failure, Loaded};
use std::{future::Future, rc::Rc};
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

/// Something that is read, and how to read it anew.
pub(crate) struct Reading<T> {
    pub(crate) load: Load<T>,
    pub(crate) again: Callback<()>,
}

/// Reads something whenever `key` changes, and again on demand.
#[hook]
pub(crate) fn use_load<K, T, F, A>(key: K, read: F) -> Reading<T>
where
    K: PartialEq + Clone + 'static,
    T: PartialEq + 'static,
    F: Fn(K) -> A + 'static,
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
            let reading = read(key.clone());
            spawn_local(async move {
                let answer = reading.await;
                // An answer that was overtaken by a later question is dropped.
                if *round.borrow() != this {
                    return;
                }
                let next = match answer {
                    Ok(loaded) => Load::Ready(Rc::new(loaded)),
                    Err(failure) => match &*state {
                        (Some(of), Load::Ready(kept)) if *of == key => Load::Ready(kept.clone()),
                        _ => Load::Failed(failure),
                    },
                };
                state.set((Some(key), next));
            });
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
    Reading { load, again }
}
