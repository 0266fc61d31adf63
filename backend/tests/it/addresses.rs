//! Addresses: one person is one person, however the address is written.

use crate::app::{App, Client, database_of, fresh_database};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

fn asks(approver: &str) -> String {
    format!(
        "workflow_id: ask\nname: Ask\ntrigger: {{ type: event, event: ask }}\nenabled: true\nsteps:\n  \
         - id: ask\n    type: approval\n    approval: {{ levels: [{{ approvers: ['{approver}'] }}] }}\n    \
         on_approved: yes\n  - {{ id: yes, type: action, action: {{ type: allow }} }}\n"
    )
}

async fn ask(shop: &Client, requester: Option<&str>) -> String {
    let mut event = json!({ "type": "ask", "payload": { "who": " INA.Berg@Example.com" } });
    if let Some(requester) = requester {
        event["requester"] = requester.into();
    }
    let answer = shop.post("events?wait=5s", event).await.json(200);
    answer["runs"][0]["approval_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_approver_is_found_and_may_decide_however_the_address_is_written() {
    for approver in
        ["user:INA.Berg@Example.com", "user: ina.berg@example.com", "user:{{ who }}", "INA.BERG@example.com"]
    {
        let app = App::start().await;
        app.publish(&asks(approver)).await;
        let shop = app.key(&["events:write"]).await;
        let ina = app.person("Ina Berg", &["operator"]).await;
        let id = ask(&shop, None).await;
        let mine = ina.get("approvals?mine=true&status=pending").await.json(200);
        assert_eq!(mine["items"][0]["approval_id"], id, "{approver}");
        let card = ina.get(&format!("approvals/{id}")).await.json(200);
        assert_eq!(
            (&card["can_decide"], &card["still_needed"]),
            (&json!(true), &json!("Ina Berg.")),
            "{approver}"
        );
        let decide = format!("approvals/{id}/decisions");
        ina.post(&decide, json!({ "decision": "approve" })).await.json(200);
        app.stop().await;
    }
}

#[tokio::test]
async fn the_requester_is_barred_however_the_address_is_written() {
    let app = App::start().await;
    app.publish(&asks("role:sales")).await;
    let shop = app.key(&["events:write"]).await;
    let ina = app.person("Ina Berg", &["operator", "sales"]).await;
    for spelling in ["ina.berg@example.com", " ina.berg@example.com", "INA.Berg@Example.com\n"] {
        let id = ask(&shop, Some(spelling)).await;
        let refused = ina
            .post(&format!("approvals/{id}/decisions"), json!({ "decision": "approve" }))
            .await
            .problem(403);
        assert_eq!(refused["detail"], "You asked for this yourself.", "{spelling:?}");
    }
    for spelling in [
        "Ina Berg <ina.berg@example.com>",
        "ina.berg @example.com",
        "ina.berg@@example.com",
        "ina.berg",
        "",
        "ina.berg@example.com.",
        "ina.berg@example.com\u{200b}",
    ] {
        let event = json!({ "type": "ask", "requester": spelling });
        let refused = shop.post("events", event.clone()).await.problem(422);
        assert_eq!(refused["code"], "event.requester", "{spelling:?}");
        assert!(refused["detail"].as_str().unwrap().starts_with("`requester`: "), "{refused}");
        let batch = shop.post("events/batch", json!([event])).await.json(202);
        assert_eq!(batch["items"][0]["code"], "event.requester");
    }
    // A signed-in person's event is theirs, and may say so in any spelling.
    ina.post("events", json!({ "type": "ask", "requester": " INA.Berg@example.com" })).await.json(202);
    ina.post("events", json!({ "type": "ask", "requester": "bo@example.com" })).await.problem(422);
    app.stop().await;
}

#[tokio::test]
async fn an_account_is_one_account_however_the_address_is_written() {
    let app = App::start().await;
    let admin = app.admin().await;
    let new = |email: &str| json!({ "email": email, "name": "Dee", "password": "dees-password", "roles": ["operator"] });
    let made = admin.post("users", new(" Dee@Example.com ")).await.json(201);
    assert_eq!(made["email"], "dee@example.com");
    assert_eq!(admin.post("users", new("DEE@example.com")).await.problem(409)["code"], "user.exists");
    let nobody = Client::new(&app.base, None);
    for spelling in ["dee@example.com", "DEE@EXAMPLE.com ", "\tDee@example.com"] {
        let login = json!({ "email": spelling, "password": "dees-password" });
        assert_eq!(nobody.post("auth/login", login).await.json(200)["user"]["email"], "dee@example.com");
    }
    for bad in ["a@@b.com", "a", "a@", "@b", "A <a@b.com>", "a b@c.com", "a\u{1}@b.com", "a@b..com"] {
        for refused in [
            admin.post("users", new(bad)).await,
            nobody.post("auth/login", json!({ "email": bad, "password": "dees-password" })).await,
        ] {
            let refused = refused.problem(422);
            assert_eq!(refused["code"], "field.bad", "{bad}");
            assert!(refused["detail"].as_str().unwrap().starts_with("`email`: "), "{refused}");
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn what_is_too_long_is_refused_with_its_field() {
    let app = App::start().await;
    let admin = app.admin().await;
    let nobody = Client::new(&app.base, None);
    let long = "x".repeat(9000);
    let address = format!("{long}@example.com");
    let user = json!({ "email": "vi@example.com", "name": "Vi", "password": "a-good-password", "roles": [] });
    let with = |base: &Value, field: &str, value: Value| {
        let mut changed = base.clone();
        changed[field] = value;
        changed
    };
    let key = json!({ "name": "Shop", "scopes": ["events:write"] });
    let login = json!({ "email": "vi@example.com", "password": "a-good-password" });
    for (client, path, body, field) in [
        (&admin, "users", with(&user, "email", json!(address)), "email"),
        (&admin, "users", with(&user, "name", json!(long)), "name"),
        (&admin, "users", with(&user, "name", json!(" ")), "name"),
        (&admin, "users", with(&user, "password", json!(long)), "password"),
        (&admin, "users", with(&user, "password", json!("short")), "password"),
        (&admin, "users", with(&user, "roles", json!([long])), "roles"),
        (&nobody, "auth/login", with(&login, "email", json!(address)), "email"),
        (&nobody, "auth/login", with(&login, "password", json!(long)), "password"),
        (&admin, "auth/password", json!({ "old": "x", "new": long }), "new"),
        (&admin, "api-keys", with(&key, "name", json!(long)), "name"),
        (&admin, "api-keys", with(&key, "name", json!("")), "name"),
        (&admin, "api-keys", with(&key, "name", json!("a\nb")), "name"),
        (&admin, "api-keys", with(&key, "expires_at", json!("2020-01-01T00:00:00Z")), "expires_at"),
        (&admin, "api-keys", with(&key, "workflows", json!(["no_such_workflow"])), "workflows"),
        (&admin, "api-keys", with(&key, "workflows", json!([long])), "workflows"),
    ] {
        let refused = client.post(path, body).await.problem(422);
        assert_eq!(refused["code"], "field.bad", "{path} {field}: {refused}");
        assert!(
            refused["detail"].as_str().unwrap().starts_with(&format!("`{field}`")),
            "{path} {field}: {refused}"
        );
    }
    let dee = admin.post("users", with(&user, "email", json!("dee@example.com"))).await.json(201);
    let path = format!("users/{}", dee["user_id"].as_str().unwrap());
    admin.patch(&path, json!({ "name": long })).await.problem(422);
    nobody.post("auth/login", json!({ "code": long })).await.problem(401);
    nobody.post("auth/refresh", json!({ "refresh_token": long })).await.problem(401);
    app.stop().await;
}

#[tokio::test]
async fn accounts_that_were_made_before_go_on_working() {
    let database_url = fresh_database().await;
    let app = App::start_on(&database_url, |_| {}).await;
    let mut conn = app.running.state.pool.acquire().await.unwrap();
    let roles = ["operator".to_owned()];
    for email in ["a@@b.com", "root"] {
        backend::setup::add_person(
            &mut conn,
            &backend::clock::Clock::default(),
            app.workspace,
            email,
            "Old",
            "old-password",
            &roles,
        )
        .await
        .unwrap();
    }
    drop(conn);
    // Two that had differed by a blank at the end keep their spelling.
    let mut raw = PgConnection::connect(&database_url).await.unwrap();
    raw.execute("update users set email = 'Root ' where email = 'root'").await.unwrap();
    let nobody = Client::new(&app.base, None);
    for email in ["a@@b.com", "A@@b.com", "Root ", "root "] {
        let login = json!({ "email": email, "password": "old-password" });
        nobody.post("auth/login", login).await.json(200);
    }
    app.stop().await;
}

#[tokio::test]
async fn what_was_stored_before_there_was_one_form_is_brought_into_it_where_nothing_clashes() {
    let (database_url, later) = database_of(8).await;
    let mut conn = PgConnection::connect(&database_url).await.unwrap();
    let old = "insert into workspaces (id, name, created_at) values (gen_random_uuid(), 'main', now());
        insert into users (id, email, name, created_at) values
            (gen_random_uuid(), 'Ina@Example.com', 'Ina', now()), (gen_random_uuid(), E' bo@example.com\\n', 'Bo', now()),
            (gen_random_uuid(), 'cy@example.com', 'Cy', now()), (gen_random_uuid(), 'CY@example.com ', 'Cy 2', now());
        insert into approvals (id, workspace_id, execution_id, workflow_id, status, request, approvers, seen, asked_at)
            select gen_random_uuid(), id, gen_random_uuid(), 'w', 'pending', '{}',
                array['role:Sales', 'user: INA@Example.com', 'Dee@x.org', 'user:bo@x.org'], '', now() from workspaces;
        insert into refresh_tokens (hash, family, user_id, workspace_id, issued_at, expires_at, revoked_at)
            select 'a', '00000000-0000-0000-0000-000000000001', u.id, w.id, now(), now(), null from users u, workspaces w where u.name = 'Ina';
        insert into refresh_tokens (hash, family, user_id, workspace_id, issued_at, expires_at, revoked_at)
            select 'b', '00000000-0000-0000-0000-000000000002', u.id, w.id, now(), now(), now() from users u, workspaces w where u.name = 'Ina';";
    conn.execute(old).await.unwrap();
    for sql in later {
        conn.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    let emails: Vec<String> =
        sqlx::query_scalar("select email from users order by name").fetch_all(&mut conn).await.unwrap();
    assert_eq!(emails, ["bo@example.com", "cy@example.com", "CY@example.com ", "ina@example.com"]);
    let approvers: Vec<String> =
        sqlx::query_scalar("select approvers from approvals").fetch_one(&mut conn).await.unwrap();
    assert_eq!(approvers, ["role:Sales", "user:ina@example.com", "dee@x.org", "user:bo@x.org"]);
    let ended: Vec<bool> = sqlx::query_scalar("select ended_at is not null from sessions order by id")
        .fetch_all(&mut conn)
        .await
        .unwrap();
    assert_eq!(ended, [false, true]);
}
