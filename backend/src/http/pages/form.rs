//! A form as a browser sends it: read once, bounded, and only from a page that this server showed to this browser.

use super::{MAX_FORM, rendered::PageError};
use crate::http::{AppState, body, problem::ApiError};
use axum::{
    body::to_bytes,
    extract::Request,
    http::{HeaderMap, Uri, header, uri::Authority},
};
use shared_types::api::problem::Code;
use std::collections::BTreeMap;

/// The fields of a form that came from one of our pages.
#[derive(Debug)]
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads a form and looks where it comes from. `cookie` is that of the browser which the form was shown to.
    pub(super) async fn read(
        state: &AppState,
        cookie: Option<&str>,
        request: Request,
    ) -> Result<Self, PageError> {
        let is_ours = is_same_origin(state, request.headers());
        let request = body::buffered(request, MAX_FORM).await?;
        let bytes = to_bytes(request.into_body(), MAX_FORM).await.unwrap_or_default();
        let fields = Self(form_urlencoded::parse(&bytes).into_owned().collect());
        let token = fields.text("token");
        if !is_ours || !cookie.is_some_and(|cookie| state.page_sessions.is_form_token(cookie, token)) {
            let detail = "This form doesn't come from a page that was shown in this browser. Go back, load the page again, and send it from there.";
            return Err(ApiError::new(Code::Forbidden, detail).into());
        }
        Ok(fields)
    }

    /// A field's text; empty where the form has none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Whether the form has a field.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A field's text with the line ends of this server: a browser sends its own.
    pub(super) fn lines(&self, name: &str) -> String {
        self.text(name).replace("\r\n", "\n")
    }

    /// A field's text, where it holds some.
    pub(super) fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.trim().is_empty()).map(str::to_owned)
    }
}

/// A parameter of an address.
pub(super) fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Whether a browser says that a form was sent from this server's own page. One that says nothing is judged by its token.
fn is_same_origin(state: &AppState, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = text(header::ORIGIN.as_str()).filter(|origin| *origin != "null") else { return true };
    let Ok(origin) = origin.parse::<Uri>() else { return false };
    let public: Option<Uri> = state.public_url.parse().ok();
    let is_public = public
        .is_some_and(|public| (public.scheme(), public.authority()) == (origin.scheme(), origin.authority()));
    is_public || text(header::HOST.as_str()) == origin.authority().map(Authority::as_str)
}
