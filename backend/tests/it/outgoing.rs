//! Outgoing calls: redirects, headers and answers, as the language says.

use crate::{
    app::{App, Client},
    shop::{Call, Reply, Shop},
};
use reqwest::Method;
use serde_json::{Value, json};

/// A server that may call these shops, with one workflow that calls `url` with `method`, and whoever starts and reads it.
struct World {
    app: App,
    events: Client,
    reader: Client,
}

impl World {
    async fn new(shops: &[&Shop], method: &str, headers: &str) -> Self {
        let allow: Vec<String> = shops.iter().map(|shop| shop.address.to_string()).collect();
        let allow = allow.join(",");
        let app = App::start_with(|config| config.outbound_allow = allow.parse().unwrap()).await;
        let secret = json!({ "value": "s3cret-value" });
        let set = app.admin().await.send(Method::PUT, "secrets/token", |r| r.json(&secret)).await;
        assert_eq!(set.status, 204, "{}", set.text);
        app.publish(&format!(
            "workflow_id: call\nname: Call\ntrigger: {{ type: event, event: call }}\nenabled: true\nsteps:\n  \
             - id: call\n    type: execute\n    execute:\n      - type: webhook\n        method: {method}\n        \
             url: '{{{{ url }}}}'\n        headers: {headers}\n        body: {{ id: A1 }}\n        save_as: answer\n"
        ))
        .await;
        let (events, reader) = (app.key(&["events:write"]).await, app.person("Per Dahl", &["viewer"]).await);
        Self { app, events, reader }
    }

    /// The run that this payload starts, once it has ended.
    async fn run(&self, payload: Value) -> Value {
        let event = json!({ "type": "call", "payload": payload });
        let started = self.events.post("events", event).await.json(202);
        self.reader.run_ended(&started["runs"][0]["execution_id"]).await
    }

    async fn run_to(&self, url: &str) -> Value {
        self.run(json!({ "url": url })).await
    }
}

fn to(status: u16, location: &str) -> Reply {
    Reply::Header(status, "location", location.to_owned())
}

fn methods(calls: &[Call]) -> Vec<(&str, &str)> {
    calls.iter().map(|call| (call.method.as_str(), call.path.as_str())).collect()
}

#[tokio::test]
async fn redirects_are_followed_as_a_browser_follows_them() {
    for (status, method, expected) in [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (301, "PUT", "PUT"),
    ] {
        let shop = Shop::open().await;
        let world = World::new(&[&shop], method, "{ X-Plain: x }").await;
        shop.reply([to(status, "/there"), Reply::Json(200, json!({ "ok": true }))]);
        let run = world.run_to(&format!("http://{}/here", shop.address)).await;
        assert_eq!(run["context"]["answer"], json!({ "ok": true }), "{status} {method}: {run:#}");
        let calls = shop.calls();
        assert_eq!(methods(&calls), [(method, "here"), (expected, "there")], "{status} {method}");
        let repeats = expected == method;
        assert_eq!(calls[1].body == json!({ "id": "A1" }), repeats, "{status} {method}");
        assert_eq!(calls[1].header("content-type").is_empty(), !repeats, "{status} {method}");
        assert!(repeats || calls[1].header("content-length").iter().all(|length| *length == "0"));
        assert_eq!((calls[1].header("x-plain"), &calls[1].key), (vec!["x"], &calls[0].key));
        world.app.stop().await;
    }
}

#[tokio::test]
async fn a_chain_of_ten_redirects_is_followed_and_an_eleventh_is_not() {
    let shop = Shop::open().await;
    let world = World::new(&[&shop], "GET", "{ X-Plain: x }").await;
    let url = format!("http://{}/here", shop.address);
    shop.reply((0..10).map(|_| to(302, "/again")));
    assert_eq!(world.run_to(&url).await["result"], "executed");
    shop.reply((0..11).map(|_| to(302, "/again")));
    let run = world.run_to(&url).await;
    assert_eq!(run["error"]["code"], "redirect.endless", "{run:#}");
    assert_eq!(shop.calls().len(), 22);
    world.app.stop().await;
}

#[tokio::test]
async fn credentials_are_not_sent_on_to_another_origin() {
    const HEADERS: &str =
        "{ Authorization: Basic abc, Cookie: a=b, X-Token: '{{ secrets.token }}', X-Plain: x }";
    let (shop, other) = (Shop::open().await, Shop::open().await);
    let world = World::new(&[&shop, &other], "POST", HEADERS).await;
    shop.reply([to(307, &format!("http://{}/there", other.address))]);
    let run = world.run_to(&format!("http://{}/here", shop.address)).await;
    assert_eq!(run["result"], "executed", "{run:#}");
    let (first, second) = (&shop.calls()[0], &other.calls()[0]);
    for name in ["authorization", "cookie", "x-token"] {
        assert_eq!(first.header(name).len(), 1, "{name}");
        assert!(second.header(name).is_empty(), "{name}: {second:?}");
    }
    assert_eq!((second.header("x-plain"), &second.body), (vec!["x"], &json!({ "id": "A1" })));
    // Within the origin they stay.
    shop.reply([to(307, "/there")]);
    world.run_to(&format!("http://{}/here", shop.address)).await;
    assert_eq!(shop.calls()[2].header("x-token"), ["s3cret-value"]);
    world.app.stop().await;
}

#[tokio::test]
async fn every_hop_passes_the_guard() {
    let (shop, other) = (Shop::open().await, Shop::open().await);
    let world = World::new(&[&shop], "GET", "{ X-Plain: x }").await;
    for location in [
        format!("http://{}/", other.address),
        "http://169.254.169.254/latest".to_owned(),
        "http://[::ffff:127.0.0.1]/".to_owned(),
        format!("http://localhost:{}/", other.address.port()),
    ] {
        shop.reply([to(302, "/again"), to(302, &location)]);
        let run = world.run_to(&format!("http://{}/here", shop.address)).await;
        assert_eq!(run["error"]["code"], "outbound.private", "{location}: {run:#}");
    }
    assert!(other.calls().is_empty());
    world.app.stop().await;
}

