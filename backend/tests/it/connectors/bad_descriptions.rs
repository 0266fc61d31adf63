//! Descriptions of connectors that can't be taken: each is refused with the field and the fix, and nothing is lost.

use super::{app_for, crm, set_secret};
use crate::{app::Client, shop::Shop};
use serde_json::{Value, json};

#[tokio::test]
async fn what_is_wrong_with_a_description_is_told_by_field() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = app.admin().await;
    set_secret(&admin, "crm_token", "t0ken-of-the-crm").await;
    let with = |pointer: &str, value: Value| {
        let mut body = crm(&shop);
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[key] = value;
        body
    };
    let http = |operation: Value| json!({ "name": "h", "kind": "http", "settings": { "base_url": "https://h.example.com" }, "operations": [operation] });
    for (body, code, pointer) in [
        (with("/name", json!("Crm")), "field.bad", ""),
        (with("/name", json!("")), "field.bad", "/name"),
        (with("/kind", json!("soap")), "body.unreadable", "/kind"),
        (with("/document", json!("just words")), "connector.invalid", "/document"),
        (with("/document", json!("a: [")), "connector.invalid", "/document"),
        (with("/document", json!({ "swagger": "2.0" })), "connector.invalid", "/document/swagger"),
        (with("/document", json!({ "openapi": "3.1.0" })), "connector.invalid", "/document/servers"),
        (with("/document", json!("x".repeat(9 << 20))), "connector.invalid", "/document"),
        (with("/settings", json!({ "base_url": "ftp://x" })), "connector.invalid", "/settings/base_url"),
        (
            with("/settings", json!({ "base_url": "https://a:b@x.example.com" })),
            "connector.invalid",
            "/settings/base_url",
        ),
        (
            with("/settings", json!({ "variables": {}, "server": 3 })),
            "connector.invalid",
            "/document/servers",
        ),
        (with("/settings", json!({ "base": "https://x.example.com" })), "body.unreadable", "/settings/base"),
        (with("/auth/secret", json!("Bearer abc.def")), "connector.invalid", "/auth/secret"),
        (
            with("/auth", json!({ "type": "header", "name": "X Y", "secret": "s" })),
            "connector.invalid",
            "/auth/name",
        ),
        (
            with(
                "/auth",
                json!({ "type": "oauth2_client_credentials", "token_url": "x", "client_id": "c", "secret": "s" }),
            ),
            "connector.invalid",
            "/auth/token_url",
        ),
        (
            with("/entities/ticket/create", json!("makeTicket")),
            "connector.invalid",
            "/entities/ticket/create",
        ),
        (with("/entities/ticket/id", json!("id")), "connector.invalid", "/entities/ticket/id"),
        (
            with("/auth", json!({ "type": "header", "name": "Host", "secret": "s" })),
            "connector.invalid",
            "/auth/name",
        ),
        (http(json!({ "id": "a", "path": "x" })), "connector.invalid", "/operations/0/path"),
        (http(json!({ "id": "", "path": "/x" })), "connector.invalid", "/operations/0/id"),
        (http(json!({ "id": "a", "path": "/x/{{ secrets.s }}" })), "connector.invalid", "/operations/0/path"),
        (http(json!({ "id": "a", "path": "/x/{{ a" })), "connector.invalid", "/operations/0/path"),
        (
            http(json!({ "id": "a", "path": "/x", "headers": { "Host": "y" } })),
            "connector.invalid",
            "/operations/0/headers/Host",
        ),
        (
            http(json!({ "id": "a", "path": "/x", "input_schema": { "type": "nothing" } })),
            "connector.invalid",
            "/operations/0/input_schema",
        ),
        (
            http(
                json!({ "id": "a", "path": "/x", "input_schema": { "properties": { "a": { "$ref": "#" } } } }),
            ),
            "connector.invalid",
            "/operations/0/input_schema",
        ),
        (
            http(json!({ "id": "a", "path": "/x", "output": "data" })),
            "connector.invalid",
            "/operations/0/output",
        ),
        (http(json!({ "id": "a", "path": "/x", "paht": "/y" })), "body.unreadable", "/operations/0/paht"),
    ] {
        refuses(&admin, body, code, pointer).await;
    }
    assert_eq!(admin.get("connectors").await.json(200)["items"], json!([]));
    app.stop().await;
}

