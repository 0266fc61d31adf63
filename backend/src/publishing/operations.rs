//! What the connectors of a workspace make of the operations and records that a document refers to: whether they are there, and
//! whether the inputs fit.

use crate::{
    connectors::{Connectors, NoRoute, NotReady, ReadyConnector, Route, misfits},
    store,
};
use serde_json::{Value, json};
use shared_types::{
    connector::{CalledOperation, OperationName},
    ids::WorkspaceId,
    workflow::{
        TemplateValue,
        check::{Judged, OperationReference, RecordReference, Reference, Target},
    },
};
use std::{collections::BTreeMap, sync::Arc};

/// How many calls of a document are looked at.
const MAX_JUDGED: usize = 500;

/// What is found at the operations and records that a document refers to.
pub(super) async fn judged(
    connectors: &Connectors,
    workspace: WorkspaceId,
    references: &[Reference],
) -> store::Result<Vec<Judged>> {
    let mut known = Known { connectors, workspace, named: BTreeMap::new() };
    let mut judged: Vec<Judged> = Vec::new();
    let calls = references.iter().filter(|at| matches!(at.to, Target::Operation(_) | Target::Record(_)));
    for reference in calls.take(MAX_JUDGED) {
        let found = if let Target::Operation(operation) = &reference.to {
            known.operation(operation).await
        } else if let Target::Record(record) = &reference.to {
            known.record(record).await
        } else {
            continue;
        };
        let found = match found {
            Ok(found) => found,
            Err(NoRoute::NotReady(NotReady::Store(error))) => return Err(error),
            Err(missing) => vec![(missing.code(), String::new(), format!("{missing}."))],
        };
        for (code, below, message) in found {
            let new = Judged { target: reference.to.clone(), code, message, below };
            if !judged.contains(&new) {
                judged.push(new);
            }
        }
    }
    Ok(judged)
}

/// Code, place and sentence of what is found.
type Found = Vec<(&'static str, String, String)>;

/// The connectors that were looked up for one document.
struct Known<'k> {
    connectors: &'k Connectors,
    workspace: WorkspaceId,
    named: BTreeMap<String, Arc<ReadyConnector>>,
}

impl Known<'_> {
    async fn operation(&mut self, called: &OperationReference) -> Result<Found, NoRoute> {
        // A name that isn't one is an error of the document itself.
        let Ok(name) = called.name.parse::<OperationName>() else { return Ok(Vec::new()) };
        let connector = name.connector.as_str();
        let ready = if let Some(ready) = self.named.get(connector) {
            Arc::clone(ready)
        } else {
            let ready = self.connectors.named(self.workspace, connector).await?;
            self.named.insert(connector.to_owned(), Arc::clone(&ready));
            ready
        };
        let route = Route::new(ready, &name.operation)?;
        let input = called.input.clone().map(TemplateValue::new);
        Ok(unfit(&route, input.as_ref(), "/input"))
    }

    async fn record(&mut self, record: &RecordReference) -> Result<Found, NoRoute> {
        let entity = record.entity.clone();
        let called =
            if record.is_made { CalledOperation::Makes(entity) } else { CalledOperation::Changes(entity) };
        let route = self.connectors.route(self.workspace, &called, None).await?;
        let data = record.data.clone().unwrap_or_else(|| json!({}));
        let has_body = route.operation().call.has_body();
        let mut input = if has_body { json!({ "body": data }) } else { data };
        if !record.is_made
            && let Some(name) = route.id_input()
            && input.is_object()
        {
            // Which record it is, is a template nearly always.
            input[name.name] = Value::from("{{ entity_id }}");
        }
        let found = unfit(&route, Some(&TemplateValue::new(input)), "");
        let prefix = if has_body { "/body" } else { "" };
        let below_data = |pointer: String| match pointer.strip_prefix(prefix) {
            Some(below) => format!("/data{below}"),
            None => String::new(),
        };
        Ok(found.into_iter().map(|(code, pointer, message)| (code, below_data(pointer), message)).collect())
    }
}

fn unfit(route: &Route, input: Option<&TemplateValue>, at: &str) -> Found {
    let faults = misfits(&route.connector, route.operation(), input).into_iter();
    faults.map(|(pointer, message)| ("connector.input", format!("{at}{pointer}"), message)).collect()
}
