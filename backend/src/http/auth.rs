//! Sessions: how they begin, go on and end.

mod own_password;
mod signing_in;

pub(super) use own_password::change_password;
pub(super) use signing_in::{Through, enter, login};

use super::{
    AppState,
    body::Body,
    principal,
    problem::{ApiError, ApiResult},
};
use crate::{
    audit,
    auth::{
        Principal,
        password::{Busy, Comer, Place},
        session::{self, Refreshed},
        throttle::{self, Counted, MustWait, Subject},
        token::{self, Access},
    },
    store::{
        self, people,
        people::{Account, Membership},
    },
};
use axum::{
    Json,
    extract::State,
    http::{Extensions, HeaderMap, StatusCode},
};
use serde_json::json;
use shared_types::{
    api::{
        auth::{RefreshRequest, Session, SignedIn},
        problem::Code,
    },
    ids::{SessionId, UserId, WorkspaceId},
};
use sqlx::PgConnection;
use std::net::IpAddr;

/// When a password may be tried again that found no place in the queue.
const BUSY_SECONDS: u64 = 2;

/// A place in the queue of passwords that are hashed.
pub(super) fn place(state: &AppState, comer: Comer) -> ApiResult<Place> {
    state.hashing.queue(comer).map_err(|busy: Busy| {
        ApiError::new(Code::TooMany, format!("At the moment {busy}.")).retry_after(BUSY_SECONDS)
    })
}

/// Counts a try before it is made, or says how long it has to wait.
async fn count(state: &AppState, subjects: Vec<Subject>) -> ApiResult<Counted> {
    let mut transaction = state.pool.begin().await?;
    match throttle::count(&mut transaction, subjects, state.clock.now()).await? {
        Ok(counted) => {
            transaction.commit().await?;
            Ok(counted)
        }
        Err(MustWait { seconds }) => {
            transaction.rollback().await?;
            let detail = format!("The password was wrong too often; try again in {seconds} s.");
            Err(ApiError::new(Code::TooMany, detail).retry_after(seconds))
        }
    }
}

/// What a client gets of a session that it has begun or goes on with.
struct Begun<'a> {
    session: SessionId,
    account: &'a Account,
    membership: &'a Membership,
    refresh_token: String,
    device: Option<String>,
}

fn answer(state: &AppState, begun: Begun<'_>) -> ApiResult<Session> {
    let Begun { session, account, membership, refresh_token, device } = begun;
    let access = Access { user: account.user_id, workspace: membership.workspace, session: Some(session) };
    let signed = state.tokens.sign_access(&access, state.clock.now());
    let access_token = signed.map_err(|error| ApiError::new(Code::Internal, error.to_string()))?;
    Ok(Session {
        access_token,
        expires_in: token::ACCESS_SECONDS,
        refresh_token,
        device,
        user: SignedIn {
            user_id: account.user_id,
            email: account.email.clone(),
            name: membership.name.clone(),
            roles: membership.roles.clone(),
            workspace: membership.workspace_name.clone(),
        },
    })
}

pub(super) async fn refresh(
    State(state): State<AppState>,
    headers: HeaderMap,
    extensions: Extensions,
    Body(request): Body<RefreshRequest>,
) -> ApiResult<Json<Session>> {
    let mut transaction = state.pool.begin().await?;
    let (session, user, workspace, refresh_token) = match session::refresh(
        &mut transaction,
        &request.refresh_token,
        state.clock.now(),
    )
    .await?
    {
        Refreshed::Fresh { session, user, workspace, token } => (session, user, workspace, token),
        Refreshed::Reused { user, workspace } => {
            if let Some(account) = people::account(&mut transaction, user).await? {
                let address = principal::address(&state, &headers, &extensions);
                let entry =
                    audit::entry_of(&state.clock, &account, workspace, address, "session.reused", json!({}));
                store::audit::insert(&mut transaction, &[&entry]).await?;
            }
            // Also what ends a session that was misused has to last.
            transaction.commit().await?;
            return Err(ApiError::new(
                Code::RefreshReused,
                "The refresh token was used before; the session is ended, in case it was stolen. Sign in again.",
            ));
        }
        Refreshed::Unknown => {
            return Err(ApiError::new(Code::Unauthenticated, "The session has ended; sign in again."));
        }
    };
    let Some((account, membership)) = member(&mut transaction, user, workspace).await? else {
        let detail = "This account can't enter the workspace any more.";
        return Err(ApiError::new(Code::Unauthenticated, detail));
    };
    transaction.commit().await?;
    let begun = Begun { session, account: &account, membership: &membership, refresh_token, device: None };
    Ok(Json(answer(&state, begun)?))
}

async fn member(
    conn: &mut PgConnection,
    user: UserId,
    workspace: WorkspaceId,
) -> ApiResult<Option<(Account, Membership)>> {
    let account = people::account(conn, user).await?;
    let mut memberships = people::memberships(conn, user).await?;
    memberships.retain(|membership| membership.workspace == workspace);
    Ok(account.zip(memberships.pop()))
}

pub(super) async fn logout(
    State(state): State<AppState>,
    headers: HeaderMap,
    extensions: Extensions,
    Body(request): Body<RefreshRequest>,
) -> ApiResult<StatusCode> {
    let mut transaction = state.pool.begin().await?;
    let ended = session::end(&mut transaction, &request.refresh_token, state.clock.now()).await?;
    if let Some((user, workspace)) = ended {
        let address = principal::address(&state, &headers, &extensions);
        note_end(&state, &mut transaction, (user, workspace), address).await?;
    }
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Notes in the audit log that somebody signed out.
pub(super) async fn note_end(
    state: &AppState,
    conn: &mut PgConnection,
    (user, workspace): (UserId, WorkspaceId),
    address: Option<IpAddr>,
) -> ApiResult<()> {
    if let Some(account) = people::account(conn, user).await? {
        let entry = audit::entry_of(&state.clock, &account, workspace, address, "session.ended", json!({}));
        store::audit::insert(conn, &[&entry]).await?;
    }
    Ok(())
}

pub(super) async fn me(principal: Principal) -> ApiResult<Json<SignedIn>> {
    let person = principal::person(&principal)?;
    Ok(Json(SignedIn {
        user_id: person.user_id,
        email: person.email.clone(),
        name: person.name.clone(),
        roles: person.roles.clone(),
        workspace: principal.workspace_name.to_string(),
    }))
}
