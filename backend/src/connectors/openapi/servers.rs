//! The servers of a document, with their variables filled in.

use super::{Findings, document::Document};
use reqwest::Url;
use serde_json::Value;
use shared_types::connector::OpenApiSettings;
use std::collections::BTreeMap;

/// Where operations go that say nothing else.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServersOf<'s> {
    pub(super) settings: &'s OpenApiSettings,
    pub(super) base_url: Option<&'s str>,
}

/// The address that the settings or the document's servers give.
pub(super) fn base_url(
    document: &Document,
    settings: &OpenApiSettings,
    findings: &mut Findings,
) -> Option<String> {
    if let Some(base_url) = &settings.base_url {
        return Some(base_url.clone());
    }
    let servers =
        document.root().pointer("/servers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let at = format!("/servers/{}", settings.server);
    let Some(server) = servers.get(settings.server) else {
        let message = if servers.is_empty() {
            "The document names no server; set `settings.base_url`.".to_owned()
        } else {
            format!(
                "The document has {} servers; set `settings.server` to one of them, from 0.",
                servers.len()
            )
        };
        findings.error("openapi.server", "/servers", message);
        return None;
    };
    address(server, &settings.variables, &at, findings)
}

/// The address of an operation or path that has servers of its own. One on another host is told: what lets us in goes there too.
pub(super) fn own(
    servers: &Value,
    ServersOf { settings, base_url }: ServersOf<'_>,
    at: &str,
    findings: &mut Findings,
) -> Option<String> {
    let server = servers.as_array()?.first()?;
    let at = format!("{at}/servers/0");
    let base = base_url.and_then(|base_url| Url::parse(base_url).ok());
    let written = server.get("url").and_then(Value::as_str).unwrap_or_default();
    let url = if written.starts_with('/') {
        base.as_ref().and_then(|base| base.join(written).ok())?
    } else {
        Url::parse(&address(server, &settings.variables, &at, findings)?).ok()?
    };
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        let message = "This server isn't used: its address holds a user, a password or a query.";
        findings.warning("openapi.server", at, message);
        return None;
    }
    if base.is_some_and(|base| base.origin() != url.origin()) {
        let message = format!(
            "Calls of this go to {}, with what lets us in; set `settings.base_url` to send all calls to one address.",
            url.host_str().unwrap_or_default()
        );
        findings.warning("openapi.other_host", at, message);
    }
    Some(url.as_str().trim_end_matches('/').to_owned())
}

fn address(
    server: &Value,
    variables: &BTreeMap<String, String>,
    at: &str,
    findings: &mut Findings,
) -> Option<String> {
    let mut url = server.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
        let default = || variable.get("default").and_then(Value::as_str).map(str::to_owned);
        let Some(value) = variables.get(name).cloned().or_else(default) else { continue };
        let allowed = variable.get("enum").and_then(Value::as_array);
        if let Some(allowed) =
            allowed.filter(|allowed| !allowed.iter().any(|one| one.as_str() == Some(&value)))
        {
            let allowed: Vec<&str> = allowed.iter().filter_map(Value::as_str).take(20).collect();
            let message = format!(
                "`{name}` can't be `{value}`; set `settings.variables` to one of: {}.",
                allowed.join(", ")
            );
            findings.error("openapi.server", format!("{at}/variables/{name}"), message);
            return None;
        }
        url = url.replace(&format!("{{{name}}}"), &value);
    }
    if url.contains('{') {
        let message = format!("The server `{url}` has variables without a value; set `settings.variables`.");
        findings.error("openapi.server", format!("{at}/url"), message);
        return None;
    }
    if !url.starts_with("https://") && !url.starts_with("http://") {
        let message = format!("The server `{url}` has no host; set `settings.base_url`.");
        findings.error("openapi.server", format!("{at}/url"), message);
        return None;
    }
    Some(url)
}
