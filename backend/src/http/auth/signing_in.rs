//! Signing in, with a password or a code.

use super::{Begun, answer, count, place};
use crate::{
    audit,
    auth::{
        password::{self, Comer},
        session,
        throttle::{Counted, Subject},
        token_hash,
    },
    clock::Clock,
    http::{
        AppState,
        body::Body,
        invitations, principal,
        problem::{ApiError, ApiResult},
    },
    store::{
        self, people,
        people::{Account, Membership},
        sessions,
    },
};
use axum::{
    Json,
    extract::State,
    http::{Extensions, HeaderMap},
};
use serde_json::{Value, json};
use shared_types::{
    api::{
        auth::{LoginRequest, Session},
        problem::{Code, Problem},
    },
    email::{BadAddress, EmailAddress},
    ids::{DeviceId, SessionId},
};
use sqlx::PgConnection;
use std::net::IpAddr;

pub(in crate::http) async fn login(
    State(state): State<AppState>,
    headers: HeaderMap,
    extensions: Extensions,
    Body(login): Body<LoginRequest>,
) -> ApiResult<Json<Session>> {
    let address = principal::address(&state, &headers, &extensions);
    let Entered { session, account, membership, token, device } =
        enter(&state, &login, address, Through::App).await?;
    let begun = Begun { session, account: &account, membership: &membership, refresh_token: token, device };
    Ok(Json(answer(&state, begun)?))
}

/// Where somebody signs in.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) enum Through {
    /// In the app or another client: the session goes on by refresh tokens.
    App,
    /// On the web pages: the session lasts some hours.
    Pages,
}

/// Somebody who has just signed in.
pub(in crate::http) struct Entered {
    session: SessionId,
    account: Account,
    membership: Membership,
    /// The refresh token, or that of the browser's cookie.
    pub(in crate::http) token: String,
    /// The mark of this machine.
    pub(in crate::http) device: Option<String>,
}

/// Lets a person in who says who they are, and begins a session.
pub(in crate::http) async fn enter(
    state: &AppState,
    login: &LoginRequest,
    address: Option<IpAddr>,
    through: Through,
) -> ApiResult<Entered> {
    let account = match &login.code {
        Some(code) => by_code(state, code).await?,
        None => by_password(state, login, address).await?,
    };
    let now = state.clock.now();
    let mut transaction = state.pool.begin().await?;
    let membership =
        choose(&mut transaction, &state.clock, &account, login.workspace.as_deref(), address).await?;
    let session = SessionId(state.clock.new_id());
    let (user, workspace) = (account.user_id, membership.workspace);
    let (token, on) = match through {
        Through::App => (session::begin(&mut transaction, user, workspace, session, now).await?, "app"),
        Through::Pages => {
            (state.page_sessions.begin(&mut transaction, user, workspace, session, now).await?, "web")
        }
    };
    let detail = json!({ "with": if login.code.is_some() { "code" } else { "password" }, "on": on });
    let entry = audit::entry_of(&state.clock, &account, workspace, address, "session.started", detail);
    store::audit::insert(&mut transaction, &[&entry]).await?;
    transaction.commit().await?;
    let known = device(state, login, &account);
    let known = known.unwrap_or_else(|| DeviceId(state.clock.new_id()));
    let device = state.devices.mark(user, known, now);
    Ok(Entered { session, account, membership, token, device })
}

/// The machine, where this person has signed in from it before.
fn device(state: &AppState, login: &LoginRequest, account: &Account) -> Option<DeviceId> {
    state.devices.read(login.device.as_deref()?, account.user_id, state.clock.now())
}

async fn by_password(state: &AppState, login: &LoginRequest, address: Option<IpAddr>) -> ApiResult<Account> {
    let (Some(email), Some(password)) = (&login.email, &login.password) else {
        return Err(ApiError::new(Code::FieldBad, "Send `email` and `password`, or `code`."));
    };
    if password.chars().count() > password::MAX_LENGTH {
        let detail = format!("`password`: {}.", password::WeakPassword::Long);
        return Err(ApiError::new(Code::FieldBad, detail));
    }
    let account = find(state, email).await?;
    let device = account.as_ref().and_then(|account| device(state, login, account));
    let (comer, subjects) = counted_for(email, device, address);
    let place = place(state, comer)?;
    let counted = count(state, subjects).await?;
    let hash = account.as_ref().and_then(|account| account.password_hash.clone());
    let right = place.verify(password.clone(), hash).await;
    match account {
        Some(account) if right => {
            let mut conn = state.pool.acquire().await?;
            counted.succeeded(&mut conn).await?;
            Ok(account)
        }
        Some(account) => {
            remember_failure(state, &account, login, &counted, address).await?;
            Err(wrong())
        }
        None => {
            tracing::info!(
                address = address.map(tracing::field::display),
                "somebody unknown tried to sign in"
            );
            Err(wrong())
        }
    }
}

