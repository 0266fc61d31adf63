//! What a server must not leave behind: looked for at the end of each test that stops one.

use crate::app::eventually;
use sqlx::{Connection as _, PgConnection};

/// Rows that nobody will ever look after, each with what it would mean.
const LEFT: [(&str, &str); 7] = [
    (
        "timers of runs that have ended",
        "select count(*) from timers t left join executions e on e.id = t.execution_id
         where e.id is null or e.status = 'ended'",
    ),
    (
        "waits of runs that have ended",
        "select count(*) from waits w left join executions e on e.id = w.execution_id
         where e.id is null or e.status = 'ended'",
    ),
    (
        "open requests of runs that have ended",
        "select count(*) from approvals a join executions e on e.id = a.execution_id
         where a.status = 'pending' and e.status = 'ended'",
    ),
    (
        "deliveries about requests that are closed",
        "select count(*) from deliveries d join approvals a on a.id = d.approval_id
         where d.status = 'pending' and a.status <> 'pending'",
    ),
    (
        "owned runs that have ended",
        "select count(*) from executions where owners is not null and status = 'ended'",
    ),
    (
        "decisions of requests that are not there, or in another workspace",
        "select count(*) from approval_decisions d left join approvals a
           on a.id = d.approval_id and a.workspace_id = d.workspace_id
         where a.id is null",
    ),
    (
        "journal rows in another workspace than their run",
        "select count(*) from journal j left join executions e
           on e.id = j.execution_id and e.workspace_id = j.workspace_id
         where e.id is null",
    ),
];

/// Looks for rows that are left, and, behind the last server, for connections and listeners.
pub(crate) async fn check(database_url: &str) {
    let mut conn = PgConnection::connect(database_url).await.unwrap();
    for (what, count) in LEFT {
        let count: i64 = sqlx::query_scalar(count).fetch_one(&mut conn).await.unwrap();
        assert_eq!(count, 0, "{what}");
    }
    let alive = "select count(*) from servers where alive_until > to_timestamp(0)";
    let alive: i64 = sqlx::query_scalar(alive).fetch_one(&mut conn).await.unwrap();
    if alive > 0 {
        return;
    }
    let conn = tokio::sync::Mutex::new(conn);
    eventually("the end of the last connection", || async {
        let others = "select coalesce(string_agg(query, '; '), '') from pg_stat_activity
             where datname = current_database() and application_name = 'iw-server'";
        let others: String = sqlx::query_scalar(others).fetch_one(&mut *conn.lock().await).await.unwrap();
        if others.is_empty() { Ok(()) } else { Err(others) }
    })
    .await;
}
