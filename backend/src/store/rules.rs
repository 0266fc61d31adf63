//! Stored rules and their versions.

use super::{OfRow as _, Result, read, read_word};
use chrono::{DateTime, Utc};
use serde_json::Value;
use shared_types::{
    api::rules::{RuleSummary, RuleVersionInfo},
    ids::{WorkflowId, WorkspaceId},
    workflow::{
        Format,
        rule::{Rule, RuleDocument},
    },
};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// A rule as it stands.
#[derive(Debug)]
pub struct RuleRow {
    /// Its newest version.
    pub version: i32,
    /// What it says.
    pub document: RuleDocument,
    /// How its author's text is written.
    pub format: Format,
    /// The text.
    pub source: String,
    /// When that was.
    pub created_at: DateTime<Utc>,
    /// Who it was.
    pub created_by: String,
    /// Whether it is archived.
    pub archived: bool,
}

fn rule(id: &str, version: i32, document: Value) -> Result<Rule> {
    let document: RuleDocument = read("rule_versions", "document", document).of_row(id)?;
    Ok(Rule { version, condition: document.condition })
}

/// A rule as it stands, to be asked.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn latest(conn: &mut PgConnection, workspace: WorkspaceId, id: &str) -> Result<Option<Rule>> {
    let row = sqlx::query!(
        "select r.version, v.document from rules r join rule_versions v using (workspace_id, rule_id, version)
         where r.workspace_id = $1 and r.rule_id = $2 and r.archived_at is null",
        workspace.0,
        id
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| rule(id, row.version, row.document)).transpose()
}

/// Some rules as they stand; those that aren't there are left out.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn some(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    ids: &[String],
) -> Result<BTreeMap<String, Rule>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query!(
        "select r.rule_id, r.version, v.document
         from rules r join rule_versions v using (workspace_id, rule_id, version)
         where r.workspace_id = $1 and r.rule_id = any($2) and r.archived_at is null",
        workspace.0,
        ids
    )
    .fetch_all(conn)
    .await?;
    let read = |row: (String, i32, Value)| {
        let rule = rule(&row.0, row.1, row.2)?;
        Ok((row.0, rule))
    };
    rows.into_iter().map(|row| read((row.rule_id, row.version, row.document))).collect()
}

/// Which of some rules there are.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn known(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    ids: &[String],
) -> Result<BTreeSet<String>> {
    let known = sqlx::query_scalar!(
        "select rule_id from rules where workspace_id = $1 and rule_id = any($2) and archived_at is null",
        workspace.0,
        ids
    )
    .fetch_all(conn)
    .await?;
    Ok(known.into_iter().collect())
}

/// Rules in these versions.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn pinned(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    pins: &BTreeMap<String, Option<i32>>,
) -> Result<BTreeMap<String, Rule>> {
    let (ids, versions): (Vec<String>, Vec<i32>) =
        pins.iter().filter_map(|(id, version)| Some((id.clone(), (*version)?))).unzip();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query!(
        "select v.rule_id, v.version, v.document
         from unnest($2::text[], $3::integer[]) as t(rule_id, version)
         join rule_versions v on v.workspace_id = $1 and v.rule_id = t.rule_id and v.version = t.version",
        workspace.0,
        &ids,
        &versions
    )
    .fetch_all(conn)
    .await?;
    let read = |row: (String, i32, Value)| {
        let rule = rule(&row.0, row.1, row.2)?;
        Ok((row.0, rule))
    };
    rows.into_iter().map(|row| read((row.rule_id, row.version, row.document))).collect()
}

/// Keeps a rule from being archived until this transaction is over.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn hold(conn: &mut PgConnection, workspace: WorkspaceId, id: &str) -> Result<()> {
    sqlx::query!(
        "select version from rules where workspace_id = $1 and rule_id = $2 for share",
        workspace.0,
        id
    )
    .fetch_optional(conn)
    .await?;
    Ok(())
}

/// A rule, held for this transaction.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn lock(conn: &mut PgConnection, workspace: WorkspaceId, id: &str) -> Result<()> {
    sqlx::query!(
        "select version from rules where workspace_id = $1 and rule_id = $2 for update",
        workspace.0,
        id
    )
    .fetch_optional(conn)
    .await?;
    Ok(())
}

