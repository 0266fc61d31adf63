//! Signing in and out.

use super::{
    AppState,
    body::Body,
    caller,
    problem::{ApiError, ApiResult},
};
use crate::{
    auth::{
        Caller, password,
        session::{self, Refreshed},
        throttle, token, token_hash,
    },
    clock,
    store::{
        audit, people,
        people::{Account, Membership},
        sessions,
    },
};
use axum::{
    Json,
    extract::State,
    http::{Extensions, StatusCode},
};
use serde_json::{Value, json};
use shared_types::{
    api::{
        auth::{LoginRequest, PasswordChange, RefreshRequest, Session, SignedIn},
        problem::{Code, Problem},
    },
    ids::{AuditId, UserId, WorkspaceId},
};
use sqlx::PgConnection;

pub(super) async fn login(
    State(state): State<AppState>,
    extensions: Extensions,
    Body(login): Body<LoginRequest>,
) -> ApiResult<Json<Session>> {
    let address = caller::address(&extensions);
    let account = match &login.code {
        Some(code) => by_code(&state, code).await?,
        None => by_password(&state, &login, address.as_deref()).await?,
    };
    let mut transaction = state.pool.begin().await?;
    let membership = choose(&mut transaction, account.user_id, login.workspace.as_deref()).await?;
    let now = clock::now();
    let refresh_token = session::begin(&mut transaction, account.user_id, membership.workspace, now).await?;
    let entry = audit::Entry {
        id: AuditId(clock::new_id()),
        workspace: membership.workspace,
        at: now,
        actor: account.email.clone(),
        action: "session.started",
        subject: account.email.clone(),
        address,
        detail: json!({ "with": if login.code.is_some() { "code" } else { "password" } }),
    };
    audit::insert(&mut transaction, &[&entry]).await?;
    transaction.commit().await?;
    Ok(Json(answer(&state, &account, &membership, refresh_token)?))
}

async fn by_password(state: &AppState, login: &LoginRequest, address: Option<&str>) -> ApiResult<Account> {
    let (Some(email), Some(password)) = (&login.email, &login.password) else {
        return Err(ApiError::new(Code::FieldBad, "Send `email` and `password`, or `code`."));
    };
    let mut conn = state.pool.acquire().await?;
    if let Some(wait) = throttle::must_wait(&mut conn, email, address, clock::now()).await? {
        let seconds = wait.num_seconds().unsigned_abs() + 1;
        let detail = format!("Signing in failed too often; try again in {seconds} s.");
        return Err(ApiError::new(Code::TooMany, detail).retry_after(seconds));
    }
    let account = people::find_account(&mut conn, email).await?;
    drop(conn);
    let hash = account.as_ref().and_then(|account| account.password_hash.clone());
    let right = password::verify(password.clone(), hash).await;
    let mut conn = state.pool.acquire().await?;
    match account {
        Some(account) if right => {
            throttle::forget(&mut conn, email).await?;
            Ok(account)
        }
        Some(_) | None => {
            throttle::count(&mut conn, email, address, clock::now()).await?;
            Err(ApiError::new(Code::WrongPassword, "Email and password don't match."))
        }
    }
}

async fn by_code(state: &AppState, code: &str) -> ApiResult<Account> {
    let mut conn = state.pool.acquire().await?;
    let user = sessions::use_code(&mut conn, &token_hash(code), clock::now()).await?;
    let account = match user {
        Some(user) => people::account(&mut conn, user).await?,
        None => None,
    };
    account.ok_or_else(|| ApiError::new(Code::WrongPassword, "The code isn't good: it works once, for 60 s."))
}

/// The workspace to sign in to: the only one, or the one that is named.
async fn choose(conn: &mut PgConnection, user: UserId, named: Option<&str>) -> ApiResult<Membership> {
    let mut memberships = people::memberships(conn, user).await?;
    if let Some(name) = named {
        memberships.retain(|membership| membership.workspace_name == name);
    }
    match memberships.len() {
        0 => Err(ApiError::new(
            Code::WrongPassword,
            "This account belongs to no such workspace, or was deactivated.",
        )),
        1 => Ok(memberships.remove(0)),
        _ => {
            let names: Vec<Value> =
                memberships.into_iter().map(|m| Value::String(m.workspace_name)).collect();
            let detail = "You belong to several workspaces; send the one to enter as `workspace`.";
            Err(Problem::new(Code::WorkspaceNeeded, detail).with("workspaces", Value::Array(names)).into())
        }
    }
}

