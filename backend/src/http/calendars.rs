//! Calendars: set, read and deleted; holidays come in as files.

use super::{
    AppState,
    body::{Body, Text},
    params::{Path, Query},
    problem::{ApiError, ApiResult},
};
use crate::{
    audit,
    auth::Principal,
    holidays::{self, Imported},
    store::{self, calendars, calendars::StoredCalendar},
};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::json;
use shared_types::{
    api::{
        Page,
        calendars::{Due, DueQuery, ImportedHolidays, StoredCalendar as Shown},
        problem::{Code, Problem},
    },
    workflow::{
        Finding, Span, bounds,
        calendar::{Calendar, Holiday, WorkingTime},
    },
};
use sqlx::PgConnection;

/// How many reminders an answer holds.
const MAX_REMINDERS: usize = 50;

pub(super) async fn put(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
    Body(calendar): Body<Calendar>,
) -> ApiResult<Json<Shown>> {
    if calendar.name != name {
        let detail =
            format!("`name` is \"{}\", and the path says \"{name}\"; write the same.", calendar.name);
        return Err(ApiError::new(Code::FieldBad, detail));
    }
    let mut transaction = state.pool.begin().await?;
    let shown = write(&state, &mut transaction, &principal, calendar, "calendar.set").await?;
    transaction.commit().await?;
    state.engine.environment_changed();
    Ok(Json(shown))
}

pub(super) async fn list(
    State(state): State<AppState>,
    principal: Principal,
) -> ApiResult<Json<Page<Shown>>> {
    let mut conn = state.pool.acquire().await?;
    let mut items = Vec::new();
    for stored in calendars::all(&mut conn, principal.workspace).await? {
        items.push(shown(&mut conn, &principal, stored).await?);
    }
    Ok(Json(Page { items, next_cursor: None }))
}

pub(super) async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
) -> ApiResult<Json<Shown>> {
    let mut conn = state.pool.acquire().await?;
    let stored = find(&mut conn, &principal, &name).await?;
    shown(&mut conn, &principal, stored).await.map(Json)
}

