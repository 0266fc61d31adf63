//! Events of the shell, passed on to the components that listen.

use crate::bridge;
use shared_types::desktop::{Failure, ShellEvent};
use std::{cell::RefCell, collections::BTreeMap, future::Future, rc::Rc};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// Those who listen.
#[derive(Clone, Default)]
pub(crate) struct Bus(Rc<RefCell<Listeners>>);

#[derive(Default)]
struct Listeners {
    next: u64,
    all: BTreeMap<u64, Callback<ShellEvent>>,
}

impl PartialEq for Bus {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Bus {
    /// Begins to hear the shell; calls back when it does.
    pub(crate) fn start(listens: Callback<()>) -> Self {
        let bus = Self::default();
        let heard = bus.clone();
        let emit = move |event: ShellEvent| {
            // A listener may add or drop others, so the list isn't borrowed while they run.
            let listeners: Vec<Callback<ShellEvent>> = heard.0.borrow().all.values().cloned().collect();
            for listener in listeners {
                listener.emit(event.clone());
            }
        };
        bridge::on_shell_event(emit, move || listens.emit(()));
        bus
    }

    fn add(&self, listener: Callback<ShellEvent>) -> u64 {
        let mut listeners = self.0.borrow_mut();
        listeners.next += 1;
        let id = listeners.next;
        listeners.all.insert(id, listener);
        id
    }

    fn drop_one(&self, id: u64) {
        self.0.borrow_mut().all.remove(&id);
    }
}

/// Something of the shell that it tells whenever it changes: asked for once, and then as it was told last. An answer that
/// comes after something was told is older than that, and dropped.
#[hook]
pub(crate) fn use_shell_state<T, A>(
    ask: fn() -> A,
    pick: fn(ShellEvent) -> Option<T>,
) -> UseStateHandle<Option<T>>
where
    T: 'static,
    A: Future<Output = Result<T, Failure>> + 'static,
{
    let state = use_state(|| None::<T>);
    let is_told = use_mut_ref(|| false);
    {
        let (state, is_told) = (state.clone(), is_told.clone());
        use_shell_event(move |event| {
            if let Some(now) = pick(event) {
                *is_told.borrow_mut() = true;
                state.set(Some(now));
            }
        });
    }
    {
        let state = state.clone();
        use_effect_with((), move |()| {
            spawn_local(async move {
                let answer = ask().await;
                if let Ok(now) = answer
                    && !*is_told.borrow()
                {
                    state.set(Some(now));
                }
            });
        });
    }
    state
}

/// Calls back with whatever the shell tells, as long as the component lives.
#[hook]
pub(crate) fn use_shell_event(callback: impl Fn(ShellEvent) + 'static) {
    let bus = use_context::<Bus>();
    let latest = use_mut_ref(|| Callback::from(|_: ShellEvent| {}));
    *latest.borrow_mut() = Callback::from(callback);
    use_effect_with(bus, move |bus| {
        let registered = bus.clone().map(|bus| {
            let id = bus.add(Callback::from(move |event| {
                let callback = latest.borrow().clone();
                callback.emit(event);
            }));
            (bus, id)
        });
        move || {
            if let Some((bus, id)) = registered {
                bus.drop_one(id);
            }
        }
    });
}
