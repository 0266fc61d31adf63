//! Pages for people without the app: signing in, what waits, and the card of a request. They are rendered here, need no
//! script, and decide by POST alone.

mod approval;
mod deciding;
mod form;
mod rendered;
mod sign_in;
mod visitor;

use super::AppState;
use axum::{
    Router,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
    routing::get,
};

/// How large the body of a form may be, in bytes.
const MAX_FORM: usize = 64 * 1024;

pub(super) fn mount(router: Router<AppState>) -> Router<AppState> {
    router
        .route("/pages.css", get(style))
        .route("/login", get(sign_in::show).post(sign_in::sign_in))
        .route("/logout", axum::routing::post(sign_in::sign_out))
        .route("/a", get(approval::waiting))
        .route("/a/{approval}", get(approval::show).post(deciding::decide))
}

async fn style() -> Response {
    let kind = HeaderValue::from_static("text/css; charset=utf-8");
    let kept = HeaderValue::from_static("public, max-age=3600");
    let style = include_str!("../../templates/pages.css");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, kept)], style).into_response()
}
