//! Tools of MCP servers: imported as operations, called with the key of the call, and what happens when a server misbehaves.

use super::set_secret;
use crate::app::{App, Client};
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::post,
};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A stand-in for an MCP server; what it does is said by the names of its tools.
#[derive(Clone)]
struct Server {
    /// Whether it has sessions, as all had before 2026-07-28.
    is_legacy: bool,
    /// Whether it lets anybody in.
    is_open: Arc<AtomicBool>,
    tools: Arc<Mutex<Value>>,
    seen: Arc<Mutex<Vec<(Value, HeaderMap)>>>,
}

impl Server {
    async fn open(is_legacy: bool) -> (Self, SocketAddr) {
        let tools = Arc::new(Mutex::new(tools()));
        let server = Self { is_legacy, is_open: Arc::default(), tools, seen: Arc::default() };
        server.is_open.store(true, Ordering::SeqCst);
        let app = Router::new().route("/mcp", post(answer).delete(|| async {})).with_state(server.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (server, address)
    }

    /// The calls of tools that came.
    fn calls(&self) -> Vec<Value> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|(message, _)| message["method"] == "tools/call").map(|(m, _)| m.clone()).collect()
    }
}

/// What lets us in.
const SECRET: &str = "t0ken-of-the-desk";

fn tools() -> Value {
    let any = json!({ "type": "object" });
    let mut tools = vec![
        json!({ "name": "find_order", "title": "Find an order", "annotations": { "readOnlyHint": true },
            "inputSchema": { "type": "object", "required": ["id"], "properties": { "id": { "type": "integer" } } },
            "outputSchema": { "type": "object" } }),
    ];
    for name in [
        "text",
        "list",
        "picture",
        "fails",
        "streams",
        "large",
        "endless",
        "never",
        "html",
        "busy",
        "refuses",
        "asks",
        "deep",
        "nul",
        "broken",
        "hangs_up",
        "echoes",
        "blames",
        "redirects",
    ] {
        tools.push(json!({ "name": name, "description": name, "inputSchema": any }));
    }
    Value::Array(tools)
}

fn event(message: &Value) -> String {
    format!("event: message\ndata: {message}\n\n")
}

fn stream(
    chunks: impl futures_util::Stream<Item = Result<String, std::io::Error>> + Send + 'static,
) -> Response {
    ([("content-type", "text/event-stream")], Body::from_stream(chunks)).into_response()
}

async fn answer(State(server): State<Server>, headers: HeaderMap, body: String) -> Response {
    let message: Value = serde_json::from_str(&body).unwrap();
    server.seen.lock().unwrap().push((message.clone(), headers));
    if !server.is_open.load(Ordering::SeqCst) {
        return (StatusCode::UNAUTHORIZED, [("www-authenticate", "Bearer")]).into_response();
    }
    let id = &message["id"];
    let result = |mut result: Value| {
        if !server.is_legacy {
            result["resultType"] = "complete".into();
        }
        json!({ "jsonrpc": "2.0", "id": id, "result": result })
    };
    let capabilities = json!({ "tools": {} });
    let answered = match message["method"].as_str().unwrap() {
        "server/discover" if !server.is_legacy => result(
            json!({ "supportedVersions": ["2026-07-28"], "capabilities": capabilities, "ttlMs": 0, "cacheScope": "private" }),
        ),
        "initialize" if server.is_legacy => {
            // The newest revision has no sessions.
            assert_eq!(message["params"]["protocolVersion"], "2025-11-25");
            let result = result(json!({
                "protocolVersion": "2025-06-18", "capabilities": capabilities, "serverInfo": { "name": "Old", "version": "1" },
            }));
            return ([("mcp-session-id", "session-1")], axum::Json(result)).into_response();
        }
        "notifications/initialized" | "notifications/cancelled" => {
            return StatusCode::ACCEPTED.into_response();
        }
        "tools/list" => {
            let tools = server.tools.lock().unwrap().clone();
            let from =
                message["params"]["cursor"].as_str().map_or(0, |cursor| cursor.parse::<usize>().unwrap());
            let all = tools.as_array().unwrap();
            let to = (from + 5).min(all.len());
            let mut page = json!({ "tools": all[from..to] });
            if !server.is_legacy {
                page["ttlMs"] = 0.into();
                page["cacheScope"] = "private".into();
            }
            if to < all.len() {
                page["nextCursor"] = to.to_string().into();
            }
            result(page)
        }
        "tools/call" => return called(&message, &result),
        _ => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32601, "message": "Method not found" } })
        }
    };
    axum::Json(answered).into_response()
}

