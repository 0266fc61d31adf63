//! A browser without scripts: it keeps cookies, follows nothing by itself, and sends the forms of the page that it shows.

use crate::app::App;
use reqwest::{Method, RequestBuilder, redirect::Policy};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

#[derive(Clone)]
pub(super) struct Browser {
    http: reqwest::Client,
    base: String,
    pub(super) cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

/// A page as it came.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) html: String,
}

impl Page {
    /// Where it sends the browser.
    #[track_caller]
    pub(super) fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.html);
        self.headers["location"].to_str().unwrap()
    }

    #[track_caller]
    pub(super) fn says(&self, status: u16, text: &str) {
        assert_eq!(self.status, status, "{}", self.html);
        assert!(self.html.contains(text), "{text}\n{}", self.html);
    }

    /// What a hidden field of the page holds.
    #[track_caller]
    pub(super) fn hidden(&self, name: &str) -> String {
        let found = self.all_hidden().into_iter().rfind(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("{name}\n{}", self.html)).1
    }

    /// The hidden fields of the page.
    fn all_hidden(&self) -> Vec<(String, String)> {
        let fields = self.html.split("<input type=\"hidden\" name=\"").skip(1);
        fields
            .map(|field| {
                let (name, rest) = field.split_once("\" value=\"").unwrap();
                (name.to_owned(), unescaped(rest.split('"').next().unwrap()))
            })
            .collect()
    }
}

impl Browser {
    pub(super) fn of(app: &App) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { http, base: app.base.replace("/api/v1", ""), cookies: Arc::default() }
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Page {
        let cookies: Vec<String> = {
            let cookies = self.cookies.lock().unwrap();
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect()
        };
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        let response = with(request).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for set in headers.get_all("set-cookie") {
            let (pair, attributes) = set.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert!(attributes.contains("HttpOnly") && attributes.contains("SameSite=Lax"), "{attributes}");
            self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
        }
        Page { status, headers, html: response.text().await.unwrap() }
    }

    pub(super) async fn get(&self, path: &str) -> Page {
        self.send(Method::GET, path, |r| r).await
    }

    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.send(Method::POST, path, |r| r.form(fields)).await
    }

    /// Sends the form of a page that is shown, with what is filled in.
    pub(super) async fn submit(&self, page: &Page, path: &str, filled: &[(&str, &str)]) -> Page {
        let hidden = page.all_hidden();
        let own = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let fields: Vec<(&str, &str)> = own.chain(filled.iter().copied()).collect();
        self.post(path, &fields).await
    }

    /// Signs in by the page that a path leads to; gives the page that comes then.
    pub(super) async fn sign_in(&self, email: &str, path: &str) -> Page {
        let to = self.get(path).await.location().to_owned();
        let form = self.get(&to).await;
        let signed_in =
            self.submit(&form, "/login", &[("email", email), ("password", super::PASSWORD)]).await;
        let to = signed_in.location().to_owned();
        self.get(&to).await
    }
}

/// A text as it was before it was written into a page.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("&#");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |all, part| {
        let (code, rest) = part.split_once(';').unwrap();
        format!("{all}{}{rest}", char::from(code.parse::<u8>().unwrap()))
    })
}
