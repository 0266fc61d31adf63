//! Mail goes out over SMTP, and what a mail server refuses for good is kept with its reason.

use crate::app::{App, eventually};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

const TELL: &str = "
workflow_id: tell
name: Tell
trigger: { type: event, event: told }
enabled: true
steps:
  - id: tell
    type: execute
    execute:
      - { type: notify, recipients: ['{{ to }}'], subject: 'Order {{ order }}', message: 'It is on its way.' }
";

/// A mail server that keeps what it is sent, and knows nobody called `nobody@`.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<String>>>);

impl Sink {
    async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, sink) = (listener.local_addr().unwrap(), self.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(sink.clone().serve(stream));
            }
        });
        address
    }

    async fn serve(self, stream: TcpStream) -> std::io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 sink\r\n").await?;
        while let Some(line) = lines.next_line().await? {
            let answer = match line.split([' ', ':']).next().unwrap_or_default() {
                "RCPT" if line.contains("<nobody@") => "550 nobody of that name",
                "DATA" => {
                    write.write_all(b"354 go on\r\n").await?;
                    let mut mail = Vec::new();
                    while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                        mail.push(line);
                    }
                    self.0.lock().unwrap().push(mail.join("\n"));
                    "250 kept"
                }
                "QUIT" => "221 bye",
                _ => "250 well",
            };
            write.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn mail_goes_out_and_what_is_refused_for_good_is_kept_with_its_reason() {
    let sink = Sink::default();
    let address = sink.start().await;
    let app = App::start_with(|config| config.smtp_url = Some(format!("smtp://{address}"))).await;
    app.publish(TELL).await;
    let shop = app.key(&["events:write"]).await;
    for to in ["bo@example.org", "nobody@example.org"] {
        shop.post("events", json!({ "type": "told", "payload": { "to": to, "order": "A1" } }))
            .await
            .json(202);
    }
    let admin = app.admin().await;
    let deliveries: Vec<Value> = eventually("both are settled", || async {
        let all = admin.get("deliveries").await.json(200);
        let all = all["items"].as_array().unwrap().clone();
        let is_settled = all.len() == 2 && all.iter().all(|delivery| delivery["status"] != "pending");
        if is_settled { Ok(all) } else { Err(json!(all).to_string()) }
    })
    .await;
    let of = |to: &str| deliveries.iter().find(|delivery| delivery["recipient"] == to).unwrap();
    assert_eq!(of("bo@example.org")["status"], "delivered");
    assert_eq!(of("nobody@example.org")["status"], "undeliverable");
    assert!(of("nobody@example.org")["reason"].as_str().unwrap().contains("nobody of that name"));
    let mails = sink.0.lock().unwrap().clone();
    assert_eq!(mails.len(), 1);
    for part in
        ["To: bo@example.org", "Subject: Order A1", "From: workflows@example.com", "It is on its way."]
    {
        assert!(mails[0].contains(part), "{part} in {}", mails[0]);
    }
    app.stop().await;
}
