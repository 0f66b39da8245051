//! Server-sent events: everything first, then what changes, for as many as there are and no longer than they read.

use crate::domain::{FreeSeatsView, RoomId};
use crate::raw::PATIENCE;
use crate::server::{TestServer, problem, start, start_with};
use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use composable_rust_core::elapsed;
use composable_rust_runtime::Application;
use composable_rust_web::{
    EventStream, Follow, HttpOptions, LiveOptions, PathId, Picture, Principal, Problem, Topic,
};
use reqwest::{RequestBuilder, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The free seats of a room.
pub(crate) struct Seats {
    /// Makes each picture larger by so many bytes.
    pub(crate) padding: usize,
}

pub(crate) const SEATS: Seats = Seats { padding: 0 };

#[derive(Debug, Deserialize)]
pub(crate) struct OfRoom {
    pub(crate) room: RoomId,
}

#[async_trait]
impl Topic for Seats {
    const NAME: &'static str = "seats";
    type View = FreeSeatsView;
    type Asked = OfRoom;
    type Key = RoomId;

    async fn admit(
        &self,
        app: &Application,
        _: Option<&Principal>,
        asked: OfRoom,
    ) -> Result<RoomId, Problem> {
        let found = app.load::<crate::domain::Room>(asked.room).await?;
        found.map(|_| asked.room).ok_or_else(|| Problem::not_found("there is no such room"))
    }

    async fn look(&self, app: &Application, key: &RoomId) -> Result<Picture, Problem> {
        let (row, position) = app.view::<FreeSeatsView>().get_with_position(key).await?;
        let padding = "x".repeat(self.padding);
        Picture::whole(position, &json!({ "room": key, "free": row.map(|row| row.free), "padding": padding }))
    }
}

pub(crate) fn routes() -> Router<Application> {
    Router::new().route("/rooms/{id}/live", get(live)).route("/rooms/{id}/large", get(large))
}

async fn live(follow: Follow, PathId(room): PathId<RoomId>) -> Result<EventStream, Problem> {
    follow.topic(SEATS, OfRoom { room }).await
}

async fn large(follow: Follow, PathId(room): PathId<RoomId>) -> Result<EventStream, Problem> {
    follow.topic(Seats { padding: 1024 * 1024 }, OfRoom { room }).await
}

/// A stream of events as a browser reads it.
struct Events {
    response: Response,
    text: String,
}

#[derive(Debug)]
struct Event {
    name: String,
    id: u64,
    data: Value,
}

impl Events {
    async fn open(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self { response, text: String::new() }
    }

    /// The next paragraph, or nothing at the end.
    async fn paragraph(&mut self) -> Option<String> {
        loop {
            if let Some((paragraph, rest)) = self.text.split_once("\n\n") {
                let (paragraph, rest) = (paragraph.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(paragraph);
            }
            let chunk =
                timeout(PATIENCE, self.response.chunk()).await.expect("something in time").unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn next(&mut self) -> Event {
        loop {
            let paragraph = self.paragraph().await.expect("an event before the end");
            let field = |name: &str| {
                let named = paragraph.lines().find_map(|line| line.strip_prefix(name));
                named.map(|value| value.trim().to_owned())
            };
            if let Some(name) = field("event:") {
                let data = serde_json::from_str(&field("data:").unwrap()).unwrap();
                return Event { name, id: field("id:").unwrap().parse().unwrap(), data };
            }
        }
    }

    async fn free(&mut self) -> u64 {
        self.next().await.data["free"].as_u64().unwrap()
    }
}

/// Opens a room; it is in the view then.
pub(crate) async fn open(server: &TestServer, seats: u32) -> Value {
    let room = server.room(seats).await;
    let newest = server.app.events().signal().position();
    server.app.view::<FreeSeatsView>().wait_for(newest, PATIENCE).await.unwrap();
    room
}

fn path(room: &Value) -> String {
    format!("/rooms/{}/live", room["id"].as_str().unwrap())
}

pub(crate) async fn take(server: &TestServer, room: &Value) {
    static KEYS: AtomicU64 = AtomicU64::new(0);
    let path = format!("/rooms/{}/take", room["id"].as_str().unwrap());
    let key = format!("take-{}", KEYS.fetch_add(1, Ordering::Relaxed));
    let request = server.post(&path).bearer_auth("user-1").header("idempotency-key", key);
    assert_eq!(request.json(&json!({ "seats": 1 })).send().await.unwrap().status(), 200);
}

fn live_with(change: impl FnOnce(&mut LiveOptions)) -> impl FnOnce(HttpOptions) -> HttpOptions {
    |mut options| {
        change(&mut options.live);
        options
    }
}

#[tokio::test]
async fn everything_comes_first_and_then_what_changes() {
    let server = start().await;
    let room = open(&server, 10).await;
    let other = open(&server, 5).await;
    let mut events = Events::open(server.get(&path(&room)).header("accept-encoding", "gzip, br")).await;
    let headers = events.response.headers();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(
        (&headers["cache-control"], &headers["x-accel-buffering"]),
        (&"no-store".parse().unwrap(), &"no".parse().unwrap())
    );
    assert!(headers.get("content-encoding").is_none() && headers.contains_key("x-request-id"));

    let first = events.next().await;
    assert_eq!((first.name.as_str(), &first.data["free"]), ("seats", &json!(10)));
    assert_eq!(first.data["position"], first.id);
    // What happens elsewhere is not told.
    take(&server, &other).await;
    take(&server, &room).await;
    let second = events.next().await;
    assert_eq!(second.data["free"], 9);
    assert!(second.id > first.id);
}

#[tokio::test]
async fn a_stream_resumes_where_the_last_one_ended() {
    let server = start().await;
    let room = open(&server, 10).await;
    let from = |id: u64| server.get(&path(&room)).header("last-event-id", id);
    let mut events = Events::open(server.get(&path(&room))).await;
    let first = events.next().await.id;
    take(&server, &room).await;
    let second = events.next().await.id;

    assert_eq!(Events::open(from(first)).await.free().await, 9, "it missed one");
    assert_eq!(Events::open(from(second + 1_000)).await.free().await, 9, "it knows what is not there");
    let garbled = server.get(&path(&room)).header("last-event-id", "first");
    assert_eq!(Events::open(garbled).await.free().await, 9);
    let mut knowing = Events::open(from(second)).await;
    // It has been there for the whole change, so whatever it is told first is the change.
    assert!(knowing.paragraph().await.unwrap().starts_with("retry: "));
    take(&server, &room).await;
    assert_eq!(knowing.free().await, 8);
}

#[tokio::test]
async fn many_changes_are_few_updates_of_which_the_last_is_right() {
    let server = start().await;
    let room = open(&server, 200).await;
    let mut followers = Vec::new();
    for _ in 0..5 {
        followers.push(Events::open(server.get(&path(&room))).await);
    }
    let started = server.app.environment().now();
    for _ in 0..100 {
        take(&server, &room).await;
    }
    for mut follower in followers {
        let mut updates = 0;
        loop {
            updates += 1;
            if follower.free().await == 100 {
                break;
            }
        }
        let took = elapsed(started, server.app.environment().now());
        assert!(updates <= 2 + took.as_millis() / 250, "{updates} updates in {took:?}");
    }
}

#[tokio::test]
async fn silence_is_broken_by_a_comment() {
    let server = start_with(live_with(|live| live.keep_alive = Duration::from_millis(20))).await;
    let room = open(&server, 1).await;
    let mut events = Events::open(server.get(&path(&room))).await;
    events.next().await;
    for _ in 0..3 {
        assert_eq!(events.paragraph().await.as_deref(), Some(":"));
    }
}

#[tokio::test]
async fn a_stream_lasts_longer_than_a_request_may() {
    let limit = Duration::from_millis(50);
    let server = start_with(|options| HttpOptions {
        request_timeout: limit,
        header_timeout: limit,
        write_timeout: limit,
        live: LiveOptions { keep_alive: limit * 2, ..options.live.clone() },
        ..options
    })
    .await;
    let room = open(&server, 3).await;
    let mut events = Events::open(server.get(&path(&room))).await;
    assert_eq!(events.free().await, 3);
    for _ in 0..3 {
        assert_eq!(events.paragraph().await.as_deref(), Some(":"));
    }
    take(&server, &room).await;
    assert_eq!(events.free().await, 2);
}

#[tokio::test]
async fn a_topic_refuses_who_may_not_follow() {
    let server = start().await;
    problem(
        server.get(&format!("/rooms/{}/live", uuid::Uuid::nil())).send().await.unwrap(),
        404,
        "not_found",
    )
    .await;
    problem(server.get("/rooms/x/live").send().await.unwrap(), 400, "invalid_parameter").await;
    let room = open(&server, 1).await;
    let forged = server.get(&path(&room)).bearer_auth("forged").send().await.unwrap();
    problem(forged, 401, "unauthenticated").await;
}

#[tokio::test]
async fn nobody_takes_all_places_of_followers() {
    let server = start_with(live_with(|live| {
        (live.max_followers, live.max_per_ip, live.max_per_user) = (4, 3, 2);
    }))
    .await;
    let room = open(&server, 1).await;
    let as_user = |user: &'static str| server.get(&path(&room)).bearer_auth(user);
    let _first = Events::open(as_user("user-1")).await;
    let _second = Events::open(as_user("user-1")).await;
    let refused = as_user("user-1").send().await.unwrap();
    assert_eq!(refused.headers()["retry-after"], "5");
    problem(refused, 429, "rate_limited").await;
    let third = Events::open(as_user("user-2")).await;
    problem(server.get(&path(&room)).send().await.unwrap(), 429, "rate_limited").await;
    drop(third);
    // The server learns of it when it reads the end.
    let again = async { while server.get(&path(&room)).send().await.unwrap().status() != 200 {} };
    timeout(PATIENCE, again).await.expect("a free place");
}

#[tokio::test]
async fn who_does_not_read_is_dropped() {
    let server = start_with(|options| {
        let live = LiveOptions { max_followers: 1, pause: Duration::from_millis(1), ..options.live.clone() };
        HttpOptions { write_timeout: Duration::from_millis(200), live, ..options }
    })
    .await;
    let room = open(&server, 1_000).await;
    let large = format!("/rooms/{}/large", room["id"].as_str().unwrap());
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    silent.write_all(format!("GET {large} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).await.unwrap();
    let dropped = async {
        while server.get(&path(&room)).send().await.unwrap().status() == 200 {}
        while server.get(&path(&room)).send().await.unwrap().status() != 200 {
            take(&server, &room).await;
        }
    };
    timeout(PATIENCE, dropped).await.expect("the place of one who does not read");
}

#[tokio::test]
async fn streams_end_with_the_service() {
    let server = start().await;
    let room = open(&server, 1).await;
    let mut events = Events::open(server.get(&path(&room))).await;
    events.next().await;
    let ended = async { while events.paragraph().await.is_some() {} };
    let (stopped, ()) = tokio::join!(server.app.shutdown(), ended);
    stopped.expect("nothing is cut off");
}

#[tokio::test]
async fn a_stream_ends_at_its_longest_age() {
    let server = start_with(live_with(|live| live.max_age = Duration::from_millis(50))).await;
    let room = open(&server, 1).await;
    let mut events = Events::open(server.get(&path(&room))).await;
    while events.paragraph().await.is_some() {}
}
