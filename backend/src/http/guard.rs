//! The one place that decides, per route, who may come in.

use super::{AppState, caller::authenticate, idempotency, problem::ApiError};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use shared_types::api::{Access, Endpoint, HttpMethod, problem::Code};

/// Lets a request through to an endpoint, if its definition does.
pub(super) async fn guard<E: Endpoint>(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    if E::ACCESS == Access::Public {
        return next.run(request).await;
    }
    let caller = match authenticate(&state, request.headers(), request.extensions()).await {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    let refused = match E::ACCESS {
        Access::Person if caller.person().is_none() => {
            Some("Only a person who is signed in can do this, not a key.")
        }
        Access::Needs(permission) if !caller.may(permission) => {
            Some("Your roles, or the key's scopes, don't allow this; an administrator can change them.")
        }
        Access::Public | Access::Person | Access::Needs(_) => None,
    };
    if let Some(detail) = refused {
        return ApiError::new(Code::Forbidden, detail).into_response();
    }
    request.extensions_mut().insert(caller.clone());
    // Events and decisions keep their keys with what they change; the rest is kept by its answer.
    let keeps_own = matches!(
        E::PATH,
        "events"
            | "events/batch"
            | "approvals/{approval_id}/decisions"
            | "workflows/validate"
            | "workflows/simulate"
            | "rules/try"
    );
    if E::METHOD == HttpMethod::Get {
        return next.run(request).await;
    }
    // What changes something is carried through, also where the client hangs up: a run that was written has to
    // be gone on with by whoever wrote it.
    let carried = tokio::spawn(async move {
        if E::METHOD == HttpMethod::Post && !keeps_own {
            idempotency::once(&state, &caller, request, next).await
        } else {
            next.run(request).await
        }
    });
    match carried.await {
        Ok(response) => response,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => ApiError::new(Code::Internal, "The server is stopping.").into_response(),
    }
}
