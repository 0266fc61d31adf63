//! Connectors: other systems, described once by an administrator and called by named operations. One module per kind.

mod catalog;
mod description;
mod http_operations;
pub mod openapi;
mod ready;
mod statements;
mod tools;

pub use catalog::Catalog;
pub use description::{Described, described, misfits};
pub use ready::{NotReady, ReadyConnector};

use crate::store::{
    self,
    connectors::{self, CurrentRevision},
};
use chrono::{DateTime, Utc};
use ready::Remembered;
use shared_types::{
    connector::{
        BoundOperation, CalledOperation, ConnectorRevision, IdInput, LoadOperation, Operation, OperationName,
    },
    ids::WorkspaceId,
};
use sqlx::PgPool;
use std::sync::Arc;

/// Gives connectors to whoever calls them; clones share what is remembered of them.
#[derive(Debug, Clone)]
pub struct Connectors {
    pool: PgPool,
    remembered: Arc<Remembered>,
}

/// An operation with the connector that has it.
#[derive(Debug, Clone)]
pub struct Route {
    /// The connector.
    pub connector: Arc<ReadyConnector>,
    /// Whether its calls are made.
    pub standing: Standing,
    /// Where the operation stands in its catalog.
    at: usize,
    /// For what record it is called; none where it is called by its name.
    record: Option<RecordRoute>,
}

/// Whether the calls of a connector are made.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// How many failed in a row.
    pub failures: i32,
    /// Until when none is made, in UTC; then one finds out for all.
    pub held_until: Option<DateTime<Utc>>,
    /// Why none is made, as part of a sentence.
    pub held_because: Option<String>,
}

impl Standing {
    fn of(current: &CurrentRevision) -> Self {
        let CurrentRevision { failures, held_until, held_because, .. } = current;
        Self { failures: *failures, held_until: *held_until, held_because: held_because.clone() }
    }
}

/// The way to what a name of `context.load` is loaded with.
#[derive(Debug, Clone)]
pub struct LoadRoute {
    /// The way to the operation whose answer is loaded.
    pub route: Route,
    /// How it is called, and how old its answers may be.
    pub load: LoadOperation,
    /// How often the answers that are kept of the connector were purged.
    pub purges: i32,
}

/// How a record is made or changed by an operation.
#[derive(Debug, Clone)]
struct RecordRoute {
    id_pointer: String,
    id_input: Option<String>,
    is_made: bool,
}

/// Why an operation can't be called.
#[derive(Debug, thiserror::Error)]
pub enum NoRoute {
    /// There is no such connector.
    #[error("There is no connector {0}")]
    NoConnector(String),
    /// The connector has no such operation.
    #[error("The connector {connector} has no operation {operation}")]
    NoOperation {
        /// The connector.
        connector: String,
        /// The name that no operation of it has.
        operation: String,
    },
    /// No connector serves a kind of record, or not in this way.
    #[error("No connector serves {0}")]
    Unserved(String),
    /// People approved a call of another connector, which isn't the one any more.
    #[error("What was approved is a call of another connector than {0} is now; ask again")]
    Replaced(String),
    /// The operation's name isn't one.
    #[error("`{0}` names no operation; write a connector and one of its operations, such as crm.create_task")]
    BadName(String),
    /// It can't be read.
    #[error(transparent)]
    NotReady(#[from] NotReady),
}

impl NoRoute {
    /// The stable code of the step's failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoConnector(_) | Self::Unserved(_) => "connector.missing",
            Self::NoOperation { .. } | Self::BadName(_) => "connector.operation",
            Self::Replaced(_) => "connector.replaced",
            Self::NotReady(_) => "connector.unreadable",
        }
    }
}

impl From<store::StoreError> for NoRoute {
    fn from(error: store::StoreError) -> Self {
        Self::NotReady(error.into())
    }
}

