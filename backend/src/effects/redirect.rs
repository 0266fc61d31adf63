//! Redirects, followed as `fetch` follows them (Fetch Standard, "HTTP-redirect fetch").

use axum::body::Bytes;
use reqwest::{
    Method, StatusCode, Url,
    header::{self, HeaderMap, HeaderName},
};

/// How many redirects one call follows.
pub(super) const MAX_REDIRECTS: u32 = 10;

/// A request on its way to one address.
#[derive(Debug, Clone)]
pub(super) struct Hop {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
}

/// What a call may send only to the origin that its author named.
#[derive(Debug, Clone, Default)]
pub(super) struct Confidential {
    /// The headers that hold a secret, besides `Authorization` and `Cookie`.
    pub(super) headers: Vec<HeaderName>,
    /// Whether the body holds a secret.
    pub(super) body: bool,
}

/// Why a redirect isn't followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum RedirectError {
    /// There were too many.
    #[error("It redirects more than {MAX_REDIRECTS} times; call the last address itself")]
    Endless,
    /// The `Location` can't be read, or names no http address.
    #[error("It redirects to what isn't an http or https address")]
    Unreadable,
    /// The body holds a secret and would go to another origin.
    #[error(
        "It redirects to another origin, which would be sent the secret in the body; call that address itself"
    )]
    SecretBody,
}

impl RedirectError {
    /// The stable code of the step's failure.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Endless => "redirect.endless",
            Self::Unreadable => "redirect.bad",
            Self::SecretBody => "redirect.secret",
        }
    }
}

/// The address that an answer redirects to; `None` where the answer is the last one.
pub(super) fn target(
    status: StatusCode,
    headers: &HeaderMap,
    from: &Url,
) -> Result<Option<Url>, RedirectError> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = headers.get(header::LOCATION) else { return Ok(None) };
    let location = String::from_utf8_lossy(location.as_bytes());
    let target = from.join(location.trim()).map_err(|_| RedirectError::Unreadable)?;
    match target.scheme() {
        "http" | "https" => Ok(Some(target)),
        _ => Err(RedirectError::Unreadable),
    }
}

impl Hop {
    /// The request that follows a redirect with this status.
    pub(super) fn redirected(
        mut self,
        status: StatusCode,
        to: Url,
        confidential: &Confidential,
    ) -> Result<Self, RedirectError> {
        let by_get = match status.as_u16() {
            301 | 302 => self.method == Method::POST,
            303 => !matches!(self.method, Method::GET | Method::HEAD),
            _ => false,
        };
        if by_get {
            self.method = Method::GET;
            self.body = None;
            self.retain_headers(|name| !describes_body(name));
        }
        if to.origin() != self.url.origin() {
            if confidential.body && self.body.is_some() {
                return Err(RedirectError::SecretBody);
            }
            self.retain_headers(|name| !is_credential(name) && !confidential.headers.contains(name));
        }
        self.url = to;
        Ok(self)
    }

    fn retain_headers(&mut self, keeps: impl Fn(&HeaderName) -> bool) {
        let dropped: Vec<HeaderName> = self.headers.keys().filter(|name| !keeps(name)).cloned().collect();
        for name in dropped {
            self.headers.remove(name);
        }
    }
}

/// Whether a header says something about the body, and has no meaning without one.
fn describes_body(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with("content-") || matches!(name, "digest" | "repr-digest" | "trailer" | "expect")
}

