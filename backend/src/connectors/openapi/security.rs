//! How the system of a document lets callers in, as settings that lack only the secret's name.

use super::{document::Document, references::followed};
use serde_json::Value;
use shared_types::{
    api::connectors::OfferedAuth,
    connector::{Auth, ClientAuth},
};

/// The security schemes of a document.
pub(super) fn offered(document: &Document) -> Vec<OfferedAuth> {
    let schemes = document.map("/components/securitySchemes").into_iter().flatten();
    let offered = schemes.filter_map(|(name, scheme)| {
        let scheme = followed(document, scheme, "").ok()?.value;
        let description = text(scheme, "description").chars().take(500).collect();
        Some(OfferedAuth { name: name.clone(), description, auth: auth(scheme) })
    });
    offered.collect()
}

fn text<'s>(scheme: &'s Value, key: &str) -> &'s str {
    scheme.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The settings for a scheme; none for those that need a person, a certificate or another protocol.
fn auth(scheme: &Value) -> Option<Auth> {
    let secret = String::new();
    match text(scheme, "type") {
        "http" if text(scheme, "scheme").eq_ignore_ascii_case("bearer") => Some(Auth::Bearer { secret }),
        "http" if text(scheme, "scheme").eq_ignore_ascii_case("basic") => {
            Some(Auth::Basic { username: String::new(), secret })
        }
        "apiKey" => {
            let name = text(scheme, "name").to_owned();
            match text(scheme, "in") {
                "header" => Some(Auth::Header { name, secret }),
                "query" => Some(Auth::Query { name, secret }),
                _ => None,
            }
        }
        "oauth2" => {
            let flow = scheme.pointer("/flows/clientCredentials")?;
            let scopes = flow.get("scopes").and_then(Value::as_object).into_iter().flatten();
            Some(Auth::OAuth2ClientCredentials {
                token_url: text(flow, "tokenUrl").to_owned(),
                client_id: String::new(),
                secret,
                scopes: scopes.map(|(scope, _)| scope.clone()).collect(),
                audience: None,
                client_auth: ClientAuth::Header,
            })
        }
        _ => None,
    }
}
