//! People of a workspace, and their roles there.

use super::{
    AppState,
    auth::place,
    body::Body,
    idempotency::IdempotencyKey,
    paging::Paging,
    params::{Path, Query},
    problem::{ApiError, ApiResult},
};
use crate::{
    audit,
    auth::{
        Principal,
        password::{self, Comer},
    },
    clock::Clock,
    store::{
        self,
        invitations::{self, Offer},
        people::{self, Account},
        sessions,
    },
};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::json;
use shared_types::{
    api::{
        Page,
        problem::Code,
        users::{AddedUser, Invited, NewUser, User, UserChange, UserQuery},
    },
    email::EmailAddress,
    ids::{InvitationId, UserId},
    label::Label,
    role,
};
use sqlx::PgConnection;
use std::{fmt::Display, str::FromStr};

pub(super) async fn create(
    State(state): State<AppState>,
    principal: Principal,
    claim: IdempotencyKey,
    Body(new): Body<NewUser>,
) -> ApiResult<(StatusCode, Json<AddedUser>)> {
    let email: EmailAddress = field("email", &new.email)?;
    let name: Label = field("name", &new.name)?;
    check_roles(&new.roles)?;
    let known = {
        let mut conn = state.pool.acquire().await?;
        people::find_account(&mut conn, email.as_str()).await?
    };
    let person = NewPerson { name, roles: new.roles };
    let hash = match (&known, new.password) {
        (Some(_), _) => None,
        (None, Some(password)) => {
            password::check_for(&password, email.as_str(), person.name.as_str())
                .map_err(|weak| ApiError::new(Code::FieldBad, format!("`password`: {weak}.")))?;
            Some(hashed(&state, password).await?)
        }
        (None, None) => return Err(ApiError::new(Code::FieldBad, "`password`: a new person needs one.")),
    };
    let mut transaction = state.pool.begin().await?;
    let (status, added) = if let Some(account) = known {
        let invited = invite(&mut transaction, &state.clock, &principal, &account, &person).await?;
        (StatusCode::ACCEPTED, AddedUser::Invited(invited))
    } else {
        let user = add(&mut transaction, &state.clock, &principal, &email, hash, &person).await?;
        (StatusCode::CREATED, AddedUser::Added(user))
    };
    claim.keep(&state, &mut transaction, status, &added).await?;
    transaction.commit().await?;
    Ok((status, Json(added)))
}

/// A person as a workspace wants to have them.
struct NewPerson {
    name: Label,
    roles: Vec<String>,
}

/// Makes an account that belongs to the workspace.
async fn add(
    conn: &mut PgConnection,
    clock: &Clock,
    principal: &Principal,
    email: &EmailAddress,
    password_hash: Option<String>,
    person: &NewPerson,
) -> ApiResult<User> {
    let (user_id, now) = (UserId(clock.new_id()), clock.now());
    let (email, name) = (email.to_string(), person.name.to_string());
    let entry = audit::entry(clock, principal, "user.added", &email, json!({ "roles": person.roles }));
    people::insert_account(conn, &Account { user_id, email, name, password_hash }, now).await?;
    people::insert_membership(conn, principal.workspace, user_id, &person.roles, now).await?;
    store::audit::insert(conn, &[&entry]).await?;
    people::user(conn, principal.workspace, user_id).await?.ok_or_else(ApiError::not_found)
}

/// Invites the owner of an account: only they can say that they belong to the workspace.
async fn invite(
    conn: &mut PgConnection,
    clock: &Clock,
    principal: &Principal,
    account: &Account,
    person: &NewPerson,
) -> ApiResult<Invited> {
    if people::user(conn, principal.workspace, account.user_id).await?.is_some() {
        return Err(ApiError::new(Code::EmailTaken, "This person belongs to the workspace already."));
    }
    let offer = Offer {
        workspace: principal.workspace,
        user: account.user_id,
        name: person.name.as_str(),
        roles: &person.roles,
        by: &principal.actor(),
    };
    let id = InvitationId(clock.new_id());
    let invitation_id = invitations::offer(conn, id, &offer, clock.now()).await?;
    let detail = json!({ "invitation_id": invitation_id, "roles": person.roles });
    let entry = audit::entry(clock, principal, "user.invited", &account.email, detail);
    store::audit::insert(conn, &[&entry]).await?;
    Ok(Invited { invitation_id })
}

