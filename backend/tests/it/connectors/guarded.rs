//! The guard on outgoing calls covers connectors and their token endpoints, and a check says whether one is let in.

use super::{app_for, set_secret};
use crate::{
    app::{App, fresh_database},
    shop::{Reply, Shop},
};
use backend::{
    effects::{Guard, Names},
    serve::StartOptions,
};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex},
};

/// Addresses that name this machine, or one that only it can reach.
const PRIVATE: [&str; 9] = [
    "http://127.0.0.1:9",
    "http://localhost:9",
    "http://[::1]:9",
    "http://[::ffff:127.0.0.1]:9",
    "http://2130706433:9",
    "http://0x7f.1:9",
    "http://0177.0.0.1:9",
    "http://169.254.169.254",
    "http://10.0.0.1",
];

fn connector(name: &str, base_url: &str, auth: &Value) -> Value {
    json!({
        "name": name, "kind": "http", "settings": { "base_url": base_url }, "auth": auth,
        "operations": [{ "id": "get", "path": "/things" }],
    })
}

#[tokio::test]
async fn no_connector_and_no_token_endpoint_reaches_a_private_address() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = app.admin().await;
    set_secret(&admin, "erp_secret", "s3cret/of the erp").await;
    for (n, address) in PRIVATE.into_iter().enumerate() {
        let oauth = json!({
            "type": "oauth2_client_credentials", "token_url": format!("{address}/token"), "client_id": "c",
            "secret": "erp_secret",
        });
        let by_token = connector(&format!("token{n}"), &format!("http://{}", shop.address), &oauth);
        let by_address = connector(&format!("address{n}"), address, &json!({ "type": "none" }));
        for body in [by_token, by_address] {
            let name = body["name"].as_str().unwrap().to_owned();
            admin.post("connectors", body).await.json(201);
            let tried =
                admin.post(&format!("connectors/{name}/operations/get/try"), json!({})).await.json(200);
            let said = tried["error"].as_str().unwrap_or_else(|| panic!("{address}: {tried:#}"));
            assert!(said.contains("The address is private"), "{address}: {said}");
        }
    }
    assert_eq!(shop.calls().len(), 0);
    let bearer = json!({ "type": "bearer", "secret": "erp_secret" });
    admin
        .post("connectors", connector("plain", &format!("http://{}", shop.address), &bearer))
        .await
        .json(201);
    shop.reply([Reply::Header(307, "location", "http://127.0.0.1:9/".to_owned())]);
    let tried = admin.post("connectors/plain/operations/get/try", json!({})).await.json(200);
    assert!(tried["error"].as_str().unwrap().contains("The address is private"), "{tried:#}");
    app.stop().await;
}

/// Names of somebody who changes where they lead.
#[derive(Debug, Clone, Default)]
struct Rebinding(Arc<Mutex<Vec<IpAddr>>>);

impl Names for Rebinding {
    fn addresses(&self, _: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let found = self.0.lock().unwrap().iter().map(|address| (*address, port).into()).collect();
        Box::pin(async { Ok(found) })
    }
}

/// A connector of each kind, and one whose token comes, from a host.
fn of_each_kind(host: &str, port: u16) -> Vec<(Value, &'static str)> {
    let there = format!("http://{host}:{port}");
    let none = json!({ "type": "none" });
    let token = json!({
        "type": "oauth2_client_credentials", "token_url": format!("{there}/token"), "client_id": "c", "secret": "erp_secret",
    });
    let document = json!({
        "openapi": "3.1.0", "info": { "title": "T", "version": "1" }, "servers": [{ "url": there }],
        "paths": { "/things": { "get": { "operationId": "get", "responses": { "200": { "description": "It" } } } } },
    });
    let sql = json!({
        "name": "by_sql", "kind": "sql", "auth": { "type": "basic", "username": "c", "secret": "erp_secret" },
        "settings": { "host": host, "port": port, "database": "erp", "tls": "off" },
        "operations": [{ "id": "get", "statement": "select 1", "safe": true }],
    });
    let mcp = json!({
        "name": "by_mcp", "kind": "mcp", "settings": { "base_url": format!("{there}/mcp") },
        "document": { "tools": [{ "name": "get", "inputSchema": { "type": "object" } }] },
    });
    vec![
        (connector("by_http", &there, &none), "get"),
        (json!({ "name": "by_openapi", "kind": "openapi", "document": document }), "get"),
        (sql, "get"),
        (mcp, "get"),
        (connector("by_token", "https://erp.example.com", &token), "get"),
    ]
}

