//! Who is told of requests and notices by mail, as they want it: what is urgent, quiet hours, what is over.

use crate::{
    app::{App, Client, eventually, fresh_database},
    mail::{ReadMail, mail_server, mails, mails_when},
    moved_time::Ahead,
};
use backend::{clock::Clock, commands::sample_mail::mail_server::Mailbox, serve::StartOptions};
use chrono::{DateTime, Duration, Timelike as _, Utc};
use reqwest::Method;
use serde_json::{Value, json};

const ASK: &str = "workflow_id: ask\nname: Ask\ntrigger: { type: event, event: ask }\nenabled: true\n\
    subject: 'Order {{ id }}'\namount: '{{ total }}'\ncurrency: EUR\nsteps:\n  - id: ask\n    type: approval\n    approval:\n      \
    show: { customer: '{{ customer }}' }\n      levels: LEVELS\n    on_approved: yes\n    on_rejected: no\n  \
    - { id: yes, type: action, action: { type: allow } }\n  \
    - { id: no, type: action, action: { type: block, reason: Refused } }\n";

struct Shop {
    app: App,
    ahead: Ahead,
    mailbox: Mailbox,
    key: Client,
}

/// A server with mail whose clock is moved, and a workflow that asks these levels.
async fn shop(levels: &str) -> Shop {
    let (mailbox, url) = mail_server().await;
    let ahead = Ahead::default();
    let with = StartOptions { clock: Clock::of(ahead.clone()), ..StartOptions::default() };
    let app = App::start_with_options(with, &fresh_database().await, |config| {
        config.smtp_url = Some(url);
        "https://approvals.example.com/".clone_into(&mut config.public_url);
    })
    .await;
    app.publish(&ASK.replace("LEVELS", levels)).await;
    let key = app.key(&["events:write"]).await;
    Shop { app, ahead, mailbox, key }
}

impl Shop {
    async fn ask(&self, id: &str) -> String {
        let payload = json!({ "id": id, "total": "12400.10", "customer": "<b>Ada</b> & sons" });
        let answer =
            self.key.post("events?wait=5s", json!({ "type": "ask", "id": id, "payload": payload })).await;
        answer.json(200)["runs"][0]["approval_id"].as_str().unwrap().to_owned()
    }

    /// Waits until nothing more is to be told, so that what didn't come won't.
    async fn settled(&self) {
        eventually("all is told", || async {
            let mut conn = self.app.running.state.pool.acquire().await.unwrap();
            let now = self.app.running.state.clock.now();
            let open: i64 = sqlx::query_scalar(
                "select (select count(*) from outreach where next_at <= $1 + interval '61 s')
                      + (select count(*) from notices where next_at is not null)
                      + (select count(*) from deliveries where status = 'pending' and next_at <= $1 + interval '61 s')",
            )
            .bind(now)
            .fetch_one(&mut *conn)
            .await
            .unwrap();
            if open == 0 { Ok(()) } else { Err(format!("{open} are open")) }
        })
        .await;
    }
}

async fn wants(person: &Client, said: &Value) {
    person.send(Method::PUT, "me/notifications", |r| r.json(said)).await.json(200);
}

fn to<'m>(mails: &'m [ReadMail], name: &str) -> Vec<&'m ReadMail> {
    mails.iter().filter(|mail| mail.to.starts_with(name)).collect()
}

#[tokio::test]
async fn a_request_is_mailed_with_what_its_card_says_and_one_link() {
    let shop = shop("[{ approvers: ['role:finance'], expires_in: 1d }]").await;
    let bo = shop.app.person("Bo Ek", &["operator", "finance"]).await;
    wants(&bo, &json!({ "mail": "all" })).await;
    let id = shop.ask("A1").await;
    let mails = mails_when(&shop.mailbox, 1).await;
    let mail = &mails[0];
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        ("bo.ek@example.com", "Approve €12,400.10 for Order A1?")
    );
    let link = format!("https://approvals.example.com/a/{id}");
    for says in ["Approve €12,400.10 for Order A1?", &link, "Order A1 is allowed.", "One of finance (Bo Ek)."]
    {
        assert!(mail.text.contains(says), "{says}\n{}", mail.text);
        assert!(mail.html.contains(says), "{says}\n{}", mail.html);
    }
    assert!(mail.text.contains("Customer: <b>Ada</b> & sons"), "{}", mail.text);
    assert!(mail.html.contains("&#60;b&#62;Ada&#60;/b&#62; &#38; sons"), "{}", mail.html);
    assert_eq!(mail.html.matches("href=").count(), 1);
    assert!(mail.html.contains("prefers-color-scheme: dark"));
    shop.app.stop().await;
}