fn called(message: &Value, result: &dyn Fn(Value) -> Value) -> Response {
    let text = |text: &str| result(json!({ "content": [{ "type": "text", "text": text }] }));
    let json = |value: Value| axum::Json(value).into_response();
    let progress = json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": { "progressToken": 1, "progress": 1 } });
    match message["params"]["name"].as_str().unwrap() {
        "find_order" => json(result(json!({
            "content": [{ "type": "text", "text": "for people" }],
            "structuredContent": { "id": message["params"]["arguments"]["id"], "state": "paid" },
        }))),
        "text" => json(text("just words")),
        "list" => json(text("[1, 2]")),
        "picture" => {
            json(result(json!({ "content": [{ "type": "image", "data": "AAAA", "mimeType": "image/png" }] })))
        }
        "fails" => json(result(
            json!({ "isError": true, "content": [{ "type": "text", "text": "There is no stock" }] }),
        )),
        "streams" => {
            let last = text("at last");
            stream(futures_util::stream::iter([Ok(event(&progress)), Ok(event(&last))]))
        }
        "large" => json(text(&"x".repeat(3_000_000))),
        "endless" => stream(futures_util::stream::repeat_with(move || Ok(event(&progress)))),
        "never" => stream(futures_util::stream::pending()),
        "html" => axum::response::Html("<p>Sign in").into_response(),
        "busy" => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")]).into_response(),
        "refuses" => json(
            json!({ "jsonrpc": "2.0", "id": message["id"], "error": { "code": -32602, "message": "No such thing" } }),
        ),
        "asks" => json(json!({ "jsonrpc": "2.0", "id": message["id"], "result": {
            "resultType": "input_required", "inputRequests": {}, "requestState": "s" } })),
        "deep" => json(text(&format!("{}{}", "[".repeat(100), "]".repeat(100)))),
        "nul" => json(result(json!({ "content": [], "structuredContent": { "a": "b\u{0}" } }))),
        "broken" => ([("content-type", "application/json")], "{\"jsonrpc\": \"2.0\", \"id\"").into_response(),
        "echoes" => json(text(&format!("you are {SECRET}"))),
        "blames" => json(result(
            json!({ "isError": true, "content": [{ "type": "text", "text": format!("{}{SECRET}", "x".repeat(570)) }] }),
        )),
        "redirects" => {
            (StatusCode::TEMPORARY_REDIRECT, [("location", "http://127.0.0.1:9/mcp")]).into_response()
        }
        "hangs_up" => {
            stream(futures_util::stream::iter([Ok(event(&progress)), Err(std::io::Error::other("gone"))]))
        }
        other => panic!("{other}"),
    }
}

fn connector(address: SocketAddr) -> Value {
    json!({
        "name": "desk", "kind": "mcp", "settings": { "base_url": format!("http://{address}/mcp") },
        "auth": { "type": "bearer", "secret": "desk_token" },
        "loads": { "order.stored": { "operation": "find_order", "input": { "id": "{{ order.id }}" } } },
        "entities": { "order": { "create": "find_order" } },
    })
}

const WORKFLOW: &str = "workflow_id: support\nname: Support\ntrigger: { type: event, event: support }\nenabled: true\n\
    context: { load: [order.stored] }\nsteps:\n  \
    - { id: ask, type: execute, execute: [{ type: connector, connector: desk.find_order, input: { id: '{{ order.id }}' }, save_as: got }], next: make }\n  \
    - { id: make, type: execute, execute: [{ type: create_record, entity: order, data: { id: 9 } }] }\n";

async fn app_for(address: SocketAddr) -> (App, Client) {
    let allow = address.to_string();
    let app = App::start_with(|config| config.outbound_allow = allow.parse().unwrap()).await;
    let admin = app.admin().await;
    set_secret(&admin, "desk_token", SECRET).await;
    (app, admin)
}

async fn tried(admin: &Client, tool: &str) -> Value {
    let path = format!("connectors/desk/operations/{tool}/try");
    admin.post(&path, json!({ "input": {} })).await.json(200)
}

