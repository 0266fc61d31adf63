//! Looks at requests that changed: one at a time of each, so that what is shown last is what is true last.

use chrono::{DateTime, Utc};
use shared_types::api::live::LiveMessage;
use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Which requests are looked at, each with the last message that came meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    requests: Mutex<HashMap<String, Option<LiveMessage>>>,
    /// How often it was asked to look at all that waits, since the look that goes on began.
    all: AtomicUsize,
    /// When all that waits is looked at again, as quiet hours end.
    again_at: Mutex<Option<DateTime<Utc>>>,
}

impl Looks {
    /// Whether nobody looks at the message's request yet; else it is kept for who does.
    pub(crate) fn begin(&self, message: &LiveMessage) -> bool {
        let mut looks = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(next) = looks.get_mut(&message.id) {
            *next = Some(message.clone());
            return false;
        }
        looks.insert(message.id.clone(), None);
        true
    }

    /// What came meanwhile; where that is nothing, the look is over.
    pub(crate) fn next(&self, id: &str) -> Option<LiveMessage> {
        let mut looks = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let next = looks.get_mut(id).and_then(Option::take);
        if next.is_none() {
            looks.remove(id);
        }
        next
    }

    /// Whether nobody looks at all that waits yet; else who does looks once more.
    pub(crate) fn begin_all(&self) -> bool {
        self.all.fetch_add(1, Ordering::SeqCst) == 0
    }

    /// How often it was asked so far.
    pub(crate) fn all_asked(&self) -> usize {
        self.all.load(Ordering::SeqCst)
    }

    /// Whether the look is over: nobody asked since it was known to be asked so often.
    pub(crate) fn end_all(&self, asked: usize) -> bool {
        self.all.fetch_sub(asked, Ordering::SeqCst) == asked
    }

    /// Whether nobody waits yet to look at all again by then; who asked waits then.
    pub(crate) fn wants_again_at(&self, at: DateTime<Utc>) -> bool {
        let mut again_at = self.again_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = again_at.is_none_or(|known| at < known);
        if is_first {
            *again_at = Some(at);
        }
        is_first
    }

    /// The wait until then is over.
    pub(crate) fn again(&self, at: DateTime<Utc>) {
        let mut again_at = self.again_at.lock().unwrap_or_else(PoisonError::into_inner);
        again_at.take_if(|known| *known == at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use shared_types::api::live::LiveKind;

    fn message(n: u64, id: &str) -> LiveMessage {
        LiveMessage { n, kind: LiveKind::ApprovalChanged, id: id.to_owned(), at: clock::now() }
    }

    #[test]
    fn one_look_at_a_request_goes_on_at_a_time_and_what_came_meanwhile_is_one_more() {
        let looks = Looks::default();
        assert!(looks.begin(&message(1, "a")));
        assert!(!looks.begin(&message(2, "a")));
        assert!(!looks.begin(&message(3, "a")));
        assert_eq!(looks.next("a").map(|message| message.n), Some(3), "the last that came");
        assert_eq!(looks.next("a"), None, "the look is over");
        assert!(looks.begin(&message(4, "a")));
    }

    #[test]
    fn whoever_waits_for_the_end_of_quiet_hours_waits_once() {
        let looks = Looks::default();
        let (soon, later) = (clock::now(), clock::now() + chrono::Duration::hours(1));
        assert!(looks.wants_again_at(later));
        assert!(!looks.wants_again_at(later), "one waits");
        assert!(looks.wants_again_at(soon), "they end sooner now");
        looks.again(soon);
        assert!(looks.wants_again_at(later));
    }

    #[test]
    fn looks_at_different_requests_go_on_beside_each_other() {
        let looks = Looks::default();
        assert!(looks.begin(&message(1, "a")) && looks.begin(&message(2, "b")));
        assert_eq!(looks.next("a"), None);
        assert!(!looks.begin(&message(3, "b")), "b is still being looked at");
    }

    #[test]
    fn looking_at_all_is_asked_once_more_where_it_was_asked_meanwhile() {
        let looks = Looks::default();
        assert!(looks.begin_all());
        let asked = looks.all_asked();
        assert!(!looks.begin_all(), "one goes on");
        assert!(!looks.end_all(asked), "it is asked once more");
        let asked = looks.all_asked();
        assert!(looks.end_all(asked));
        assert!(looks.begin_all(), "the next one begins anew");
    }
}
