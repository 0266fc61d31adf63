//! An order as the sample shop places it.

use anyhow::{Context as _, bail};
use serde_json::json;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Where the server of `cargo xtask run` listens.
pub(crate) const SERVER: &str = "127.0.0.1:7400";
/// The sample shop's key.
const KEY: &str = "iw_sample_shop_key";

/// Places an order and prints what the server answers.
pub(crate) fn place(total: &str) -> anyhow::Result<()> {
    let amount: f64 = total.parse().with_context(|| format!("--total: \"{total}\" is no amount"))?;
    let number = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() % 100_000_000;
    let id = format!("A-{number}");
    let event = json!({
        "type": "order.checkout.initiated", "id": format!("{id}-checkout"), "source": "xtask",
        "payload": { "order": {
            "id": id, "customer": "Lund Robotics", "total": amount, "currency": "EUR",
            "items": [{ "sku": "pump-40", "n": 2 }, { "sku": "seal-8", "n": 12 }],
        } },
    });
    let answer = post(SERVER, "/api/v1/events?wait=3s", &event.to_string())?;
    print_line(&answer);
    Ok(())
}

fn print_line(text: &str) {
    // A reader that went away is no failure of the order.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// One request over HTTP/1.1; this program needs no more.
pub(crate) fn post(server: &str, path: &str, body: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(server)
        .with_context(|| format!("there is no server at {server}; `cargo xtask run` starts one"))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {server}\r\nX-API-Key: {KEY}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the server's answer broke off")?;
    let status = head.lines().next().unwrap_or_default();
    if !status.contains(" 20") {
        bail!("{status}: {body}");
    }
    Ok(body.to_owned())
}
