//! Connectors made ready to be called, and what is remembered of them.

use super::catalog::Catalog;
use crate::{
    blocking::run_blocking,
    store::{
        self,
        connectors::{self, CurrentRevision},
    },
};
use serde_json::Value;
use shared_types::{
    connector::{ConnectorSpec, InputFault, InputSchema, Operation},
    ids::WorkspaceId,
};
use sqlx::PgPool;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// How many connectors are remembered. A large one takes some megabytes.
const MAX_REMEMBERED: usize = 64;

/// A revision of a connector, ready to be called.
#[derive(Debug)]
pub struct ReadyConnector {
    /// Id of the connector; one that is made anew under the name has another.
    pub id: Uuid,
    /// The name by which workflows know it.
    pub name: String,
    /// Number of the revision, from 1.
    pub revision: i32,
    /// The settings, as its administrator wrote them.
    pub spec: ConnectorSpec,
    /// What it offers.
    pub catalog: Catalog,
    /// The schemas of inputs that were asked for, by operation.
    schemas: Mutex<HashMap<String, Arc<InputSchema>>>,
}

/// Why a connector isn't ready.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// It was deleted a moment ago.
    #[error("the connector {0} was deleted")]
    Gone(String),
    /// What is stored of it can't be read.
    #[error("the connector {name} can't be read: {why}")]
    Unreadable {
        /// Name of the connector.
        name: String,
        /// What the reader said.
        why: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

impl ReadyConnector {
    /// What of an input doesn't fit an operation; an input that has to be checked at length keeps nobody else waiting.
    ///
    /// # Errors
    /// The operation's schema can't be used.
    pub fn faults(&self, operation: &Operation, input: &Value) -> Result<Vec<InputFault>, NotReady> {
        self.faults_around(operation, input, &[])
    }

    /// The same of an input that is filled in later at these places, given as JSON pointers.
    ///
    /// # Errors
    /// The operation's schema can't be used.
    pub fn faults_around(
        &self,
        operation: &Operation,
        input: &Value,
        templates: &[String],
    ) -> Result<Vec<InputFault>, NotReady> {
        run_blocking(|| Ok(self.schema(operation)?.faults(input, templates)))
    }

    fn schema(&self, operation: &Operation) -> Result<Arc<InputSchema>, NotReady> {
        if let Some(schema) = lock(&self.schemas).get(&operation.id) {
            return Ok(Arc::clone(schema));
        }
        let made = InputSchema::new(&operation.input_schema, &self.catalog.definitions);
        let made =
            made.map_err(|error| NotReady::Unreadable { name: self.name.clone(), why: error.to_string() })?;
        Ok(Arc::clone(lock(&self.schemas).entry(operation.id.clone()).or_insert_with(|| Arc::new(made))))
    }

    /// A revision with what it offers, as it was stored.
    fn read(current: CurrentRevision, spec: ConnectorSpec, catalog: &str) -> Result<Self, NotReady> {
        let CurrentRevision { id, name, revision, .. } = current;
        let catalog: Catalog = run_blocking(|| serde_json::from_str(catalog))
            .map_err(|error| NotReady::Unreadable { name: name.clone(), why: error.to_string() })?;
        Ok(Self { id, name, revision, spec, catalog, schemas: Mutex::default() })
    }

    /// A revision that isn't stored. What it asks for in the name of this id, such as a token, is kept under it.
    pub fn unstored(id: Uuid, spec: ConnectorSpec, catalog: Catalog) -> Self {
        Self { id, name: String::new(), revision: 0, spec, catalog, schemas: Mutex::default() }
    }
}

type Key = (Uuid, i32);
type Entry = Arc<OnceCell<Arc<ReadyConnector>>>;

/// The connectors that were called lately. Each revision is read once, however many ask for it at a time.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<HashMap<Key, (u64, Entry)>>);

impl Remembered {
    pub(super) async fn get(
        &self,
        pool: &PgPool,
        workspace: WorkspaceId,
        current: CurrentRevision,
    ) -> Result<Arc<ReadyConnector>, NotReady> {
        let entry = self.entry((current.id, current.revision));
        let read = || async {
            let stored = {
                let mut conn = pool.acquire().await.map_err(store::StoreError::from)?;
                connectors::revision(&mut conn, workspace, current.id, current.revision).await?
            };
            let (spec, catalog) = stored.ok_or_else(|| NotReady::Gone(current.name.clone()))?;
            ReadyConnector::read(current.clone(), spec, &catalog).map(Arc::new)
        };
        entry.get_or_try_init(read).await.cloned()
    }

    /// What is remembered under a key; the one that was asked for least lately goes where there are too many.
    fn entry(&self, key: Key) -> Entry {
        let mut entries = lock(&self.0);
        let now = entries.values().map(|(at, _)| *at).max().unwrap_or_default() + 1;
        if !entries.contains_key(&key) && entries.len() >= MAX_REMEMBERED {
            let oldest = entries.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| *key);
            oldest.and_then(|key| entries.remove(&key));
        }
        let (at, entry) = entries.entry(key).or_default();
        *at = now;
        Arc::clone(entry)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
