//! Signing in and out by the page.

use super::{PASSWORD, ask, browser::Browser, shop};
use chrono::Duration;
use serde_json::json;

const BO: &str = "bo.ek@example.com";

#[tokio::test]
async fn a_link_leads_by_the_sign_in_page_to_the_card_and_back_out() {
    let (app, key, admin) = shop().await;
    let (id, _) = ask(&key, "A1").await;
    let browser = Browser::of(&app);
    let card = browser.sign_in(BO, &format!("/a/{id}")).await;
    card.says(200, "Approve €12,400.10 for Order A1?");
    // What others wrote is shown as text.
    card.says(200, "&#60;b&#62;Ada&#60;/b&#62; &#38; sons");
    assert_eq!(card.headers["cache-control"], "no-store");
    let policy = card.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!card.html.contains("<script"));
    let list = browser.get("/a").await;
    list.says(200, &format!("href=\"/a/{id}\""));
    let out = browser.submit(&list, "/logout", &[]).await;
    assert_eq!(out.location(), "/login");
    let ended = admin.get("audit?action=session.ended").await.json(200);
    assert_eq!(ended["items"][0]["actor"], BO);
    assert_eq!(browser.get(&format!("/a/{id}")).await.location(), format!("/login?next=%2Fa%2F{id}"));
    app.stop().await;
}

#[tokio::test]
async fn what_is_wrong_at_the_door_is_said_and_the_address_is_kept() {
    let (app, _, admin) = shop().await;
    let browser = Browser::of(&app);
    let form = browser.get("/login?next=https://evil.test/").await;
    assert_eq!(form.hidden("next"), "/a");
    let wrong =
        browser.submit(&form, "/login", &[("email", BO), ("password", "not the right password")]).await;
    wrong.says(401, "Email and password don&#39;t match.");
    wrong.says(401, &format!("value=\"{BO}\""));
    browser
        .submit(&form, "/login", &[("email", BO)])
        .await
        .says(422, "Write your email address and your password.");
    let zero = [("email", "a\0b@example.com"), ("password", PASSWORD)];
    browser.submit(&form, "/login", &zero).await.says(422, "role=\"alert\"");
    let entered = browser.submit(&form, "/login", &[("email", BO), ("password", PASSWORD)]).await;
    assert_eq!(entered.location(), "/a");
    browser.get("/a").await.says(200, "Nothing waits for you.");
    let audit = admin.get("audit?action=session.started").await.json(200);
    assert_eq!(audit["items"][0]["detail"], json!({ "with": "password", "on": "web" }));
    app.stop().await;
}

#[tokio::test]
async fn a_session_of_the_pages_ends_with_its_time_its_person_and_their_password() {
    let (app, _, admin) = shop().await;
    let browser = Browser::of(&app);
    browser.sign_in(BO, "/a").await.says(200, "Nothing waits for you.");
    let cookie = browser.cookies.lock().unwrap()["iw_session"].clone();
    // It can't be made a longer session of the API.
    admin.post("auth/refresh", json!({ "refresh_token": cookie })).await.problem(401);
    let users = admin.get("users").await.json(200);
    let bo = users["items"].as_array().unwrap().iter().find(|user| user["email"] == BO).unwrap();
    let path = format!("users/{}", bo["user_id"].as_str().unwrap());
    admin.patch(&path, json!({ "active": false })).await.json(200);
    assert!(browser.get("/a").await.location().starts_with("/login"));
    admin.patch(&path, json!({ "active": true })).await.json(200);
    browser.sign_in(BO, "/a").await.says(200, "Nothing waits for you.");
    let state = &app.running.state;
    let found = async |after: Duration| {
        let cookie = browser.cookies.lock().unwrap()["iw_session"].clone();
        let mut conn = state.pool.acquire().await.unwrap();
        state.page_sessions.find(&mut conn, &cookie, state.clock.now() + after).await.unwrap()
    };
    assert!(found(Duration::minutes(12 * 60 - 1)).await.is_some());
    assert!(found(Duration::minutes(12 * 60 + 1)).await.is_none());
    app.stop().await;
}
