//! Who calls, out of a request's headers.

use super::{
    AppState,
    problem::{ApiError, ApiResult},
};
use crate::{
    auth::{
        KeyHolder, Person, Principal, Who,
        token::{Access, BadToken},
    },
    store::people::{self, Member},
};
use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{Extensions, HeaderMap, header, request::Parts},
};
use shared_types::api::{Permissions, problem::Code};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

const API_KEY: &str = "x-api-key";
const FORWARDED: &str = "x-forwarded-for";

/// Finds out who calls.
pub(super) async fn authenticate(
    state: &AppState,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> ApiResult<Principal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(header::AUTHORIZATION.as_str()).and_then(bearer);
    let address = address(state, headers, extensions).map(|address| address.to_string());
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
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The address that a request came from.
pub(super) fn address(state: &AppState, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip();
    // A line that isn't text can't be believed, nor what stands before it.
    let lines: Vec<&str> =
        headers.get_all(FORWARDED).iter().map(|line| line.to_str().unwrap_or_default()).collect();
    Some(state.trusted_proxies.sender(peer, lines.into_iter()))
}

async fn by_token(state: &AppState, token: &str, address: Option<String>) -> ApiResult<Principal> {
    let access = state.tokens.read(token, state.clock.now()).map_err(|error| match error {
        BadToken::Expired => ApiError::new(Code::TokenExpired, "The access token has expired; refresh it."),
        BadToken::Forged | BadToken::Unsigned => {
            ApiError::new(Code::Unauthenticated, "The access token isn't good; sign in.")
        }
    })?;
    let principal = Box::pin(by_access(state, access, address)).await?;
    principal.ok_or_else(|| {
        ApiError::new(
            Code::Unauthenticated,
            "The session has ended, or this account can't enter the workspace any more; sign in.",
        )
    })
}

/// The person whose access it is, with the rights that they have now; nothing where it was ended.
pub(super) async fn by_access(
    state: &AppState,
    access: Access,
    address: Option<String>,
) -> ApiResult<Option<Principal>> {
    let Access { user, workspace, session } = access;
    let mut conn = state.pool.acquire().await?;
    let Some((member, workspace_name)) = people::member(&mut conn, workspace, user, session).await? else {
        return Ok(None);
    };
    let permissions = Permissions::of_roles(member.roles.iter().map(String::as_str));
    let Member { user_id, email, name, roles } = member;
    let person = Person { user_id, email, name, roles, session };
    Ok(Some(Principal {
        workspace,
        workspace_name: workspace_name.into(),
        who: Who::Person(Arc::new(person)),
        permissions: Arc::new(permissions),
        address,
    }))
}

/// A person who came in a while ago, with the rights that they have now; nothing where they have none any more.
pub(super) async fn again(state: &AppState, principal: &Principal) -> ApiResult<Option<Principal>> {
    let Person { user_id, session, .. } = person(principal)?;
    let access = Access { user: *user_id, workspace: principal.workspace, session: *session };
    by_access(state, access, principal.address.clone()).await
}

async fn by_key(state: &AppState, text: &str, address: Option<String>) -> ApiResult<Principal> {
    let Some(found) = state.recent_keys.find(&state.pool, text, state.clock.now()).await? else {
        return Err(ApiError::new(
            Code::Unauthenticated,
            "The API key isn't good: unknown, revoked or expired.",
        ));
    };
    let (workspace, key) = found.as_ref();
    let permissions = Permissions::of_scopes(key.scopes.iter().map(String::as_str));
    let holder = KeyHolder { key_id: key.key_id, name: key.name.clone(), workflows: key.workflows.clone() };
    Ok(Principal {
        workspace: *workspace,
        workspace_name: Arc::from(""),
        who: Who::Key(Arc::new(holder)),
        permissions: Arc::new(permissions),
        address,
    })
}

/// The caller whom the guard let in.
impl FromRequestParts<AppState> for Principal {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let principal = parts.extensions.get::<Self>().cloned();
        principal.ok_or_else(|| ApiError::new(Code::Unauthenticated, "Sign in first."))
    }
}

/// The person whom the guard let in.
pub(super) fn person(principal: &Principal) -> ApiResult<&Person> {
    principal.person().ok_or_else(|| {
        ApiError::new(Code::Forbidden, "Only a person who is signed in can do this, not a key.")
    })
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn the_scheme_is_the_same_in_any_letters() {
        for value in ["Bearer abc", "bearer abc", "BEARER  abc"] {
            assert_eq!(bearer(value), Some("abc"), "{value}");
        }
        for value in ["Basic abc", "Bearer", "abc", "Bearerabc"] {
            assert_eq!(bearer(value), None, "{value}");
        }
    }
}