impl Connectors {
    /// What gives the connectors of this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, remembered: Arc::default() }
    }

    /// A connector as it stands.
    ///
    /// # Errors
    /// There is none of that name, or it can't be read.
    pub async fn named(&self, workspace: WorkspaceId, name: &str) -> Result<Arc<ReadyConnector>, NoRoute> {
        let current = self.current(workspace, name).await?;
        Ok(self.ready(workspace, current).await?)
    }

    async fn current(&self, workspace: WorkspaceId, name: &str) -> Result<CurrentRevision, NoRoute> {
        let current = {
            let mut conn = self.pool.acquire().await.map_err(store::StoreError::from)?;
            connectors::current(&mut conn, workspace, name).await?
        };
        current.ok_or_else(|| NoRoute::NoConnector(name.to_owned()))
    }

    async fn serving(&self, workspace: WorkspaceId, entity: &str) -> Result<CurrentRevision, NoRoute> {
        let current = {
            let mut conn = self.pool.acquire().await.map_err(store::StoreError::from)?;
            connectors::serving(&mut conn, workspace, entity).await?
        };
        current.ok_or_else(|| NoRoute::Unserved(format!("the record {entity}")))
    }

    /// The way to an operation, in the revision with which people approved its call or in the current one.
    ///
    /// # Errors
    /// There is no such operation, or it can't be read.
    pub async fn route(
        &self,
        workspace: WorkspaceId,
        called: &CalledOperation,
        approved: Option<ConnectorRevision>,
    ) -> Result<Route, NoRoute> {
        let in_revision = |current: CurrentRevision| match approved {
            None => Ok(current),
            Some(approved) if approved.connector == current.id => {
                Ok(CurrentRevision { revision: approved.revision, ..current })
            }
            Some(_) => Err(NoRoute::Replaced(current.name)),
        };
        match called {
            CalledOperation::Named(name) => {
                let name: OperationName = name.parse().map_err(|_| NoRoute::BadName(name.clone()))?;
                let current = self.current(workspace, name.connector.as_str()).await?;
                let standing = Standing::of(&current);
                let connector = self.ready(workspace, in_revision(current)?).await?;
                Ok(Route { standing, ..Route::new(connector, &name.operation)? })
            }
            CalledOperation::Makes(entity) | CalledOperation::Changes(entity) => {
                let current = self.serving(workspace, entity).await?;
                let standing = Standing::of(&current);
                let connector = self.ready(workspace, in_revision(current)?).await?;
                let route = Route::of_record(connector, entity, matches!(called, CalledOperation::Makes(_)))?;
                Ok(Route { standing, ..route })
            }
        }
    }

    /// The way to what a name is loaded with, as it stands.
    ///
    /// # Errors
    /// No connector serves the name, or it can't be read.
    pub async fn load_route(&self, workspace: WorkspaceId, name: &str) -> Result<LoadRoute, NoRoute> {
        let current = {
            let mut conn = self.pool.acquire().await.map_err(store::StoreError::from)?;
            connectors::loading(&mut conn, workspace, name).await?
        };
        let unserved = || NoRoute::Unserved(format!("the name {name}"));
        let current = current.ok_or_else(unserved)?;
        let (purges, standing) = (current.purges, Standing::of(&current));
        let connector = self.ready(workspace, current).await?;
        let load = connector.spec.loads.get(name).cloned().ok_or_else(unserved)?;
        let route = Route { standing, ..Route::new(connector, &load.operation)? };
        Ok(LoadRoute { route, load, purges })
    }

    /// Some operations as they stand; those that aren't there are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bound(
        &self,
        workspace: WorkspaceId,
        called: &[CalledOperation],
    ) -> store::Result<Vec<BoundOperation>> {
        let mut bound = Vec::new();
        for called in called {
            match self.route(workspace, called, None).await {
                Ok(route) => bound.push(route.bound(called.clone())),
                Err(NoRoute::NotReady(NotReady::Store(error))) => return Err(error),
                // A call of it fails with the reason.
                Err(_) => {}
            }
        }
        Ok(bound)
    }

    async fn ready(
        &self,
        workspace: WorkspaceId,
        current: CurrentRevision,
    ) -> Result<Arc<ReadyConnector>, NotReady> {
        self.remembered.get(&self.pool, workspace, current).await
    }
}

impl Route {
    /// The way to an operation of a connector.
    ///
    /// # Errors
    /// The connector has no such operation.
    pub fn new(connector: Arc<ReadyConnector>, operation: &str) -> Result<Self, NoRoute> {
        match connector.catalog.position(operation) {
            Some(at) => Ok(Self { connector, standing: Standing::default(), at, record: None }),
            None => Err(NoRoute::NoOperation {
                connector: connector.name.clone(),
                operation: operation.to_owned(),
            }),
        }
    }

    /// The way to the operation that makes a kind of record, or changes one.
    ///
    /// # Errors
    /// The connector doesn't serve the record in this way.
    pub fn of_record(connector: Arc<ReadyConnector>, entity: &str, is_made: bool) -> Result<Self, NoRoute> {
        let what = if is_made { "a new record" } else { "a changed record" };
        let unserved = || NoRoute::Unserved(format!("{what} {entity}"));
        let operations = connector.spec.entities.get(entity).ok_or_else(unserved)?;
        let name = if is_made { &operations.create } else { &operations.update };
        let name = name.clone().ok_or_else(unserved)?;
        let record = RecordRoute {
            id_pointer: operations.id.clone(),
            id_input: (!is_made).then(|| operations.id_input.clone()).flatten(),
            is_made,
        };
        Ok(Self { record: Some(record), ..Self::new(connector, &name)? })
    }

    /// The input that says which record is changed: the one that is set, else the only one in the path.
    pub fn id_input(&self) -> Option<IdInput> {
        let record = self.record.as_ref().filter(|record| !record.is_made)?;
        IdInput::of(self.operation(), record.id_input.as_deref(), &self.connector.catalog.definitions)
    }

    /// What of it decides what is sent.
    fn bound(&self, called: CalledOperation) -> BoundOperation {
        BoundOperation {
            called,
            revision: ConnectorRevision { connector: self.connector.id, revision: self.connector.revision },
            base_url: self.connector.catalog.base_url.clone(),
            call: self.operation().call.clone(),
            id_input: self.id_input(),
        }
    }

    /// Where in the answer the identifier of a new record stands, as a JSON pointer; none where no record is made.
    pub fn id_pointer(&self) -> Option<&str> {
        let record = self.record.as_ref().filter(|record| record.is_made)?;
        Some(&record.id_pointer)
    }

    /// The operation that the way leads to.
    pub fn operation(&self) -> &Operation {
        &self.connector.catalog.operations[self.at]
    }

    /// The operation's name with its connector's.
    pub fn name(&self) -> String {
        format!("{}.{}", self.connector.name, self.operation().id)
    }
}
