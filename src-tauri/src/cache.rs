//! What lasts on this machine: what was last seen, the Outbox, and the settings, in SQLite.

use crate::session::Scope;
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use shared_types::desktop::{QueuedDecision, QueuedDecisionState, Settings};
use sqlx::{
    SqliteExecutor, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use std::path::Path;
use uuid::Uuid;

/// What lasts on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    pool: SqlitePool,
}

/// A row of the Outbox.
#[derive(Debug)]
pub(crate) struct OutboxRow {
    pub(crate) id: String,
    /// Whose it is.
    pub(crate) scope: Scope,
    /// Her name; empty in what an older version kept.
    pub(crate) person: String,
    /// The decision; `None` where this version can't read it.
    pub(crate) item: Option<QueuedDecision>,
    /// The decision as it is kept.
    pub(crate) text: String,
    /// When it was decided.
    pub(crate) kept_at: Option<DateTime<Utc>>,
}

type Result<T> = std::result::Result<T, sqlx::Error>;

impl Cache {
    /// Opens it, made where it isn't there.
    pub(crate) async fn open(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let options = SqliteConnectOptions::new()
            .filename(folder.join("cache.sqlite"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        sqlx::migrate!("./migrations").run(&pool).await?;
        Ok(Self { pool })
    }

    /// Keeps what was seen.
    pub(crate) async fn put<T: Serialize>(
        &self,
        scope: &Scope,
        key: &str,
        data: &T,
        at: DateTime<Utc>,
    ) -> Result<()> {
        let body = serde_json::to_string(data).unwrap_or_default();
        sqlx::query("insert or replace into cached_answers (scope, key, body, at) values (?, ?, ?, ?)")
            .bind(scope.as_str())
            .bind(key)
            .bind(body)
            .bind(at.to_rfc3339())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Keeps many things that were seen at once.
    pub(crate) async fn keep_all<T: Serialize>(
        &self,
        scope: &Scope,
        things: impl Iterator<Item = (String, T)>,
        at: DateTime<Utc>,
    ) -> Result<()> {
        let mut transaction = self.pool.begin().await?;
        for (key, data) in things {
            let body = serde_json::to_string(&data).unwrap_or_default();
            sqlx::query(
                "insert into cached_answers (scope, key, body, at) values (?, ?, ?, ?)
                 on conflict (scope, key) do update set body = excluded.body, at = excluded.at",
            )
            .bind(scope.as_str())
            .bind(key)
            .bind(body)
            .bind(at.to_rfc3339())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }

    /// What was last seen, and when; what an older version kept and this can't read counts as not seen.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        scope: &Scope,
        key: &str,
    ) -> Result<Option<(T, DateTime<Utc>)>> {
        let row: Option<(String, String)> =
            sqlx::query_as("select body, at from cached_answers where scope = ? and key = ?")
                .bind(scope.as_str())
                .bind(key)
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.and_then(|(body, at)| Some((serde_json::from_str(&body).ok()?, at.parse().ok()?))))
    }

    /// Forgets what was kept under a key.
    pub(crate) async fn forget(&self, scope: &Scope, key: &str) -> Result<()> {
        sqlx::query("delete from cached_answers where scope = ? and key = ?")
            .bind(scope.as_str())
            .bind(key)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Keeps a decision on its way, with the name of whose it is.
    pub(crate) async fn insert_queued(
        &self,
        scope: &Scope,
        person: &str,
        item: &QueuedDecision,
    ) -> Result<()> {
        let text = serde_json::to_string(item).unwrap_or_default();
        self.insert_queued_text(scope, person, &item.id.to_string(), &text, item.decided_at).await
    }

    /// Keeps a decision as a text.
    pub(crate) async fn insert_queued_text(
        &self,
        scope: &Scope,
        person: &str,
        id: &str,
        text: &str,
        at: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query("insert into outbox (id, scope, person, item, created_at) values (?, ?, ?, ?, ?)")
            .bind(id)
            .bind(scope.as_str())
            .bind(person)
            .bind(text)
            .bind(at.to_rfc3339())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Reads a decision to send it, and marks it as being sent, in one step. `None` where it was withdrawn, was sent
    /// before, or is somebody else's.
    pub(crate) async fn take_queued(&self, scope: &Scope, id: Uuid) -> Result<Option<QueuedDecision>> {
        let mut transaction = self.pool.begin_with("begin immediate").await?;
        let row: Option<(String,)> = sqlx::query_as("select item from outbox where id = ? and scope = ?")
            .bind(id.to_string())
            .bind(scope.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let read = row.and_then(|(item,)| serde_json::from_str::<QueuedDecision>(&item).ok());
        let Some(mut item) = read.filter(|item| item.state.waits()) else { return Ok(None) };
        item.state = QueuedDecisionState::Sending;
        // Once it was sent, it can't be undone, whatever becomes of it.
        item.undo_until = None;
        set(&mut *transaction, &item).await?;
        transaction.commit().await?;
        Ok(Some(item))
    }

    /// Says how a decision stands; one that isn't there any more stays away.
    pub(crate) async fn update_queued(&self, item: &QueuedDecision) -> Result<()> {
        set(&self.pool, item).await
    }

    /// Everything in the Outbox, oldest first, of whoever it is.
    pub(crate) async fn outbox(&self) -> Result<Vec<OutboxRow>> {
        let rows: Vec<(String, String, String, String, String)> =
            sqlx::query_as("select id, scope, person, item, created_at from outbox order by created_at, id")
                .fetch_all(&self.pool)
                .await?;
        let row = |(id, scope, person, text, kept_at): (String, String, String, String, String)| OutboxRow {
            id,
            scope: Scope::kept(scope),
            person,
            item: serde_json::from_str(&text).ok(),
            text,
            kept_at: kept_at.parse().ok(),
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Forgets a decision.
    pub(crate) async fn delete_queued(&self, id: &str) -> Result<()> {
        sqlx::query("delete from outbox where id = ?").bind(id).execute(&self.pool).await?;
        Ok(())
    }

    /// Says that a notification is raised; false where one was before.
    pub(crate) async fn first_alert(&self, scope: &Scope, id: &str) -> Result<bool> {
        let done = sqlx::query("insert or ignore into notified (scope, id) values (?, ?)")
            .bind(scope.as_str())
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The settings.
    pub(crate) async fn settings(&self) -> Result<Settings> {
        Ok(self.setting("settings").await?.unwrap_or_default())
    }

    /// One remembered value.
    pub(crate) async fn setting<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let row: Option<(String,)> = sqlx::query_as("select value from settings where key = ?")
            .bind(key)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.and_then(|(value,)| serde_json::from_str(&value).ok()))
    }

    /// Remembers one value.
    pub(crate) async fn set_setting<T: Serialize>(&self, key: &str, value: &T) -> Result<()> {
        sqlx::query("insert or replace into settings (key, value) values (?, ?)")
            .bind(key)
            .bind(serde_json::to_string(value).unwrap_or_default())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

async fn set(to: impl SqliteExecutor<'_>, item: &QueuedDecision) -> Result<()> {
    sqlx::query("update outbox set item = ? where id = ?")
        .bind(serde_json::to_string(item).unwrap_or_default())
        .bind(item.id.to_string())
        .execute(to)
        .await?;
    Ok(())
}