/// A field's text, read by its rule.
pub(super) fn field<T: FromStr<Err: Display>>(name: &str, text: &str) -> ApiResult<T> {
    text.parse().map_err(|error| ApiError::new(Code::FieldBad, format!("`{name}`: {error}.")))
}

async fn hashed(state: &AppState, password: String) -> ApiResult<String> {
    let hashed = place(state, Comer::Known)?.hash(password).await;
    hashed.map_err(|error| ApiError::new(Code::Internal, error.to_string()))
}

/// The most roles that a person has in a workspace.
const MAX_ROLES: usize = 100;

fn check_roles(roles: &[String]) -> ApiResult<()> {
    if roles.len() > MAX_ROLES {
        let detail = format!("`roles`: {} are too many; a person has {MAX_ROLES} at most.", roles.len());
        return Err(ApiError::new(Code::FieldBad, detail));
    }
    match roles.iter().find(|role| !role::is_id(role)) {
        Some(bad) => Err(ApiError::new(
            Code::FieldBad,
            format!("`roles`: \"{bad}\" is no role's name; use letters, digits, `_`, `-`."),
        )),
        None => Ok(()),
    }
}

pub(super) async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<UserQuery>,
) -> ApiResult<Json<Page<User>>> {
    let paging = Paging::of(&state, &principal, "users", query.limit);
    let above = paging.after(query.cursor.as_deref())?;
    let mut conn = state.pool.acquire().await?;
    let users = people::users(&mut conn, principal.workspace, above, paging.to_read()).await?;
    Ok(Json(paging.page(users, |user| user.user_id.to_string())))
}

pub(super) async fn update(
    State(state): State<AppState>,
    principal: Principal,
    Path(user_id): Path<UserId>,
    Body(change): Body<UserChange>,
) -> ApiResult<Json<User>> {
    if let Some(roles) = &change.roles {
        check_roles(roles)?;
    }
    let name: Option<Label> = change.name.as_deref().map(|name| field("name", name)).transpose()?;
    let mut transaction = state.pool.begin().await?;
    // Two who take the last administrators' roles at once come one after the other.
    store::lock_workspace(&mut transaction, principal.workspace).await?;
    let before = people::user(&mut transaction, principal.workspace, user_id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let keeps_admin = change.active != Some(false)
        && change.roles.as_ref().is_none_or(|roles| roles.iter().any(|role| role == "admin"));
    let is_admin = before.active && before.roles.iter().any(|role| role == "admin");
    if is_admin
        && !keeps_admin
        && people::other_admins(&mut transaction, principal.workspace, user_id).await? == 0
    {
        return Err(ApiError::new(
            Code::LastAdmin,
            "This is the last administrator; make another one first.",
        ));
    }
    let (name, roles) = (name.as_ref().map(Label::as_str), change.roles.as_deref());
    people::update_user(&mut transaction, principal.workspace, user_id, name, roles, change.active).await?;
    if change.active == Some(false) {
        sessions::end_of_person(
            &mut transaction,
            user_id,
            Some(principal.workspace),
            None,
            state.clock.now(),
        )
        .await?;
    }
    let detail = json!({ "name": change.name, "roles": change.roles, "active": change.active });
    let entry = audit::entry(&state.clock, &principal, "user.changed", &before.email, detail);
    store::audit::insert(&mut transaction, &[&entry]).await?;
    let after = people::user(&mut transaction, principal.workspace, user_id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    transaction.commit().await?;
    Ok(Json(after))
}
