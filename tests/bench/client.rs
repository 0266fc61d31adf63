//! One keep-alive connection that sends events: as thin as can be, since it shares the machine with the server.

use anyhow::{Context as _, bail};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

pub(crate) struct Connection {
    stream: TcpStream,
    head: String,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr, key: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let head = format!(
            "POST /api/v1/events?wait=10s HTTP/1.1\r\nHost: bench\r\nX-API-Key: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: "
        );
        Ok(Self { stream, head, buffer: Vec::with_capacity(4096) })
    }

    /// Sends an event; it must end, and be allowed.
    pub(crate) async fn send(&mut self, body: &str) -> anyhow::Result<()> {
        let answer = self.exchange(body).await?;
        let is_right = answer.starts_with("HTTP/1.1 200")
            && answer.contains("\"status\":\"ended\"")
            && answer.contains("\"result\":\"allowed\"");
        if !is_right {
            bail!("the server answered {answer}");
        }
        Ok(())
    }

    /// Sends an event that may end in any way.
    pub(crate) async fn send_whatever(&mut self, body: &str) -> anyhow::Result<()> {
        let answer = self.exchange(body).await?;
        if !answer.starts_with("HTTP/1.1 20") {
            bail!("the server answered {answer}");
        }
        Ok(())
    }

    async fn exchange(&mut self, body: &str) -> anyhow::Result<String> {
        let request = format!("{}{}\r\n\r\n{body}", self.head, body.len());
        self.stream.write_all(request.as_bytes()).await?;
        self.read().await
    }

    async fn read(&mut self) -> anyhow::Result<String> {
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
            let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&self.buffer[..end])?.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.context("an answer without a length")?.trim().parse()?;
            if self.buffer.len() >= end + 4 + length {
                return Ok(String::from_utf8(self.buffer[..end + 4 + length].to_vec())?);
            }
        }
    }
}