#[tokio::test]
async fn whoever_wants_only_what_is_urgent_is_mailed_as_the_deadline_comes_near() {
    let shop = shop("[{ approvers: ['role:finance'], expires_in: 1d }]").await;
    shop.app.person("Bo Ek", &["operator", "finance"]).await;
    let cy = shop.app.person("Cy Roth", &["operator", "finance"]).await;
    let dee = shop.app.person("Dee Ash", &["operator", "finance"]).await;
    wants(&cy, &json!({ "mail": "none" })).await;
    wants(&dee, &json!({ "mail": "all" })).await;
    shop.ask("A1").await;
    shop.settled().await;
    assert_eq!(to(&mails(&shop.mailbox), "bo").len(), 0);
    assert_eq!(to(&mails(&shop.mailbox), "dee").len(), 1);
    shop.ahead.by(Duration::hours(22) + Duration::minutes(1));
    let mails = mails_when(&shop.mailbox, 2).await;
    assert_eq!(to(&mails, "bo").len(), 1);
    shop.settled().await;
    assert_eq!(to(&mails, "cy").len(), 0);
    shop.app.stop().await;
}

#[tokio::test]
async fn a_reminder_and_an_escalation_follow_what_people_want() {
    let shop = shop(
        "[{ approvers: ['role:finance'], expires_in: 5d, remind_every: 1d, escalate_after: 36h, escalate_to: ['role:cfo'] }]",
    )
    .await;
    shop.app.person("Bo Ek", &["operator", "finance"]).await;
    let cy = shop.app.person("Cy Roth", &["operator", "finance"]).await;
    shop.app.person("Eva Lund", &["operator", "cfo"]).await;
    wants(&cy, &json!({ "mail": "all" })).await;
    shop.ask("A1").await;
    mails_when(&shop.mailbox, 1).await;
    // The reminder: Cy alone wants what isn't urgent.
    shop.ahead.by(Duration::hours(25));
    let reminded = mails_when(&shop.mailbox, 2).await;
    assert_eq!(reminded[1].subject, "Reminder: Order A1");
    assert!(reminded[1].text.contains("still waits for your decision"), "{}", reminded[1].text);
    assert!(reminded[1].text.contains("Approve €12,400.10 for Order A1?"));
    // The escalation is urgent: everybody who can decide is told, Eva too.
    shop.ahead.by(Duration::hours(12));
    let all = mails_when(&shop.mailbox, 5).await;
    let escalated: Vec<&str> = all[2..].iter().map(|mail| mail.to.split('.').next().unwrap()).collect();
    for name in ["bo", "cy", "eva"] {
        assert!(escalated.contains(&name), "{name}: {escalated:?}");
    }
    shop.settled().await;
    assert_eq!(mails(&shop.mailbox).len(), 5);
    shop.app.stop().await;
}

#[tokio::test]
async fn what_comes_in_quiet_hours_follows_as_one_summary_of_what_is_still_open() {
    let shop = shop("[{ approvers: ['role:finance'] }]").await;
    let bo = shop.app.person("Bo Ek", &["operator", "finance"]).await;
    let now = shop.app.running.state.clock.now();
    let hour = |at: DateTime<Utc>| format!("{:02}:{:02}", at.hour(), at.minute());
    let quiet = json!({ "from": hour(now - Duration::hours(1)), "until": hour(now + Duration::hours(3)), "timezone": "UTC" });
    wants(&bo, &json!({ "mail": "all", "quiet_hours": quiet })).await;
    let first = shop.ask("A1").await;
    shop.ask("A2").await;
    shop.ask("A3").await;
    shop.settled().await;
    assert_eq!(mails(&shop.mailbox).len(), 0);
    bo.post(&format!("approvals/{first}/decisions"), json!({ "decision": "approve" })).await.json(200);
    shop.ahead.by(Duration::hours(4));
    let mails = mails_when(&shop.mailbox, 1).await;
    let summary = &mails[0];
    assert_eq!(summary.subject, "2 messages while your hours were quiet");
    for (order, is_told) in [("Order A1", false), ("Order A2", true), ("Order A3", true)] {
        assert_eq!(summary.text.contains(order), is_told, "{order}: {}", summary.text);
    }
    shop.settled().await;
    assert_eq!(crate::mail::mails(&shop.mailbox).len(), 1);
    shop.app.stop().await;
}

