//! Connectors: read, written, tried.

use super::Handle;
use crate::{
    client::Request,
    known_connectors::{KnownConnectors, is_needed},
    shell::Shell,
};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared_types::{
    api::{
        NoBody, NoQuery, Page,
        connectors::{
            CheckConnector, Connector, ConnectorBody, ConnectorCall, ConnectorChecked, ConnectorOperation,
            ConnectorPreview, CreateConnector, DeleteConnector, GetConnector, ListConnectorCalls,
            ListConnectors, ListOperations, OperationQuery, OperationTrial, OperationTried, PreviewConnector,
            PurgeConnector, PutConnector, TryOperation,
        },
        secrets::{ListSecrets, PutSecret, SecretName, SecretValue},
    },
    desktop::{CachePolicy, ConnectorForm, Failure, Loaded, commands},
    workflow::{Format, source::Source},
};
use std::sync::Arc;

/// Up to how many operations are looked at that a text doesn't name.
const MAX_UNNAMED: usize = 1_000;
/// Under which key the connectors are kept.
const KEY: &str = "connectors";

/// The connectors of the workspace.
async fn list(shell: &Shell, policy: CachePolicy) -> Result<Loaded<Page<Connector>>, Failure> {
    shell.read(KEY, policy, &Request::<ListConnectors>::at(&[])).await
}

/// All operations of a connector.
async fn operations(
    shell: &Shell,
    name: &str,
    revision: i32,
    policy: CachePolicy,
) -> Result<Loaded<Vec<ConnectorOperation>>, Failure> {
    let key = format!("operations/{name}");
    let read =
        |policy| shell.read_as::<CachedOperations>(&key, policy, all_operations(shell, name, revision));
    let loaded = match read(policy).await? {
        // Those of another revision are no answer where there is a better one.
        older if older.data.revision != revision => read(CachePolicy::NetworkOnly).await.unwrap_or(older),
        loaded => loaded,
    };
    Ok(Loaded { data: loaded.data.operations, at: loaded.at, fresh: loaded.fresh })
}

/// The operations of a revision of a connector, as they are cached.
#[derive(Debug, Serialize, Deserialize)]
struct CachedOperations {
    revision: i32,
    operations: Vec<ConnectorOperation>,
}

/// Every page of a connector's operations.
async fn all_operations(shell: &Shell, name: &str, revision: i32) -> Result<CachedOperations, Failure> {
    let (mut operations, mut query) = (Vec::new(), OperationQuery::default());
    loop {
        let path: &[&str] = &[name];
        let call = Request::<ListOperations> { path, query: &query, body: &NoBody {}, headers: &[] };
        let page = shell.call(&call).await?;
        operations.extend(page.items);
        match page.next_cursor {
            Some(next) => query.cursor = Some(next),
            None => return Ok(CachedOperations { revision, operations }),
        }
    }
}

/// Reads the connectors behind what was shown of them, so that the next look at a text has them.
fn refresh(shell: &Shell) {
    let shell = shell.clone();
    tauri::async_runtime::spawn(async move {
        if list(&shell, CachePolicy::NetworkOnly).await.is_ok_and(|loaded| loaded.fresh) {
            shell.recent_connectors().forget();
        }
    });
}

/// The connectors that a text may name; none where nobody ever saw them on this machine.
pub(super) async fn connectors_of(shell: &Shell, text: &str) -> Option<Arc<KnownConnectors>> {
    let (scope, _) = shell.who().ok()?;
    if let Some(known) = shell.recent_connectors().get(&scope, text) {
        return Some(known);
    }
    let loaded = list(shell, CachePolicy::CacheFirst).await.ok()?;
    if !loaded.fresh {
        refresh(shell);
    }
    let listed = loaded.data.items;
    let are_few = listed.iter().map(|connector| connector.operation_count).sum::<usize>() <= MAX_UNNAMED;
    let read = listed.into_iter().map(async |connector| {
        let read = if are_few || is_needed(text, &connector) {
            operations(shell, &connector.name, connector.revision, CachePolicy::CacheFirst).await.ok()
        } else {
            None
        };
        (connector, read.map(|loaded| loaded.data))
    });
    let known = Arc::new(KnownConnectors { connectors: join_all(read).await });
    shell.recent_connectors().set(scope, &known);
    Some(known)
}

/// What a page wrote, as it is sent.
fn body(form: ConnectorForm) -> Result<ConnectorBody, Failure> {
    let ConnectorForm { name, fields, more, document } = form;
    let mut all = read_more(&more)?;
    all.extend(fields);
    all.insert("name".to_owned(), name.into());
    if let Some(document) = document {
        all.insert("document".to_owned(), document.into());
    }
    serde_json::from_value(Value::Object(all))
        .map_err(|error| Failure::Input(format!("The connector can't be read: {error}.")))
}

