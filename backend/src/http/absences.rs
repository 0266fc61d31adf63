//! Absences: a person enters their own, an administrator anybody's.

use super::{
    AppState,
    body::Body,
    idempotency::IdempotencyKey,
    paging::Paging,
    params::{Path, Query},
    principal::person,
    problem::{ApiError, ApiResult},
};
use crate::{
    audit,
    auth::{Person, Principal},
    store::{
        self,
        absences::{self, AbsenceFilter, StoredAbsence},
        people::{self, Membership},
    },
};
use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde_json::json;
use shared_types::{
    api::{
        Page, Permission,
        absences::{Absence, AbsenceChange, AbsenceQuery, NewAbsence, TextChange},
        problem::Code,
    },
    approval::people::Person as Member,
    email::{self, EmailAddress},
    ids::{AbsenceId, UserId},
};
use sqlx::PgConnection;

pub(super) async fn create(
    State(state): State<AppState>,
    principal: Principal,
    claim: IdempotencyKey,
    Body(new): Body<NewAbsence>,
) -> ApiResult<(StatusCode, Json<Absence>)> {
    let caller = person(&principal)?;
    let mut transaction = state.pool.begin().await?;
    let (user, address, name) =
        match new.email.as_deref().filter(|other| !email::is_same(other, &caller.email)) {
            None => (caller.user_id, caller.email.clone(), caller.name.clone()),
            Some(other) => {
                may_change(&principal, caller, None)?;
                let (user, member) = member(&mut transaction, &principal, "email", other).await?;
                (user, member.email, member.name)
            }
        };
    let absence = StoredAbsence {
        id: AbsenceId(state.clock.new_id()),
        user,
        email: address,
        name,
        from: new.from,
        until: new.until,
        delegate: delegate(&mut transaction, &principal, user, new.delegate.as_deref()).await?,
        note: noted(new.note),
        created_at: state.clock.now(),
        created_by: caller.email.clone(),
    };
    check_times(absence.from, absence.until, state.clock.now())?;
    absences::insert(&mut transaction, principal.workspace, &absence).await?;
    log(&mut transaction, &state, &principal, "absence.entered", &absence).await?;
    let shown = shown(absence);
    claim.keep(&state, &mut transaction, StatusCode::CREATED, &shown).await?;
    transaction.commit().await?;
    state.engine.environment_changed();
    Ok((StatusCode::CREATED, Json(shown)))
}

pub(super) async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<AbsenceQuery>,
) -> ApiResult<Json<Page<Absence>>> {
    let paging = Paging::of(&state, &principal, "absences", query.limit);
    let mut conn = state.pool.acquire().await?;
    let user = match &query.email {
        None => None,
        Some(address) => match people::find_account(&mut conn, address).await? {
            Some(account) => Some(account.user_id),
            None => return Ok(Json(Page { items: Vec::new(), next_cursor: None })),
        },
    };
    let below = paging.after(query.cursor.as_deref())?;
    let filter = AbsenceFilter { user, at: query.at, below, id: None };
    let found = absences::list(&mut conn, principal.workspace, filter, paging.to_read()).await?;
    let page = paging.page(found, |absence| absence.id.to_string());
    Ok(Json(Page { items: page.items.into_iter().map(shown).collect(), next_cursor: page.next_cursor }))
}

pub(super) async fn update(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<AbsenceId>,
    Body(change): Body<AbsenceChange>,
) -> ApiResult<Json<Absence>> {
    let caller = person(&principal)?;
    let mut transaction = state.pool.begin().await?;
    let mut absence = find(&mut transaction, &principal, id).await?;
    may_change(&principal, caller, Some(&absence))?;
    absence.from = change.from.unwrap_or(absence.from);
    absence.until = change.until.unwrap_or(absence.until);
    let to = match change.delegate {
        TextChange::None => None,
        TextChange::Clear => Some(None),
        TextChange::Set(to) => Some(Some(to)),
    };
    if let Some(to) = to {
        absence.delegate = delegate(&mut transaction, &principal, absence.user, to.as_deref()).await?;
    }
    match change.note {
        TextChange::None => {}
        TextChange::Clear => absence.note = None,
        TextChange::Set(note) => absence.note = noted(Some(note)),
    }
    check_times(absence.from, absence.until, state.clock.now())?;
    absences::update(&mut transaction, principal.workspace, &absence).await?;
    log(&mut transaction, &state, &principal, "absence.changed", &absence).await?;
    transaction.commit().await?;
    state.engine.environment_changed();
    Ok(Json(shown(absence)))
}

