//! Answers that are given before the body of a request was read: the client gets them whole, and is told that its
//! connection ends, unless the rest was small enough to be read away.

use crate::raw::{PATIENCE, read_until};
use crate::server::{TestServer, start, start_with};
use composable_rust_web::{HttpOptions, RateLimitLayer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// More than sockets buffer, more than any limit of a body, less than what is read away after an answer.
const LARGE: usize = 5 * 1024 * 1024;

/// What is refused without a look at its body: the request line, its headers, and the status.
const REFUSED: [(&str, &str, u16); 9] = [
    ("POST /nowhere", "", 404),
    ("POST /page", "", 405),
    ("POST /rooms", "content-type: application/json\r\n", 401),
    ("POST /rooms", "content-type: application/json\r\nauthorization: Bearer nobody\r\n", 401),
    ("POST /rooms", "content-type: application/json\r\nauthorization: Bearer broken\r\n", 503),
    ("POST /rooms", "content-type: text/plain\r\nauthorization: Bearer user-1\r\n", 415),
    ("POST /rooms", "content-type: application/json\r\ncontent-encoding: gzip\r\n", 415),
    ("POST /rooms", "content-type: application/json\r\nauthorization: Bearer user-1\r\n", 413),
    ("POST /rooms", "content-type: application/json\r\nsec-fetch-site: cross-site\r\n", 403),
];

fn head((line, headers, _): (&str, &str, u16), length: usize) -> String {
    format!("{line} HTTP/1.1\r\nhost: a\r\n{headers}content-length: {length}\r\n\r\n")
}

/// A client that reads only when it has sent everything, as many do.
async fn sent_and_read(server: &TestServer, head: &str, length: usize) -> String {
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&vec![b' '; length]).await.expect("the body is taken");
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("the server closes");
    read.expect("the connection is not reset");
    String::from_utf8(answer).unwrap().to_ascii_lowercase()
}

fn is_whole(answer: &str, status: u16) -> bool {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    head.starts_with(&format!("http/1.1 {status} "))
        && body.contains(&format!("\"status\":{status}"))
        && body.ends_with('}')
}

#[tokio::test]
async fn an_answer_before_a_large_body_arrives_and_says_that_the_connection_ends() {
    let server = start().await;
    for refused in REFUSED {
        let answer = sent_and_read(&server, &head(refused, LARGE), LARGE).await;
        assert!(is_whole(&answer, refused.2), "{refused:?}: {answer}");
        assert!(answer.contains("connection: close\r\n"), "{refused:?}: {answer}");
    }
}

#[tokio::test]
async fn a_refusal_for_the_rate_arrives_before_a_large_body() {
    let rate_limits = RateLimitLayer::per_minute(1, 1);
    let server = start_with(|options| HttpOptions { rate_limits, ..options }).await;
    let request = head(("POST /nowhere", "", 429), LARGE);
    sent_and_read(&server, &request, LARGE).await;
    let answer = sent_and_read(&server, &request, LARGE).await;
    assert!(is_whole(&answer, 429) && answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn a_body_in_chunks_without_an_end_is_not_waited_for() {
    let server = start().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let request = b"POST /nowhere HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
    socket.write_all(request).await.unwrap();
    let answer = read_until(&mut socket, "\"status\":404").await.to_ascii_lowercase();
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn a_connection_outlives_an_answer_before_a_small_body() {
    let server = start().await;
    for refused in REFUSED.into_iter().filter(|refused| refused.2 != 413) {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        for _ in 0..2 {
            socket.write_all(head(refused, 1_000).as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
            socket.write_all(&[b' '; 1_000]).await.unwrap();
            let answer = read_until(&mut socket, &format!("\"status\":{}", refused.2)).await;
            assert!(!answer.to_ascii_lowercase().contains("connection: close"), "{refused:?}: {answer}");
        }
    }
}
