//! Connectors and their revisions.

use super::{OfRow as _, Result, json, read};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared_types::{
    api::connectors::OfferedAuth,
    connector::{ConnectorName, ConnectorSpec},
    ids::{WorkflowId, WorkspaceId},
    workflow::{Finding, check::Reference},
};
use sqlx::PgConnection;
use uuid::Uuid;

/// What is shown of what a connector offers without reading all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// The address before each path.
    pub base_url: String,
    /// How many operations there are.
    pub operation_count: usize,
    /// How the system lets callers in, as its description says.
    pub offered_auth: Vec<OfferedAuth>,
}

/// Which revision of a connector calls use, and whether they are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentRevision {
    /// Id of the connector.
    pub id: Uuid,
    /// The name by which workflows know it.
    pub name: String,
    /// Number of the revision, from 1.
    pub revision: i32,
    /// How often the answers that are kept of it were purged.
    pub purges: i32,
    /// How many calls failed in a row.
    pub failures: i32,
    /// Until when no call is made; then one finds out for all. None where all are made.
    pub held_until: Option<DateTime<Utc>>,
    /// Why none is made, as part of a sentence.
    pub held_because: Option<String>,
}

/// A connector as it stands, without what it offers.
#[derive(Debug, Clone)]
pub struct StoredConnector {
    /// Id of the connector.
    pub id: Uuid,
    /// The name by which workflows know it.
    pub name: String,
    /// Number of the revision, from 1.
    pub revision: i32,
    /// The settings, as their administrator wrote them.
    pub spec: ConnectorSpec,
    /// What is shown of what it offers.
    pub overview: Overview,
    /// What was found in it.
    pub findings: Vec<Finding>,
    /// When the revision was written.
    pub created_at: DateTime<Utc>,
    /// Address of the person who wrote it.
    pub created_by: String,
}

/// A revision to write.
#[derive(Debug)]
pub struct NewRevision<'r> {
    /// Id of the connector.
    pub id: Uuid,
    /// The name by which workflows know it.
    pub name: &'r ConnectorName,
    /// Number of the revision, from 1.
    pub revision: i32,
    /// The settings, as their administrator wrote them.
    pub spec: &'r ConnectorSpec,
    /// The text of the document that was imported.
    pub document: Option<&'r str>,
    /// What it offers, as JSON.
    pub catalog: &'r str,
    /// What is shown of that.
    pub overview: &'r Overview,
    /// What was found in it.
    pub findings: &'r [Finding],
    /// When.
    pub at: DateTime<Utc>,
    /// Address of the person who writes it.
    pub by: &'r str,
}

struct Row {
    id: Uuid,
    name: String,
    revision: i32,
    spec: Value,
    overview: Value,
    findings: Value,
    created_at: DateTime<Utc>,
    created_by: String,
}

impl Row {
    fn stored(self) -> Result<StoredConnector> {
        Ok(StoredConnector {
            spec: read("connector_revisions", "spec", self.spec).of_row(self.id)?,
            overview: read("connector_revisions", "overview", self.overview).of_row(self.id)?,
            findings: read("connector_revisions", "findings", self.findings).of_row(self.id)?,
            id: self.id,
            name: self.name,
            revision: self.revision,
            created_at: self.created_at,
            created_by: self.created_by,
        })
    }
}

/// Which revision of a connector is current, by its name.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn current(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    name: &str,
) -> Result<Option<CurrentRevision>> {
    let row = sqlx::query_as!(
        CurrentRevision,
        "select id, name, revision, purges, failures, held_until, held_because
         from connectors where workspace_id = $1 and name = $2",
        workspace.0,
        name
    );
    Ok(row.fetch_optional(conn).await?)
}

/// The same by a kind of record that it serves.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn serving(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    entity: &str,
) -> Result<Option<CurrentRevision>> {
    let row = sqlx::query_as!(
        CurrentRevision,
        "select c.id, c.name, c.revision, c.purges, c.failures, c.held_until, c.held_because
         from connector_entities e join connectors c on c.id = e.connector_id and c.workspace_id = e.workspace_id
         where e.workspace_id = $1 and e.entity = $2",
        workspace.0,
        entity
    );
    Ok(row.fetch_optional(conn).await?)
}

/// The same by a name that it loads.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn loading(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    name: &str,
) -> Result<Option<CurrentRevision>> {
    let row = sqlx::query_as!(
        CurrentRevision,
        "select c.id, c.name, c.revision, c.purges, c.failures, c.held_until, c.held_because
         from connector_loads l join connectors c on c.id = l.connector_id and c.workspace_id = l.workspace_id
         where l.workspace_id = $1 and l.name = $2",
        workspace.0,
        name
    );
    Ok(row.fetch_optional(conn).await?)
}

/// Lets no answer count that was kept until now; false where there is no such connector.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn purge(conn: &mut PgConnection, workspace: WorkspaceId, name: &str) -> Result<bool> {
    let purged = sqlx::query!(
        "update connectors set purges = purges + 1 where workspace_id = $1 and name = $2",
        workspace.0,
        name
    );
    Ok(purged.execute(conn).await?.rows_affected() > 0)
}

