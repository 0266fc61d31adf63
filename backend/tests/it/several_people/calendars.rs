//! Calendars: how they are kept, and the deadlines that are counted in them.

use super::{ask, asking, card};
use crate::app::{App, eventually};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn calendars_are_checked_kept_and_count_and_holidays_come_in_as_a_file() {
    let app = App::start().await;
    let admin = app.admin().await;
    let author = app.person("Ada Lind", &["author"]).await;
    let day = json!(["09:00-12:00", "13:00-17:00"]);
    let office = json!({ "name": "office", "timezone": "Europe/Stockholm",
        "hours": { "mon": day, "tue": day, "wed": day, "thu": day, "fri": day },
        "holidays": [{ "date": "2098-12-24", "hours": ["09:00-12:00"] }] });
    let put =
        async |calendar: &Value| admin.send(Method::PUT, "calendars/office", |r| r.json(calendar)).await;
    let mut closed = office.clone();
    closed["hours"] = json!({});
    let problem = put(&closed).await.problem(422);
    assert_eq!(
        (&problem["code"], &problem["findings"][0]["pointer"]),
        (&json!("calendar.invalid"), &json!("/hours"))
    );
    author.send(Method::PUT, "calendars/office", |r| r.json(&office)).await.problem(403);
    assert_eq!(put(&office).await.json(200)["used_by"], json!([]));
    let due = "calendars/office/due?from=2098-12-23T15:00:00Z&span=1d&remind_every=1h";
    let due = author.get(due).await.json(200);
    assert_eq!(due["due"], "2098-12-25T08:00:00Z");
    assert_eq!(due["reminders"][0], "2098-12-24T08:00:00Z");
    author.get("calendars/office/due?from=2098-12-23T15:00:00Z&span=soon").await.problem(422);
    author.get("calendars/office/due?span=2d").await.json(200);
    let no_span = author.get("calendars/office/due").await.problem(422);
    assert_eq!(no_span["detail"], "`span` is missing; send it.");
    author.get("calendars/office/due?from=9999-12-01T15:00:00Z&span=90d").await.problem(422);
    let holidays = |text: String| {
        let admin = &admin;
        async move {
            admin
                .send(Method::PUT, "calendars/office/holidays", |r| {
                    r.header("Content-Type", "text/calendar").body(text)
                })
                .await
        }
    };
    assert_eq!(holidays("Dear all".into()).await.problem(422)["code"], "calendar.holidays");
    assert_eq!(holidays("x".repeat(3_000_000)).await.problem(413)["code"], "body.too_large");
    let year = chrono::Datelike::year(&app.running.state.clock.now()) + 1;
    let file = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:{year}1225\r\nSUMMARY:Christmas\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let imported = holidays(file).await.json(200);
    assert_eq!((&imported["days"], &imported["left_out"]), (&json!(1), &json!(0)));
    assert_eq!(imported["until"], format!("{}-12-31", year + 5));
    assert_eq!(
        imported["calendar"]["holidays"],
        json!([format!("{year}-12-25"), { "date": "2098-12-24", "hours": ["09:00-12:00"] }])
    );
    // A workflow that counts in it keeps it; one that isn't set up is a warning.
    let document = asking("calendar: office", "[{ approvers: ['role:finance'], expires_in: 4h }]");
    app.publish(&document).await;
    let used = admin.send(Method::DELETE, "calendars/office", |r| r).await.problem(409);
    assert_eq!((&used["code"], &used["used_by"]), (&json!("calendar.used"), &json!(["ask"])));
    let other = document.replace("office", "nowhere").replace("workflow_id: ask", "workflow_id: other");
    app.publish(&other).await;
    let read = admin.get("workflows/other").await.json(200);
    assert_eq!(read["findings"][0]["code"], "calendar.missing");
    admin.post("workflows/ask/disable", json!({})).await.json(200);
    assert_eq!(admin.send(Method::DELETE, "calendars/office", |r| r).await.status.as_u16(), 204);
    admin.get("calendars/office").await.problem(404);
    app.stop().await;
}

#[tokio::test]
async fn deadlines_are_counted_in_a_calendar_and_again_when_it_changes() {
    let app = App::start().await;
    let admin = app.admin().await;
    let bo = app.person("Bo Ek", &["operator", "finance"]).await;
    let all_day = |to: &str| {
        let hours = json!([format!("00:00-{to}")]);
        let days =
            ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| (day.to_owned(), hours.clone()));
        json!({ "name": "office", "timezone": "UTC", "hours": Value::Object(days.into_iter().collect()) })
    };
    let put = async |calendar: Value| {
        admin.send(Method::PUT, "calendars/office", |r| r.json(&calendar)).await.json(200)
    };
    let document = asking("calendar: office", "[{ approvers: ['role:finance'], expires_in: 240h }]");
    app.publish(&document).await;
    let shop = app.key(&["events:write"]).await;
    let event = json!({ "type": "ask", "payload": { "id": "A0", "total": 5 } });
    let missing = shop.post("events?wait=5s", event).await.json(200)["runs"][0].clone();
    assert_eq!((&missing["status"], &missing["result"]), (&json!("ended"), &json!("failed")));
    assert_eq!(missing["reason"], "The calendar office isn't set up.");
    put(all_day("24:00")).await;
    let (id, run) = ask(&shop, "A1").await;
    let hours = |card: &Value| {
        let at = |key: &str| card[key].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        (at("expires_at") - at("asked_at")).num_hours()
    };
    assert_eq!(hours(&card(&bo, &id).await), 240);
    put(all_day("12:00")).await;
    let recounted = eventually("the deadline is counted again", || async {
        let card = card(&bo, &id).await;
        if hours(&card) > 400 { Ok(card) } else { Err(card["expires_at"].to_string()) }
    })
    .await;
    assert_eq!(recounted["levels"][0]["expires_at"], recounted["expires_at"]);
    let run = bo.get(&format!("executions/{}", run.as_str().unwrap())).await.json(200);
    let reason = run["trace"].as_array().unwrap().last().unwrap()["reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("The calendar office changed: the deadlines are counted again"), "{reason}");
    app.stop().await;
}

#[tokio::test]
async fn an_escalation_that_the_hours_of_its_calendar_make_too_late_is_told() {
    let app = App::start().await;
    let admin = app.admin().await;
    app.person("Bo Ek", &["operator", "finance", "cfo"]).await;
    let put = async |hours: &str| {
        let days = ["mon", "tue", "wed", "thu", "fri"].map(|day| (day.to_owned(), json!([hours])));
        let office = json!({ "name": "office", "timezone": "UTC", "hours": Value::Object(days.into_iter().collect()) });
        admin.send(Method::PUT, "calendars/office", |r| r.json(&office)).await.json(200);
    };
    put("09:00-17:00").await;
    let level =
        "[{ approvers: ['role:finance'], expires_in: 2d, escalate_after: 20h, escalate_to: ['role:cfo'] }]";
    app.publish(&asking("calendar: office", level)).await;
    let findings = async || admin.get("workflows/ask").await.json(200)["findings"].clone();
    let told = findings().await;
    assert_eq!(
        (&told[0]["code"], &told[0]["pointer"]),
        (&json!("escalation.late"), &json!("/steps/0/approval/levels/0/escalate_after"))
    );
    assert!(told[0]["message"].as_str().unwrap().starts_with("In the hours of office"), "{told}");
    // In longer days it comes in time.
    put("00:00-24:00").await;
    assert_eq!(findings().await, json!([]));
    app.stop().await;
}
