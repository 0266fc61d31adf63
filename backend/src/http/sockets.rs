//! How many lines of `live` a person has open, and a bound on it.

use shared_types::ids::UserId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The most lines that a person may have open at this server.
const MOST: usize = 20;

/// The open lines of everybody.
#[derive(Debug, Clone, Default)]
pub struct OpenSockets(Arc<Mutex<HashMap<UserId, usize>>>);

/// A person's open line; it is counted until it is dropped.
#[derive(Debug)]
pub(super) struct OpenSocket {
    all: OpenSockets,
    of: UserId,
}

impl OpenSockets {
    /// Counts one more line of a person; nothing where they have as many as they may.
    pub(super) fn open(&self, of: UserId) -> Option<OpenSocket> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(of).or_default();
        if *count >= MOST {
            return None;
        }
        *count += 1;
        Some(OpenSocket { all: self.clone(), of })
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        let mut open = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_a_bounded_number_of_lines_and_gets_back_what_they_close() {
        let (sockets, ina, bo) =
            (OpenSockets::default(), UserId(uuid::Uuid::from_u128(1)), UserId(uuid::Uuid::from_u128(2)));
        let mut lines: Vec<OpenSocket> = (0..MOST).map(|_| sockets.open(ina).unwrap()).collect();
        assert!(sockets.open(ina).is_none());
        assert!(sockets.open(bo).is_some(), "others have lines of their own");
        lines.pop();
        assert!(sockets.open(ina).is_some());
        lines.clear();
        assert!(sockets.0.lock().unwrap().is_empty(), "nothing is remembered of who has none");
    }
}
