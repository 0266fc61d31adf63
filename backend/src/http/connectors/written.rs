//! A connector as it is written: read, its document fetched where its server has it, and checked.

use crate::{
    auth::Principal,
    connectors::{Described, described},
    http::{
        AppState,
        problem::{ApiError, ApiResult},
    },
};
use shared_types::{
    api::{
        connectors::ConnectorBody,
        problem::{Code, Problem},
    },
    connector::{ConnectorKind, ConnectorName, ConnectorSpec},
    workflow::{Finding, Severity},
};
use std::collections::BTreeMap;

/// A description that was read and checked.
pub(super) struct Written {
    pub(super) name: ConnectorName,
    pub(super) spec: ConnectorSpec,
    pub(super) document: Option<String>,
    pub(super) described: Described,
}

pub(super) fn same_name(body: &ConnectorBody, name: &str) -> ApiResult<()> {
    if body.name == name {
        return Ok(());
    }
    let detail = format!("`name` is \"{}\", and the path says \"{name}\"; write the same.", body.name);
    Err(ApiError::new(Code::FieldBad, detail))
}

/// Reads and checks a description, beside the threads that serve. `known` is the document that there is.
pub(super) async fn read(
    state: &AppState,
    principal: &Principal,
    body: ConnectorBody,
    known: Option<String>,
) -> ApiResult<Written> {
    let name: ConnectorName =
        body.name.parse().map_err(|fault| ApiError::new(Code::FieldBad, format!("`name`: {fault}.")))?;
    let spec = body.spec;
    let sent_document =
        body.document.map(|document| document.as_str().map_or_else(|| document.to_string(), str::to_owned));
    let mut warning = None;
    let document = match &spec.kind {
        ConnectorKind::OpenApi { .. } => sent_document.or(known),
        ConnectorKind::Mcp { .. } if sent_document.is_none() => {
            let (document, told) = tools(state, principal, &spec, known).await?;
            warning = told;
            Some(document)
        }
        ConnectorKind::Mcp { .. } => sent_document,
        ConnectorKind::Http { .. } | ConnectorKind::Sql { .. } if sent_document.is_some() => {
            let detail = "`document` is for connectors of the kinds `openapi` and `mcp`; leave it out.";
            return Err(ApiError::new(Code::FieldBad, detail));
        }
        ConnectorKind::Http { .. } | ConnectorKind::Sql { .. } => None,
    };
    let work = move || {
        let described = described(&spec, document.as_deref());
        (spec, document, described)
    };
    let (spec, document, described) = state.reviews.run(principal.workspace, work).await?;
    let mut described = described.map_err(bad)?;
    described.findings.extend(warning);
    Ok(Written { name, spec, document, described })
}

/// The tools of an MCP server; those that are known, with a warning, where it can't be asked.
async fn tools(
    state: &AppState,
    principal: &Principal,
    spec: &ConnectorSpec,
    known: Option<String>,
) -> ApiResult<(String, Option<Finding>)> {
    // What is wrong with the address itself is told as such, and nobody is asked.
    let alone = ConnectorSpec { entities: BTreeMap::new(), loads: BTreeMap::new(), ..spec.clone() };
    described(&alone, None).map_err(bad)?;
    match (state.engine.list_tools(principal.workspace, spec).await, known) {
        (Ok(document), _) => Ok((document, None)),
        (Err(why), Some(known)) => {
            let message = format!("The server can't be asked for its tools, so the known ones stay: {why}");
            Ok((known, Some(Finding::warning("connector.tools", "/settings/base_url", message))))
        }
        (Err(why), None) => {
            let message = format!("The server can't be asked for its tools: {why}");
            Err(bad(vec![Finding::error("connector.tools", "/settings/base_url", message)]))
        }
    }
}

/// The problem of a description with errors, which stand before what else was found.
fn bad(mut findings: Vec<Finding>) -> ApiError {
    findings.sort_by_key(|finding| finding.severity != Severity::Error);
    let detail = findings.first().map(|finding| finding.message.clone()).unwrap_or_default();
    Problem::new(Code::ConnectorBad, detail).with_findings(findings).into()
}