/// For what a try is counted: for a machine that is known to the account alone, else for the account and the address.
fn counted_for(email: &str, device: Option<DeviceId>, address: Option<IpAddr>) -> (Comer, Vec<Subject>) {
    if let Some(device) = device {
        return (Comer::Known, vec![Subject::Device(device)]);
    }
    let address = address.map(Subject::Address);
    (Comer::Stranger, std::iter::once(Subject::account(email)).chain(address).collect())
}

fn wrong() -> ApiError {
    ApiError::new(Code::WrongPassword, "Email and password don't match.")
}

/// The account with an address. An account that was made before addresses had a rule is found as it is written.
async fn find(state: &AppState, email: &str) -> ApiResult<Option<Account>> {
    let bad = |why: BadAddress| ApiError::new(Code::FieldBad, format!("`email`: {why}."));
    let read = email.parse::<EmailAddress>();
    if read == Err(BadAddress::Long) {
        return Err(bad(BadAddress::Long));
    }
    let mut conn = state.pool.acquire().await?;
    match (people::find_account(&mut conn, email).await?, read) {
        (None, Err(why)) => Err(bad(why)),
        (account, _) => Ok(account),
    }
}

/// A failure stands in the audit log of each workspace that the person could have entered.
async fn remember_failure(
    state: &AppState,
    account: &Account,
    login: &LoginRequest,
    counted: &Counted,
    address: Option<IpAddr>,
) -> ApiResult<()> {
    let mut transaction = state.pool.begin().await?;
    let mut memberships = people::memberships(&mut transaction, account.user_id).await?;
    if let Some(named) = &login.workspace {
        memberships.retain(|membership| membership.workspace_name == *named);
    }
    for Membership { workspace, .. } in memberships {
        let failed = audit::entry_of(&state.clock, account, workspace, address, "session.refused", json!({}));
        let slowed = audit::entry_of(&state.clock, account, workspace, address, "session.slowed", json!({}));
        let entries = if counted.is_last_free() { vec![&failed, &slowed] } else { vec![&failed] };
        store::audit::insert(&mut transaction, &entries).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn by_code(state: &AppState, code: &str) -> ApiResult<Account> {
    let mut conn = state.pool.acquire().await?;
    let user = sessions::use_code(&mut conn, &token_hash(code), state.clock.now()).await?;
    let account = match user {
        Some(user) => people::account(&mut conn, user).await?,
        None => None,
    };
    account.ok_or_else(|| ApiError::new(Code::WrongPassword, "The code is invalid: it works once, for 60 s."))
}

/// The workspace to sign in to: the only one, or the one that is named.
async fn choose(
    conn: &mut PgConnection,
    clock: &Clock,
    account: &Account,
    named: Option<&str>,
    address: Option<IpAddr>,
) -> ApiResult<Membership> {
    let mut memberships = people::memberships(conn, account.user_id).await?;
    if memberships.is_empty()
        && let Some(invited) = choose_invitation(conn, clock, account, named, address).await?
    {
        return Ok(invited);
    }
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
            let names = memberships.into_iter().map(|membership| membership.workspace_name);
            Err(say_which(names, "You belong to several workspaces; send the one to enter as `workspace`."))
        }
    }
}

/// For somebody who belongs to no workspace, and could answer an invitation nowhere: naming a workspace that invites
/// them accepts it.
async fn choose_invitation(
    conn: &mut PgConnection,
    clock: &Clock,
    account: &Account,
    named: Option<&str>,
    address: Option<IpAddr>,
) -> ApiResult<Option<Membership>> {
    let invited = store::invitations::open_of(conn, account.user_id).await?;
    if invited.is_empty() {
        return Ok(None);
    }
    let Some(named) = named else {
        let names = invited.into_iter().map(|invitation| invitation.workspace);
        let detail = "You are invited to join; send the workspace as `workspace` to accept and enter.";
        return Err(say_which(names, detail));
    };
    let Some(invitation) = invited.into_iter().find(|invitation| invitation.workspace == named) else {
        return Ok(None);
    };
    invitations::accept_as(conn, clock, account, invitation.invitation_id, address).await?;
    let mut memberships = people::memberships(conn, account.user_id).await?;
    memberships.retain(|membership| membership.workspace_name == named);
    Ok(memberships.pop())
}

fn say_which(names: impl Iterator<Item = String>, detail: &str) -> ApiError {
    let names = names.map(Value::String).collect();
    Problem::new(Code::WorkspaceNeeded, detail).with("workspaces", Value::Array(names)).into()
}
