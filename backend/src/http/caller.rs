//! Who calls, out of a request's headers.

use super::{
    AppState,
    problem::{ApiError, ApiResult},
};
use crate::{
    auth::{Caller, KeyHolder, Person, Who, token::BadToken},
    clock,
    store::people,
};
use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{Extensions, HeaderMap, header, request::Parts},
};
use shared_types::api::{Permissions, problem::Code};
use std::{net::SocketAddr, sync::Arc};

const API_KEY: &str = "x-api-key";

/// Finds out who calls.
pub(super) async fn authenticate(
    state: &AppState,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> ApiResult<Caller> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(header::AUTHORIZATION.as_str()).and_then(bearer);
    let address = address(extensions);
    match (bearer, text(API_KEY)) {
        (_, Some(key)) => by_key(state, key, address).await,
        (Some(token), None) if token.starts_with("iw_") => by_key(state, token, address).await,
        (Some(token), None) => by_token(state, token, address).await,
        (None, None) => Err(ApiError::new(
            Code::Unauthenticated,
            "Send an access token or an API key in the header Authorization: Bearer …",
        )),
    }
}

/// The token of an `Authorization: Bearer` header; the scheme's letters may be large or small (RFC 9110).
pub(super) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The address that a request came from.
pub(super) fn address(extensions: &Extensions) -> Option<String> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_string())
}

async fn by_token(state: &AppState, token: &str, address: Option<String>) -> ApiResult<Caller> {
    let (user, workspace) = state.tokens.read(token, clock::now()).map_err(|error| match error {
        BadToken::Expired => ApiError::new(Code::TokenExpired, "The access token has expired; refresh it."),
        BadToken::Forged | BadToken::Unsigned => {
            ApiError::new(Code::Unauthenticated, "The access token isn't good; sign in.")
        }
    })?;
    let mut conn = state.pool.acquire().await?;
    let Some((member, workspace_name)) = people::member(&mut conn, workspace, user).await? else {
        return Err(ApiError::new(Code::Unauthenticated, "This account can't enter the workspace any more."));
    };
    let permissions = Permissions::of_roles(member.roles.iter().map(String::as_str));
    let person =
        Person { user_id: member.user_id, email: member.email, name: member.name, roles: member.roles };
    Ok(Caller {
        workspace,
        workspace_name: workspace_name.into(),
        who: Who::Person(Arc::new(person)),
        permissions: Arc::new(permissions),
        address,
    })
}

async fn by_key(state: &AppState, text: &str, address: Option<String>) -> ApiResult<Caller> {
    let Some(found) = state.recent_keys.find(&state.pool, text).await? else {
        return Err(ApiError::new(
            Code::Unauthenticated,
            "The API key isn't good: unknown, revoked or expired.",
        ));
    };
    let (workspace, key) = found.as_ref();
    let permissions = Permissions::of_scopes(key.scopes.iter().map(String::as_str));
    let holder = KeyHolder { key_id: key.key_id, name: key.name.clone(), workflows: key.workflows.clone() };
    Ok(Caller {
        workspace: *workspace,
        workspace_name: Arc::from(""),
        who: Who::Key(Arc::new(holder)),
        permissions: Arc::new(permissions),
        address,
    })
}

/// The caller whom the guard let in.
impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| ApiError::new(Code::Unauthenticated, "Sign in first."))
    }
}

/// The only workflows whose things the caller may see; `None` for all.
pub(super) fn only_of(caller: &Caller) -> Option<Vec<String>> {
    match &caller.who {
        Who::Person(_) => None,
        Who::Key(key) => key.workflows.as_ref().map(|ids| ids.iter().map(|id| id.0.clone()).collect()),
    }
}

/// The person whom the guard let in.
pub(super) fn person(caller: &Caller) -> ApiResult<&Person> {
    caller.person().ok_or_else(|| {
        ApiError::new(Code::Forbidden, "Only a person who is signed in can do this, not a key.")
    })
}