/// A description is refused with this code and, where one is told, at this place.
pub(super) async fn refuses(admin: &Client, body: Value, code: &str, pointer: &str) {
    let refused = admin.post("connectors", body).await.problem(422);
    assert_eq!(refused["code"], code, "{pointer}: {refused:#}");
    let pointers: Vec<&str> = refused["findings"]
        .as_array()
        .map(|findings| findings.iter().map(|finding| finding["pointer"].as_str().unwrap()).collect())
        .unwrap_or_default();
    assert!(pointer.is_empty() || pointers.contains(&pointer), "{pointer}: {refused:#}");
}

#[tokio::test]
async fn what_is_wrong_with_a_load_or_a_limit_is_told_by_field() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = app.admin().await;
    let with = |key: &str, value: Value| {
        let mut body = crm(&shop);
        body[key] = value;
        body
    };
    let load = |pointer: &str, value: Value| {
        let mut body = with(
            "loads",
            json!({ "customer.profile": { "operation": "getCustomer", "input": { "id": "{{ customer.id }}" } } }),
        );
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(&format!("/loads/customer.profile{parent}")).unwrap()[key] = value;
        body
    };
    for (body, code, pointer) in [
        (load("/operation", json!("getNobody")), "connector.invalid", "/loads/customer.profile/operation"),
        (load("/input/id", json!("{{ customer.id")), "body.unreadable", "/loads/customer.profile/input/id"),
        (
            load("/input/id", json!("{{ secrets.crm_token }}")),
            "body.unreadable",
            "/loads/customer.profile/input/id",
        ),
        (load("/input/page", json!(2)), "connector.invalid", "/loads/customer.profile/input"),
        (load("/input", json!({})), "connector.invalid", "/loads/customer.profile/input"),
        (load("/max_age", json!("2d")), "connector.invalid", "/loads/customer.profile/max_age"),
        (load("/max_age", json!("soon")), "body.unreadable", "/loads/customer.profile/max_age"),
        (load("/timeout", json!("3m")), "connector.invalid", "/loads/customer.profile/timeout"),
        (load("/timeout", json!("0s")), "connector.invalid", "/loads/customer.profile/timeout"),
        (
            load("/retry", json!({ "max_attempts": 0 })),
            "field.bad",
            "/loads/customer.profile/retry/max_attempts",
        ),
        (load("/retries", json!(3)), "body.unreadable", "/loads/customer.profile/retries"),
        (
            with("loads", json!({ "steps.a": { "operation": "getCustomer", "input": { "id": "1" } } })),
            "connector.invalid",
            "/loads/steps.a",
        ),
        (with("limits", json!({ "concurrency": 0 })), "field.bad", "/limits/concurrency"),
        (with("limits", json!({ "per_second": 0.5 })), "body.unreadable", "/limits/per_second"),
        (with("limits", json!({ "per_minute": 5 })), "body.unreadable", "/limits/per_minute"),
    ] {
        refuses(&admin, body, code, pointer).await;
    }
    assert_eq!(admin.get("connectors").await.json(200)["items"], json!([]));
    app.stop().await;
}

#[tokio::test]
async fn what_is_too_large_there_already_or_served_by_another_is_refused() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = app.admin().await;
    let large = json!({ "name": "large", "kind": "openapi", "document": "x".repeat(20 << 20) });
    assert_eq!(admin.post("connectors", large).await.problem(413)["code"], "body.too_large");
    admin.post("connectors", crm(&shop)).await.json(201);
    assert_eq!(admin.post("connectors", crm(&shop)).await.problem(409)["code"], "connector.exists");
    let mut other = crm(&shop);
    other["name"] = json!("other");
    let refused = admin.post("connectors", other).await.problem(422);
    assert_eq!(refused["findings"][0]["pointer"], "/entities/ticket", "{refused:#}");
    let by_hand = json!({
        "name": "h", "kind": "http", "settings": { "base_url": "https://h.example.com" }, "operations": [],
        "document": "openapi: 3.1.0",
    });
    assert_eq!(admin.post("connectors", by_hand).await.problem(422)["code"], "field.bad");
    app.stop().await;
}
