//! What every request and every answer has to keep, whatever its path.

use super::problem::{self, ApiError};
use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, Version, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use shared_types::api::problem::Code;

const FRAME_OPTIONS: HeaderName = header::X_FRAME_OPTIONS;

/// Refuses requests with two hosts, makes every failure a problem, and adds the headers that browsers and caches heed.
pub(super) async fn hygiene(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let is_docs = request.uri().path().starts_with("/docs");
    let hosts = request.headers().get_all(header::HOST).iter().count();
    let mut response = if hosts > 1 && request.version() < Version::HTTP_2 {
        let detail = "The request has more than one Host header; send one.";
        ApiError::new(Code::RequestBad, detail).into_response()
    } else {
        problem::as_problem(next.run(request).await)
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    let policy = if is_docs {
        // The page of Swagger UI writes styles into its elements, and its icons are data.
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    } else {
        "default-src 'none'; frame-ancestors 'none'"
    };
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(policy));
    if is_api {
        // Answers hold tokens, secrets that are shown once, and other people's data.
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}
