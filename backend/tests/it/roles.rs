//! Roles: what a workspace calls them, and where that is read.

use crate::app::App;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_role_is_called_as_its_workspace_says() {
    let app = App::start().await;
    let admin = app.admin().await;
    let ina = app.person("Ina Berg", &["operator", "sales_manager"]).await;
    let listed = admin.get("roles").await.json(200);
    assert_eq!(listed["items"], json!([{ "role": "sales_manager", "name": "sales manager", "members": 1 }]));

    let name = async |role: &str, name: &str| {
        let body = json!({ "name": name });
        admin.send(Method::PUT, &format!("roles/{role}"), |r| r.json(&body)).await
    };
    name("sales_manager", "sales heads").await.json(204);
    name("legal", "Legal").await.json(204);
    for (role, called) in
        [("sales%20manager", "x"), ("operator", "x"), ("legal", " "), ("legal", "two\nlines")]
    {
        assert_eq!(name(role, called).await.problem(422)["code"], "field.bad");
    }
    let listed = ina.get("roles").await.json(200);
    let named = json!([
        { "role": "legal", "name": "Legal", "members": 0 }, { "role": "sales_manager", "name": "sales heads", "members": 1 },
    ]);
    assert_eq!(listed["items"], named);

    let unname = async || admin.send(Method::DELETE, "roles/sales_manager", |r| r).await;
    unname().await.json(204);
    unname().await.problem(404);
    let log = admin.get("audit").await.json(200);
    let actions: Vec<_> =
        log["items"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions[..3], [json!("role.unnamed"), json!("role.named"), json!("role.named")]);
    app.stop().await;
}
