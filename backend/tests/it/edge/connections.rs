//! What a connection may do, and what every answer carries.

use crate::app::{App, Client};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[tokio::test]
async fn a_body_past_the_limit_gets_its_problem_before_the_connection_ends() {
    let app = App::start().await;
    let admin = app.admin().await;
    let nobody = Client::new(&app.base, None);
    for size in [2 * 1024 * 1024, 6 * 1024 * 1024] {
        let body = format!(r#"{{"type": "a", "payload": {{"x": "{}"}}}}"#, "x".repeat(size));
        let sent = |client: Client| {
            let body = body.clone();
            async move {
                client
                    .send(Method::POST, "events", |r| r.header("content-type", "application/json").body(body))
                    .await
            }
        };
        assert_eq!(sent(admin.clone()).await.problem(413)["code"], "body.too_large");
        assert_eq!(sent(nobody.clone()).await.problem(401)["code"], "auth.required");
    }
    app.stop().await;
}

/// Sends bytes as they are and reads what comes back until the other side closes.
async fn raw(app: &App, bytes: &[u8], patience: Duration) -> Option<String> {
    let mut stream = TcpStream::connect(app.running.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(patience, stream.read_to_end(&mut answer)).await;
    read.ok().map(|_| String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn a_request_with_two_hosts_is_refused() {
    let app = App::start().await;
    let request = b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n";
    let answer = raw(&app, request, Duration::from_secs(10)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("application/problem+json") && answer.contains("Host"), "{answer}");
    app.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_request_is_left() {
    let app = App::start().await;
    let patience = Duration::from_secs(45);
    let token = app.admin().await.token.unwrap();
    let slow = format!(
        "POST /api/v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    );
    let (half, body, nothing, letter, preface) = tokio::join!(
        raw(&app, b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Half", patience),
        raw(&app, slow.as_bytes(), patience),
        raw(&app, b"", patience),
        raw(&app, b"P", patience),
        raw(&app, b"PRI * HTTP/2.0\r\n", patience),
    );
    for (said, left) in [("nothing", nothing), ("a letter", letter), ("half a preface", preface)] {
        assert!(left.is_some(), "who says {said} is waited for no longer than 30 s");
    }
    assert!(half.is_some(), "half a head is waited for no longer than 30 s");
    let body = body.expect("half a body is waited for no longer than 30 s");
    assert!(body.starts_with("HTTP/1.1 408") && body.contains("\"body.slow\""), "{body}");
    app.stop().await;
}

#[tokio::test]
async fn answers_carry_the_headers_that_browsers_and_caches_heed() {
    let app = App::start().await;
    let base = format!("http://{}", app.running.address);
    let docs = reqwest::get(format!("{base}/docs/")).await.unwrap();
    for (name, holds) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("content-security-policy", "frame-ancestors 'none'"),
        ("content-security-policy", "default-src 'self'"),
    ] {
        assert!(docs.headers()[name].to_str().unwrap().contains(holds), "{name}");
    }
    let nobody = Client::new(&app.base, None);
    let login = json!({ "email": "admin@example.com", "password": "admin-password" });
    let session = nobody.post("auth/login", login).await;
    assert_eq!(session.headers["cache-control"], "no-store");
    assert_eq!(session.headers["x-content-type-options"], "nosniff");
    assert_eq!(nobody.get("executions").await.headers["cache-control"], "no-store");
    app.stop().await;
}

#[tokio::test]
async fn metrics_are_for_this_machine_and_for_whoever_has_the_token() {
    for token in [None, Some("a-token-for-metrics")] {
        let app = App::start_with(|config| config.metrics_token = token.map(str::to_owned)).await;
        let url = format!("http://{}/metrics", app.running.address);
        let http = reqwest::Client::new();
        let local = http.get(&url).send().await.unwrap();
        assert_eq!(local.status(), 200);
        assert!(local.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
        let forwarded = || http.get(&url).header("x-forwarded-for", "203.0.113.7");
        let without = forwarded().send().await.unwrap().status().as_u16();
        assert_eq!(without, if token.is_some() { 401 } else { 404 });
        let wrong = forwarded().bearer_auth("another").send().await.unwrap().status().as_u16();
        assert_eq!(wrong, without);
        if let Some(token) = token {
            assert_eq!(forwarded().bearer_auth(token).send().await.unwrap().status(), 200);
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn a_person_has_a_bounded_number_of_lines_and_says_little_on_each() {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::{Error, Message, client::IntoClientRequest as _};
    let app = App::start().await;
    let token = app.admin().await.token.unwrap();
    let connect = || {
        let url = format!("ws://{}/api/v1/live", app.running.address);
        let token = token.clone();
        async move {
            let mut request = url.into_client_request().unwrap();
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
            tokio_tungstenite::connect_async(request).await.map(|(socket, _)| socket)
        }
    };
    let mut lines = Vec::new();
    for _ in 0..20 {
        lines.push(connect().await.unwrap());
    }
    match connect().await {
        Err(Error::Http(response)) => {
            assert_eq!(response.status(), 429);
            assert!(response.headers().contains_key("retry-after"));
            let body = String::from_utf8(response.body().clone().unwrap_or_default()).unwrap();
            assert!(body.contains("\"limit.sockets\""), "{body}");
        }
        other => panic!("the 21st line is refused: {other:?}"),
    }
    let mut line = lines.pop().unwrap();
    // The server ends the line as soon as it sees how large the message is; whether all of it could be sent is chance.
    let _ = line.send(Message::Binary(vec![0; 4 * 1024 * 1024].into())).await;
    let closed = async { while let Some(Ok(_)) = line.next().await {} };
    tokio::time::timeout(Duration::from_secs(10), closed).await.expect("a large message ends the line");
    crate::app::eventually("a closed line makes room", || async {
        connect().await.map(drop).map_err(|error| error.to_string())
    })
    .await;
    app.stop().await;
}
