//! Clients that are slow on purpose are cut off, and nobody else notices.

use crate::raw::{PATIENCE, read_until, rest};
use crate::server::{TestServer, start, start_with};
use composable_rust_web::HttpOptions;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_millis(300);
const PACE: Duration = Duration::from_millis(50);

async fn server() -> TestServer {
    start_with(|options| HttpOptions {
        header_timeout: LIMIT,
        body_timeout: LIMIT,
        write_timeout: LIMIT,
        ..options
    })
    .await
}

/// Sends one byte of `drip` each time the server has been silent for `pace`; what it answered until it closed.
async fn dripping(socket: &mut TcpStream, drip: &[u8], pace: Duration) -> String {
    let mut answer = Vec::new();
    let mut bytes = drip.iter().cycle();
    let closed = async {
        loop {
            match timeout(pace, socket.read_buf(&mut answer)).await {
                Ok(Ok(0) | Err(_)) => return,
                Ok(Ok(_)) => {}
                Err(_) => {
                    if socket.write_all(&[*bytes.next().unwrap()]).await.is_err() {
                        return;
                    }
                }
            }
        }
    };
    timeout(PATIENCE, closed).await.expect("the server should close");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn the_default_limits_close_a_slow_client_within_ten_seconds() {
    let server = start().await;
    let head = "POST /rooms HTTP/1.1\r\nhost: a\r\nauthorization: Bearer user-1\r\ncontent-type: application/json\r\n";
    let body = format!("{head}content-length: 1000\r\n\r\n");
    let (silent, second) = (Duration::from_mins(1), Duration::from_secs(1));
    let kinds = [
        ("", silent),
        ("P", silent),
        (head, silent),
        (head, second),
        (body.as_str(), silent),
        (body.as_str(), second),
        ("GET /livez HTTP/1.1\r\nhost: a\r\n\r\n", silent),
    ];
    let closed = kinds.map(async |(sent, pace)| {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(sent.as_bytes()).await.unwrap();
        let closed = timeout(Duration::from_secs(10), dripping(&mut socket, b"x", pace)).await;
        assert!(closed.is_ok(), "still open after ten seconds: {sent:?} {pace:?}");
    });
    futures_util::future::join_all(closed).await;
}

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let server = server().await;
    for sent in ["", "G", "P", "GET /livez HTTP/1.1\r\nhost: a\r\nx-half:"] {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(sent.as_bytes()).await.unwrap();
        assert!(!rest(&mut socket).await.contains("200 OK"), "{sent:?}");
    }
}

#[tokio::test]
async fn a_head_that_drips_is_not_waited_for() {
    let server = server().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\nx-slow: ").await.unwrap();
    assert!(!dripping(&mut socket, b"x", PACE).await.contains("200 OK"));
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = server().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert!(read_until(&mut socket, "\"components\"").await.contains("200 OK"));
    rest(&mut socket).await;
}

#[tokio::test]
async fn a_body_that_drips_is_refused_and_its_connection_closed() {
    let server = server().await;
    for key in ["", "idempotency-key: slow\r\n"] {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        let head = format!(
            "POST /rooms HTTP/1.1\r\nhost: a\r\nauthorization: Bearer user-1\r\n{key}content-type: application/json\r\n\
             content-length: 1000\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        let answer = dripping(&mut socket, b" ", PACE).await;
        assert!(answer.contains("400") && answer.contains("did not arrive in time"), "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_nobody_reads_does_not_hold_the_connection() {
    let server = server().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(b"POST /nowhere HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n").await.unwrap();
    let answer = dripping(&mut socket, b" ", PACE).await;
    assert!(answer.contains("404"), "{answer}");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let server = server().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    // Pipelined requests whose answers nobody takes fill the buffers on both sides.
    let request = b"GET /page HTTP/1.1\r\nhost: a\r\n\r\n".repeat(100);
    let flooded = async { while socket.write_all(&request).await.is_ok() {} };
    timeout(PATIENCE, flooded).await.expect("the server should close");
}

#[tokio::test]
async fn slow_clients_do_not_slow_down_others() {
    let server = server().await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(b"GET / HTTP/1.1\r\nx-slow:").await.unwrap();
        slow.push(socket);
    }
    let answer = timeout(LIMIT, server.get("/livez").send()).await.expect("an answer while others are slow");
    assert_eq!(answer.unwrap().status(), 200);
    for mut socket in slow {
        rest(&mut socket).await;
    }
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_for_a_place() {
    let server = start_with(|options| HttpOptions { max_connections: 1, ..options }).await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    first.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_until(&mut first, "\"components\"").await;
    let mut second = TcpStream::connect(server.address).await.unwrap();
    second.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut byte = [0];
    assert!(timeout(LIMIT, second.read(&mut byte)).await.is_err(), "served beyond the cap");
    drop(first);
    assert!(rest(&mut second).await.contains("200 OK"));
}
