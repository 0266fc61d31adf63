//! `cargo xtask bench`: figures, each beside what the machine allows in the same run.

use crate::{
    database::Private,
    process::{cargo, command, output, step, target},
    setup::{self, ensure},
};
use std::env;

/// Builds in release, starts a durable PostgreSQL of its own, and runs the bench.
pub(crate) fn bench(quick: bool) -> anyhow::Result<()> {
    ensure(setup::SERVER)?;
    step("building in release", &mut cargo(&["build", "--release", "-p", "backend", "-p", "tests"]))?;
    let private = Private::start_durable()?;
    step("making a database", private.psql("postgres").args(["-c", "create database bench"]))?;
    let commit = output(&mut command("git", &["rev-parse", "--short", "HEAD"])).unwrap_or_default();
    let program = |name: &str| target().join("release").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    let mut bench = command(&program("iw-bench").to_string_lossy(), if quick { &["--quick"] } else { &[] });
    bench
        .env("IW_BENCH_DATABASE_URL", private.url("bench"))
        .env("IW_BENCH_SERVER", program("iw-server"))
        .env("IW_BENCH_COMMIT", commit.trim());
    step("measuring", &mut bench)
}