pub(super) async fn delete(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
) -> ApiResult<StatusCode> {
    let mut transaction = state.pool.begin().await?;
    store::lock_workspace(&mut transaction, principal.workspace).await?;
    find(&mut transaction, &principal, &name).await?;
    let used_by = calendars::used_by(&mut transaction, principal.workspace, &name).await?;
    if !used_by.is_empty() {
        let detail =
            format!("Enabled workflows count in it: {}. Change or disable them first.", used_by.join(", "));
        return Err(Problem::new(Code::CalendarUsed, detail).with("used_by", json!(used_by)).into());
    }
    let asked_in = calendars::asked_in(&mut transaction, principal.workspace, &name).await?;
    if !asked_in.is_empty() {
        let detail = format!(
            "Open requests of {} count in it. Let them be decided, or cancel their runs, first.",
            asked_in.join(", ")
        );
        return Err(Problem::new(Code::CalendarUsed, detail).with("used_by", json!(asked_in)).into());
    }
    calendars::delete(&mut transaction, principal.workspace, &name).await?;
    let entry = audit::entry(&state.clock, &principal, "calendar.deleted", &name, json!({}));
    store::audit::insert(&mut transaction, &[&entry]).await?;
    transaction.commit().await?;
    state.engine.environment_changed();
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn put_holidays(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
    Text(text): Text,
) -> ApiResult<Json<ImportedHolidays>> {
    // Before the file is read, which takes its time.
    find(&mut *state.pool.acquire().await?, &principal, &name).await?;
    let today = state.clock.now().date_naive();
    let read = state.reviews.run(principal.workspace, move || holidays::read(&text, today)).await?;
    let Imported { days, left_out, until } =
        read.map_err(|fault| ApiError::new(Code::HolidaysBad, format!("The file isn't taken: {fault}.")))?;
    let mut transaction = state.pool.begin().await?;
    store::lock_workspace(&mut transaction, principal.workspace).await?;
    let mut calendar = find(&mut transaction, &principal, &name).await?.calendar;
    // A file has no hours: days with hours of their own were written by somebody, and stay.
    calendar.holidays.retain(|holiday| matches!(holiday, Holiday::Hours { .. }));
    let is_kept = |day: &String| calendar.holidays.iter().any(|holiday| holiday.date() == day);
    let new: Vec<String> = days.iter().map(ToString::to_string).filter(|day| !is_kept(day)).collect();
    calendar.holidays.extend(new.into_iter().map(Holiday::Closed));
    calendar.holidays.sort_by(|a, b| a.date().cmp(b.date()));
    let calendar = write(&state, &mut transaction, &principal, calendar, "calendar.holidays").await?;
    transaction.commit().await?;
    state.engine.environment_changed();
    Ok(Json(ImportedHolidays { calendar, days: days.len(), left_out, until: until.to_string() }))
}

pub(super) async fn due(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
    Query(query): Query<DueQuery>,
) -> ApiResult<Json<Due>> {
    let span = |field: &str, text: &str| {
        text.parse::<Span>().map_err(|fault| ApiError::new(Code::FieldBad, format!("`{field}`: {fault}.")))
    };
    let length = span("span", &query.span)?;
    let every = query.remind_every.as_deref().map(|text| span("remind_every", text)).transpose()?;
    let mut conn = state.pool.acquire().await?;
    let hours = working_time(&find(&mut conn, &principal, &name).await?.calendar)?;
    drop(conn);
    let from = query.from.unwrap_or_else(|| state.clock.now());
    let counting = move || {
        let due = hours.due(from, &length).filter(|due| bounds::holds(*due))?;
        let reminders = every.iter().flat_map(|every| hours.repeated(from, every));
        let reminders = reminders.take_while(|at| *at < due).take(MAX_REMINDERS).collect();
        Some(Due { due, reminders })
    };
    let counted = state.reviews.run(principal.workspace, counting).await?;
    let too_late =
        || ApiError::new(Code::FieldBad, "`span`: it ends later than time is counted; name a shorter one.");
    counted.map(Json).ok_or_else(too_late)
}

async fn find(conn: &mut PgConnection, principal: &Principal, name: &str) -> ApiResult<StoredCalendar> {
    calendars::find(conn, principal.workspace, name).await?.ok_or_else(ApiError::not_found)
}

/// Checks a calendar and writes it.
async fn write(
    state: &AppState,
    conn: &mut PgConnection,
    principal: &Principal,
    calendar: Calendar,
    action: &'static str,
) -> ApiResult<Shown> {
    working_time(&calendar)?;
    let stored = StoredCalendar {
        calendar,
        etag: state.clock.new_id(),
        updated_at: state.clock.now(),
        updated_by: principal.actor(),
    };
    calendars::put(&mut *conn, principal.workspace, &stored).await?;
    let entry = audit::entry(&state.clock, principal, action, &stored.calendar.name, json!({}));
    store::audit::insert(&mut *conn, &[&entry]).await?;
    shown(conn, principal, stored).await
}

/// A calendar that is sound, ready to count.
fn working_time(calendar: &Calendar) -> ApiResult<WorkingTime> {
    WorkingTime::of(calendar).map_err(|faults| {
        let findings = faults
            .into_iter()
            .map(|fault| Finding::error("calendar.invalid", fault.pointer, fault.message))
            .collect();
        Problem::new(Code::CalendarBad, "The calendar has errors; see `findings`.")
            .with_findings(findings)
            .into()
    })
}

async fn shown(conn: &mut PgConnection, principal: &Principal, stored: StoredCalendar) -> ApiResult<Shown> {
    let used_by = calendars::used_by(conn, principal.workspace, &stored.calendar.name).await?;
    Ok(Shown {
        calendar: stored.calendar,
        used_by,
        updated_at: stored.updated_at,
        updated_by: stored.updated_by,
    })
}
