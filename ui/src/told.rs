//! What the shell tells, handed to whichever page listens.

use crate::bridge;
use shared_types::desktop::Told;
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};
use yew::prelude::*;

/// Those who listen.
#[derive(Clone, Default)]
pub(crate) struct Bus(Rc<RefCell<Listeners>>);

#[derive(Default)]
struct Listeners {
    next: u64,
    all: BTreeMap<u64, Callback<Told>>,
}

impl PartialEq for Bus {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Bus {
    /// Begins to hear the shell.
    pub(crate) fn start() -> Self {
        let bus = Self::default();
        let heard = bus.clone();
        bridge::hear(move |told| {
            // A listener may add or drop others, so the list isn't borrowed while they run.
            let listeners: Vec<Callback<Told>> = heard.0.borrow().all.values().cloned().collect();
            for listener in listeners {
                listener.emit(told.clone());
            }
        });
        bus
    }

    fn add(&self, listener: Callback<Told>) -> u64 {
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

/// Calls back with whatever the shell tells, as long as the component lives.
#[hook]
pub(crate) fn use_told(callback: impl Fn(Told) + 'static) {
    let bus = use_context::<Bus>();
    let latest = use_mut_ref(|| Callback::from(|_: Told| {}));
    *latest.borrow_mut() = Callback::from(callback);
    use_effect_with(bus, move |bus| {
        let registered = bus.clone().map(|bus| {
            let id = bus.add(Callback::from(move |told| {
                let callback = latest.borrow().clone();
                callback.emit(told);
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
