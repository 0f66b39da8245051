//! A client as cheap as one can be, since it shares the cores with what it measures: HTTP/1.1 on a kept connection,
//! bytes out, status, position and body in.
//!
//! Not here: anything that this server does not send, such as chunked bodies.

use crate::Outcome;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An answer that takes longer counts as lost.
const PATIENCE: Duration = Duration::from_mins(1);
/// How much is read at once.
const ROOM: usize = 16 * 1024;

/// One connection, opened when it is needed and opened again when the server has closed it for being idle.
#[derive(Debug)]
pub(super) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    received: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// `X-Position`, if it was there.
    pub(super) position: Option<String>,
    pub(super) body: Vec<u8>,
}

/// Where an answer's parts are in what was received.
struct Head {
    status: u16,
    position: Option<String>,
    /// Bytes before the body.
    length: usize,
    /// Bytes of the body.
    content: usize,
}

impl Connection {
    pub(super) const fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, received: Vec::new() }
    }

    /// Sends a whole request and reads the whole answer.
    ///
    /// # Errors
    /// When there is no answer, or none that can be understood.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection.
    pub(super) async fn send(&mut self, request: &[u8]) -> Outcome<Answer> {
        // A server may close an idle connection at the very moment in which it is used again: then nothing was done.
        let was_kept = self.is_open();
        match timeout(PATIENCE, self.exchange(request)).await? {
            Ok(answer) => Ok(answer),
            Err(_) if was_kept && self.received.is_empty() => {
                timeout(PATIENCE, self.exchange(request)).await?
            }
            Err(error) => Err(error),
        }
    }

    /// Whether there is a connection that the server has not closed.
    fn is_open(&mut self) -> bool {
        let would_wait = |stream: &TcpStream| {
            stream.try_read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
        };
        self.stream = self.stream.take().filter(would_wait);
        self.stream.is_some()
    }

    async fn exchange(&mut self, request: &[u8]) -> Outcome<Answer> {
        self.received.clear();
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect(self.address).await?,
        };
        stream.set_nodelay(true)?;
        stream.write_all(request).await?;
        let head = loop {
            if let Some(head) = Head::of(&self.received)? {
                break head;
            }
            read(&mut stream, &mut self.received).await?;
        };
        while self.received.len() < head.length + head.content {
            read(&mut stream, &mut self.received).await?;
        }
        let body = self.received.get(head.length..).unwrap_or_default().to_vec();
        self.stream = Some(stream);
        Ok(Answer { status: head.status, position: head.position, body })
    }
}

async fn read(stream: &mut TcpStream, received: &mut Vec<u8>) -> Outcome<()> {
    received.reserve(ROOM);
    match stream.read_buf(received).await? {
        0 => Err("the server closed the connection before its answer was complete".into()),
        _ => Ok(()),
    }
}

impl Head {
    /// The head, once it has arrived.
    fn of(received: &[u8]) -> Outcome<Option<Self>> {
        let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
        let text = std::str::from_utf8(received.get(..end).unwrap_or_default())?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().parse()?;
        let mut head = Self { status, position: None, length: end + 4, content: 0 };
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            match name {
                "content-length" => head.content = value.parse()?,
                "x-position" => head.position = Some(value.to_owned()),
                "transfer-encoding" => return Err("an answer without a length".into()),
                _ => {}
            }
        }
        Ok(Some(head))
    }
}

impl Answer {
    /// The body as JSON, if the status is the one expected.
    ///
    /// # Errors
    /// The answer as text.
    pub(super) fn expect(&self, status: u16) -> Outcome<Value> {
        if self.status != status {
            let text = String::from_utf8_lossy(&self.body);
            return Err(format!("{status} was expected, and it was {}: {text}", self.status).into());
        }
        Ok(serde_json::from_slice(&self.body).unwrap_or_default())
    }
}

/// A request under construction.
#[derive(Debug, Clone)]
pub(super) struct Request {
    head: String,
    body: String,
}

impl Request {
    pub(super) fn get(path: &str) -> Self {
        Self { head: format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n"), body: String::new() }
    }

    pub(super) fn delete(path: &str) -> Self {
        Self { head: format!("DELETE {path} HTTP/1.1\r\nhost: localhost\r\n"), body: String::new() }
    }

    pub(super) fn post(path: &str, body: &Value) -> Self {
        let body = body.to_string();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n"
        );
        Self { head, body }
    }

    /// One more header.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.head.extend([name, ": ", value, "\r\n"]);
        self
    }

    pub(super) fn bytes(mut self) -> Vec<u8> {
        self.head.extend(["\r\n", &self.body]);
        self.head.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let answer = b"HTTP/1.1 201 Created\r\nx-position: 7\r\ncontent-length: 2\r\n\r\n{}";
        assert!(Head::of(&answer[..40]).unwrap().is_none());
        let head = Head::of(answer).unwrap().unwrap();
        assert_eq!((head.status, head.position.as_deref(), head.content), (201, Some("7"), 2));
        assert_eq!(&answer[head.length..], b"{}");
        assert!(Head::of(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