#[tokio::test]
async fn what_becomes_urgent_in_quiet_hours_comes_through_where_that_is_wanted() {
    let shop = shop("[{ approvers: ['role:finance'], expires_in: 6h }]").await;
    let bo = shop.app.person("Bo Ek", &["operator", "finance"]).await;
    let cy = shop.app.person("Cy Roth", &["operator", "finance"]).await;
    let now = shop.app.running.state.clock.now();
    let hour = |at: DateTime<Utc>| format!("{:02}:{:02}", at.hour(), at.minute());
    for (person, urgent) in [(&bo, true), (&cy, false)] {
        let quiet = json!({
            "from": hour(now - Duration::hours(1)), "until": hour(now + Duration::hours(12)), "timezone": "UTC", "urgent": urgent,
        });
        wants(person, &json!({ "mail": "all", "quiet_hours": quiet })).await;
    }
    shop.ask("A1").await;
    shop.settled().await;
    assert_eq!(mails(&shop.mailbox).len(), 0);
    shop.ahead.by(Duration::hours(4) + Duration::minutes(1));
    let mails = mails_when(&shop.mailbox, 1).await;
    assert_eq!(to(&mails, "bo").len(), 1, "before the deadline, and not after the night");
    shop.app.stop().await;
}

#[tokio::test]
async fn whoever_comes_to_stand_in_for_somebody_is_told() {
    let shop = shop("[{ approvers: ['user:bo.ek@example.com'] }]").await;
    let bo = shop.app.person("Bo Ek", &["operator"]).await;
    let cy = shop.app.person("Cy Roth", &["operator"]).await;
    wants(&cy, &json!({ "mail": "all" })).await;
    shop.ask("A1").await;
    shop.settled().await;
    assert_eq!(mails(&shop.mailbox).len(), 0);
    let now = shop.app.running.state.clock.now();
    let away = json!({
        "from": now - Duration::minutes(1), "until": now + Duration::days(3), "delegate": "cy.roth@example.com",
    });
    bo.post("absences", away).await.json(201);
    let mails = mails_when(&shop.mailbox, 1).await;
    assert_eq!(to(&mails, "cy").len(), 1);
    shop.app.stop().await;
}

#[tokio::test]
async fn whoever_left_or_wants_no_mail_any_more_gets_none() {
    let shop = shop("[{ approvers: ['role:finance'] }]").await;
    let bo = shop.app.person("Bo Ek", &["operator", "finance"]).await;
    let cy = shop.app.person("Cy Roth", &["operator", "finance"]).await;
    let now = shop.app.running.state.clock.now();
    let hour = |at: DateTime<Utc>| format!("{:02}:{:02}", at.hour(), at.minute());
    let quiet = json!({ "from": hour(now - Duration::hours(1)), "until": hour(now + Duration::hours(3)), "timezone": "UTC" });
    for person in [&bo, &cy] {
        wants(person, &json!({ "mail": "all", "quiet_hours": quiet })).await;
    }
    shop.ask("A1").await;
    shop.settled().await;
    let admin = shop.app.admin().await;
    let users = admin.get("users").await.json(200);
    let bo =
        users["items"].as_array().unwrap().iter().find(|user| user["email"] == "bo.ek@example.com").unwrap();
    let path = format!("users/{}", bo["user_id"].as_str().unwrap());
    admin.patch(&path, json!({ "active": false })).await.json(200);
    wants(&cy, &json!({ "mail": "none" })).await;
    shop.ahead.by(Duration::hours(4));
    shop.settled().await;
    assert_eq!(mails(&shop.mailbox).len(), 0);
    let admin = shop.app.signed_in("Mia Falk").await;
    let kept = admin.get("deliveries?status=undeliverable").await.json(200);
    let reasons: Vec<&str> =
        kept["items"].as_array().unwrap().iter().map(|kept| kept["reason"].as_str().unwrap()).collect();
    assert!(reasons.contains(&"They aren't a member any more."), "{reasons:?}");
    assert!(reasons.contains(&"They don't want it by this way any more."), "{reasons:?}");
    shop.app.stop().await;
}