/// A rule, archived ones too; in a version, or as it stands.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn find(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &str,
    version: Option<i32>,
) -> Result<Option<RuleRow>> {
    let row = sqlx::query!(
        "select v.version, v.document, v.format, v.source, v.created_at, v.created_by, r.archived_at
         from rules r join rule_versions v using (workspace_id, rule_id)
         where r.workspace_id = $1 and r.rule_id = $2 and v.version = coalesce($3, r.version)",
        workspace.0,
        id,
        version
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(RuleRow {
            version: row.version,
            document: read("rule_versions", "document", row.document).of_row(id)?,
            format: read_word("rule_versions", "format", &row.format).of_row(id)?,
            source: row.source,
            created_at: row.created_at,
            created_by: row.created_by,
            archived: row.archived_at.is_some(),
        })
    })
    .transpose()
}

/// A version of a rule on its way in.
#[derive(Debug)]
pub struct NewVersion<'a> {
    /// Number of the version, counted from 1.
    pub version: i32,
    /// What it says.
    pub document: &'a RuleDocument,
    /// How its text is written.
    pub format: Format,
    /// The text.
    pub source: &'a str,
    /// Who wrote it.
    pub by: &'a str,
    /// When it happened, in UTC.
    pub at: DateTime<Utc>,
}

/// Writes a version of a rule, and with the first one the rule.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn put(conn: &mut PgConnection, workspace: WorkspaceId, new: &NewVersion<'_>) -> Result<()> {
    sqlx::query!(
        "insert into rules (workspace_id, rule_id, version) values ($1, $2, $3)
         on conflict (workspace_id, rule_id) do update set version = $3, archived_at = null",
        workspace.0,
        new.document.rule_id,
        new.version
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into rule_versions (workspace_id, rule_id, version, document, format, source, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        workspace.0,
        new.document.rule_id,
        new.version,
        super::json(new.document),
        new.format.as_str(),
        new.source,
        new.at,
        new.by
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Archives a rule: nobody finds it any more; what asks a version of it still can.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn archive(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &str,
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "update rules set archived_at = $3 where workspace_id = $1 and rule_id = $2",
        workspace.0,
        id,
        at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The workflows whose newest revision asks a rule.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn used_by(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &str,
) -> Result<Vec<(WorkflowId, Option<i32>)>> {
    let rows = sqlx::query!(
        r#"select w.workflow_id, (r.rules ->> $2)::integer as version
         from workflows w join workflow_revisions r using (workspace_id, workflow_id, revision)
         where w.workspace_id = $1 and w.archived_at is null and r.rules ? $2 order by w.workflow_id"#,
        workspace.0,
        id
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (WorkflowId(row.workflow_id), row.version)).collect())
}

/// Lists rules by id, with how many workflows ask each.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    above: Option<&str>,
    limit: i64,
) -> Result<Vec<RuleSummary>> {
    let rows = sqlx::query!(
        r#"select r.rule_id, r.version, v.document, v.created_at, v.created_by,
             (select count(*) from workflows w join workflow_revisions x using (workspace_id, workflow_id, revision)
              where w.workspace_id = r.workspace_id and w.archived_at is null and x.rules ? r.rule_id) as "used!"
         from rules r join rule_versions v using (workspace_id, rule_id, version)
         where r.workspace_id = $1 and r.archived_at is null and ($2::text is null or r.rule_id > $2)
         order by r.rule_id limit $3"#,
        workspace.0,
        above,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let document: RuleDocument =
                read("rule_versions", "document", row.document).of_row(&row.rule_id)?;
            Ok(RuleSummary {
                rule_id: row.rule_id,
                name: document.name,
                description: document.description,
                expr: document.condition.to_expr(),
                version: row.version,
                used: row.used,
                updated_at: row.created_at,
                updated_by: row.created_by,
            })
        })
        .collect()
}

/// Lists a rule's versions, newest first.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn versions(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &str,
) -> Result<Vec<RuleVersionInfo>> {
    let rows = sqlx::query!(
        "select version, created_at, created_by from rule_versions
         where workspace_id = $1 and rule_id = $2 order by version desc",
        workspace.0,
        id
    )
    .fetch_all(conn)
    .await?;
    let versions = rows.into_iter().map(|row| RuleVersionInfo {
        version: row.version,
        created_at: row.created_at,
        created_by: row.created_by,
    });
    Ok(versions.collect())
}
