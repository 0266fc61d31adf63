//! The last messages of each workspace, for clients that take up where they left off.

use super::Numbered;
use shared_types::ids::WorkspaceId;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// How many messages a workspace's window keeps.
const KEPT: usize = 2000;

#[derive(Debug, Default)]
pub(super) struct Windows(BTreeMap<WorkspaceId, VecDeque<Arc<Numbered>>>);

impl Windows {
    pub(super) fn push(&mut self, numbered: Arc<Numbered>) {
        let window = self.0.entry(numbered.message.workspace).or_default();
        if window.len() == KEPT {
            window.pop_front();
        }
        window.push_back(numbered);
    }

    /// What came after a number; `None` where that isn't known any more.
    pub(super) fn after(&self, workspace: WorkspaceId, after: u64) -> Option<Vec<Arc<Numbered>>> {
        let window = self.0.get(&workspace)?;
        let first = window.front()?.n;
        let last = window.back()?.n;
        if after + 1 < first || after > last {
            return None;
        }
        Some(window.iter().filter(|numbered| numbered.n > after).cloned().collect())
    }

    pub(super) fn last(&self, workspace: WorkspaceId) -> u64 {
        self.0.get(&workspace).and_then(VecDeque::back).map_or(0, |numbered| numbered.n)
    }

    /// Forgets everything; the workspaces with the last number of each.
    pub(super) fn forget(&mut self) -> Vec<(WorkspaceId, u64)> {
        let known =
            self.0.iter().map(|(id, window)| (*id, window.back().map_or(0, |numbered| numbered.n))).collect();
        self.0.clear();
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::DispatchMessage;
    use shared_types::api::live::LiveKind;

    #[test]
    fn a_window_is_resumed_from_any_number_that_it_still_knows() {
        let workspace = WorkspaceId(uuid::Uuid::from_u128(1));
        let mut windows = Windows::default();
        for n in 10..15 {
            let message = DispatchMessage { workspace, kind: LiveKind::Notice, id: n.to_string(), to: None };
            windows.push(Arc::new(Numbered { n, at: chrono::DateTime::UNIX_EPOCH, message }));
        }
        let after = |n| windows.after(workspace, n).map(|list| list.iter().map(|m| m.n).collect::<Vec<_>>());
        assert_eq!(after(12), Some(vec![13, 14]));
        assert_eq!(after(14), Some(vec![]));
        assert_eq!(after(9), Some(vec![10, 11, 12, 13, 14]));
        assert_eq!(after(8), None);
        assert_eq!(after(15), None);
    }
}
