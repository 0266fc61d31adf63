//! Lists that are searched and counted: all that fits is found, newest first, however much there is.

use crate::app::{App, Client, eventually, fresh_database};
use backend::store::{run_counts, search::rows_with};
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use std::collections::BTreeSet;

const WORKFLOW: &str = "workflow_id: w\nname: W\ntrigger: { type: event, event: nobody.sends }\nenabled: true\n\
    steps: [{ id: a, type: set, set: {} }]\n";

/// Ended runs, one a second up to a time, the newest last; what differs is said by SQL over their number `n`.
async fn insert_runs(app: &App, count: i32, until: DateTime<Utc>, subject: &str, result: &str) {
    let mut conn = app.running.state.pool.acquire().await.unwrap();
    let insert = format!(
        "insert into executions (id, workspace_id, workflow_id, revision, machine_version, status, result, subject, \
             event_id, started_at, ended_at, waits_for, seq, state_seq, epoch) \
         select (lpad(to_hex((extract(epoch from $3::timestamptz) * 1000)::bigint - ($2 - n) * 1000), 12, '0') \
                 || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, \
             $1, 'w', 1, 1, 'ended', {result}, {subject}, 'order-' || n, $3, $3, '[]', 1, 0, 1 \
         from generate_series(1, $2::int) n"
    );
    sqlx::query(sqlx::AssertSqlSafe(insert))
        .bind(app.workspace.0)
        .bind(count)
        .bind(until)
        .execute(&mut *conn)
        .await
        .unwrap();
}

/// Every subject that a search finds, page by page.
async fn all_found(reader: &Client, q: &str, limit: u32) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    for _ in 0..1000 {
        let page = reader.get(&format!("executions?q={q}&limit={limit}{cursor}")).await.json(200);
        let items = page["items"].as_array().unwrap();
        found.extend(items.iter().map(|run| run["subject"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
    panic!("the pages of {q} never end");
}

#[tokio::test]
async fn a_search_finds_all_that_fits_newest_first_however_frequent_it_is() {
    let app = App::start().await;
    app.publish(WORKFLOW).await;
    let subject = "'Order N' || n || case when n % 500 = 0 then ' express' else '' end \
         || case when n = 7 then ' fragile' else '' end || case when n <= 4000 then ' legacy' else '' end \
         || case when n > 5200 then ' urgent' else '' end";
    insert_runs(&app, 14_000, app.running.state.clock.now(), subject, "'allowed'").await;
    let reader = app.person("Per Dahl", &["viewer"]).await;
    let number = |subject: &String| -> i32 {
        subject.split(' ').nth(1).unwrap().trim_start_matches('N').parse().unwrap()
    };
    for (q, expected) in [
        ("order", 14_000),
        ("express", 28),
        ("fragile", 1),
        ("legacy", 4000),
        ("urgent", 8800),
        ("n13999", 1),
        ("order-1399", 11),
        ("order+express", 28),
        ("nothing", 0),
    ] {
        let found = all_found(&reader, q, 200).await;
        let numbers: Vec<i32> = found.iter().map(number).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] > pair[1]), "{q} is newest first and nothing twice");
        assert_eq!(numbers.len(), expected, "{q}");
    }
    let rare = reader.get("executions?q=fragile&workflow_id=w&result=allowed").await.json(200);
    assert_eq!(rare["items"].as_array().map(Vec::len), Some(1));
    let id = rare["items"][0]["execution_id"].as_str().unwrap();
    for q in [id, &id[..18]] {
        let by_id = reader.get(&format!("executions?q={q}")).await.json(200);
        let found: BTreeSet<&str> = by_id["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|run| run["execution_id"].as_str())
            .collect();
        assert!(found.contains(id), "{q}: {by_id}");
    }
    let none = reader.get("executions?q=fragile&result=failed").await.json(200);
    assert_eq!(none["items"], serde_json::json!([]));

    // The statistics know how frequent a word is, and where they say that it has too many rows the index isn't asked.
    let mut conn = app.running.state.pool.acquire().await.unwrap();
    sqlx::query("analyze executions").execute(&mut *conn).await.unwrap();
    for (words, at_least, at_most) in [
        ("legacy", 3500.0, 4500.0),
        ("Order legacy", 3500.0, 4500.0),
        ("nothing", 0.0, 0.0),
        ("legacy nothing", 0.0, 0.0),
    ] {
        let rows = rows_with(&mut conn, "executions_subject", words).await.unwrap();
        assert!((at_least..=at_most).contains(&rows), "{words}: {rows}");
    }
    sqlx::query("update pg_class set reltuples = 10000000 where oid = 'executions'::regclass")
        .execute(&mut *conn)
        .await
        .unwrap();
    assert!(rows_with(&mut conn, "executions_subject", "legacy").await.unwrap() > 1_000_000.0);
    drop(conn);
    let first = reader.get("executions?q=legacy&limit=200").await.json(200);
    assert_eq!(first["items"].as_array().map(Vec::len), Some(200));
    assert!(first["next_cursor"].is_string());
    assert_eq!(all_found(&reader, "legacy", 200).await.len(), 4000);
    app.stop().await;
}

#[tokio::test]
async fn the_runs_of_a_day_are_counted_by_slices_and_are_exact() {
    let url = fresh_database().await;
    let app = App::start_on(&url, |_| {}).await;
    app.publish(WORKFLOW).await;
    let now = app.running.state.clock.now();
    // An hour of the day before, an hour within it, and what began just now.
    insert_runs(&app, 3600, now - Duration::hours(24) - Duration::seconds(5), "null", "'failed'").await;
    let result = "case when n % 4 = 0 then 'failed' else 'allowed' end";
    insert_runs(&app, 3600, now - Duration::hours(3), "null", result).await;
    insert_runs(&app, 100, now, "null", result).await;
    let mut conn = PgConnection::connect(&url).await.unwrap();
    sqlx::query("delete from run_counts").execute(&mut conn).await.unwrap();
    sqlx::query("delete from run_counts_progress").execute(&mut conn).await.unwrap();
    app.stop().await;
    let app = App::start_on(&url, |_| {}).await;
    let reader = app.person("Vi Lund", &["viewer"]).await;
    let counted = async || {
        let list = reader.get("workflows").await.json(200);
        (list["items"][0]["runs_24h"].clone(), list["items"][0]["failed_24h"].clone())
    };
    assert_eq!(
        counted().await,
        (Value::from(3700), Value::from(925)),
        "before, or while, slices are written"
    );
    eventually("the slices are written", || async {
        let mut conn = app.running.state.pool.acquire().await.unwrap();
        let until = run_counts::counted_until(&mut conn).await.unwrap();
        let is_through = until.is_some_and(|until| until > now - Duration::seconds(200));
        if is_through { Ok(()) } else { Err(format!("{until:?}")) }
    })
    .await;
    let slices: i64 =
        sqlx::query_scalar("select count(*) from run_counts").fetch_one(&mut conn).await.unwrap();
    assert!(slices > 25, "{slices}");
    assert_eq!(counted().await, (Value::from(3700), Value::from(925)), "by slices");
    app.stop().await;
}
