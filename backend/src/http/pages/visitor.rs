//! Who looks at a page, by the cookies of their browser.

use super::rendered::PageError;
use crate::{
    auth::{Principal, page_session::LASTS_HOURS},
    http::{AppState, guard, principal},
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use cookie::{Cookie, SameSite, time::Duration};
use shared_types::api::Access;

/// The cookie of somebody who is signed in.
pub(super) const SESSION: &str = "iw_session";
/// The cookie of a browser in which somebody is about to sign in.
pub(super) const VISIT: &str = "iw_visit";
/// The cookie of a browser in which somebody has signed in before.
pub(super) const DEVICE: &str = "iw_device";

/// Somebody who is signed in.
pub(super) struct Visitor {
    pub(super) principal: Principal,
    /// The token of their cookie, which their forms are bound to.
    pub(super) cookie: String,
}

impl Visitor {
    /// Refuses somebody whose roles don't let them do what an endpoint of the API is for.
    pub(super) fn needs(&self, access: Access) -> Result<(), PageError> {
        Ok(guard::check_access(access, &self.principal)?)
    }

    pub(super) fn name(&self) -> &str {
        self.principal.person().map_or("", |person| person.name.as_str())
    }
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, PageError> {
        let path = parts.uri.path_and_query().map_or("/a", |path| path.as_str()).to_owned();
        let Some(cookie) = cookie(&parts.headers, SESSION) else { return Err(PageError::SignInFirst(path)) };
        let mut conn = state.pool.acquire().await?;
        let found = state.page_sessions.find(&mut conn, &cookie, state.clock.now()).await?;
        drop(conn);
        let Some(access) = found else { return Err(PageError::SignInFirst(path)) };
        let address = principal::address(state, &parts.headers, &parts.extensions);
        let principal =
            principal::by_access(state, access, address.map(|address| address.to_string())).await?;
        let Some(principal) = principal else { return Err(PageError::SignInFirst(path)) };
        Ok(Self { principal, cookie })
    }
}

/// What a browser sends as a cookie.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let sent = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = sent.flat_map(Cookie::split_parse).flatten();
    let found = cookies.find(|cookie| cookie.name() == name)?;
    Some(found.value().to_owned()).filter(|value| !value.is_empty())
}

/// A cookie that no script reads and no other site's form carries.
pub(super) fn kept(state: &AppState, name: &'static str, value: String, lasts: Duration) -> Cookie<'static> {
    Cookie::build((name, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(state.public_url.starts_with("https:"))
        .max_age(lasts)
        .build()
}

/// How long a session's cookie is kept.
pub(super) fn session_lasts() -> Duration {
    Duration::hours(LASTS_HOURS)
}

/// A header that sets a cookie.
pub(super) fn set(cookie: &Cookie<'_>) -> (header::HeaderName, String) {
    (header::SET_COOKIE, cookie.to_string())
}
