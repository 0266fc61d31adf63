//! How a connector says who it is. Secrets are named, never written out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a connector says who it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// `Authorization: Bearer …`
    Bearer {
        /// Name of the secret that holds the token.
        secret: String,
    },
    /// `Authorization: Basic …`
    Basic {
        /// The user.
        username: String,
        /// Name of the secret that holds the password.
        secret: String,
    },
    /// A header of its own.
    Header {
        /// The header's name.
        name: String,
        /// Name of the secret that holds its value.
        secret: String,
    },
    /// A query parameter.
    Query {
        /// The parameter's name.
        name: String,
        /// Name of the secret that holds its value.
        secret: String,
    },
    /// A token of OAuth 2.0 client credentials (RFC 6749, 4.4).
    #[serde(rename = "oauth2_client_credentials")]
    OAuth2ClientCredentials {
        /// Where tokens are given.
        token_url: String,
        /// The client.
        client_id: String,
        /// Name of the secret that holds the client's secret.
        secret: String,
        /// What the token is for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        scopes: Vec<String>,
        /// Whom the token is for, where the token endpoint asks for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audience: Option<String>,
        /// How the client says who it is: in the header (the default), or in the body.
        #[serde(default)]
        client_auth: ClientAuth,
    },
}

/// Where a client of OAuth 2.0 puts its id and secret (RFC 6749, 2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// `Authorization: Basic …`
    #[default]
    Header,
    /// `client_id` and `client_secret` of the form.
    Body,
}

impl Auth {
    /// The name of the secret that it needs.
    pub fn secret(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Bearer { secret }
            | Self::Basic { secret, .. }
            | Self::Header { secret, .. }
            | Self::Query { secret, .. }
            | Self::OAuth2ClientCredentials { secret, .. } => Some(secret),
        }
    }
}
