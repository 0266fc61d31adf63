//! The page on which people sign in, and the way out.

use super::{
    form::{Form, parameter},
    rendered::{PageError, page, private},
    visitor::{DEVICE, SESSION, VISIT, cookie, kept, session_lasts, set},
};
use crate::{
    auth::page_session::fresh_token,
    http::{
        AppState,
        auth::{Through, enter, note_end},
        body, principal,
    },
    store::sessions,
};
use askama::Template;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{AppendHeaders, IntoResponse as _, Redirect, Response},
};
use cookie::time::Duration;
use serde_json::{Value, json};
use shared_types::api::{auth::LoginRequest, problem::Problem};

/// How long a browser in which nobody is signed in is remembered: as long as somebody may leave the page open.
const VISIT_LASTS: Duration = Duration::hours(1);
/// How long a machine is remembered.
const DEVICE_LASTS: Duration = Duration::days(180);

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    form_token: String,
    next: String,
    email: String,
    workspaces: Vec<String>,
    problem: Option<String>,
}

pub(super) async fn show(State(state): State<AppState>, headers: HeaderMap, uri: Uri) -> Response {
    let next = parameter(&uri, "next");
    let (token, visit) = visit(&state, &headers);
    let form = SignIn {
        form_token: token,
        next: local(next.as_deref()).to_owned(),
        email: String::new(),
        workspaces: Vec::new(),
        problem: None,
    };
    (AppendHeaders([visit]), page(StatusCode::OK, &form)).into_response()
}

/// The token of a form for somebody who isn't signed in, and the cookie that it is bound to.
fn visit(state: &AppState, headers: &HeaderMap) -> (String, (axum::http::HeaderName, String)) {
    let value = cookie(headers, VISIT).unwrap_or_else(fresh_token);
    let token = state.page_sessions.form_token(&value);
    (token, set(&kept(state, VISIT, value, VISIT_LASTS)))
}

/// Where somebody goes after signing in: one of our own pages.
fn local(next: Option<&str>) -> &str {
    let is_page = |next: &&str| {
        (*next == "/a" || next.starts_with("/a/"))
            && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    next.filter(is_page).unwrap_or("/a")
}

pub(super) async fn sign_in(
    State(state): State<AppState>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, PageError> {
    let address = principal::address(&state, &headers, request.extensions());
    let form = Form::read(&state, cookie(&headers, VISIT).as_deref(), request).await?;
    let next = local(Some(form.text("next"))).to_owned();
    // Held against the same rules as a sign-in by the API.
    let sent = json!({
        "email": form.some("email"), "password": form.some("password"), "workspace": form.some("workspace"),
        "device": cookie(&headers, DEVICE),
    });
    let entered = match body::of_value::<LoginRequest>(sent) {
        Ok(login) => enter(&state, &login, address, Through::Pages).await,
        Err(error) => Err(error),
    };
    match entered {
        Ok(entered) => {
            let session = set(&kept(&state, SESSION, entered.token, session_lasts()));
            let device = entered.device.map(|mark| set(&kept(&state, DEVICE, mark, DEVICE_LASTS)));
            let mut response = private((AppendHeaders([session]), Redirect::to(&next)).into_response());
            if let Some(device) = device {
                response = (AppendHeaders([device]), response).into_response();
            }
            Ok(response)
        }
        Err(error) => {
            let wait = error.seconds_to_wait();
            let problem = error.into_problem();
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            if status.is_server_error() {
                return Err(PageError::from(problem));
            }
            let (form_token, visit) = visit(&state, &headers);
            let workspaces = workspaces_of(&problem);
            let told = match (form.some("email").is_some() && form.some("password").is_some(), workspaces.is_empty()) {
                (false, _) => "Write your email address and your password.".to_owned(),
                (true, true) => problem.detail,
                (true, false) => {
                    "Choose the workspace to enter, and write your password again. Entering one that invites you accepts its invitation."
                        .to_owned()
                }
            };
            let email = form.text("email").to_owned();
            let shown = SignIn { form_token, next, email, workspaces, problem: Some(told) };
            let mut response = (AppendHeaders([visit]), page(status, &shown)).into_response();
            if let Some(seconds) = wait {
                response.headers_mut().insert(axum::http::header::RETRY_AFTER, seconds.into());
            }
            Ok(response)
        }
    }
}

/// The workspaces that a person has to choose of.
fn workspaces_of(problem: &Problem) -> Vec<String> {
    let named = problem.more.get("workspaces").and_then(Value::as_array);
    let named = named.into_iter().flatten().filter_map(Value::as_str);
    named.map(str::to_owned).collect()
}

pub(super) async fn sign_out(
    State(state): State<AppState>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, PageError> {
    let cookie = cookie(&headers, SESSION);
    let address = principal::address(&state, &headers, request.extensions());
    Form::read(&state, cookie.as_deref(), request).await?;
    if let Some(cookie) = cookie {
        let now = state.clock.now();
        let mut transaction = state.pool.begin().await?;
        if let Some(access) = state.page_sessions.find(&mut transaction, &cookie, now).await?
            && let Some(session) = access.session
        {
            sessions::end(&mut transaction, session, access.user, now).await?;
            note_end(&state, &mut transaction, (access.user, access.workspace), address).await?;
        }
        transaction.commit().await?;
    }
    let gone = set(&kept(&state, SESSION, String::new(), Duration::ZERO));
    Ok(private((AppendHeaders([gone]), Redirect::to("/login")).into_response()))
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn signing_in_leads_to_our_own_pages_alone() {
        for (next, to) in [
            (Some("/a/0190"), "/a/0190"),
            (Some("/a"), "/a"),
            (Some("//evil.test/a/"), "/a"),
            (Some("https://evil.test"), "/a"),
            (Some("/a/\r\nSet-Cookie: x"), "/a"),
            (Some("/a/\\evil.test"), "/a"),
            (Some("/a/\0"), "/a"),
            (Some("/api/v1/users"), "/a"),
            (None, "/a"),
        ] {
            assert_eq!(local(next), to, "{next:?}");
        }
    }
}
