//! `cargo xtask bench`: figures, each beside what the machine allows in the same run.

use crate::{
    database::Private,
    process::{cargo, command, output, step, target},
    setup::{self, ensure},
    test, ui,
};
use std::{env, path::PathBuf};

/// The budgets of the desktop: a release build in a real window, on a server of its own.
pub(crate) fn desktop() -> anyhow::Result<()> {
    for needed in [setup::SERVER, setup::UI, setup::DESKTOP, setup::WINDOW] {
        ensure(needed)?;
    }
    ui::build()?;
    step("building in release", &mut cargo(&["build", "--release", "-p", "backend", "-p", "src-tauri"]))?;
    let private = Private::start()?;
    let programs = ["iw-server", "intelligent-workflows"].map(released);
    test::in_a_window("measuring", &private, programs, &["--ignored", "--nocapture", "budgets"])
}

/// A program of the release build.
fn released(name: &str) -> PathBuf {
    target().join("release").join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// Builds in release, starts a durable PostgreSQL of its own, and runs the bench.
pub(crate) fn bench(quick: bool) -> anyhow::Result<()> {
    ensure(setup::SERVER)?;
    step("building in release", &mut cargo(&["build", "--release", "-p", "backend", "-p", "tests"]))?;
    let private = Private::start_durable()?;
    step("making a database", private.psql("postgres").args(["-c", "create database bench"]))?;
    let commit = output(&mut command("git", &["rev-parse", "--short", "HEAD"])).unwrap_or_default();
    let mut bench = command(&released("iw-bench").to_string_lossy(), if quick { &["--quick"] } else { &[] });
    bench
        .env("IW_BENCH_DATABASE_URL", private.url("bench"))
        .env("IW_BENCH_SERVER", released("iw-server"))
        .env("IW_BENCH_COMMIT", commit.trim());
    step("measuring", &mut bench)
}
