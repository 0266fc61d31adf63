//! All SQL, one module per aggregate, and nowhere else.
//!
//! Functions take a connection; the caller owns the transaction. A lookup answers `Option`, a write checks
//! the rows that it touched. Every query names the workspace.

pub mod absences;
pub mod approvals;
pub mod audit;
pub mod calendars;
pub mod child_runs;
pub mod commit;
pub mod connector_breaker;
pub mod connector_health;
pub mod connector_limits;
pub mod connectors;
pub mod deliveries;
pub mod environment;
pub mod events;
pub mod executions;
pub mod idempotency;
pub mod invitations;
pub mod keys;
pub mod notices;
pub mod outreach;
pub mod owners;
pub mod people;
pub mod preferences;
pub mod reviews;
pub mod roles;
pub mod rules;
pub mod run_counts;
pub mod search;
pub mod secrets;
pub mod servers;
pub mod sessions;
pub mod sign_ins;
pub mod snoozes;
pub mod timers;
pub mod waits;
pub mod webhooks;
pub mod workflows;

use crate::blocking::run_blocking;
use serde::de::DeserializeOwned;
use shared_types::ids::WorkspaceId;
use sqlx::PgConnection;

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed, or can't be reached.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// What is stored can't be read.
    #[error("{table}.{column}{} can't be read: {why}", row.as_ref().map(|row| format!(" of {row}")).unwrap_or_default())]
    Unreadable {
        /// The table that holds the row.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The id of the row, where the reader knows it.
        row: Option<String>,
        /// What the reader said.
        why: String,
    },
}

/// Names the row whose value can't be read, so that somebody finds it.
pub(crate) trait OfRow {
    /// Adds the id of the row to an error that has none.
    fn of_row(self, id: impl std::fmt::Display) -> Self;
}

impl<T> OfRow for Result<T> {
    fn of_row(self, id: impl std::fmt::Display) -> Self {
        self.map_err(|error| match error {
            StoreError::Unreadable { table, column, row: None, why } => {
                StoreError::Unreadable { table, column, row: Some(id.to_string()), why }
            }
            error @ (StoreError::Unreadable { .. } | StoreError::Database(_)) => error,
        })
    }
}

/// What a store function gives.
pub type Result<T> = std::result::Result<T, StoreError>;

impl StoreError {
    /// The name of the constraint that a write ran into.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Database(error) => {
                error.as_database_error().and_then(sqlx::error::DatabaseError::constraint)
            }
            Self::Unreadable { .. } => None,
        }
    }

    /// Whether the database could not be reached, so that trying again later may do.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => {
                // Class 57 is operator intervention (a shutdown), 53 means out of resources, 08 a connection lost.
                let code = error.code().unwrap_or_default();
                ["57", "53", "08"].iter().any(|class| code.starts_with(class))
            }
            Self::Database(error) => matches!(
                error,
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
                    | sqlx::Error::Protocol(_)
            ),
            Self::Unreadable { .. } => false,
        }
    }

    /// Whether the same will fail however often it is tried: the database can't hold what it was given, or what is
    /// stored can't be read.
    pub fn is_lasting(&self) -> bool {
        match self {
            // Class 22 is a value that can't be stored, 54 one past a limit of the database, an index's among them.
            Self::Database(sqlx::Error::Database(error)) => {
                let code = error.code().unwrap_or_default();
                ["22", "54"].iter().any(|class| code.starts_with(class))
            }
            Self::Database(error) => matches!(error, sqlx::Error::Encode(_)),
            Self::Unreadable { .. } => true,
        }
    }

    /// Whether transactions stood in each other's way, so that the same is likely to succeed when it is tried again.
    pub fn is_conflict(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        // Class 40 is a transaction rolled back: a deadlock, or a serialisation that failed.
        error.code().is_some_and(|code| code.starts_with("40"))
    }
}

/// Reads a stored JSON value into its type.
pub(crate) fn read<T: DeserializeOwned>(
    table: &'static str,
    column: &'static str,
    value: serde_json::Value,
) -> Result<T> {
    serde_json::from_value(value).map_err(|error| StoreError::Unreadable {
        table,
        column,
        row: None,
        why: error.to_string(),
    })
}

/// Reads a stored word into its type.
pub(crate) fn read_word<T: DeserializeOwned>(
    table: &'static str,
    column: &'static str,
    word: &str,
) -> Result<T> {
    read(table, column, serde_json::Value::String(word.to_owned()))
}

/// A type as JSON; its own types always serialise.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or(serde_json::Value::Null)
}

/// A type as JSON text; its own types always serialise.
pub(crate) fn json_text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// Reads stored JSON text into its type, however deep it nests: what is stored was bounded as it came in, and what
/// could be written must be readable again.
pub(crate) fn read_text<T: DeserializeOwned>(
    table: &'static str,
    column: &'static str,
    text: &str,
) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.disable_recursion_limit();
    T::deserialize(&mut reader).map_err(|error| StoreError::Unreadable {
        table,
        column,
        row: None,
        why: error.to_string(),
    })
}

/// A stored text that is longer is read beside the serving threads.
const LARGE_TEXT: usize = 128 * 1024;

/// The same, beside the serving threads where it takes long.
pub(crate) fn read_large_text<T: DeserializeOwned>(
    table: &'static str,
    column: &'static str,
    text: &str,
) -> Result<T> {
    if text.len() > LARGE_TEXT {
        return run_blocking(|| read_text(table, column, text));
    }
    read_text(table, column, text)
}

/// Holds the one lock around migrations and first set-up until the transaction ends.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn lock_setup(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(7014001)").execute(conn).await?;
    Ok(())
}

/// Holds a workspace until the transaction ends, so that what is judged of it as a whole stays as it was judged.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn lock_workspace(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<()> {
    sqlx::query!("select id from workspaces where id = $1 for no key update", workspace.0)
        .fetch_optional(conn)
        .await?;
    Ok(())
}

/// Says whether the database answers.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn ping(conn: &mut PgConnection) -> Result<()> {
    sqlx::query_scalar!("select 1").fetch_one(conn).await?;
    Ok(())
}

/// Tells every server something; delivered when the transaction commits.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn notify(conn: &mut PgConnection, channel: &str, payload: &str) -> Result<()> {
    sqlx::query!("select pg_notify($1, $2)", channel, payload).execute(conn).await?;
    Ok(())
}

/// Counts a change of what starts runs in a workspace.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn bump_catalog(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<()> {
    sqlx::query!("update workspaces set catalog_version = catalog_version + 1 where id = $1", workspace.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes a lock that lasts as long as the connection; false where another holds it.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn try_lock(conn: &mut PgConnection, lock: i64) -> Result<bool> {
    Ok(sqlx::query_scalar!("select pg_try_advisory_lock($1) as \"taken!\"", lock).fetch_one(conn).await?)
}
