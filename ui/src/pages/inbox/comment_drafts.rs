//! Reasons that were begun and not sent: they are there again when their request is opened again.

use shared_types::{ids::ApprovalId, workflow::approval::Verdict};
use std::{cell::RefCell, collections::BTreeMap};

/// A reason that was begun.
#[derive(Debug, Clone)]
pub(super) struct Begun {
    pub(super) verdict: Verdict,
    pub(super) text: String,
}

thread_local! {
    static REASONS: RefCell<BTreeMap<ApprovalId, Begun>> = const { RefCell::new(BTreeMap::new()) };
}

/// The reason that was begun for a request, if any.
pub(super) fn begun(id: ApprovalId) -> Option<Begun> {
    REASONS.with_borrow(|reasons| reasons.get(&id).filter(|begun| !begun.text.is_empty()).cloned())
}

/// Begins a reason; what was written before for this request stays.
pub(super) fn begin(id: ApprovalId, verdict: Verdict) {
    REASONS.with_borrow_mut(|reasons| {
        reasons.entry(id).or_insert(Begun { verdict, text: String::new() }).verdict = verdict;
    });
}

/// Keeps what is written.
pub(super) fn write(id: ApprovalId, verdict: Verdict, text: String) {
    REASONS.with_borrow_mut(|reasons| reasons.insert(id, Begun { verdict, text }));
}

/// Forgets a reason that was sent.
pub(super) fn forget(id: ApprovalId) {
    REASONS.with_borrow_mut(|reasons| reasons.remove(&id));
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_reason_that_was_begun_is_there_until_it_is_sent() {
        let (id, other) = (ApprovalId(Uuid::from_u128(1)), ApprovalId(Uuid::from_u128(2)));
        begin(id, Verdict::Reject);
        assert!(begun(id).is_none(), "nothing is written yet");
        write(id, Verdict::Reject, "Too much".to_owned());
        // Asking for changes instead keeps what was written.
        begin(id, Verdict::RequestChanges);
        let kept = begun(id).unwrap();
        assert_eq!((kept.verdict, kept.text.as_str()), (Verdict::RequestChanges, "Too much"));
        assert!(begun(other).is_none());
        forget(id);
        assert!(begun(id).is_none());
    }
}
