//! Sockets: who may open one, what is followed on it, and what ends it.

use crate::live::{SEATS, Seats, open, take};
use crate::raw::{PATIENCE, read_until, rest};
use crate::server::{TestServer, start, start_with};
use composable_rust_web::{HttpOptions, LiveOptions, Routes, Topics, web_socket};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub(crate) fn routes() -> Routes {
    let large = web_socket("/large", Topics::new().with(Seats { padding: 1024 * 1024 }));
    web_socket("/ws", Topics::new().with(SEATS)).merge(large)
}

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Opens a socket with these headers; the status where that is refused.
    async fn open(server: &TestServer, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        Self::open_at(server, "/ws", headers).await
    }

    async fn open_at(server: &TestServer, path: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{}{path}", server.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match timeout(PATIENCE, connect_async(request)).await.expect("an answer") {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    async fn of_user(server: &TestServer, number: u32) -> Self {
        let token = format!("Bearer user-{number}");
        Self::open(server, &[("authorization", &token)]).await.unwrap()
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn heard(&mut self) -> Value {
        loop {
            let message = self.message().await.expect("a message before the end");
            assert!(!message.is_close(), "{message:?}");
            if let Message::Text(text) = message {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    async fn message(&mut self) -> Option<Message> {
        timeout(PATIENCE, self.0.next()).await.expect("something in time")?.ok()
    }

    /// Why the server closes; what it says before is passed over.
    async fn closed(&mut self) -> Option<u16> {
        while let Some(message) = self.message().await {
            if let Message::Close(frame) = message {
                return frame.map(|CloseFrame { code, .. }: CloseFrame| u16::from(code));
            }
        }
        None
    }
}

fn subscribe(room: &Value) -> Value {
    json!({ "type": "subscribe", "topic": "seats", "room": room["id"] })
}

async fn short(change: impl FnOnce(&mut LiveOptions)) -> TestServer {
    start_with(|mut options: HttpOptions| {
        change(&mut options.live);
        options
    })
    .await
}

#[tokio::test]
async fn topics_are_followed_resumed_and_left() {
    let server = start().await;
    let (one, two) = (open(&server, 10).await, open(&server, 20).await);
    let mut socket = Socket::of_user(&server, 1).await;
    socket.say(subscribe(&one)).await;
    let subscribed = socket.heard().await;
    assert_eq!((&subscribed["type"], &subscribed["room"]), (&json!("subscribed"), &one["id"]));
    let first = socket.heard().await;
    assert_eq!((&first["type"], &first["free"]), (&json!("seats"), &json!(10)));
    socket.say(subscribe(&two)).await;
    assert_eq!(
        (socket.heard().await["type"].clone(), socket.heard().await["free"].clone()),
        (json!("subscribed"), json!(20))
    );
    take(&server, &one).await;
    let second = socket.heard().await;
    assert_eq!((&second["room"], &second["free"]), (&one["id"], &json!(9)));
    assert!(second["position"].as_u64() > first["position"].as_u64());

    let mut leave = subscribe(&one);
    leave["type"] = "unsubscribe".into();
    socket.say(leave).await;
    assert_eq!(socket.heard().await["type"], "unsubscribed");
    take(&server, &one).await;
    take(&server, &two).await;
    assert_eq!(socket.heard().await["room"], two["id"]);
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.heard().await, json!({ "type": "pong" }));

    // Who was away is told what has changed since; who knows it is told the next change.
    let resumed = |position: &Value| {
        let mut wanted = subscribe(&one);
        wanted["position"] = position.clone();
        wanted
    };
    socket.say(resumed(&second["position"])).await;
    let position = socket.heard().await["position"].clone();
    assert_eq!(socket.heard().await["free"], 8);
    socket.say(resumed(&position)).await;
    assert_eq!(socket.heard().await["type"], "subscribed");
    take(&server, &one).await;
    assert_eq!(socket.heard().await["free"], 7);
}

#[tokio::test]
async fn a_socket_says_first_who_it_is() {
    let server = short(|live| live.patience = Duration::from_millis(200)).await;
    let room = open(&server, 3).await;
    assert_eq!(Socket::open(&server, &[("authorization", "Bearer forged")]).await.err(), Some(401));

    let mut socket = Socket::open(&server, &[]).await.unwrap();
    socket.say(json!({ "type": "auth", "token": "user-1" })).await;
    socket.say(subscribe(&room)).await;
    assert_eq!(socket.heard().await["type"], "subscribed");
    let wrong =
        [json!({ "type": "auth", "token": "forged" }), subscribe(&room), json!({ "type": "ping" }), json!(1)];
    for first in wrong {
        let mut socket = Socket::open(&server, &[]).await.unwrap();
        socket.say(first.clone()).await;
        let told = socket.heard().await;
        assert_eq!((&told["type"], &told["code"]), (&json!("error"), &json!("unauthenticated")), "{first}");
        assert_eq!(socket.closed().await, Some(1008), "{first}");
    }
    let mut silent = Socket::open(&server, &[]).await.unwrap();
    assert_eq!(silent.closed().await, Some(1008));
}

#[tokio::test]
async fn a_page_of_another_site_opens_no_socket() {
    let server =
        start_with(|options| HttpOptions { cors_origins: vec!["https://shop.example".into()], ..options })
            .await;
    let own = format!("http://{}", server.address);
    let cookie = ("cookie", "session=user-1");
    for origin in [own.as_str(), "https://shop.example"] {
        assert!(Socket::open(&server, &[("origin", origin), cookie]).await.is_ok(), "{origin}");
    }
    for foreign in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(Socket::open(&server, &[("origin", foreign), cookie]).await.err(), Some(403), "{foreign}");
    }
    let elsewhere = [("sec-fetch-site", "cross-site"), ("origin", own.as_str())];
    assert_eq!(Socket::open(&server, &elsewhere).await.err(), Some(403));
    // What is no opening of a socket is a problem like others.
    assert_eq!(server.get("/ws").send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn what_is_wrong_with_a_message_is_told_and_ends_nothing() {
    let server = short(|live| live.max_topics = 1).await;
    let room = open(&server, 3).await;
    let mut socket = Socket::of_user(&server, 1).await;
    let cases = [
        (json!("nonsense"), "validation_failed"),
        (json!({ "type": "dance" }), "validation_failed"),
        (json!({ "type": "subscribe", "topic": "weather" }), "not_found"),
        (json!({ "type": "subscribe", "topic": "seats" }), "validation_failed"),
        (json!({ "type": "subscribe", "topic": "seats", "room": room["id"], "row": 1 }), "unknown_field"),
        (json!({ "type": "subscribe", "topic": "seats", "room": uuid::Uuid::nil() }), "not_found"),
        (json!({ "type": "auth", "token": "user-2" }), "wrong_state"),
    ];
    for (message, code) in cases {
        socket.say(message.clone()).await;
        let told = socket.heard().await;
        assert_eq!((&told["type"], &told["code"]), (&json!("error"), &json!(code)), "{message}");
    }
    socket.0.send(Message::text("{")).await.unwrap();
    assert_eq!(socket.heard().await["code"], "malformed_request");
    socket.say(subscribe(&room)).await;
    assert_eq!(socket.heard().await["type"], "subscribed");
    socket.heard().await;
    socket.say(subscribe(&open(&server, 1).await)).await;
    assert_eq!(socket.heard().await["code"], "limit_exceeded");
}

#[tokio::test]
async fn a_flood_of_messages_closes_the_socket() {
    let server = start().await;
    let mut socket = Socket::of_user(&server, 1).await;
    for _ in 0..1_000 {
        if socket.0.feed(Message::text(r#"{"type":"ping"}"#)).await.is_err() {
            break;
        }
    }
    // The server may have closed meanwhile.
    let _ = socket.0.flush().await;
    assert_eq!(socket.closed().await, Some(1008));
}

#[tokio::test]
async fn what_is_too_large_or_no_text_closes_the_socket() {
    let server = start().await;
    let mut fits = Socket::of_user(&server, 1).await;
    fits.say(json!({ "type": "subscribe", "topic": "x".repeat(4_000) })).await;
    assert_eq!(fits.heard().await["code"], "not_found");
    let mut large = Socket::of_user(&server, 1).await;
    large.say(json!({ "type": "subscribe", "topic": "x".repeat(4_096) })).await;
    assert_eq!(large.closed().await, Some(u16::from(CloseCode::Size)));
    let mut binary = Socket::of_user(&server, 1).await;
    binary.0.send(Message::binary(vec![1])).await.unwrap();
    assert_eq!(binary.closed().await, Some(u16::from(CloseCode::Unsupported)));
}

#[tokio::test]
async fn nobody_takes_all_sockets() {
    let server = short(|live| (live.max_followers, live.max_per_ip, live.max_per_user) = (4, 3, 2)).await;
    let token = ("authorization", "Bearer user-1");
    let _first = Socket::open(&server, &[token]).await.unwrap();
    let second = Socket::open(&server, &[token]).await.unwrap();
    assert_eq!(Socket::open(&server, &[token]).await.err(), Some(429));
    // Nor by saying later who it is.
    let mut third = Socket::open(&server, &[]).await.unwrap();
    third.say(json!({ "type": "auth", "token": "user-1" })).await;
    assert_eq!(third.heard().await["code"], "rate_limited");
    drop((second, third));
    let again = async { while Socket::open(&server, &[token]).await.is_err() {} };
    timeout(PATIENCE, again).await.expect("a free place");
}

#[tokio::test]
async fn a_socket_that_shows_no_sign_of_life_is_closed() {
    let server = short(|live| live.keep_alive = Duration::from_millis(50)).await;
    let mut lively = Socket::of_user(&server, 1).await;
    // The library answers pings while it is read from.
    let mut pings = 0;
    while pings < 5 {
        pings += u32::from(matches!(lively.message().await, Some(Message::Ping(_))));
    }
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let head = "GET /ws HTTP/1.1\r\nhost: a\r\nauthorization: Bearer user-1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    silent.write_all(head.as_bytes()).await.unwrap();
    assert!(read_until(&mut silent, "\r\n\r\n").await.starts_with("HTTP/1.1 101"));
    timeout(PATIENCE, rest(&mut silent)).await.expect("the server closes");
}

#[tokio::test]
async fn a_socket_whose_client_does_not_read_is_dropped() {
    let server = start_with(|options| {
        let patience = Duration::from_millis(200);
        let live = LiveOptions {
            max_per_user: 1,
            pause: Duration::from_millis(1),
            patience,
            ..options.live.clone()
        };
        HttpOptions { live, ..options }
    })
    .await;
    let room = open(&server, 1_000).await;
    let token = ("authorization", "Bearer user-2");
    let mut silent = Socket::open_at(&server, "/large", &[token]).await.unwrap();
    silent.say(subscribe(&room)).await;
    let dropped = async {
        while Socket::open(&server, &[token]).await.is_err() {
            take(&server, &room).await;
        }
    };
    timeout(PATIENCE, dropped).await.expect("the place of one who does not read");
}

#[tokio::test]
async fn sockets_are_closed_with_the_service_and_at_their_longest_age() {
    let server = start().await;
    let room = open(&server, 3).await;
    let mut socket = Socket::of_user(&server, 1).await;
    socket.say(subscribe(&room)).await;
    socket.heard().await;
    let (stopped, code) = tokio::join!(server.app.shutdown(), socket.closed());
    stopped.expect("nothing is cut off");
    assert_eq!(code, Some(1001));

    let server = short(|live| live.max_age = Duration::from_millis(50)).await;
    assert_eq!(Socket::of_user(&server, 1).await.closed().await, Some(1001));
}
