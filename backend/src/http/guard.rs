//! The one place that decides, per route, which requests come in, and who sends them.

use super::{
    AppState, body, idempotency, params,
    principal::authenticate,
    problem::{ApiError, ApiResult},
};
use crate::auth::Principal;
use axum::{
    extract::{Request, State},
    http::request::Parts,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use shared_types::api::{Access, Endpoint, HttpMethod, Repeated, problem::Code};
use tracing::Instrument as _;

/// What of an endpoint's definition decides who comes in: as values, so that the guard is compiled once and not once
/// for each endpoint.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    access: Access,
    method: HttpMethod,
    path: &'static str,
    repeated: Repeated,
    max_body: usize,
    keep_query: fn(&mut Parts) -> ApiResult<()>,
}

impl Rules {
    pub(super) fn of<E: Endpoint>() -> Self {
        Self {
            access: E::ACCESS,
            method: E::METHOD,
            path: E::PATH,
            repeated: E::REPEATED,
            max_body: E::MAX_BODY,
            keep_query: params::keep_query::<E::Query>,
        }
    }
}

/// Lets a request through to an endpoint, if its definition does.
///
/// A request is refused by what stands in its path, its caller, its query and its headers before its body is read;
/// the body is then read up to the limit, so that handlers find it in memory.
pub(super) async fn guard(
    State((state, rules)): State<(AppState, Rules)>,
    request: Request,
    next: Next,
) -> Response {
    let span = tracing::debug_span!("endpoint", method = rules.method.as_str(), path = rules.path);
    let_through(state, rules, request, next).instrument(span).await
}

async fn let_through(state: AppState, rules: Rules, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let principal = match enter(&state, rules, &mut parts).await {
        Ok(principal) => principal,
        Err(error) => {
            body::discard(&parts.headers, body).await;
            return error.into_response();
        }
    };
    let request = Request::from_parts(parts, body);
    if rules.method == HttpMethod::Get {
        return next.run(request).await;
    }
    let request = match body::buffered(request, rules.max_body).await {
        Ok(request) => request,
        Err(error) => return error.into_response(),
    };
    let Some(principal) = principal else { return next.run(request).await };
    // What changes something is carried through, also where the client hangs up: a run that was written has to
    // be gone on with by whoever wrote it.
    let carried = tokio::spawn(
        async move {
            if rules.method == HttpMethod::Post && rules.repeated == Repeated::AnswerStored {
                idempotency::once(&state, &principal, request, next).await
            } else {
                next.run(request).await
            }
        }
        .in_current_span(),
    );
    match carried.await {
        Ok(response) => response,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => ApiError::new(Code::Internal, "The server is stopping.").into_response(),
    }
}

/// Refuses a caller who may not use an endpoint.
pub(super) fn check_access(access: Access, principal: &Principal) -> ApiResult<()> {
    let refused = match access {
        Access::Person if principal.person().is_none() => {
            Some("Only a person who is signed in can do this, not a key.")
        }
        Access::Needs(permission) if !principal.may(permission) => {
            Some("Your roles, or the key's scopes, don't allow this; an administrator can change them.")
        }
        Access::Public | Access::Person | Access::Needs(_) => None,
    };
    refused.map_or(Ok(()), |detail| Err(ApiError::new(Code::Forbidden, detail)))
}

/// Holds all of a request but its body against the endpoint's definition; gives its caller, unless anybody may call.
async fn enter(state: &AppState, rules: Rules, parts: &mut Parts) -> ApiResult<Option<Principal>> {
    params::check_path(&parts.uri)?;
    let principal = match rules.access {
        Access::Public => None,
        Access::Person | Access::Needs(_) => {
            let principal = authenticate(state, &parts.headers, &parts.extensions).await?;
            check_access(rules.access, &principal)?;
            parts.extensions.insert(principal.clone());
            Some(principal)
        }
    };
    (rules.keep_query)(parts)?;
    // The senders of webhooks have keys of their own, which mean nothing here.
    if rules.access != Access::Public {
        idempotency::key(&parts.headers)?;
    }
    Ok(principal)
}
