//! A mail server that keeps what it is sent and passes nothing on: as much of SMTP (RFC 5321) as our own client speaks.

use crate::clock::Clock;
use chrono::{DateTime, Utc};
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// How many mails are kept.
const KEPT: usize = 200;
/// How much one connection may send, in bytes.
const MAX_SENT: u64 = 16 * 1024 * 1024;
/// What is said of an address that begins with `nobody@`.
const UNKNOWN: &str = "550 nobody of that name";

/// A mail as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// When it came.
    pub at: DateTime<Utc>,
    /// The addresses that it was sent to.
    pub to: Vec<String>,
    /// Its headers and body.
    pub bytes: Vec<u8>,
}

/// The mails that came, oldest first; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Mailbox(Arc<Mutex<VecDeque<Received>>>);

impl Mailbox {
    /// The mails that came, oldest first.
    pub fn all(&self) -> Vec<Received> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Takes mail for as long as the listener is there.
    pub async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let mailbox = self.clone();
            tokio::spawn(async move {
                // A client that hangs up has nothing more to be told.
                let _ = mailbox.take(stream).await;
            });
        }
    }

    async fn take(self, stream: TcpStream) -> io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read.take(MAX_SENT));
        let mut to = Vec::new();
        write.write_all(b"220 sample mail\r\n").await?;
        let mut line = String::new();
        while lines.read_line(&mut line).await? > 0 {
            let command = line.trim().to_owned();
            line.clear();
            let answer = match command.split([' ', ':']).next().unwrap_or_default().to_uppercase().as_str() {
                "RCPT" => match address(&command) {
                    Some(address) if address.starts_with("nobody@") => UNKNOWN,
                    Some(address) => {
                        to.push(address.to_owned());
                        "250 well"
                    }
                    None => "501 no address",
                },
                "DATA" => {
                    write.write_all(b"354 go on\r\n").await?;
                    let bytes = data(&mut lines).await?;
                    self.keep(std::mem::take(&mut to), bytes);
                    "250 kept"
                }
                "RSET" => {
                    to.clear();
                    "250 well"
                }
                "QUIT" => {
                    write.write_all(b"221 bye\r\n").await?;
                    return Ok(());
                }
                _ => "250 well",
            };
            write.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
        Ok(())
    }

    fn keep(&self, to: Vec<String>, bytes: Vec<u8>) {
        let mut mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if mails.len() == KEPT {
            mails.pop_front();
        }
        mails.push_back(Received { at: Clock::default().now(), to, bytes });
    }
}

/// The address of `RCPT TO:<ada@example.com>`.
fn address(command: &str) -> Option<&str> {
    let (_, rest) = command.split_once('<')?;
    rest.split_once('>').map(|(address, _)| address)
}

/// The mail itself, up to the line that is a dot; a line that begins with one has another before it.
async fn data(lines: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
    let (mut bytes, mut line) = (Vec::new(), Vec::new());
    while lines.read_until(b'\n', &mut line).await? > 0 {
        if line.trim_ascii_end() == b"." {
            break;
        }
        bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        line.clear();
    }
    Ok(bytes)
}
