//! Five hundred clients that are slow on purpose, on the real program as it starts by default.

use crate::binary::{Person, Server, folder};
use composable_rust::runtime::SystemClock;
use composable_rust::{Clock, elapsed};
use futures_util::future::{join, join_all};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const OF_EACH_KIND: usize = 100;
const CLOSED_WITHIN: Duration = Duration::from_secs(10);
/// The others are answered within this, and what the same takes of a server that nobody is slow to: so long the machine
/// lets both wait, whatever else it does.
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
    let (folder, calm_folder) = (folder(), folder());
    let server = Server::start(folder.path(), &[]);
    let address = server.url.trim_start_matches("http://").parse().unwrap();
    let organiser = server.sign_in("ann@example.org").await;
    let path = on_sale(&organiser).await;
    let calm = Server::start(calm_folder.path(), &[]);
    let calm_organiser = calm.sign_in("ann@example.org").await;
    let calm_path = on_sale(&calm_organiser).await;

    let clients = kinds().into_iter().flat_map(|kind| vec![kind; OF_EACH_KIND]);
    let mut closing = Box::pin(join_all(clients.map(|kind| life(address, kind))));
    let mut waits = Vec::new();
    let lives = loop {
        let both = join(serve(&organiser, &path), serve(&calm_organiser, &calm_path));
        tokio::select! {
            biased;
            lives = &mut closing => break lives,
            both = both => waits.push(both),
        }
    };
    for (kind, life) in lives {
        assert!(life < CLOSED_WITHIN, "{kind}: open for {life:?}");
    }
    let late: Vec<_> = waits.iter().filter(|(wait, calm)| *wait >= ANSWERED_WITHIN + *calm).collect();
    assert!(waits.len() > 50, "{} answers", waits.len());
    assert!(late.len() * 100 <= waits.len(), "{} of {} answers are late: {late:?}", late.len(), waits.len());
}

/// A show on sale, and where it says what is left of it.
async fn on_sale(organiser: &Person<'_>) -> String {
    format!("/api/events/{}/availability", organiser.sell(1_000).await.id)
}

/// How long somebody who is not slow waits for what is left and for his orders.
async fn serve(person: &Person<'_>, path: &str) -> Duration {
    let asked = SystemClock.now();
    person.server.get(path).await.expect(200);
    person.get("/api/reservations").await.expect(200);
    elapsed(asked, SystemClock.now())
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