fn is_credential(name: &HeaderName) -> bool {
    [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION].contains(name)
        || name.as_str() == "cookie2"
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn hop(method: Method) -> Hop {
        let mut headers = HeaderMap::new();
        for name in ["content-type", "content-language", "authorization", "cookie", "x-token", "x-plain"] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("v"));
        }
        let url = Url::parse("https://one.example/a/b").unwrap();
        Hop { method, url, headers, body: Some(b"{}".as_slice().into()) }
    }

    fn names(hop: &Hop) -> Vec<&str> {
        let mut names: Vec<&str> = hop.headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    fn confidential() -> Confidential {
        Confidential { headers: vec![HeaderName::from_static("x-token")], body: false }
    }

    #[test]
    fn a_redirect_changes_the_method_as_fetch_does() {
        for (status, method, expected, has_body) in [
            (301, Method::POST, Method::GET, false),
            (302, Method::POST, Method::GET, false),
            (303, Method::POST, Method::GET, false),
            (303, Method::PUT, Method::GET, false),
            (303, Method::PATCH, Method::GET, false),
            (303, Method::DELETE, Method::GET, false),
            (303, Method::HEAD, Method::HEAD, true),
            (303, Method::GET, Method::GET, true),
            (301, Method::PUT, Method::PUT, true),
            (302, Method::DELETE, Method::DELETE, true),
            (301, Method::HEAD, Method::HEAD, true),
            (307, Method::POST, Method::POST, true),
            (308, Method::PATCH, Method::PATCH, true),
        ] {
            let to = Url::parse("https://one.example/c").unwrap();
            let code = StatusCode::from_u16(status).unwrap();
            let next = hop(method.clone()).redirected(code, to, &confidential()).unwrap();
            assert_eq!((next.method, next.body.is_some()), (expected, has_body), "{status} {method}");
            assert_eq!(next.headers.contains_key("content-type"), has_body, "{status} {method}");
            assert!(next.headers.contains_key("authorization"), "the origin is the same");
        }
    }

    #[test]
    fn credentials_stay_with_the_origin_that_they_were_meant_for() {
        for (to, kept) in [
            ("https://one.example/c", true),
            ("https://one.example:443/c", true),
            ("http://one.example/c", false),
            ("https://one.example:8443/c", false),
            ("https://two.example/c", false),
            ("https://sub.one.example/c", false),
        ] {
            let to = Url::parse(to).unwrap();
            let next = hop(Method::GET)
                .redirected(StatusCode::TEMPORARY_REDIRECT, to.clone(), &confidential())
                .unwrap();
            let expected: &[&str] = if kept {
                &["authorization", "content-language", "content-type", "cookie", "x-plain", "x-token"]
            } else {
                &["content-language", "content-type", "x-plain"]
            };
            assert_eq!(names(&next), expected, "{to}");
        }
        let secret_body = Confidential { body: true, ..confidential() };
        let elsewhere = Url::parse("https://two.example/").unwrap();
        let repeated =
            hop(Method::POST).redirected(StatusCode::PERMANENT_REDIRECT, elsewhere.clone(), &secret_body);
        assert_eq!(repeated.unwrap_err(), RedirectError::SecretBody);
        assert!(hop(Method::POST).redirected(StatusCode::SEE_OTHER, elsewhere, &secret_body).is_ok());
    }

    #[test]
    fn only_a_redirect_with_a_location_leads_on() {
        let from = Url::parse("https://one.example/a/b?x=1").unwrap();
        let at = |status: u16, location: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::LOCATION, HeaderValue::from_bytes(location.as_bytes()).unwrap());
            target(StatusCode::from_u16(status).unwrap(), &headers, &from)
                .map(|url| url.map(|url| url.to_string()))
        };
        let to = |url: &str| Ok(Some(url.to_owned()));
        assert_eq!(at(302, "c"), to("https://one.example/a/c"));
        assert_eq!(at(303, "/ü"), to("https://one.example/%C3%BC"));
        assert_eq!(at(308, "//two.example/"), to("https://two.example/"));
        for status in [200, 201, 300, 304, 305, 400] {
            assert_eq!(at(status, "/c"), Ok(None), "{status}");
        }
        for bad in ["ftp://two.example/", "javascript:alert(1)", "http://", "file:///etc/passwd"] {
            assert_eq!(at(302, bad), Err(RedirectError::Unreadable), "{bad}");
        }
        assert_eq!(target(StatusCode::FOUND, &HeaderMap::new(), &from), Ok(None));
    }
}
