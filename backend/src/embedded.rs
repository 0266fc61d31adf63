//! The private PostgreSQL of a server that is given no database.

use crate::config::{Config, Database};
use embedded_postgres::{Postgres, Settings};
use sqlx::{
    ConnectOptions as _, Executor as _, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr as _, time::Duration};

/// The schema, forward only.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// A database that is ready, with the PostgreSQL that this process started, if it did.
pub struct Ready {
    /// The connections.
    pub pool: PgPool,
    /// The private PostgreSQL.
    pub private: Option<Postgres>,
}

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub enum NoDatabase {
    /// The private one doesn't come up.
    #[error("the private PostgreSQL: {0}")]
    Private(#[from] embedded_postgres::Error),
    /// It can't be reached.
    #[error("the database can't be reached: {0}")]
    Unreachable(#[from] sqlx::Error),
    /// Its schema can't be brought up to date.
    #[error("the database's schema: {0}")]
    Schema(#[from] sqlx::migrate::MigrateError),
}

/// Starts or reaches the database, and brings its schema up to date.
pub async fn open(config: &Config) -> Result<Ready, NoDatabase> {
    let (options, private) = match &config.database {
        Database::Named(url) => (PgConnectOptions::from_str(url)?, None),
        Database::Private => {
            let settings = Settings { data_dir: config.data_dir.clone(), options: Vec::new() };
            let started = tokio::task::spawn_blocking(move || Postgres::start(&settings)).await;
            let private = started.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))??;
            create_database(&private).await?;
            (PgConnectOptions::from_str(&private.url("iw"))?, Some(private))
        }
    };
    let pool = pool_options(config.connections).connect_with(tuned(options)).await?;
    MIGRATIONS.run(&pool).await?;
    Ok(Ready { pool, private })
}

/// How connections are kept.
pub fn pool_options(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        .idle_timeout(Duration::from_mins(5))
}

/// Lists are planned for the filters that they are given: one plan for any filter would scan everything. They read little,
/// so that compiling a query, or starting workers for it, would take longer than reading.
pub fn tuned(options: PgConnectOptions) -> PgConnectOptions {
    options
        .application_name("iw-server")
        .options([
            ("plan_cache_mode", "force_custom_plan"),
            ("jit", "off"),
            ("max_parallel_workers_per_gather", "0"),
        ])
        .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1))
        .log_statements(tracing::log::LevelFilter::Trace)
}

async fn create_database(private: &Postgres) -> Result<(), NoDatabase> {
    let mut conn = PgConnectOptions::from_str(&private.url("postgres"))?.connect().await?;
    match conn.execute("create database iw").await {
        Ok(_) => Ok(()),
        // 42P04: it is there.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P04") => Ok(()),
        Err(error) => Err(error.into()),
    }
}
