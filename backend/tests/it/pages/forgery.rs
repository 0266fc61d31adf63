//! Forms that weren't shown to the browser that sends them decide nothing.

use super::{ask, browser::Browser, person, shop};
use reqwest::Method;
use serde_json::json;

const BO: &str = "bo.ek@example.com";

#[tokio::test]
async fn a_form_of_another_site_or_another_browser_is_refused() {
    let (app, key, admin) = shop().await;
    let cy = person(&admin, "Cy Roth", &["operator", "sales_manager"]).await;
    let (id, _) = ask(&key, "A1").await;
    let path = format!("/a/{id}");
    let browser = Browser::of(&app);
    let card = browser.sign_in(BO, &path).await;
    let others = Browser::of(&app).sign_in(&cy, &path).await;
    let own = card.hidden("token");
    let of_sign_in = browser.get("/login").await.hidden("token");
    for token in ["", "x", &others.hidden("token"), &of_sign_in, &own[..own.len() - 1]] {
        let page = browser.post(&path, &[("token", token), ("decision", "approve")]).await;
        page.says(403, "doesn&#39;t come from a page");
    }
    for (name, value) in [
        ("origin", "https://evil.test"),
        ("origin", "http://localhost.evil.test"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let fields = [("token", own.as_str()), ("decision", "approve")];
        let page = browser.send(Method::POST, &path, |r| r.header(name, value).form(&fields)).await;
        page.says(403, "doesn&#39;t come from a page");
    }
    // Of one that is too large, or isn't a form, nothing is taken either.
    let large = "x".repeat(70_000);
    browser.post(&path, &[("token", &own), ("comment", &large)]).await.says(413, "larger than");
    let body = json!({ "token": own, "decision": "approve" });
    assert_eq!(browser.send(Method::POST, &path, |r| r.json(&body)).await.status, 403);
    let approval = admin.get(&format!("approvals/{id}")).await.json(200);
    assert_eq!(approval["status"], "pending");
    assert_eq!(approval["levels"][0]["decisions"], json!([]));
    // The page's own form, from this very site.
    let origin = app.base.replace("/api/v1", "");
    let fields = [("token", own.as_str()), ("decision", "approve")];
    let page = browser
        .send(Method::POST, &path, |r| {
            r.header("origin", origin).header("sec-fetch-site", "same-origin").form(&fields)
        })
        .await;
    assert_eq!(page.location(), format!("{path}?done=1"));
    app.stop().await;
}
