//! A private PostgreSQL for tests and for checking queries.

use crate::process::{cargo, output, root, say, step};
use anyhow::Context as _;
use embedded_postgres::{Postgres, Settings};
use std::{fs, path::PathBuf, process::Command};

/// A PostgreSQL that lives as long as this value.
pub(crate) struct Private {
    postgres: Option<Postgres>,
}

impl Private {
    /// Starts one that is fast rather than durable: what it holds is thrown away.
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::start_with(&[
            ("fsync", "off"),
            ("synchronous_commit", "off"),
            ("full_page_writes", "off"),
            ("max_connections", "300"),
            ("shared_buffers", "256MB"),
        ])
    }

    /// Starts one that is as durable as a real one, for figures.
    pub(crate) fn start_durable() -> anyhow::Result<Self> {
        Self::start_with(&[
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "on"),
            ("max_connections", "300"),
            ("shared_buffers", "1GB"),
            ("max_wal_size", "8GB"),
            ("checkpoint_timeout", "15min"),
        ])
    }

    fn start_with(options: &[(&str, &str)]) -> anyhow::Result<Self> {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let settings = Settings { data_dir: data_dir()?, options };
        let postgres = Postgres::start(&settings).context("the PostgreSQL for tests")?;
        Ok(Self { postgres: Some(postgres) })
    }

    /// The address of one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        self.postgres.as_ref().map(|postgres| postgres.url(database)).unwrap_or_default()
    }

    /// A psql of one of its databases.
    pub(crate) fn psql(&self, database: &str) -> Command {
        let mut psql = Command::new("psql");
        if let Some(postgres) = &self.postgres {
            psql = Command::new(postgres.bin_dir().join("psql"));
            psql.arg("-h").arg(postgres.socket_dir());
        }
        psql.args(["-U", "iw", "-d", database, "-q", "-v", "ON_ERROR_STOP=1"]);
        psql
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Some(postgres) = self.postgres.take()
            && let Err(error) = postgres.stop()
        {
            say(&format!("the PostgreSQL for tests did not stop: {error}"));
        }
    }
}

/// A fresh folder that PostgreSQL's own user can come to.
fn data_dir() -> anyhow::Result<PathBuf> {
    let dir = std::env::temp_dir().join(format!("iw-test-{}", std::process::id()));
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    Ok(dir)
}

/// Writes what queries are checked against, from the migrations.
pub(crate) fn prepare() -> anyhow::Result<()> {
    let private = Private::start()?;
    step("making a database", private.psql("postgres").args(["-c", "create database prepare"]))?;
    for file in migrations()? {
        step(&format!("applying {}", file.display()), private.psql("prepare").arg("-f").arg(&file))?;
    }
    let metadata = root().join("backend/.sqlx");
    if metadata.exists() {
        fs::remove_dir_all(&metadata)?;
    }
    fs::create_dir_all(&metadata)?;
    // The macros write what they learn when they expand, so the sources have to look changed.
    touch(&root().join("backend/src/store.rs"))?;
    // With the app's features as well, as everything else here is built.
    let mut check = cargo(&["check", "-p", "backend", "-p", "src-tauri", "--lib"]);
    check
        .env_remove("SQLX_OFFLINE")
        .env("DATABASE_URL", private.url("prepare"))
        .env("SQLX_OFFLINE_DIR", &metadata);
    step("checking every query", &mut check)?;
    say(&format!("{} holds {} queries", metadata.display(), fs::read_dir(&metadata)?.count()));
    Ok(())
}

fn migrations() -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(root().join("migrations"))?.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "sql")).collect();
    files.sort();
    Ok(files)
}

fn touch(file: &std::path::Path) -> anyhow::Result<()> {
    fs::File::options().append(true).open(file)?.set_modified(std::time::SystemTime::now())?;
    Ok(())
}

/// Checks that the committed metadata is what the queries need: each query has its file, and no file is left over.
pub(crate) fn check_prepared() -> anyhow::Result<()> {
    prepare()?;
    let changed = output(&mut crate::process::command("git", &["status", "--porcelain", "backend/.sqlx"]))?;
    if !changed.trim().is_empty() {
        anyhow::bail!("backend/.sqlx was not up to date; it is now, commit it:\n{changed}");
    }
    Ok(())
}
