//! What follows links without a person: scanners of mail, previews of chats. They decide nothing and learn nothing.

use super::{ask, browser::Browser, shop};
use reqwest::Method;

const BO: &str = "bo.ek@example.com";

type Headers = &'static [(&'static str, &'static str)];

/// How programs come that follow links: by what method, as whom, and with what headers.
const FOLLOWERS: [(&str, &str, Headers); 12] = [
    ("GET", "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0) SafeLinks", &[]),
    ("HEAD", "Microsoft Office/16.0 (Microsoft Outlook Mail)", &[]),
    ("GET", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", &[("range", "bytes=0-32768")]),
    ("GET", "Mozilla/5.0 (compatible; Proofpoint URL Defense)", &[("x-forwarded-for", "127.0.0.1")]),
    ("GET", "Mimecast-URL-Protect", &[("referer", "https://mail.example.com/")]),
    ("OPTIONS", "Barracuda Sentinel (EE)", &[]),
    ("GET", "facebookexternalhit/1.1", &[("accept", "*/*")]),
    ("GET", "WhatsApp/2.23 N", &[]),
    ("GET", "TelegramBot (like TwitterBot)", &[]),
    ("GET", "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0", &[("sec-purpose", "prefetch;prerender")]),
    ("GET", "Twitterbot/1.0", &[("purpose", "preview")]),
    (
        "POST",
        "Mozilla/5.0 (form-submitting scanner)",
        &[("content-type", "application/x-www-form-urlencoded")],
    ),
];

#[tokio::test]
async fn a_link_that_a_program_follows_decides_nothing_consumes_nothing_and_tells_nothing() {
    let (app, key, admin) = shop().await;
    let (id, _) = ask(&key, "A1").await;
    let path = format!("/a/{id}");
    let audit = async || admin.get("audit").await.json(200)["items"].as_array().unwrap().len();
    let before = audit().await;
    for (method, agent, headers) in FOLLOWERS {
        let method: Method = method.parse().unwrap();
        for path in [path.clone(), format!("{path}?decision=approve&done=1"), format!("{path}/")] {
            let page = Browser::of(&app)
                .send(method.clone(), &path, |r| {
                    let r = r.header("user-agent", agent).body("decision=approve&comment=x");
                    headers.iter().fold(r, |r, (name, value)| r.header(*name, *value))
                })
                .await;
            assert!([303, 403, 404, 405].contains(&page.status), "{agent}: {} {}", page.status, page.html);
            assert!(!page.html.contains("Order A1") && !page.html.contains("12,400"), "{agent}");
        }
    }
    assert_eq!(audit().await, before);
    let approval = admin.get(&format!("approvals/{id}")).await.json(200);
    assert_eq!(approval["status"], "pending");
    // The same link still works for its person, as often as they like; looking at it changes nothing either.
    let browser = Browser::of(&app);
    browser.sign_in(BO, &path).await.says(200, "Order A1");
    for method in [Method::GET, Method::HEAD, Method::GET] {
        assert_eq!(browser.send(method, &path, |r| r.body("decision=approve")).await.status, 200);
    }
    browser.get(&format!("{path}?decision=approve")).await.says(200, "name=\"decision\"");
    let approval = admin.get(&format!("approvals/{id}")).await.json(200);
    assert_eq!(approval["levels"][0]["decisions"], serde_json::json!([]));
    app.stop().await;
}
