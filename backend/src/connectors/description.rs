//! What an administrator's description of a connector comes to: its catalog, and what is wrong with it.

use super::{Catalog, ReadyConnector, http_operations, openapi, statements, tools};
use crate::store::connectors::Overview;
use shared_types::{
    connector::{
        Auth, CALL_KEY, ConnectorKind, ConnectorSpec, EntityOperations, LoadOperation, Operation,
        OperationCall, SqlSettings, SqlTls, numbered,
    },
    workflow::{
        Finding, Severity, TemplateValue,
        finding::escape_segment,
        header::{is_own, name_fault},
        loads,
    },
};
use uuid::Uuid;

/// What a description comes to.
#[derive(Debug, Clone)]
pub struct Described {
    /// What the connector offers.
    pub catalog: Catalog,
    /// What is shown of that.
    pub overview: Overview,
    /// What was found; none of it is an error.
    pub findings: Vec<Finding>,
}

/// Reads and checks a description. Of a large document this takes a second or so.
///
/// # Errors
/// The findings, where an error is among them.
pub fn described(spec: &ConnectorSpec, document: Option<&str>) -> Result<Described, Vec<Finding>> {
    let mut findings = Vec::new();
    let catalog = match (&spec.kind, document) {
        (ConnectorKind::OpenApi { settings }, Some(text)) => {
            let imported = openapi::import(text, settings);
            let (catalog, found) = match imported {
                Ok(imported) => (imported.catalog, imported.findings),
                Err(found) => (Catalog::default(), found),
            };
            let below_document =
                |finding: Finding| Finding { pointer: format!("/document{}", finding.pointer), ..finding };
            findings.extend(found.into_iter().map(below_document));
            catalog
        }
        (ConnectorKind::OpenApi { .. }, None) => {
            let message = "A connector of the kind `openapi` needs its `document`.";
            return Err(vec![Finding::error("connector.document", "/document", message)]);
        }
        (ConnectorKind::Http { settings, operations }, _) => {
            http_operations::catalog(settings, operations, &mut findings)
        }
        (ConnectorKind::Sql { settings, operations }, _) => {
            statements::catalog(settings, operations, &mut findings)
        }
        (ConnectorKind::Mcp { settings }, Some(text)) => tools::catalog(settings, text, &mut findings),
        // Its tools can't be asked for; the address says why.
        (ConnectorKind::Mcp { settings }, None) => {
            Catalog { base_url: settings.base_url.clone(), ..Catalog::default() }
        }
    };
    if let ConnectorKind::Sql { settings, .. } = &spec.kind {
        check_database(settings, &spec.auth, &mut findings);
    } else {
        check_address(&catalog.base_url, &mut findings);
    }
    check_auth(&spec.auth, &mut findings);
    if matches!(spec.kind, ConnectorKind::Mcp { .. }) {
        check_protocol_header(&spec.auth, &mut findings);
    }
    // What is wrong with operations is told first, and not again by whatever names them.
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(findings);
    }
    let ready = ReadyConnector::unstored(Uuid::nil(), spec.clone(), catalog);
    for (entity, operations) in &spec.entities {
        check_entity(&ready, entity, operations, &mut findings);
    }
    for (name, load) in &spec.loads {
        check_load(&ready, name, load, &mut findings);
    }
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(findings);
    }
    let catalog = ready.catalog;
    Ok(Described { overview: catalog.overview(), catalog, findings })
}

fn check_database(settings: &SqlSettings, auth: &Auth, findings: &mut Vec<Finding>) {
    if settings.host.contains(|c: char| c.is_whitespace() || c.is_control() || "/@?#,".contains(c)) {
        let message = "`host` is a name such as db.example.com, or an address.";
        findings.push(Finding::error("connector.address", "/settings/host", message));
    }
    if settings.tls == SqlTls::Off {
        let message = "The connection isn't encrypted: the password can be read on the way. It is for a database in the \
            same protected network.";
        findings.push(Finding::warning("connector.tls_off", "/settings/tls", message));
    }
    if !matches!(auth, Auth::Basic { .. }) {
        let message = "A database lets in by `auth` of the type `basic`: a user's name and a secret.";
        findings.push(Finding::error("connector.auth", "/auth/type", message));
    }
}

fn check_address(base_url: &str, findings: &mut Vec<Finding>) {
    // A document without an address has told so itself.
    if base_url.is_empty() && !findings.is_empty() {
        return;
    }
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || c == '{';
    let fault = match reqwest::Url::parse(base_url) {
        Ok(_) if base_url.contains(is_odd) => "it has no blanks, no line breaks and no braces",
        Ok(url) if !matches!(url.scheme(), "http" | "https") || !url.has_host() => {
            "it begins with http:// or https://, then a host"
        }
        Ok(url) if url.query().is_some() || url.fragment().is_some() => "it has no `?` and no `#`",
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "it holds no user and password; say under `auth` who we are"
        }
        Ok(_) => return,
        Err(_) => "it can't be read; it begins with http:// or https://, then a host",
    };
    let message = format!("The address of the system isn't good: {fault}.");
    findings.push(Finding::error("connector.address", "/settings/base_url", message));
}

/// Headers that the protocol of MCP has for itself.
const PROTOCOL_HEADERS: [&str; 4] = ["accept", "content-type", "last-event-id", "idempotency-key"];

fn check_protocol_header(auth: &Auth, findings: &mut Vec<Finding>) {
    let Auth::Header { name, .. } = auth else { return };
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("mcp-") || PROTOCOL_HEADERS.contains(&lower.as_str()) {
        let message = format!("`{name}` is a header of the protocol; name another one.");
        findings.push(Finding::error("connector.auth", "/auth/name", message));
    }
}

