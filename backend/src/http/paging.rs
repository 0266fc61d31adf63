//! Lists in parts: a cursor is the key after which the next part begins.

use super::problem::{ApiError, ApiResult};
use crate::store::search::Found;
use shared_types::api::{Page, problem::Code};
use uuid::Uuid;

const DEFAULT: u32 = 50;
const MAX: u32 = 200;

/// How many items to read: one more than shown tells whether more follow.
pub(super) fn limit(asked: Option<u32>) -> ApiResult<i64> {
    match asked.unwrap_or(DEFAULT) {
        0 => Err(ApiError::new(Code::QueryUnreadable, "`limit` must be from 1 to 200.")),
        limit if limit > MAX => Err(ApiError::new(Code::QueryUnreadable, "`limit` must be from 1 to 200.")),
        limit => Ok(i64::from(limit) + 1),
    }
}

/// The id that a cursor stands for.
pub(super) fn cursor(text: Option<&str>) -> ApiResult<Option<Uuid>> {
    let bad =
        || ApiError::new(Code::CursorBad, "`cursor` must be the `next_cursor` of an answer, unchanged.");
    text.map(|text| text.parse().map_err(|_| bad())).transpose()
}

/// A page of at most `limit - 1` of the items that were read.
pub(super) fn page<T>(mut items: Vec<T>, limit: i64, key: impl Fn(&T) -> String) -> Page<T> {
    let shown = usize::try_from(limit - 1).unwrap_or_default();
    let more = items.len() > shown;
    items.truncate(shown);
    let next_cursor = if more { items.last().map(key) } else { None };
    Page { items, next_cursor }
}

/// A page of what a search found: where it ended early, the next part begins there.
pub(super) fn found<T>(found: Found<T>, limit: i64, key: impl Fn(&T) -> String) -> Page<T> {
    let page = page(found.items, limit, key);
    let next_cursor = page.next_cursor.or_else(|| found.ended_at.map(|id| id.to_string()));
    Page { next_cursor, ..page }
}
