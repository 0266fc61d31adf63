//! The guard on outgoing calls covers connectors and their token endpoints, and a check says whether one is let in.

use super::{app_for, set_secret};
use crate::{
    app::App,
    shop::{Reply, Shop},
};
use serde_json::{Value, json};

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