/// The settings of a revision, and what it offers as JSON.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn revision(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: Uuid,
    revision: i32,
) -> Result<Option<(ConnectorSpec, String)>> {
    let row = sqlx::query!(
        "select r.spec, r.catalog
         from connectors c join connector_revisions r on r.connector_id = c.id
         where c.workspace_id = $1 and c.id = $2 and r.revision = $3",
        workspace.0,
        id,
        revision
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| Ok((read("connector_revisions", "spec", row.spec).of_row(id)?, row.catalog))).transpose()
}

/// The text of the document that the current revision was made from.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn document(conn: &mut PgConnection, workspace: WorkspaceId, name: &str) -> Result<Option<String>> {
    let text = sqlx::query_scalar!(
        "select r.document
         from connectors c join connector_revisions r on r.connector_id = c.id and r.revision = c.revision
         where c.workspace_id = $1 and c.name = $2",
        workspace.0,
        name
    );
    Ok(text.fetch_optional(conn).await?.flatten())
}

/// A connector as it stands.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn find(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    name: &str,
) -> Result<Option<StoredConnector>> {
    let row = sqlx::query_as!(
        Row,
        "select c.id, c.name, c.revision, r.spec, r.overview, r.findings, r.created_at, r.created_by
         from connectors c join connector_revisions r on r.connector_id = c.id and r.revision = c.revision
         where c.workspace_id = $1 and c.name = $2",
        workspace.0,
        name
    );
    row.fetch_optional(conn).await?.map(Row::stored).transpose()
}

/// All connectors of a workspace, by name.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn all(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<StoredConnector>> {
    let rows = sqlx::query_as!(
        Row,
        "select c.id, c.name, c.revision, r.spec, r.overview, r.findings, r.created_at, r.created_by
         from connectors c join connector_revisions r on r.connector_id = c.id and r.revision = c.revision
         where c.workspace_id = $1 order by c.name",
        workspace.0
    );
    rows.fetch_all(conn).await?.into_iter().map(Row::stored).collect()
}

/// The kinds of records that the connectors of a workspace serve, with the name of each connector.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn entities(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        r#"select e.entity, c.name as "connector!"
           from connector_entities e join connectors c on c.id = e.connector_id
           where e.workspace_id = $1 order by e.entity"#,
        workspace.0
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(|row| (row.entity, row.connector)).collect())
}

/// The names that the connectors of a workspace load, with the name of each connector.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn loads(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        r#"select l.name, c.name as "connector!"
           from connector_loads l join connectors c on c.id = l.connector_id
           where l.workspace_id = $1 order by l.name"#,
        workspace.0
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(|row| (row.name, row.connector)).collect())
}

/// Writes a revision, which calls use from now on.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn put(conn: &mut PgConnection, workspace: WorkspaceId, new: &NewRevision<'_>) -> Result<()> {
    sqlx::query!(
        "insert into connectors (id, workspace_id, name, revision) values ($1, $2, $3, $4)
         on conflict (id) do update set revision = excluded.revision, failures = 0, held_until = null,
             held_because = null, probing_until = null",
        new.id,
        workspace.0,
        new.name.as_str(),
        new.revision
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into connector_revisions
            (connector_id, revision, spec, document, catalog, overview, findings, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        new.id,
        new.revision,
        json(new.spec),
        new.document,
        new.catalog,
        json(new.overview),
        json(&new.findings),
        new.at,
        new.by
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from connector_entities where workspace_id = $1 and connector_id = $2",
        workspace.0,
        new.id
    )
    .execute(&mut *conn)
    .await?;
    let entities: Vec<&str> = new.spec.entities.keys().map(String::as_str).collect();
    sqlx::query!(
        "insert into connector_entities (workspace_id, entity, connector_id)
         select $1, entity, $2 from unnest($3::text[]) as entity",
        workspace.0,
        new.id,
        &entities as &[&str]
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from connector_loads where workspace_id = $1 and connector_id = $2",
        workspace.0,
        new.id
    )
    .execute(&mut *conn)
    .await?;
    let loads: Vec<&str> = new.spec.loads.keys().map(String::as_str).collect();
    sqlx::query!(
        "insert into connector_loads (workspace_id, name, connector_id)
         select $1, name, $2 from unnest($3::text[]) as name",
        workspace.0,
        new.id,
        &loads as &[&str]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a connector with its revisions.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn delete(conn: &mut PgConnection, workspace: WorkspaceId, name: &str) -> Result<()> {
    sqlx::query!("delete from connectors where workspace_id = $1 and name = $2", workspace.0, name)
        .execute(conn)
        .await?;
    Ok(())
}

/// The enabled workflows that call operations, change records or load, each with all that it refers to.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn users(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
) -> Result<Vec<(WorkflowId, Vec<Reference>)>> {
    let rows = sqlx::query!(
        r#"select w.workflow_id, r.refers_to as "refers_to!"
           from workflows w join workflow_revisions r using (workspace_id, workflow_id, revision)
           where w.workspace_id = $1 and w.archived_at is null and w.enabled
             and jsonb_path_exists(r.refers_to,
                 '$[*].to.kind ? (@ == "operation" || @ == "record" || @ == "context")')
           order by w.workflow_id"#,
        workspace.0
    )
    .fetch_all(conn)
    .await?;
    let read = |(id, references): (String, Value)| {
        let references = read("workflow_revisions", "refers_to", references).of_row(&id)?;
        Ok((WorkflowId(id), references))
    };
    rows.into_iter().map(|row| read((row.workflow_id, row.refers_to))).collect()
}
