//! What the disk and PostgreSQL allow: the rows that any engine of this kind must write, and nothing else.

use anyhow::Context as _;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use std::time::{Duration, Instant};

const SQL: &str = include_str!("limit.sql");
const CONNECTIONS: usize = 8;
const EXECUTIONS: usize = 100;
const STEPS: [&str; 5] = ["check", "score", "decide", "notify", "close"];
const INPUT: &str = r#"{"order_id":"A-100234","customer":"c-77","amount":129.5,"currency":"EUR","items":[{"sku":"x1","n":2}]}"#;
const OUTPUT: &str = r#"{"ok":true,"value":42,"note":"approved"}"#;

/// What PostgreSQL says it is.
pub(crate) async fn version(url: &str) -> anyhow::Result<String> {
    let mut conn = PgConnection::connect(url).await?;
    Ok(sqlx::query_scalar("show server_version").fetch_one(&mut conn).await?)
}

/// The tables and the statement, out of the file.
fn parts() -> anyhow::Result<(String, String)> {
    let plain: String = SQL.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
    let (tables, rest) = plain.split_once("with n as").context("limit.sql has no statement")?;
    let statement = format!("with n as{}", rest.split(';').next().unwrap_or_default());
    Ok((tables.replace("create table", "create table if not exists"), statement))
}

/// Executions a second, in a plain loop on eight connections.
pub(crate) async fn unnest(url: &str, length: Duration) -> anyhow::Result<f64> {
    let (tables, statement) = parts()?;
    let mut conn = PgConnection::connect(url).await?;
    conn.execute("drop table if exists limit_execution, limit_step, limit_single").await?;
    conn.execute(AssertSqlSafe(tables)).await?;
    let begun = Instant::now();
    let loops = (0..CONNECTIONS).map(|_| {
        let (url, statement) = (url.to_owned(), statement.clone());
        tokio::spawn(async move { write_until(&url, statement, begun + length).await })
    });
    let mut written = 0;
    for done in loops.collect::<Vec<_>>() {
        written += done.await??;
    }
    Ok(f64::from(u32::try_from(written)?) / begun.elapsed().as_secs_f64())
}

async fn write_until(url: &str, statement: String, until: Instant) -> anyhow::Result<usize> {
    let mut conn = PgConnection::connect(url).await?;
    let inputs = vec![INPUT.to_owned(); EXECUTIONS];
    let outputs = vec![OUTPUT.to_owned(); EXECUTIONS];
    let all = EXECUTIONS * STEPS.len();
    let numbers: Vec<i32> = (0..all).map(|n| i32::try_from(n / STEPS.len() + 1)).collect::<Result<_, _>>()?;
    let steps: Vec<i32> = (0..all).map(|n| i32::try_from(n % STEPS.len())).collect::<Result<_, _>>()?;
    let names: Vec<String> = (0..all).map(|n| STEPS[n % STEPS.len()].to_owned()).collect();
    let (step_inputs, step_outputs) = (vec![INPUT.to_owned(); all], vec![OUTPUT.to_owned(); all]);
    let mut written = 0;
    while Instant::now() < until {
        let mut transaction = conn.begin().await?;
        sqlx::query(AssertSqlSafe(statement.clone()))
            .bind(&inputs)
            .bind(&outputs)
            .bind(&numbers)
            .bind(&steps)
            .bind(&names)
            .bind(&step_inputs)
            .bind(&step_outputs)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        written += EXECUTIONS;
    }
    Ok(written)
}

/// One row inserted and committed, on one connection: the mean.
pub(crate) async fn commit_ms(url: &str) -> anyhow::Result<f64> {
    const COMMITS: u32 = 500;
    let mut conn = PgConnection::connect(url).await?;
    let begun = Instant::now();
    for n in 0..COMMITS {
        sqlx::query(r#"insert into limit_single values ($1, '{"ok":true,"v":42}')"#)
            .bind(i64::from(n))
            .execute(&mut conn)
            .await?;
    }
    Ok((begun.elapsed().as_secs_f64() * 1000.0 / f64::from(COMMITS) * 1000.0).round() / 1000.0)
}
