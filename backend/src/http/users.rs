//! People and their roles.

use super::{
    AppState, audit,
    body::Body,
    idempotency::Claim,
    paging::Paging,
    params::{Path, Query},
    problem::{ApiError, ApiResult},
};
use crate::{
    auth::{Caller, password},
    clock,
    store::{self, people, people::Account, sessions},
};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::json;
use shared_types::{
    api::{
        Page,
        problem::Code,
        users::{NewUser, User, UserChange, UserQuery},
    },
    ids::UserId,
};

pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    claim: Claim,
    Body(new): Body<NewUser>,
) -> ApiResult<(StatusCode, Json<User>)> {
    check_email(&new.email)?;
    check_roles(&new.roles)?;
    let now = clock::now();
    let hash = match new.password {
        Some(password) => Some(hashed(password).await?),
        None => None,
    };
    let mut transaction = state.pool.begin().await?;
    let known = people::find_account(&mut transaction, &new.email).await?;
    let user_id = match (known, hash) {
        (Some(account), _) => account.user_id,
        (None, None) => return Err(ApiError::new(Code::FieldBad, "`password`: a new person needs one.")),
        (None, hash) => {
            let user_id = UserId(clock::new_id());
            let account =
                Account { user_id, email: new.email.clone(), name: new.name.clone(), password_hash: hash };
            people::insert_account(&mut transaction, &account, now).await?;
            user_id
        }
    };
    people::insert_membership(&mut transaction, caller.workspace, user_id, &new.roles, now).await?;
    let entry = audit::entry(&caller, "user.added", &new.email, json!({ "roles": new.roles }));
    store::audit::insert(&mut transaction, &[&entry]).await?;
    let user =
        people::user(&mut transaction, caller.workspace, user_id).await?.ok_or_else(ApiError::not_found)?;
    claim.keep(&state, &mut transaction, StatusCode::CREATED, &user).await?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(user)))
}

async fn hashed(password: String) -> ApiResult<String> {
    password::check_strength(&password)
        .map_err(|weak| ApiError::new(Code::FieldBad, format!("`password`: {weak}.")))?;
    password::hash(password).await.map_err(|error| ApiError::new(Code::Internal, error.to_string()))
}

fn check_email(email: &str) -> ApiResult<()> {
    let looks_right = email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    if looks_right && email.len() <= 254 && !email.contains(char::is_whitespace) {
        return Ok(());
    }
    Err(ApiError::new(Code::FieldBad, format!("`email`: \"{email}\" is no address.")))
}

fn check_roles(roles: &[String]) -> ApiResult<()> {
    let is_name = |role: &String| {
        (1..=60).contains(&role.len())
            && role.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    match roles.iter().find(|role| !is_name(role)) {
        Some(bad) => Err(ApiError::new(
            Code::FieldBad,
            format!("`roles`: \"{bad}\" is no role's name; use letters, digits, `_`, `-`."),
        )),
        None => Ok(()),
    }
}

pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<UserQuery>,
) -> ApiResult<Json<Page<User>>> {
    let paging = Paging::of(&state, &caller, "users", query.limit);
    let above = paging.after(query.cursor.as_deref())?;
    let mut conn = state.pool.acquire().await?;
    let users = people::users(&mut conn, caller.workspace, above, paging.to_read()).await?;
    Ok(Json(paging.page(users, |user| user.user_id.to_string())))
}

pub(super) async fn update(
    State(state): State<AppState>,
    caller: Caller,
    Path(user_id): Path<UserId>,
    Body(change): Body<UserChange>,
) -> ApiResult<Json<User>> {
    if let Some(roles) = &change.roles {
        check_roles(roles)?;
    }
    let mut transaction = state.pool.begin().await?;
    let before =
        people::user(&mut transaction, caller.workspace, user_id).await?.ok_or_else(ApiError::not_found)?;
    let keeps_admin = change.active != Some(false)
        && change.roles.as_ref().is_none_or(|roles| roles.iter().any(|role| role == "admin"));
    let is_admin = before.active && before.roles.iter().any(|role| role == "admin");
    if is_admin
        && !keeps_admin
        && people::other_admins(&mut transaction, caller.workspace, user_id).await? == 0
    {
        return Err(ApiError::new(
            Code::LastAdmin,
            "This is the last administrator; make another one first.",
        ));
    }
    let (name, roles) = (change.name.as_deref(), change.roles.as_deref());
    people::update_user(&mut transaction, caller.workspace, user_id, name, roles, change.active).await?;
    if change.active == Some(false) {
        sessions::revoke_user(&mut transaction, user_id, clock::now()).await?;
    }
    let detail = json!({ "name": change.name, "roles": change.roles, "active": change.active });
    let entry = audit::entry(&caller, "user.changed", &before.email, detail);
    store::audit::insert(&mut transaction, &[&entry]).await?;
    let after =
        people::user(&mut transaction, caller.workspace, user_id).await?.ok_or_else(ApiError::not_found)?;
    transaction.commit().await?;
    Ok(Json(after))
}
