//! A client that writes bytes, not requests.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than any wait of these tests should last; only a failure reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Sends bytes and reads whatever comes until the server closes.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    // The server may close before it has read everything.
    let _ = socket.write_all(bytes).await;
    let _ = socket.shutdown().await;
    rest(&mut socket).await
}

/// Everything until the server closes.
pub(crate) async fn rest(socket: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset after the answer is an end as well.
    let _ = timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("the server should close");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads until the answer contains `text`.
pub(crate) async fn read_until(socket: &mut TcpStream, text: &str) -> String {
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains(text) {
        let read = timeout(PATIENCE, socket.read_buf(&mut answer)).await.expect("an answer").unwrap();
        assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
    }
    String::from_utf8_lossy(&answer).into_owned()
}