/// What stands beside the form.
fn read_more(more: &str) -> Result<Map<String, Value>, Failure> {
    if more.trim().is_empty() {
        return Ok(Map::new());
    }
    let read = Source::parse(more, Format::of(more)).map_err(|finding| {
        Failure::Input(format!("What it offers can't be read in line {}: {}", finding.line, finding.message))
    })?;
    match read.value {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            let message = "What it offers is a map with `operations`, `entities` or `loads`.";
            Err(Failure::Input(message.to_owned()))
        }
    }
}

impl Handle for commands::ListConnectors {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Page<Connector>>, Failure> {
        list(shell, self.policy).await
    }
}

impl Handle for commands::ReadConnector {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Connector>, Failure> {
        let Self { name, policy } = self;
        let path: &[&str] = &[&name];
        shell.read(&format!("connector/{name}"), policy, &Request::<GetConnector>::at(path)).await
    }
}

impl Handle for commands::ListOperations {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Vec<ConnectorOperation>>, Failure> {
        operations(shell, &self.name, self.revision, self.policy).await
    }
}

impl Handle for commands::ListConnectorCalls {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Page<ConnectorCall>>, Failure> {
        let Self { name, policy } = self;
        let path: &[&str] = &[&name];
        shell.read(&format!("connector-calls/{name}"), policy, &Request::<ListConnectorCalls>::at(path)).await
    }
}

impl Handle for commands::CheckConnector {
    async fn handle(self, shell: &Shell) -> Result<ConnectorChecked, Failure> {
        shell.call(&Request::<CheckConnector>::at(&[&self.name])).await
    }
}

impl Handle for commands::TryOperation {
    async fn handle(self, shell: &Shell) -> Result<OperationTried, Failure> {
        let Self { name, operation, input } = self;
        let path: &[&str] = &[&name, &operation];
        let body = OperationTrial { input };
        shell.call(&Request::<TryOperation> { path, query: &NoQuery {}, body: &body, headers: &[] }).await
    }
}

impl Handle for commands::PreviewConnector {
    async fn handle(self, shell: &Shell) -> Result<ConnectorPreview, Failure> {
        let body = body(self.form)?;
        let path: &[&str] = &[&body.name];
        shell.call(&Request::<PreviewConnector> { path, query: &NoQuery {}, body: &body, headers: &[] }).await
    }
}

impl Handle for commands::SaveConnector {
    async fn handle(self, shell: &Shell) -> Result<Connector, Failure> {
        let body = body(self.form)?;
        let saved = if let Some(base) = self.base {
            let (path, headers): (&[&str], _) = (&[&body.name], [("If-Match", base)]);
            let call = Request::<PutConnector> { path, query: &NoQuery {}, body: &body, headers: &headers };
            shell.call(&call).await
        } else {
            let call =
                Request::<CreateConnector> { path: &[], query: &NoQuery {}, body: &body, headers: &[] };
            shell.call(&call).await
        };
        shell.recent_connectors().forget();
        saved
    }
}

impl Handle for commands::PurgeConnector {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        shell.call(&Request::<PurgeConnector>::at(&[&self.name])).await.map(|_| ())
    }
}

impl Handle for commands::DeleteConnector {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        let deleted = shell.call(&Request::<DeleteConnector>::at(&[&self.name])).await;
        shell.recent_connectors().forget();
        deleted.map(|_| ())
    }
}

impl Handle for commands::ListSecrets {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Page<SecretName>>, Failure> {
        shell.read("secrets", self.policy, &Request::<ListSecrets>::at(&[])).await
    }
}

impl Handle for commands::SetSecret {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        let Self { name, value } = self;
        let (path, body): (&[&str], _) = (&[&name], SecretValue { value });
        let call = Request::<PutSecret> { path, query: &NoQuery {}, body: &body, headers: &[] };
        shell.call(&call).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_page_wrote_is_one_description() {
        let fields = json!({ "kind": "http", "settings": { "base_url": "https://crm.example.com" } });
        let form = ConnectorForm {
            name: "crm".to_owned(),
            fields: fields.as_object().unwrap().clone(),
            more: "operations:\n  - { id: get, path: /things }\n".to_owned(),
            document: None,
        };
        let written = serde_json::to_value(body(form.clone()).unwrap()).unwrap();
        assert_eq!(written["name"], "crm");
        assert_eq!(written["operations"][0]["id"], "get");
        for (more, said) in [
            ("operations: [", "What it offers can't be read in line 1"),
            ("- a", "What it offers is a map"),
            ("operations: 7", "The connector can't be read"),
        ] {
            let failure = body(ConnectorForm { more: more.to_owned(), ..form.clone() }).unwrap_err();
            assert!(failure.words().starts_with(said), "{more}: {}", failure.words());
        }
    }
}
