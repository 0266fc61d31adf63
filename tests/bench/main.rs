//! How fast the server is, against what the disk and PostgreSQL allow in the same run.
//!
//! `cargo xtask bench` builds everything, starts the PostgreSQL and calls this; it prints one JSON object.

mod checks;
mod client;
mod isolation;
mod limit;
mod load;
mod server;

use anyhow::Context as _;
use load::Shape;
use serde_json::{Map, Value, json};
use server::Server;
use std::{env, io::Write as _, time::Duration};

/// How long, and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) warm_up: Duration,
    pub(crate) length: Duration,
    pub(crate) rounds: usize,
}

fn main() -> anyhow::Result<()> {
    let quick = env::args().any(|arg| arg == "--quick");
    // For whoever profiles: one load alone.
    let only = env::args().skip_while(|arg| arg != "--only").nth(1);
    let plan = if quick {
        Plan { warm_up: Duration::from_secs(1), length: Duration::from_secs(3), rounds: 1 }
    } else {
        Plan { warm_up: Duration::from_secs(3), length: Duration::from_secs(10), rounds: 3 }
    };
    let figures = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(measure(plan, only.as_deref()))?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&Value::Object(figures))?)?;
    Ok(())
}

async fn measure(plan: Plan, only: Option<&str>) -> anyhow::Result<Map<String, Value>> {
    let mut figures = Map::new();
    if only == Some("checks") {
        checks::measure(&mut figures);
        return Ok(figures);
    }
    let url =
        env::var("IW_BENCH_DATABASE_URL").context("IW_BENCH_DATABASE_URL; `cargo xtask bench` sets it")?;
    figures.insert("cores".into(), json!(std::thread::available_parallelism()?.get()));
    figures.insert("commit".into(), json!(env::var("IW_BENCH_COMMIT").unwrap_or_default()));
    figures.insert("postgres".into(), json!(limit::version(&url).await?));
    let echo = load::echo().await?;
    say("starting the server");
    let mut server = Server::start(&url, echo.port()).await?;
    server
        .publish(&[include_str!("pure.yaml"), include_str!("effects.yaml"), include_str!("each.yaml")])
        .await?;
    match only {
        Some("pure") => {
            pure(&server, echo.port(), plan, &mut figures).await?;
            return Ok(figures);
        }
        Some("effects") => {
            effects(&server, echo.port(), plan, &mut figures).await?;
            return Ok(figures);
        }
        Some("each") => {
            each(&server, plan, &mut figures).await?;
            return Ok(figures);
        }
        Some("isolation") => {
            isolation::measure(&server, echo.port(), plan, &mut figures).await?;
            return Ok(figures);
        }
        Some(other) => anyhow::bail!("--only pure, effects, each, checks or isolation; not {other}"),
        None => {}
    }
    say("the limit, before");
    let before = limit::unnest(&url, plan.length).await?;
    figures.insert("limit_commit_ms".into(), json!(limit::commit_ms(&url).await?));
    pure(&server, echo.port(), plan, &mut figures).await?;
    effects(&server, echo.port(), plan, &mut figures).await?;
    each(&server, plan, &mut figures).await?;
    checks::measure(&mut figures);
    say("one hundred events a second");
    let latencies = load::open_loop(&server, echo.port(), plan).await?;
    figures.insert("wait_p50_ms".into(), json!(percentile(&latencies, 50)));
    figures.insert("wait_p99_ms".into(), json!(percentile(&latencies, 99)));
    say("one hundred events a second beside hostile ones");
    isolation::measure(&server, echo.port(), plan, &mut figures).await?;
    say("the limit, after");
    let after = limit::unnest(&url, plan.length).await?;
    figures.insert("limit_unnest_exec_per_s".into(), json!(f64::midpoint(before, after).round()));
    say("a start with the database up");
    server.stop().await?;
    let restarted = Server::start(&url, echo.port()).await?;
    figures.insert("start_to_ready_ms".into(), json!(restarted.start_ms));
    tokio::time::sleep(Duration::from_secs(10)).await;
    figures.insert("idle_rss_mb".into(), json!(restarted.rss_mb()?));
    Ok(figures)
}

async fn pure(
    server: &Server,
    echo: u16,
    plan: Plan,
    figures: &mut Map<String, Value>,
) -> anyhow::Result<()> {
    let (callers, rates) = best(server, "bench.pure", echo, plan).await?;
    put(figures, "pure_runs_per_s", &rates);
    figures.insert("pure_callers".into(), json!(callers));
    Ok(())
}

async fn effects(
    server: &Server,
    echo: u16,
    plan: Plan,
    figures: &mut Map<String, Value>,
) -> anyhow::Result<()> {
    let (callers, rates) = best(server, "bench.effects", echo, plan).await?;
    put(figures, "effect_runs_per_s", &rates);
    figures.insert("effect_callers".into(), json!(callers));
    Ok(())
}

/// A foreach over 10,000 items against one over 200: fifty times as many.
async fn each(server: &Server, plan: Plan, figures: &mut Map<String, Value>) -> anyhow::Result<()> {
    say("items: 200, and 10,000");
    let (mut few, mut many) = (Vec::new(), Vec::new());
    load::each_ms(server, 200).await?;
    for _ in 0..plan.rounds * 3 {
        few.push(load::each_ms(server, 200).await?);
        many.push(load::each_ms(server, 10_000).await?);
    }
    let (few, many) = (median(&few), median(&many));
    figures.insert("each_200_ms".into(), json!((few * 100.0).round() / 100.0));
    figures.insert("each_10000_ms".into(), json!((many * 100.0).round() / 100.0));
    figures.insert("each_ratio".into(), json!((many / few * 100.0).round() / 100.0));
    Ok(())
}

/// The best of several numbers of callers is the figure.
async fn best(
    server: &Server,
    event: &'static str,
    echo: u16,
    plan: Plan,
) -> anyhow::Result<(usize, Vec<f64>)> {
    let mut best: (f64, usize, Vec<f64>) = (0.0, 0, Vec::new());
    for callers in [16, 64, 256, 1024] {
        let rates = load::rounds(server, &Shape { event, callers, echo }, plan).await?;
        let median = median(&rates);
        say(&format!("{event}, {callers} callers: {median:.0} runs a second"));
        if median > best.0 {
            best = (median, callers, rates);
        }
    }
    Ok((best.1, best.2))
}

fn put(figures: &mut Map<String, Value>, key: &str, rates: &[f64]) {
    figures.insert(key.to_owned(), json!(median(rates).round()));
    figures.insert(format!("{key}_min"), json!(rates.iter().copied().fold(f64::INFINITY, f64::min).round()));
    figures.insert(format!("{key}_max"), json!(rates.iter().copied().fold(0.0, f64::max).round()));
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// The value below which so many of a hundred lie, rounded to hundredths.
pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    (sorted.get(at).copied().unwrap_or_default() * 100.0).round() / 100.0
}

pub(crate) fn say(text: &str) {
    eprintln!("bench: {text}");
}
