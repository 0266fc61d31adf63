//! What lasts on this machine: what was last seen, the Outbox, and the settings, in SQLite.

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use shared_types::desktop::{Outgoing, Settings};
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use std::path::Path;
use uuid::Uuid;

/// What lasts on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    pool: SqlitePool,
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
    pub(crate) async fn keep<T: Serialize>(
        &self,
        scope: &str,
        key: &str,
        data: &T,
        at: DateTime<Utc>,
    ) -> Result<()> {
        let body = serde_json::to_string(data).unwrap_or_default();
        sqlx::query("insert or replace into kept (scope, key, body, at) values (?, ?, ?, ?)")
            .bind(scope)
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
        scope: &str,
        things: impl Iterator<Item = (String, T)>,
        at: DateTime<Utc>,
    ) -> Result<()> {
        let mut transaction = self.pool.begin().await?;
        for (key, data) in things {
            let body = serde_json::to_string(&data).unwrap_or_default();
            sqlx::query(
                "insert into kept (scope, key, body, at) values (?, ?, ?, ?)
                 on conflict (scope, key) do update set body = excluded.body, at = excluded.at",
            )
            .bind(scope)
            .bind(key)
            .bind(body)
            .bind(at.to_rfc3339())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }

    /// What was last seen, and when; what an older version kept and this can't read counts as not seen.
    pub(crate) async fn seen<T: DeserializeOwned>(
        &self,
        scope: &str,
        key: &str,
    ) -> Result<Option<(T, DateTime<Utc>)>> {
        let row: Option<(String, String)> =
            sqlx::query_as("select body, at from kept where scope = ? and key = ?")
                .bind(scope)
                .bind(key)
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.and_then(|(body, at)| Some((serde_json::from_str(&body).ok()?, at.parse().ok()?))))
    }

    /// Forgets what was kept under a key.
    pub(crate) async fn forget(&self, scope: &str, key: &str) -> Result<()> {
        sqlx::query("delete from kept where scope = ? and key = ?")
            .bind(scope)
            .bind(key)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Keeps a decision on its way.
    pub(crate) async fn put_outgoing(&self, scope: &str, item: &Outgoing) -> Result<()> {
        sqlx::query("insert or replace into outbox (id, scope, item, created_at) values (?, ?, ?, ?)")
            .bind(item.id.to_string())
            .bind(scope)
            .bind(serde_json::to_string(item).unwrap_or_default())
            .bind(item.decided_at.to_rfc3339())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The decisions on their way, oldest first.
    pub(crate) async fn outgoing(&self, scope: &str) -> Result<Vec<Outgoing>> {
        let rows: Vec<(String,)> =
            sqlx::query_as("select item from outbox where scope = ? order by created_at")
                .bind(scope)
                .fetch_all(&self.pool)
                .await?;
        Ok(rows.into_iter().filter_map(|(item,)| serde_json::from_str(&item).ok()).collect())
    }

    /// Forgets a decision on its way.
    pub(crate) async fn drop_outgoing(&self, id: Uuid) -> Result<()> {
        sqlx::query("delete from outbox where id = ?").bind(id.to_string()).execute(&self.pool).await?;
        Ok(())
    }

    /// Says that a notification is raised; false where one was before.
    pub(crate) async fn first_alert(&self, scope: &str, id: &str) -> Result<bool> {
        let done = sqlx::query("insert or ignore into alerted (scope, id) values (?, ?)")
            .bind(scope)
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