#[tokio::test]
async fn a_header_that_a_template_spoils_fails_its_step_and_is_never_sent() {
    let shop = Shop::open().await;
    let world = World::new(&[&shop], "POST", "{ X-Note: '{{ note }}' }").await;
    let url = format!("http://{}/here", shop.address);
    for note in ["a\r\nX-Evil: 1", "a\u{7f}"] {
        let run = world.run(json!({ "url": url, "note": note })).await;
        assert_eq!(run["error"]["code"], "header.bad", "{run:#}");
        assert!(run["error"]["message"].as_str().unwrap().contains("X-Note"), "{run:#}");
    }
    assert!(shop.calls().is_empty());
    world.app.stop().await;
}

#[tokio::test]
async fn the_servers_own_headers_of_a_stored_document_are_left_out() {
    let shop = Shop::open().await;
    let world = World::new(&[&shop], "POST", "{ X-A: mine, X-B: '3', X-C: elsewhere, X-D: chunked }").await;
    // A document of the time before such names were refused.
    let mut conn = world.app.running.state.pool.acquire().await.unwrap();
    let stored = "update workflow_revisions set \
        source = replace(replace(replace(replace(source, 'X-A', 'IDEMPOTENCY-key'), 'X-B', 'content-Length'), 'X-C', 'host'), \
        'X-D', 'Transfer-Encoding'), \
        document = replace(replace(replace(replace(document::text, 'X-A', 'IDEMPOTENCY-key'), 'X-B', 'content-Length'), 'X-C', 'host'), \
        'X-D', 'Transfer-Encoding')::jsonb";
    sqlx::query(stored).execute(&mut *conn).await.unwrap();
    drop(conn);
    let url = world.app.running.state.pool.connect_options().get_database().unwrap().to_owned();
    world.app.stop().await;
    let (base, _) =
        crate::app::server_url().rsplit_once('/').map(|(b, n)| (b.to_owned(), n.to_owned())).unwrap();
    let allow = shop.address.to_string();
    let app =
        App::start_on(&format!("{base}/{url}"), |config| config.outbound_allow = allow.parse().unwrap())
            .await;
    let (events, reader) =
        (app.key(&["events:write", "executions:read"]).await, app.person("Vi Lund", &["viewer"]).await);
    let event = json!({ "type": "call", "payload": { "url": format!("http://{}/here", shop.address) } });
    let started = events.post("events", event).await.json(202);
    let run = reader.run_ended(&started["runs"][0]["execution_id"]).await;
    assert_eq!(run["result"], "executed", "{run:#}");
    let call = &shop.calls()[0];
    assert_eq!(call.header("idempotency-key").len(), 1);
    assert!(call.key.contains(run["execution_id"].as_str().unwrap()), "{call:?}");
    assert_eq!(call.header("content-length"), [json!({ "id": "A1" }).to_string().len().to_string()]);
    assert_eq!(call.header("host"), [shop.address.to_string()]);
    assert!(call.header("transfer-encoding").is_empty());
    app.stop().await;
}

#[tokio::test]
async fn an_answer_is_json_where_it_is_json_and_what_cannot_be_kept_fails_its_step() {
    let shop = Shop::open().await;
    let world = World::new(&[&shop], "POST", "{ X-Plain: x }").await;
    let url = format!("http://{}/here", shop.address);
    let typed = |kind: &str, body: Vec<u8>| Reply::Raw(200, vec![("content-type", kind.to_owned())], body);
    let ok = json!({ "ort": "Göteborg" });
    let utf16: Vec<u8> = format!("\u{feff}{ok}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin = ok.to_string().chars().map(|c| u8::try_from(c).unwrap()).collect();
    for reply in [
        typed("application/problem+json", ok.to_string().into()),
        typed("application/json", format!("\u{feff}{ok}").into()),
        typed("application/json", utf16),
        typed("application/json; charset=iso-8859-1", latin),
        typed("text/plain", ok.to_string().into()),
        Reply::Raw(200, Vec::new(), ok.to_string().into()),
    ] {
        let said = format!("{reply:?}");
        shop.reply([reply]);
        assert_eq!(world.run_to(&url).await["context"]["answer"], ok, "{said}");
    }
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    for (reply, code) in [
        (typed("application/json", deep.into()), "value.too_deep"),
        (typed("application/json", br#"{"a": "\u0000"}"#.to_vec()), "value.unstorable"),
        (typed("text/plain", b"a\0b".to_vec()), "value.unstorable"),
        (typed("text/plain", vec![b'x'; 1_100_000]), "answer.too_large"),
    ] {
        shop.reply([reply]);
        let run = world.run_to(&url).await;
        assert_eq!(run["error"]["code"], code, "{:#}", run["error"]);
    }
    let cookies = ["a=1; Expires=Wed, 01 Jan", "b=2"].map(|cookie| ("set-cookie", cookie.to_owned()));
    let links = ["</a>", "</b>"].map(|link| ("link", link.to_owned()));
    shop.reply([Reply::Raw(200, cookies.into_iter().chain(links).collect(), Vec::new())]);
    let run = world.run_to(&url).await;
    let headers = &run["context"]["steps"]["call"]["response"]["headers"];
    assert_eq!(headers["link"], "</a>, </b>");
    assert_eq!(headers["set-cookie"], "a=1; Expires=Wed, 01 Jan\nb=2");
    world.app.stop().await;
}
