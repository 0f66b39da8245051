//! Five hundred clients that are slow on purpose, on the real program as it starts by default.

use crate::binary::{Person, Server, folder};
use composable_rust::runtime::SystemClock;
use composable_rust::{Clock, elapsed};
use futures_util::future::join_all;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const OF_EACH_KIND: usize = 100;
const CLOSED_WITHIN: Duration = Duration::from_secs(10);
/// Half of the others are answered within this; how long the slowest waits depends on what else the machine does.
const ANSWERED_WITHIN: Duration = Duration::from_millis(200);
const HEAD: &str =
    "POST /api/auth/dev-sign-in HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

/// What a slow client sends at once, and what it then sends byte by byte, each after a second of silence.
fn kinds() -> [(&'static str, String, &'static [u8]); 5] {
    [
        ("nothing", String::new(), b""),
        ("one byte", "G".to_owned(), b""),
        ("half a head", HEAD.to_owned(), b"x"),
        ("a slow body", format!("{HEAD}content-length: 1000\r\n\r\n{{"), b" "),
        ("idle after a request", "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(), b""),
    ]
}

#[tokio::test]
async fn five_hundred_slow_sockets_are_closed_while_others_are_served() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let address = server.url.trim_start_matches("http://").parse().unwrap();
    let organiser = server.sign_in("ann@example.org").await;
    let show = organiser.sell(1_000).await;
    let path = format!("/api/events/{}/availability", show.id);

    let clients = kinds().into_iter().flat_map(|kind| vec![kind; OF_EACH_KIND]);
    let mut closing = Box::pin(join_all(clients.map(|kind| life(address, kind))));
    let mut waits = Vec::new();
    let lives = loop {
        let asked = SystemClock.now();
        let others = serve(&server, &organiser, &path);
        tokio::select! {
            biased;
            lives = &mut closing => break lives,
            () = others => waits.push(elapsed(asked, SystemClock.now())),
        }
    };
    for (kind, life) in lives {
        assert!(life < CLOSED_WITHIN, "{kind}: open for {life:?}");
    }
    waits.sort_unstable();
    let median = waits[waits.len() / 2];
    assert!(waits.len() > 50 && median < ANSWERED_WITHIN, "{} answers, half within {median:?}", waits.len());
}

/// One look and one order of somebody who is not slow.
async fn serve(server: &Server, person: &Person<'_>, path: &str) {
    server.get(path).await.expect(200);
    person.get("/api/reservations").await.expect(200);
}

/// How long the server lets a slow client be.
async fn life(
    address: SocketAddr,
    (kind, sent, drip): (&'static str, String, &[u8]),
) -> (&'static str, Duration) {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let opened = SystemClock.now();
    socket.write_all(sent.as_bytes()).await.unwrap();
    let closed = async {
        let mut answer = Vec::new();
        loop {
            match timeout(Duration::from_secs(1), socket.read_buf(&mut answer)).await {
                Ok(Ok(0) | Err(_)) => return,
                // It may have been closed just now.
                Err(_) if socket.write_all(drip).await.is_err() => return,
                Ok(Ok(_)) | Err(_) => {}
            }
        }
    };
    // Longer than it may take, so that a failure tells how long it took.
    _ = timeout(CLOSED_WITHIN * 2, closed).await;
    (kind, elapsed(opened, SystemClock.now()))
}
