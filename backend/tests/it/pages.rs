//! The web pages: signing in, the card, deciding by a form; and what links, scanners and other sites can't do.

mod browser;
mod deciding;
mod forgery;
mod links;
mod signing_in;

use crate::app::{App, Client};
use serde_json::{Value, json};

const ASK: &str = "workflow_id: ask\nname: Ask\ntrigger: { type: event, event: ask }\nenabled: true\n\
    subject: 'Order {{ id }}'\namount: '{{ total }}'\ncurrency: EUR\nsteps:\n  - id: ask\n    type: approval\n    approval:\n      \
    show: { order_total: '{{ total }}', customer: '{{ customer }}' }\n      \
    form: [{ name: discount, type: number, max: 20 }, { name: kind, type: choice, choices: [gift, sale] }, { name: urgent, type: boolean }]\n      \
    levels: [{ approvers: ['role:sales_manager'] }]\n    \
    on_approved: yes\n    on_rejected: no\n    on_changes_requested: no\n  \
    - { id: yes, type: set, set: { discount: '{{ approval.edits.discount }}', kind: '{{ approval.edits.kind }}' }, next: allowed }\n  \
    - { id: allowed, type: action, action: { type: allow } }\n  \
    - { id: no, type: action, action: { type: block, reason: Refused } }\n";

const PASSWORD: &str = "correct horse battery";

/// Asks, and gives the id of the request and of its run.
async fn ask(shop: &Client, id: &str) -> (String, Value) {
    let payload = json!({ "id": id, "total": "12400.10", "customer": "<b>Ada</b> & sons" });
    let answer =
        shop.post("events?wait=5s", json!({ "type": "ask", "id": id, "payload": payload })).await.json(200);
    let run = &answer["runs"][0];
    (run["approval_id"].as_str().unwrap().to_owned(), run["execution_id"].clone())
}

/// A person who has a password.
async fn person(admin: &Client, name: &str, roles: &[&str]) -> String {
    let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
    let body = json!({ "email": email, "name": name, "password": PASSWORD, "roles": roles });
    admin.post("users", body).await.json(201);
    email
}

/// A server on which `Bo Ek` decides, with a client of the shop and one of an administrator.
async fn shop() -> (App, Client, Client) {
    let app = App::start().await;
    app.publish(ASK).await;
    let key = app.key(&["events:write"]).await;
    let admin = app.admin().await;
    person(&admin, "Bo Ek", &["operator", "sales_manager"]).await;
    (app, key, admin)
}