#[tokio::test]
async fn the_tools_of_a_server_are_operations_whichever_revision_it_speaks() {
    for is_legacy in [false, true] {
        let (server, address) = Server::open(is_legacy).await;
        let (app, admin) = app_for(address).await;
        let made = admin.post("connectors", connector(address)).await.json(201);
        assert_eq!((made["operation_count"].as_u64(), &made["findings"]), (Some(20), &json!([])), "{made:#}");
        let operations = admin.get("connectors/desk/operations").await.json(200);
        let find =
            operations["items"].as_array().unwrap().iter().find(|one| one["id"] == "find_order").unwrap();
        assert_eq!((&find["summary"], &find["safe"]), (&json!("Find an order"), &json!(true)));
        app.publish(WORKFLOW).await;
        let sent = admin
            .post("events", json!({ "type": "support", "payload": { "order": { "id": 7 } } }))
            .await
            .json(202);
        let run = admin.run_ended(&sent["runs"][0]["execution_id"]).await;
        let order = json!({ "id": 7, "state": "paid" });
        assert_eq!((&run["context"]["got"], &run["context"]["order"]), (&order, &order), "{run:#}");
        let calls = server.calls();
        let [load, call, made] = calls.as_slice() else { panic!("{calls:#?}") };
        assert_eq!(made["params"]["arguments"], json!({ "id": 9 }));
        assert_eq!(run["context"]["steps"]["make"]["record"]["id"], 9, "{run:#}");
        assert_eq!(load["params"]["_meta"].get("idempotencyKey"), None);
        let key = format!("{}:ask:1:0", run["execution_id"].as_str().unwrap());
        assert_eq!(call["params"]["_meta"]["idempotencyKey"], key, "{call:#}");
        assert_eq!(call["params"]["arguments"], json!({ "id": 7 }));
        for (message, headers) in server.seen.lock().unwrap().iter() {
            assert_eq!(headers["authorization"], format!("Bearer {SECRET}"), "{message}");
        }
        for (tool, expected) in [
            ("text", json!("just words")),
            ("list", json!([1, 2])),
            ("picture", json!({ "content": [{ "type": "image", "data": "AAAA", "mimeType": "image/png" }] })),
            ("streams", json!("at last")),
        ] {
            let tried = tried(&admin, tool).await;
            assert_eq!((&tried["body"], &tried["error"]), (&expected, &Value::Null), "{tool}: {tried:#}");
            assert_eq!(tried["request"]["tool"], tool);
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_misbehaves_is_a_failed_call_with_the_reason() {
    for is_legacy in [false, true] {
        let (server, address) = Server::open(is_legacy).await;
        let (app, admin) = app_for(address).await;
        admin.post("connectors", connector(address)).await.json(201);
        for (tool, said) in [
            ("fails", "The tool failed: There is no stock."),
            ("large", "larger than what is read"),
            ("endless", "larger than what is read"),
            ("html", "answers with text/html"),
            ("refuses", "refused it: No such thing (-32602)."),
            ("asks", "asks back"),
            ("deep", "nests more than 64 deep"),
            ("nul", "U+0000"),
            ("broken", "but not as an MCP server does"),
            ("hangs_up", "broke"),
        ] {
            let tried = tried(&admin, tool).await;
            let error = tried["error"].as_str().unwrap_or_else(|| panic!("{tool}: {tried:#}"));
            assert!(error.contains(said), "{tool} (legacy: {is_legacy}): {error}");
            assert_eq!(tried["status"], Value::Null);
        }
        // What it says of the secret is masked, also where it would be cut.
        for tool in ["echoes", "blames"] {
            let tried = tried(&admin, tool).await.to_string();
            assert!(tried.contains("•••") && !tried.contains("t0ken"), "{tool}: {tried}");
        }
        // A redirect isn't followed, wherever it leads.
        assert_eq!(tried(&admin, "redirects").await["status"], 307);
        let busy = tried(&admin, "busy").await;
        assert_eq!(
            (&busy["status"], &busy["headers"]["retry-after"]),
            (&json!(429), &json!("7")),
            "{busy:#}"
        );
        // A tool that never answers ends by the time of its step.
        let text = "workflow_id: never\nname: Never\ntrigger: { type: event, event: never }\nenabled: true\nsteps:\n  \
            - { id: ask, type: execute, timeout: 1s, execute: [{ type: connector, connector: desk.never, input: {} }] }\n";
        app.publish(text).await;
        let sent = admin.post("events", json!({ "type": "never", "payload": {} })).await.json(202);
        let run = admin.run_ended(&sent["runs"][0]["execution_id"]).await;
        assert_eq!(run["error"]["code"], "timeout", "{run:#}");
        // Whoever isn't let in is told so.
        server.is_open.store(false, Ordering::SeqCst);
        let checked = admin.post("connectors/desk/check", json!({})).await.json(200);
        assert_eq!((&checked["let_in"], &checked["status"]), (&json!(false), &json!(401)), "{checked:#}");
        server.is_open.store(true, Ordering::SeqCst);
        let checked = admin.post("connectors/desk/check", json!({})).await.json(200);
        assert_eq!(checked["detail"], "It has 20 tools and lets us in.", "{checked:#}");
        app.stop().await;
    }
}

#[tokio::test]
async fn tools_are_asked_for_anew_and_stay_where_the_server_can_not_be_asked() {
    let (server, address) = Server::open(false).await;
    let (app, admin) = app_for(address).await;
    let body = connector(address);
    server.is_open.store(false, Ordering::SeqCst);
    let refused = admin.post("connectors", body.clone()).await.json(422);
    assert_eq!(refused["findings"][0]["pointer"], "/settings/base_url", "{refused:#}");
    assert!(refused["detail"].as_str().unwrap().contains("It answers 401."), "{refused:#}");
    server.is_open.store(true, Ordering::SeqCst);
    let made = admin.post("connectors", body.clone()).await.json(201);
    app.publish(WORKFLOW).await;
    *server.tools.lock().unwrap() = json!([
        { "name": "find_order", "annotations": { "readOnlyHint": true }, "inputSchema": { "type": "object", "required": ["id", "shop"] } },
        { "name": "new", "inputSchema": { "type": "object" } },
        { "name": "without a schema" }, "no tool at all",
    ]);
    // Its input for `context.load` fits no more.
    let preview = admin.post("connectors/desk/preview", body.clone()).await.json(422);
    assert_eq!(preview["findings"][0]["pointer"], "/loads/order.stored/input", "{preview:#}");
    let mut without_loads = body.clone();
    without_loads["loads"] = json!({});
    without_loads["entities"] = json!({});
    let preview = admin.post("connectors/desk/preview", without_loads.clone()).await.json(200);
    assert_eq!(
        (&preview["added"], &preview["changed"]),
        (&json!(["new"]), &json!(["find_order"])),
        "{preview:#}"
    );
    let left_out: Vec<&Value> =
        preview["findings"].as_array().unwrap().iter().map(|finding| &finding["pointer"]).collect();
    assert_eq!(
        left_out,
        ["/document/tools/2", "/document/tools/3"],
        "one tool that can't be read is nothing against the others"
    );
    assert_eq!(preview["used_by"], json!([{ "operation": "find_order", "workflow_id": "support" }]));
    server.is_open.store(false, Ordering::SeqCst);
    let etag = made["etag"].as_str().unwrap();
    let mut limited = body.clone();
    limited["limits"] = json!({ "concurrency": 2 });
    let second = super::put(&admin, &limited, etag).await.json(200);
    assert_eq!(second["operation_count"], 20, "{second:#}");
    assert_eq!(second["findings"][0]["code"], "connector.tools", "{second:#}");
    // A document that is sent needs no server.
    let mut written = without_loads;
    written["document"] = json!({ "tools": [{ "name": "own", "inputSchema": { "type": "object" } }] });
    let written = super::put(&admin, &written, second["etag"].as_str().unwrap()).await.json(200);
    assert_eq!(written["operation_count"], 1, "{written:#}");
    app.stop().await;
}

#[tokio::test]
async fn a_private_address_is_not_asked_for_tools() {
    let app = App::start().await;
    let admin = app.admin().await;
    let (server, address) = Server::open(false).await;
    for address in
        [format!("http://{address}"), "http://[::1]:9".to_owned(), "http://2130706433:9".to_owned()]
    {
        let body =
            json!({ "name": "desk", "kind": "mcp", "settings": { "base_url": format!("{address}/mcp") } });
        let refused = admin.post("connectors", body).await.json(422);
        assert!(refused["detail"].as_str().unwrap().contains("The address is private"), "{refused:#}");
    }
    assert_eq!(server.seen.lock().unwrap().len(), 0);
    app.stop().await;
}

/// How long a call may take that ends by the other side's fault.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_token_of_a_server_of_tools_is_renewed_once() {
    let (server, address) = Server::open(true).await;
    let (app, admin) = app_for(address).await;
    let shop = crate::shop::Shop::open().await;
    let allow = format!("{address},{}", shop.address);
    app.stop().await;
    let app = App::start_with(|config| config.outbound_allow = allow.parse().unwrap()).await;
    drop(admin);
    let admin = app.admin().await;
    set_secret(&admin, "desk_token", SECRET).await;
    shop.otherwise(json!({ "access_token": "fetched-token", "token_type": "Bearer", "expires_in": 3600 }));
    let mut body = connector(address);
    body["auth"] = json!({
        "type": "oauth2_client_credentials", "token_url": format!("http://{}/token", shop.address), "client_id": "iw",
        "secret": "desk_token",
    });
    admin.post("connectors", body).await.json(201);
    tried(&admin, "text").await;
    let before = shop.calls().len();
    server.is_open.store(false, Ordering::SeqCst);
    let refused = tokio::time::timeout(SOON, tried(&admin, "text")).await.unwrap();
    assert_eq!(refused["status"], 401, "{refused:#}");
    assert_eq!(shop.calls().len(), before + 1);
    app.stop().await;
}
