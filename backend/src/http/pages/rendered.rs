//! Rendered pages, and failures as pages.

use crate::http::problem::ApiError;
use askama::Template;
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};

/// What a page may load and send: its own style, and forms to this server.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    title: &'a str,
    detail: &'a str,
}

/// A failure on its way to a browser.
#[derive(Debug)]
pub(super) enum PageError {
    /// As the API would tell it.
    Problem(ApiError),
    /// Nobody is signed in: the way to the sign-in page, and back here from it.
    SignInFirst(String),
}

impl<E: Into<ApiError>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        match self {
            Self::SignInFirst(path) => {
                let next = form_urlencoded::byte_serialize(path.as_bytes()).collect::<String>();
                private(Redirect::to(&format!("/login?next={next}")).into_response())
            }
            Self::Problem(error) => {
                let retry_after = error.seconds_to_wait();
                let problem = error.problem();
                let status =
                    StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let mut response = page(status, &Message { title: &problem.title, detail: &problem.detail });
                if let Some(seconds) = retry_after {
                    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                }
                response
            }
        }
    }
}

/// A page as an answer.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => private((status, Html(html)).into_response()),
        Err(error) => {
            tracing::error!(%error, "a page can't be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// An answer that nobody else may keep, and that loads nothing from elsewhere.
pub(super) fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let set: [(HeaderName, &'static str); 2] =
        [(header::CACHE_CONTROL, "no-store"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    for (name, value) in set {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
