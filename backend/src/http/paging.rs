//! Lists in parts: a cursor stands for the key after which the next part begins.

use super::{
    AppState,
    problem::{ApiError, ApiResult},
};
use crate::{
    auth::{Principal, cursor::CursorSeal},
    store::search::Found,
};
use shared_types::api::{Page, limits, problem::Code};
use std::str::FromStr;

const DEFAULT: u32 = 50;

/// How a list is shown in parts.
pub(super) struct Paging {
    seal: CursorSeal,
    shown: usize,
}

impl Paging {
    /// The parts of a list, of so many items each; the query's schema has bounded how many.
    pub(super) fn of(state: &AppState, principal: &Principal, list: &str, limit: Option<u32>) -> Self {
        let shown = limit.unwrap_or(DEFAULT).clamp(1, limits::PAGE);
        Self {
            seal: CursorSeal::new(&state.key, principal.workspace, list),
            shown: usize::try_from(shown).unwrap_or_default(),
        }
    }

    /// How many items to read: one more than shown tells whether more follow.
    pub(super) fn to_read(&self) -> i64 {
        i64::try_from(self.shown).unwrap_or_default() + 1
    }

    /// The key that a cursor stands for.
    pub(super) fn after<T: FromStr>(&self, cursor: Option<&str>) -> ApiResult<Option<T>> {
        let bad = || {
            ApiError::new(
                Code::CursorBad,
                "`cursor` must be the `next_cursor` of an answer of this list, unchanged.",
            )
        };
        cursor.map(|text| self.seal.open(text).and_then(|key| key.parse().ok()).ok_or_else(bad)).transpose()
    }

    /// A page of the items that were read.
    pub(super) fn page<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> String) -> Page<T> {
        let has_more = items.len() > self.shown;
        items.truncate(self.shown);
        let next_cursor = items.last().filter(|_| has_more).map(|last| self.cursor(&key(last)));
        Page { items, next_cursor }
    }

    /// A page of what a search found: where it ended early, the next part begins there.
    pub(super) fn found<T>(&self, found: Found<T>, key: impl Fn(&T) -> String) -> Page<T> {
        let ended_at = found.ended_at;
        let page = self.page(found.items, key);
        let next_cursor = page.next_cursor.or_else(|| ended_at.map(|id| self.cursor(&id.to_string())));
        Page { next_cursor, ..page }
    }

    /// The cursor that stands for a key.
    pub(super) fn cursor(&self, key: &str) -> String {
        self.seal.seal(key)
    }
}