#[tokio::test]
async fn a_name_that_comes_to_lead_inside_is_not_followed_there() {
    let shop = Shop::open().await;
    let names = Rebinding::default();
    let leads_to = |addresses: &[IpAddr]| *names.0.lock().unwrap() = addresses.to_vec();
    let outside: IpAddr = Ipv6Addr::new(0x2001, 0x200, 0, 0, 0, 0, 0, 1).into();
    let inside: IpAddr = Ipv4Addr::LOCALHOST.into();
    let with = StartOptions { guard: Guard::of(names.clone()), ..StartOptions::default() };
    let app = App::start_with_options(with, &fresh_database().await, |_| {}).await;
    let admin = app.admin().await;
    set_secret(&admin, "erp_secret", "s3cret/of the erp").await;
    leads_to(&[outside]);
    let mut kinds = Vec::new();
    for (body, operation) in of_each_kind("rebinds.test", shop.address.port()) {
        let name = body["name"].as_str().unwrap().to_owned();
        admin.post("connectors", body).await.json(201);
        kinds.push(format!("connectors/{name}/operations/{operation}/try"));
    }
    let said = async |path: &str| {
        let tried = admin.post(path, json!({})).await.json(200);
        tried["error"].as_str().unwrap_or_else(|| panic!("{path}: {tried:#}")).to_owned()
    };
    for path in &kinds {
        // Somebody who leads inside beside an address of the internet is followed to that one alone.
        for led in [[outside].as_slice(), &[inside, outside]] {
            leads_to(led);
            let said = said(path).await;
            assert!(!said.contains("private"), "{path}: {said}");
        }
        leads_to(&[inside]);
        let said = said(path).await;
        assert!(said.contains("The address is private"), "{path}: {said}");
    }
    assert_eq!(shop.calls().len(), 0);
    app.stop().await;
}

#[tokio::test]
async fn what_lets_us_in_and_inputs_that_hold_secrets_go_to_no_other_origin() {
    let (shop, stranger) = (Shop::open().await, Shop::open().await);
    let allow = format!("{},{}", shop.address, stranger.address);
    let app = App::start_with(|config| config.outbound_allow = allow.parse().unwrap()).await;
    let admin = app.admin().await;
    set_secret(&admin, "erp_secret", "s3cret/of the erp").await;
    let mut erp = connector(
        "erp",
        &format!("http://{}", shop.address),
        &json!({ "type": "header", "name": "X-Key", "secret": "erp_secret" }),
    );
    erp["operations"][0]["headers"] = json!({ "X-Again": "{{ again }}", "X-Plain": "{{ plain }}" });
    admin.post("connectors", erp).await.json(201);
    shop.reply([Reply::Header(307, "location", format!("http://{}/there", stranger.address))]);
    let input = json!({ "input": { "again": "Key s3cret/of the erp", "plain": "p" } });
    let tried = admin.post("connectors/erp/operations/get/try", input).await.json(200);
    assert_eq!(tried["status"], 200, "{tried:#}");
    assert!(!tried.to_string().contains("s3cret"), "{tried:#}");
    let (first, second) = (&shop.calls()[0], &stranger.calls()[0]);
    assert_eq!((first.header("x-key"), first.header("x-again").len()), (vec!["s3cret/of the erp"], 1));
    assert_eq!((second.header("x-key"), second.header("x-again")), (vec![], vec![]));
    assert_eq!(second.header("x-plain"), ["p"]);
    app.stop().await;
}

#[tokio::test]
async fn a_check_says_whether_the_system_answers_and_lets_us_in() {
    let shop = Shop::open().await;
    let app = app_for(&shop).await;
    let admin = app.admin().await;
    let bearer = json!({ "type": "bearer", "secret": "erp_secret" });
    let base = format!("http://{}", shop.address);
    admin.post("connectors", connector("erp", &base, &bearer)).await.json(201);
    let check = async || admin.post("connectors/erp/check", json!({})).await.json(200);
    let checked = check().await;
    assert_eq!(
        (&checked["answers"], &checked["let_in"], &checked["detail"]),
        (&json!(false), &json!(false), &json!("There is no secret erp_secret."))
    );
    set_secret(&admin, "erp_secret", "s3cret/of the erp").await;
    for (reply, answers, let_in, status) in [
        (Reply::Json(200, json!({})), true, json!(true), json!(200)),
        (Reply::Json(401, json!({})), true, json!(false), json!(401)),
        (Reply::Json(503, json!({})), true, Value::Null, json!(503)),
    ] {
        shop.reply([reply]);
        let checked = check().await;
        assert_eq!(
            (&checked["answers"], &checked["let_in"], &checked["status"], &checked["operation"]),
            (&json!(answers), &let_in, &status, &json!("get")),
            "{checked:#}"
        );
    }
    let gone = connector("gone", "http://127.0.0.1:1", &json!({ "type": "none" }));
    admin.post("connectors", gone).await.json(201);
    let checked = admin.post("connectors/gone/check", json!({})).await.json(200);
    assert_eq!((&checked["answers"], &checked["let_in"]), (&json!(false), &Value::Null), "{checked:#}");
    app.stop().await;
}
