//! How lists are searched by text: in bounded steps, each of which reads an index.
//!
//! A frequent word fills a page from the newest rows; a rare one has few rows, which indexes find at once. So the newest rows
//! are read first, then what the indexes have of the older ones. Where that is too much to be read or sorted, a further part
//! of the newest rows is read, and the page ends there, with a cursor to go on from: no search reads more than that.

use super::Result;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// How many of the newest rows are read before indexes are asked.
const FIRST_PART: i64 = 1_000;
/// How many hits in the first part make a text so frequent that the indexes aren't asked: they would have too much.
const FREQUENT: usize = 3;
/// How many more are read where the indexes have too much.
const SECOND_PART: i64 = 10_000;
/// How many rows of one index are sorted at most.
const MOST_HITS: i64 = 1_000;

/// How many rows with its words make a text so frequent that the index of subjects isn't asked. Reading a list of
/// 100,000 rows takes 6 ms.
const MOST_LISTED: f64 = 100_000.0;

/// What a search found, newest first.
#[derive(Debug)]
pub struct Found<T> {
    /// The rows, at most as many as were asked for.
    pub items: Vec<T>,
    /// Where the search ended before it was through: what is below this id wasn't looked at.
    pub ended_at: Option<Uuid>,
}

impl<T> Found<T> {
    /// Everything that there is, or as much as was asked for.
    pub fn all(items: Vec<T>) -> Self {
        Self { items, ended_at: None }
    }
}

/// A list that is searched by text, with all that narrows it besides the text.
pub(super) trait Searched {
    /// A row of the list.
    type Item;

    /// The index of the words of subjects.
    const SUBJECTS: &'static str;

    /// What the rows are held against.
    fn needle(&self) -> &Needle<'_>;

    /// Those with the text among so many of the newest rows below an id.
    async fn among_newest(
        &self,
        conn: &mut PgConnection,
        below: Option<Uuid>,
        part: i64,
        limit: i64,
    ) -> Result<Vec<Self::Item>>;

    /// The last of so many of the newest rows below an id; `None` where there are fewer.
    async fn end_of_newest(
        &self,
        conn: &mut PgConnection,
        below: Option<Uuid>,
        part: i64,
    ) -> Result<Option<Uuid>>;

    /// What each index has below an id, at most so many of each.
    async fn hits_below(&self, conn: &mut PgConnection, end: Uuid, most: i64) -> Result<Vec<Hit>>;

    /// The newest of the rows with these ids, at most so many.
    async fn of(&self, conn: &mut PgConnection, ids: &[Uuid], limit: i64) -> Result<Vec<Self::Item>>;
}

/// A row that an index has.
#[derive(Debug)]
pub(super) struct Hit {
    /// Which index, counted from one.
    pub(super) index: i32,
    /// The row's id.
    pub(super) id: Uuid,
}

/// Searches a list, newest first, from below an id.
#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn search<L: Searched>(
    conn: &mut PgConnection,
    list: &L,
    below: Option<Uuid>,
    limit: i64,
) -> Result<Found<L::Item>> {
    let mut items = list.among_newest(conn, below, FIRST_PART, limit).await?;
    let rest = limit - i64::try_from(items.len()).unwrap_or(limit);
    if rest == 0 {
        return Ok(Found::all(items));
    }
    let Some(end) = list.end_of_newest(conn, below, FIRST_PART).await? else {
        return Ok(Found::all(items));
    };
    if items.len() < FREQUENT
        && rows_with(conn, L::SUBJECTS, list.needle().words).await? <= MOST_LISTED
        && let Some(ids) = few(list.hits_below(conn, end, MOST_HITS + 1).await?)
    {
        if !ids.is_empty() {
            items.extend(list.of(conn, &ids, rest).await?);
        }
        return Ok(Found::all(items));
    }
    items.extend(list.among_newest(conn, Some(end), SECOND_PART, rest).await?);
    let is_full = i64::try_from(items.len()).unwrap_or(limit) >= limit;
    let ended_at = if is_full { None } else { list.end_of_newest(conn, Some(end), SECOND_PART).await? };
    Ok(Found { items, ended_at })
}

/// How many rows have the rarest of a text's words, by the statistics of an index: none of a word that they don't name,
/// since they name the frequent ones.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn rows_with(conn: &mut PgConnection, index: &str, words: &str) -> Result<f64> {
    let rows = sqlx::query_scalar!(
        r#"with named as (
             select most_common_elems::text::text[] as words, most_common_elem_freqs as shares
             from pg_stats where schemaname = current_schema() and tablename = $1)
         select coalesce(min(coalesce(named.shares[array_position(named.words, word)], 0)), 0)::float8
             * greatest((select t.reltuples from pg_class t join pg_index i on i.indrelid = t.oid
                         where i.indexrelid = to_regclass($1)), 0)::float8 as "rows!"
         from unnest(tsvector_to_array(to_tsvector('simple', $2))) word left join named on true"#,
        index,
        words
    )
    .fetch_one(conn)
    .await?;
    Ok(rows)
}

/// The ids of hits, each once; `None` where an index has too many to be sorted.
fn few(hits: Vec<Hit>) -> Option<Vec<Uuid>> {
    let most = usize::try_from(MOST_HITS).unwrap_or(usize::MAX);
    let mut of_index = BTreeMap::<i32, usize>::new();
    for hit in &hits {
        let count = of_index.entry(hit.index).or_default();
        *count += 1;
        if *count > most {
            return None;
        }
    }
    let ids: BTreeSet<Uuid> = hits.into_iter().map(|hit| hit.id).collect();
    Some(ids.into_iter().collect())
}

/// What a text is held against: beginnings of ids and keys, and words of a subject.
#[derive(Debug)]
pub(super) struct Needle<'q> {
    /// The text itself; its words are looked for in subjects.
    pub(super) words: &'q str,
    /// The end of all texts that begin with it, in the order of their bytes.
    pub(super) end: String,
    /// The least and the greatest id that begin with its digits, where it has only such.
    pub(super) ids: Option<(Uuid, Uuid)>,
}

impl<'q> Needle<'q> {
    /// What a query asks for; `None` where it is empty.
    pub(super) fn of(query: Option<&'q str>) -> Option<Self> {
        let words = query.map(str::trim).filter(|words| !words.is_empty())?;
        Some(Self { words, end: format!("{words}\u{10ffff}"), ids: id_range(words) })
    }
}

/// The least and greatest id that begin with these digits.
fn id_range(start: &str) -> Option<(Uuid, Uuid)> {
    let digits: String = start.chars().filter(|c| *c != '-').collect();
    if digits.len() < 4 || digits.len() > 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let fill =
        |with: char| Uuid::parse_str(&format!("{digits}{}", with.to_string().repeat(32 - digits.len()))).ok();
    Some((fill('0')?, fill('f')?))
}