#[tokio::test]
async fn a_request_that_can_not_be_read_keeps_nobody_from_being_told_of_others() {
    let shop = shop("[{ approvers: ['role:finance'] }]").await;
    let bo = shop.app.person("Bo Ek", &["operator", "finance"]).await;
    wants(&bo, &json!({ "mail": "all" })).await;
    let broken: sqlx::types::Uuid = shop.ask("A1").await.parse().unwrap();
    mails_when(&shop.mailbox, 1).await;
    shop.settled().await;
    let state = &shop.app.running.state;
    let mut conn = state.pool.acquire().await.unwrap();
    sqlx::query("update approvals set request = '{}' where id = $1")
        .bind(broken)
        .execute(&mut *conn)
        .await
        .unwrap();
    // It is due before the other, and looked at together with it.
    sqlx::query("insert into outreach (workspace_id, approval_id, next_at) values ($1, $2, $3)")
        .bind(shop.app.workspace.0)
        .bind(broken)
        .bind(state.clock.now() - Duration::hours(1))
        .execute(&mut *conn)
        .await
        .unwrap();
    drop(conn);
    shop.ask("A2").await;
    let mails = mails_when(&shop.mailbox, 2).await;
    assert!(mails[1].subject.contains("Order A2"), "{mails:?}");
    let mut conn = state.pool.acquire().await.unwrap();
    sqlx::query("delete from outreach").execute(&mut *conn).await.unwrap();
    drop(conn);
    shop.app.stop().await;
}

#[tokio::test]
async fn a_notice_of_a_workflow_reaches_its_members_by_mail_if_they_want_it() {
    let (mailbox, url) = mail_server().await;
    let app = App::start_with(|config| config.smtp_url = Some(url)).await;
    app.publish(
        "workflow_id: tell\nname: Tell\ntrigger: { type: event, event: tell }\nenabled: true\nsteps:\n  \
         - { id: tell, type: execute, execute: [{ type: notify, recipients: ['role:finance'], subject: Stock, message: 'Pens are out.' }] }\n",
    )
    .await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    app.person("Cy Roth", &["operator", "finance"]).await;
    wants(&bo, &json!({ "mail": "all" })).await;
    let shop = app.key(&["events:write"]).await;
    shop.post("events?wait=5s", json!({ "type": "tell" })).await.json(200);
    let mails = mails_when(&mailbox, 1).await;
    assert_eq!((mails[0].to.as_str(), mails[0].subject.as_str()), ("bo.ek@example.com", "Stock"));
    app.stop().await;
}

#[tokio::test]
async fn what_a_person_says_is_kept_and_what_makes_no_sense_is_refused_by_field() {
    let app = App::start().await;
    let bo = app.person("Bo Ek", &["operator"]).await;
    let defaults = json!({ "app": "all", "mail": "urgent", "slack": "all", "quiet_hours": null });
    assert_eq!(bo.get("me/notifications").await.json(200), defaults);
    let put = async |said: Value| bo.send(Method::PUT, "me/notifications", |r| r.json(&said)).await;
    for (said, field) in [
        (json!({ "mail": "sometimes" }), "mail"),
        (json!({ "sms": "all" }), "sms"),
        (json!({ "quiet_hours": { "from": "22", "until": "07:00", "timezone": "UTC" } }), "quiet_hours.from"),
        (
            json!({ "quiet_hours": { "from": "22:00", "until": "07:00", "timezone": "Mars" } }),
            "quiet_hours.timezone",
        ),
        (
            json!({ "quiet_hours": { "from": "07:00", "until": "07:00", "timezone": "UTC" } }),
            "they never end",
        ),
        (
            json!({ "quiet_hours": { "from": "22:00", "until": "07:00", "timezone": "UTC", "days": ["monday"] } }),
            "quiet_hours.days",
        ),
    ] {
        let problem = put(said.clone()).await.problem(422);
        assert!(problem.to_string().contains(field), "{said}: {problem:#}");
    }
    assert_eq!(bo.get("me/notifications").await.json(200), defaults);
    let said = json!({ "app": "none", "mail": "all", "slack": "none", "quiet_hours": {
        "from": "22:00", "until": "07:00", "timezone": "Europe/Stockholm", "days": ["mon", "tue"], "urgent": true } });
    assert_eq!(put(said.clone()).await.json(200), said);
    assert_eq!(bo.get("me/notifications").await.json(200), said);
    // It is theirs alone.
    let cy = app.person("Cy Roth", &["operator"]).await;
    assert_eq!(cy.get("me/notifications").await.json(200), defaults);
    app.key(&["approvals:read"]).await.get("me/notifications").await.problem(403);
    app.stop().await;
}
