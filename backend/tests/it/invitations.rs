//! Invitations: nobody belongs to a workspace that they didn't accept, and no workspace changes another's people.

use crate::app::{App, Client};
use serde_json::{Value, json};

struct Two {
    app: App,
    main: Client,
    other: Client,
}

impl Two {
    /// Two workspaces with an administrator each, and Dee, who belongs to the first.
    async fn set() -> Self {
        let app = App::start().await;
        let main = app.admin().await;
        let dee = json!({ "email": "dee@example.com", "name": "Dee Marsh", "password": "dees-password", "roles": ["operator"] });
        main.post("users", dee).await.json(201);
        let mut conn = app.running.state.pool.acquire().await.unwrap();
        let workspace =
            backend::setup::ensure_workspace(&mut conn, &backend::clock::Clock::default(), "other")
                .await
                .unwrap();
        drop(conn);
        let other = app.person_in(workspace, "Other Admin", &["admin"]).await;
        Self { app, main, other }
    }

    async fn invite(&self) -> Value {
        let dee = json!({ "email": " DEE@example.com", "name": "Deborah", "password": "taken-over-1", "roles": ["admin"] });
        self.other.post("users", dee).await.json(202)["invitation_id"].clone()
    }

    async fn sign_in(&self, workspace: Option<&str>) -> crate::app::Answer {
        let mut login = json!({ "email": "dee@example.com", "password": "dees-password" });
        if let Some(workspace) = workspace {
            login["workspace"] = workspace.into();
        }
        Client::new(&self.app.base, None).post("auth/login", login).await
    }

    async fn dee(&self, workspace: Option<&str>) -> Client {
        let session = self.sign_in(workspace).await.json(200);
        Client::new(&self.app.base, session["access_token"].as_str().map(str::to_owned))
    }
}

async fn member(admin: &Client) -> Option<Value> {
    let users = admin.get("users").await.json(200);
    users["items"].as_array().unwrap().iter().find(|user| user["email"] == "dee@example.com").cloned()
}

#[tokio::test]
async fn somebody_with_an_account_belongs_only_where_they_accepted() {
    let two = Two::set().await;
    let id = two.invite().await;
    // Inviting again changes the invitation, and makes no second one.
    assert_eq!(two.invite().await, id);
    assert_eq!(member(&two.other).await, None);
    let dee = two.dee(None).await;
    let listed = dee.get("me/invitations").await.json(200);
    let invitation = &listed["items"][0];
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(invitation["invitation_id"], id);
    assert_eq!(
        (&invitation["workspace"], &invitation["roles"], &invitation["invited_by"]),
        (&json!("other"), &json!(["admin"]), &json!("other.admin@example.com"))
    );
    let accept = format!("me/invitations/{}/accept", id.as_str().unwrap());
    // Another's invitation isn't there.
    two.main.post(&accept, json!({})).await.problem(404);
    assert_eq!(dee.post(&accept, json!({})).await.status, 204);
    dee.post(&accept, json!({})).await.problem(404);
    assert_eq!(dee.get("me/invitations").await.json(200)["items"], json!([]));
    assert_eq!(member(&two.other).await.unwrap()["name"], "Deborah");
    assert_eq!(two.sign_in(None).await.problem(422)["workspaces"], json!(["main", "other"]));
    let user = two.sign_in(Some("other")).await.json(200)["user"].clone();
    assert_eq!((&user["name"], &user["roles"]), (&json!("Deborah"), &json!(["admin"])));
    let audit = two.other.get("audit").await.json(200).to_string();
    assert!(audit.contains("user.invited") && audit.contains("invitation.accepted"));
    let again = json!({ "email": "dee@example.com", "name": "D", "roles": [] });
    assert_eq!(two.other.post("users", again).await.problem(409)["code"], "user.exists");
    two.app.stop().await;
}

#[tokio::test]
async fn whoever_declines_belongs_nowhere_and_can_be_invited_again() {
    let two = Two::set().await;
    let id = two.invite().await;
    let dee = two.dee(None).await;
    let decline = format!("me/invitations/{}/decline", id.as_str().unwrap());
    assert_eq!(dee.post(&decline, json!({})).await.status, 204);
    dee.post(&decline.replace("decline", "accept"), json!({})).await.problem(404);
    assert_eq!(member(&two.other).await, None);
    assert_ne!(two.invite().await, id);
    two.app.stop().await;
}

#[tokio::test]
async fn an_administrator_changes_nothing_elsewhere() {
    let two = Two::set().await;
    let id = two.invite().await;
    let dee = two.dee(None).await;
    assert_eq!(
        dee.post(&format!("me/invitations/{}/accept", id.as_str().unwrap()), json!({})).await.status,
        204
    );
    let there = two.dee(Some("other")).await;
    let session = two.sign_in(Some("main")).await.json(200);
    let user = member(&two.other).await.unwrap();
    let path = format!("users/{}", user["user_id"].as_str().unwrap());
    let change = json!({ "name": "Renamed", "roles": ["viewer"], "active": false });
    two.other.patch(&path, change).await.json(200);
    there.get("auth/me").await.problem(401);
    let me = dee.get("auth/me").await.json(200);
    assert_eq!((&me["name"], &me["roles"]), (&json!("Dee Marsh"), &json!(["operator"])));
    let nobody = Client::new(&two.app.base, None);
    nobody.post("auth/refresh", json!({ "refresh_token": session["refresh_token"] })).await.json(200);
    let user = member(&two.main).await.unwrap();
    assert_eq!((&user["name"], &user["active"]), (&json!("Dee Marsh"), &json!(true)));
    two.app.stop().await;
}

#[tokio::test]
async fn somebody_who_belongs_nowhere_any_more_accepts_by_naming_the_workspace() {
    let two = Two::set().await;
    two.invite().await;
    let path = format!("users/{}", member(&two.main).await.unwrap()["user_id"].as_str().unwrap());
    two.main.patch(&path, json!({ "active": false })).await.json(200);
    assert_eq!(two.sign_in(None).await.problem(422)["workspaces"], json!(["other"]));
    two.sign_in(Some("main")).await.problem(401);
    assert_eq!(member(&two.other).await, None);
    assert_eq!(two.sign_in(Some("other")).await.json(200)["user"]["name"], "Deborah");
    two.app.stop().await;
}
