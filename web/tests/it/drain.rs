//! A stop lets running requests finish, takes no new ones, and ends in time.

use crate::raw::{PATIENCE, read_until, rest};
use crate::server::{start, start_with};
use composable_rust_web::HttpOptions;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

#[tokio::test]
async fn running_requests_finish_and_new_ones_are_not_taken() {
    let server = start().await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_until(&mut idle, "\"components\"").await;
    let mut busy = TcpStream::connect(server.address).await.unwrap();
    busy.write_all(b"GET /wait HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    server.gate.arrived.notified().await;

    let app = server.app.clone();
    let stopped = async { app.shutdown().await.unwrap() };
    let seen = async {
        rest(&mut idle).await;
        let refused = TcpStream::connect(server.address).await;
        assert!(refused.is_err(), "a new connection was taken");
        server.gate.open.notify_one();
        let answer = rest(&mut busy).await;
        assert!(
            answer.contains("waited") && answer.to_ascii_lowercase().contains("connection: close"),
            "{answer}"
        );
    };
    timeout(PATIENCE, futures_util::future::join(stopped, seen)).await.expect("the application should stop");
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut_off() {
    let server = start_with(|options| HttpOptions { request_timeout: PATIENCE * 10, ..options }).await;
    let mut busy = TcpStream::connect(server.address).await.unwrap();
    busy.write_all(b"GET /wait HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    server.gate.arrived.notified().await;
    // The drain timeout of the test's application is short; see `server.rs`.
    let _ = timeout(PATIENCE, server.app.shutdown()).await.expect("the application should stop");
    assert_eq!(rest(&mut busy).await, "");
}
