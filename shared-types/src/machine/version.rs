//! The versions of the machine: what a run does is made again on replay as the version that started it did it.

use super::state::State;

/// The version of this machine, kept with every run.
pub const VERSION: u32 = 7;

impl State {
    /// Whether a request keeps the effects that an approval sends; runs of earlier machines hash what is seen without them.
    pub(super) fn resolves_effects(&self) -> bool {
        self.version >= 3
    }

    /// Whether its requests have levels, deadlines of their own, forms and all that several people need. Those of earlier
    /// machines have one level with one approver, and replay as they were.
    pub(super) fn asks_in_levels(&self) -> bool {
        self.version >= 4
    }

    /// Whether what follows a decision is found by looking ahead on a copy of the run, behind conditions and in branches.
    pub(super) fn looks_ahead(&self) -> bool {
        self.version >= 5
    }

    /// Whether values that `set` makes at the time have placeholders on the way ahead, the looks of all its requests share
    /// their bounds, and reminders that come late wait for the opening.
    pub(super) fn holds_places(&self) -> bool {
        self.version >= 6
    }

    /// Whether it loads what `context.load` names before its first step.
    pub(super) fn loads_context(&self) -> bool {
        self.version >= 7
    }
}