fn answer(
    state: &AppState,
    account: &Account,
    membership: &Membership,
    refresh_token: String,
) -> ApiResult<Session> {
    let signed = state.tokens.sign(account.user_id, membership.workspace, clock::now());
    let access_token = signed.map_err(|error| ApiError::new(Code::Internal, error.to_string()))?;
    Ok(Session {
        access_token,
        expires_in: token::ACCESS_SECONDS,
        refresh_token,
        user: SignedIn {
            user_id: account.user_id,
            email: account.email.clone(),
            name: account.name.clone(),
            roles: membership.roles.clone(),
            workspace: membership.workspace_name.clone(),
        },
    })
}

pub(super) async fn refresh(
    State(state): State<AppState>,
    Body(request): Body<RefreshRequest>,
) -> ApiResult<Json<Session>> {
    let mut transaction = state.pool.begin().await?;
    let refreshed = session::refresh(&mut transaction, &request.refresh_token, clock::now()).await?;
    // Also what ends a session that was misused has to last.
    transaction.commit().await?;
    match refreshed {
        Refreshed::Fresh { user, workspace, token } => {
            let (account, membership) = member(&state, user, workspace).await?;
            Ok(Json(answer(&state, &account, &membership, token)?))
        }
        Refreshed::Reused => Err(ApiError::new(
            Code::RefreshReused,
            "The refresh token was used before; the session is ended, in case it was stolen. Sign in again.",
        )),
        Refreshed::Unknown => {
            Err(ApiError::new(Code::Unauthenticated, "The session has ended; sign in again."))
        }
    }
}

async fn member(state: &AppState, user: UserId, workspace: WorkspaceId) -> ApiResult<(Account, Membership)> {
    let mut conn = state.pool.acquire().await?;
    let account = people::account(&mut conn, user).await?;
    let mut memberships = people::memberships(&mut conn, user).await?;
    memberships.retain(|membership| membership.workspace == workspace);
    match (account, memberships.pop()) {
        (Some(account), Some(membership)) => Ok((account, membership)),
        (_, _) => {
            Err(ApiError::new(Code::Unauthenticated, "This account can't enter the workspace any more."))
        }
    }
}

pub(super) async fn logout(
    State(state): State<AppState>,
    Body(request): Body<RefreshRequest>,
) -> ApiResult<StatusCode> {
    let mut conn = state.pool.acquire().await?;
    session::end(&mut conn, &request.refresh_token, clock::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn me(caller: Caller) -> ApiResult<Json<SignedIn>> {
    let person = caller::person(&caller)?;
    Ok(Json(SignedIn {
        user_id: person.user_id,
        email: person.email.clone(),
        name: person.name.clone(),
        roles: person.roles.clone(),
        workspace: caller.workspace_name.to_string(),
    }))
}

pub(super) async fn change_password(
    State(state): State<AppState>,
    caller: Caller,
    Body(change): Body<PasswordChange>,
) -> ApiResult<StatusCode> {
    let person = caller::person(&caller)?;
    password::check_strength(&change.new)
        .map_err(|weak| ApiError::new(Code::FieldBad, format!("`new`: {weak}.")))?;
    let mut conn = state.pool.acquire().await?;
    let account = people::account(&mut conn, person.user_id).await?;
    drop(conn);
    let hash = account.and_then(|account| account.password_hash);
    if !password::verify(change.old, hash).await {
        return Err(ApiError::new(Code::FieldBad, "`old`: this isn't your password."));
    }
    let hashed =
        password::hash(change.new).await.map_err(|error| ApiError::new(Code::Internal, error.to_string()))?;
    let mut transaction = state.pool.begin().await?;
    people::set_password(&mut transaction, person.user_id, &hashed).await?;
    let entry = super::audit::entry(&caller, "password.changed", &person.email, json!({}));
    audit::insert(&mut transaction, &[&entry]).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