fn check_auth(auth: &Auth, findings: &mut Vec<Finding>) {
    let mut say = |field: &str, message: String| {
        findings.push(Finding::error("connector.auth", format!("/auth/{field}"), message));
    };
    if let Some(secret) = auth.secret() {
        let is_name = secret.starts_with(|c: char| c.is_ascii_alphabetic())
            && secret.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            say(
                "secret",
                "`secret` is the name of a secret, such as `crm_token`, and never the secret itself."
                    .to_owned(),
            );
        }
    }
    match auth {
        Auth::None | Auth::Bearer { .. } => {}
        Auth::Basic { username, .. } => {
            if username.contains(':') {
                say("username", "A user's name holds no `:`.".to_owned());
            }
        }
        Auth::Header { name, .. } => {
            if is_own(name) {
                say("name", format!("`{name}` is set by the server itself; name another header."));
            } else if let Some(fault) = name_fault(name) {
                say("name", format!("The header can't be sent: {fault}."));
            }
        }
        Auth::Query { name, .. } => {
            if name.is_empty() {
                say("name", "The query parameter needs a name.".to_owned());
            }
        }
        Auth::OAuth2ClientCredentials { token_url, client_id, .. } => {
            let is_url = reqwest::Url::parse(token_url)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            if !is_url {
                say("token_url", "It begins with http:// or https://, then a host.".to_owned());
            }
            if client_id.is_empty() {
                say("client_id", "It is needed: as whom the system knows us.".to_owned());
            }
        }
    }
}

fn check_entity(
    ready: &ReadyConnector,
    entity: &str,
    operations: &EntityOperations,
    findings: &mut Vec<Finding>,
) {
    let at = format!("/entities/{}", escape_segment(entity));
    let mut say = |pointer: String, message: String| {
        findings.push(Finding::error("connector.entity", pointer, message));
    };
    if operations.create.is_none() && operations.update.is_none() {
        say(
            at.clone(),
            "Name the operation that makes a record (`create`), or that changes one (`update`).".to_owned(),
        );
    }
    for (key, named) in [("create", &operations.create), ("update", &operations.update)] {
        if let Some(name) = named
            && ready.catalog.operation(name).is_none()
        {
            say(format!("{at}/{key}"), format!("There is no operation {name}."));
        }
    }
    if !operations.id.is_empty() && !operations.id.starts_with('/') {
        say(format!("{at}/id"), "`id` is a JSON pointer into the answer, such as `/id`.".to_owned());
    }
    let update = operations.update.as_deref().and_then(|update| ready.catalog.operation(update));
    if let Some(update) = update
        && operations.id_input.is_none()
        && update.path_inputs().len() != 1
    {
        let why = if update.call.has_body() { "its path has no single one" } else { "it has no path" };
        let message = format!("Say which input of {} names the record: {why}.", update.id);
        say(format!("{at}/id_input"), message);
    }
}

/// The longest that one attempt of a load may take, in milliseconds: a run can't begin before.
const MAX_LOAD_TIMEOUT_MS: i64 = 120_000;

fn check_load(ready: &ReadyConnector, name: &str, load: &LoadOperation, findings: &mut Vec<Finding>) {
    let at = format!("/loads/{}", escape_segment(name));
    let mut say = |pointer: String, message: String| {
        findings.push(Finding::error("connector.load", pointer, message));
    };
    if let Some(fault) = loads::name_fault(name) {
        say(at.clone(), fault);
    }
    if let Some(fault) = load.max_age.as_ref().and_then(loads::age_fault) {
        say(format!("{at}/max_age"), fault);
    }
    if let Some(timeout) = &load.timeout
        && !(1..=MAX_LOAD_TIMEOUT_MS).contains(&timeout.millis())
    {
        say(format!("{at}/timeout"), "`timeout` is at most 2m, and not nothing.".to_owned());
    }
    let Some(operation) = ready.catalog.operation(&load.operation) else {
        return say(format!("{at}/operation"), format!("There is no operation {}.", load.operation));
    };
    for (below, message) in misfits(ready, operation, load.input.as_ref()) {
        say(format!("{at}/input{below}"), message);
    }
    if let OperationCall::Sql(sql) = &operation.call
        && numbered(&sql.statement).is_ok_and(|numbered| numbered.names.iter().any(|name| name == CALL_KEY))
    {
        let message = format!("{} writes with the key of its call, and a load has none.", operation.id);
        say(format!("{at}/operation"), message);
    }
    if !operation.safe {
        let message = format!(
            "{} may change something, and a load is made again when it fails; load by an operation that only reads.",
            operation.id
        );
        findings.push(Finding::warning("connector.load_unsafe", format!("{at}/operation"), message));
    }
}

/// What of an input with templates doesn't fit an operation whatever the templates become: place and sentence.
pub fn misfits(
    ready: &ReadyConnector,
    operation: &Operation,
    input: Option<&TemplateValue>,
) -> Vec<(String, String)> {
    let templates: Vec<String> =
        input.iter().flat_map(|input| input.templates()).map(|(pointer, _)| pointer).collect();
    let input = input.map_or_else(|| serde_json::json!({}), TemplateValue::source);
    let sentence = |message: String| format!("{}: {message}.", operation.id);
    match ready.faults_around(operation, &input, &templates) {
        Ok(faults) => faults.into_iter().map(|fault| (fault.pointer, sentence(fault.message))).collect(),
        Err(error) => vec![(String::new(), sentence(error.to_string()))],
    }
}
