//! What is remembered of workflows: those that are on, and the definitions that runs use.

use crate::store::{self, StoreError, connectors, rules, workflows, workflows::On};
use shared_types::{
    ids::{WorkflowId, WorkspaceId},
    machine::Definition,
    workflow::Document,
};
use sqlx::{PgConnection, PgPool};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

/// How many definitions are remembered.
const MAX_DEFINITIONS: usize = 2000;

/// What starts runs in a workspace, as it was read.
#[derive(Debug)]
pub(super) struct Active {
    /// The version of the catalog that was read.
    pub(super) version: i64,
    /// The workflows that are on.
    pub(super) workflows: Vec<ActiveWorkflow>,
}

/// A workflow that is on.
#[derive(Debug, Clone)]
pub(super) struct ActiveWorkflow {
    pub(super) workflow_id: WorkflowId,
    pub(super) revision: i32,
    pub(super) definition: Arc<Definition>,
    /// The names that it loads and no connector serves.
    pub(super) unserved: Arc<[String]>,
}

type Key = (WorkspaceId, WorkflowId, i32);

/// The names that a workflow loads and no connector serves.
fn unserved(definition: &Definition, served: &HashSet<String>) -> Arc<[String]> {
    let loads = definition.document().context.iter().flat_map(|context| &context.load);
    loads.map(|entry| entry.name().to_owned()).filter(|name| !served.contains(name)).collect()
}

/// The memory.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    active: Mutex<HashMap<WorkspaceId, Arc<Active>>>,
    definitions: Mutex<HashMap<Key, Arc<Definition>>>,
}

impl Catalog {
    /// What starts runs in a workspace, as remembered.
    pub(super) async fn active(&self, pool: &PgPool, workspace: WorkspaceId) -> store::Result<Arc<Active>> {
        let known = lock(&self.active).get(&workspace).cloned();
        match known {
            Some(active) => Ok(active),
            // What is awaited seldom is boxed, here and elsewhere: a connection is taken in 4 KB, which would be part
            // of every task that may have to.
            None => Box::pin(self.reload(pool, workspace)).await,
        }
    }

    /// Reads anew what starts runs in a workspace.
    pub(super) async fn reload(&self, pool: &PgPool, workspace: WorkspaceId) -> store::Result<Arc<Active>> {
        let mut conn = pool.acquire().await?;
        let (version, rows) = workflows::active(&mut conn, workspace).await?;
        let served: HashSet<String> =
            connectors::loads(&mut conn, workspace).await?.into_iter().map(|(name, _)| name).collect();
        let mut workflows = Vec::with_capacity(rows.len());
        for On { workflow_id, revision, document, rules } in rows {
            let key = (workspace, workflow_id.clone(), revision);
            match self.remember(&mut conn, key, document, &rules).await {
                Ok(definition) => {
                    let unserved = unserved(&definition, &served);
                    workflows.push(ActiveWorkflow { workflow_id, revision, definition, unserved });
                }
                // One that can't be read starts nothing, and keeps no other from it.
                Err(error @ StoreError::Unreadable { .. }) => {
                    tracing::error!(workflow = %workflow_id, revision, %error, "a workflow is set aside");
                }
                Err(error) => return Err(error),
            }
        }
        let active = Arc::new(Active { version, workflows });
        lock(&self.active).insert(workspace, Arc::clone(&active));
        Ok(active)
    }

    /// The definition of a revision.
    pub(super) async fn definition(
        &self,
        pool: &PgPool,
        workspace: WorkspaceId,
        workflow_id: &WorkflowId,
        revision: i32,
    ) -> store::Result<Arc<Definition>> {
        let key = (workspace, workflow_id.clone(), revision);
        if let Some(known) = lock(&self.definitions).get(&key) {
            return Ok(Arc::clone(known));
        }
        let mut conn = pool.acquire().await?;
        let stored = workflows::find(&mut conn, workspace, workflow_id, Some(revision)).await?;
        let stored = stored.ok_or_else(|| unreadable(format!("{workflow_id} has no revision {revision}")))?;
        self.remember(&mut conn, key, stored.document, &stored.rules).await
    }

    /// Makes a revision ready, with the rules that it asks as they stood at its publishing.
    async fn remember(
        &self,
        conn: &mut PgConnection,
        key: Key,
        document: serde_json::Value,
        pins: &BTreeMap<String, Option<i32>>,
    ) -> store::Result<Arc<Definition>> {
        if let Some(known) = lock(&self.definitions).get(&key) {
            return Ok(Arc::clone(known));
        }
        // A large one takes long to be read, and is read once.
        let read = tokio::task::spawn_blocking(|| serde_json::from_value::<Document>(document));
        let document = read.await.map_err(|error| unreadable(error.to_string()))?;
        let document = document.map_err(|error| unreadable(error.to_string()))?;
        let rules = rules::pinned(conn, key.0, pins).await?;
        let definition = Arc::new(Definition::with_rules(document, rules));
        let mut definitions = lock(&self.definitions);
        if definitions.len() >= MAX_DEFINITIONS {
            definitions.clear();
        }
        definitions.insert(key, Arc::clone(&definition));
        Ok(definition)
    }
}

fn unreadable(why: String) -> StoreError {
    StoreError::Unreadable { table: "workflow_revisions", column: "document", row: None, why }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