pub(super) async fn delete(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<AbsenceId>,
) -> ApiResult<StatusCode> {
    let caller = person(&principal)?;
    let mut transaction = state.pool.begin().await?;
    let absence = find(&mut transaction, &principal, id).await?;
    may_change(&principal, caller, Some(&absence))?;
    absences::delete(&mut transaction, principal.workspace, id).await?;
    log(&mut transaction, &state, &principal, "absence.deleted", &absence).await?;
    transaction.commit().await?;
    state.engine.environment_changed();
    Ok(StatusCode::NO_CONTENT)
}

async fn find(conn: &mut PgConnection, principal: &Principal, id: AbsenceId) -> ApiResult<StoredAbsence> {
    let filter = AbsenceFilter { id: Some(id), ..AbsenceFilter::default() };
    let found = absences::list(conn, principal.workspace, filter, 1).await?;
    found.into_iter().next().ok_or_else(ApiError::not_found)
}

/// Whether the caller may enter or change an absence of somebody: their own, or as an administrator.
fn may_change(principal: &Principal, caller: &Person, absence: Option<&StoredAbsence>) -> ApiResult<()> {
    let is_own = absence.is_some_and(|absence| absence.user == caller.user_id);
    if is_own || principal.may(Permission::ManageUsers) {
        return Ok(());
    }
    let detail = "Only an administrator enters or changes absences of others.";
    Err(ApiError::new(Code::Forbidden, detail))
}

/// A member by address.
async fn member(
    conn: &mut PgConnection,
    principal: &Principal,
    field: &str,
    address: &str,
) -> ApiResult<(UserId, Member)> {
    let address: EmailAddress =
        address.parse().map_err(|fault| ApiError::new(Code::FieldBad, format!("`{field}`: {fault}.")))?;
    let account = people::find_account(conn, address.as_str()).await?;
    let membership = match &account {
        Some(account) => people::membership(conn, account.user_id, principal.workspace).await?,
        None => None,
    };
    let (Some(account), Some(Membership { name, roles, .. })) = (account, membership) else {
        let detail = format!("`{field}`: {address} isn't an active member of the workspace.");
        return Err(ApiError::new(Code::FieldBad, detail));
    };
    Ok((account.user_id, Member::new(&account.email, &name, &roles)))
}

/// Who stands in for a person: another active member whose role allows deciding.
async fn delegate(
    conn: &mut PgConnection,
    principal: &Principal,
    away: UserId,
    to: Option<&str>,
) -> ApiResult<Option<(UserId, String, String)>> {
    let Some(to) = to else { return Ok(None) };
    let (user, member) = member(conn, principal, "delegate", to).await?;
    if user == away {
        let detail =
            "`delegate`: the person who is away can't stand in for themselves; name somebody else or nobody.";
        return Err(ApiError::new(Code::FieldBad, detail));
    }
    if !member.is_able() {
        let detail = format!(
            "`delegate`: the base role of {} doesn't allow deciding; name somebody else.",
            member.name
        );
        return Err(ApiError::new(Code::FieldBad, detail));
    }
    Ok(Some((user, member.email, member.name)))
}

fn check_times(from: DateTime<Utc>, until: DateTime<Utc>, now: DateTime<Utc>) -> ApiResult<()> {
    if until <= from {
        return Err(ApiError::new(Code::FieldBad, "`until` must be later than `from`."));
    }
    if until <= now {
        return Err(ApiError::new(
            Code::FieldBad,
            "`until`: the absence is over already; name a later time.",
        ));
    }
    Ok(())
}

fn noted(note: Option<String>) -> Option<String> {
    note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty())
}

async fn log(
    conn: &mut PgConnection,
    state: &AppState,
    principal: &Principal,
    action: &'static str,
    absence: &StoredAbsence,
) -> ApiResult<()> {
    let delegate = absence.delegate.as_ref().map(|(_, email, _)| email);
    let detail = json!({
        "email": absence.email, "from": absence.from, "until": absence.until, "delegate": delegate,
    });
    let entry = audit::entry(&state.clock, principal, action, &absence.id.to_string(), detail);
    Ok(store::audit::insert(conn, &[&entry]).await?)
}

fn shown(absence: StoredAbsence) -> Absence {
    let (delegate, delegate_name) = match absence.delegate {
        Some((_, email, name)) => (Some(email), Some(name)),
        None => (None, None),
    };
    Absence {
        absence_id: absence.id,
        email: absence.email,
        name: absence.name,
        from: absence.from,
        until: absence.until,
        delegate,
        delegate_name,
        note: absence.note,
        created_by: absence.created_by,
        created_at: absence.created_at,
    }
}
