//! What buyers follow while it changes: the places of a show, and their own orders.

use crate::binary::{Answer, OnSale, Person, Server, event, folder};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PATIENCE: Duration = Duration::from_secs(20);

/// A stream of events, with what has arrived of it.
struct Events(Response, String);

impl Events {
    async fn follow(server: &Server, show: &OnSale, last: Option<u64>) -> Self {
        let mut request = server.request(Method::GET, &format!("/api/events/{}/live", show.id));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (200, &"text/event-stream".parse().unwrap())
        );
        Self(response, String::new())
    }

    /// The id and the data of the next event.
    async fn next(&mut self) -> (u64, Value) {
        loop {
            if let Some((event, rest)) = self.1.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.1 = rest;
                let field = |name| event.lines().find_map(|line| line.strip_prefix(name));
                if field("event: ") == Some("availability") {
                    let data = serde_json::from_str(field("data: ").unwrap()).unwrap();
                    return (field("id: ").unwrap().parse().unwrap(), data);
                }
                continue;
            }
            let chunk = timeout(PATIENCE, self.0.chunk()).await.expect("an event in time").unwrap();
            self.1.push_str(std::str::from_utf8(&chunk.expect("more events")).unwrap());
        }
    }

    /// Reads until the first section stands so: free, held, sold.
    async fn until(&mut self, places: [u64; 3]) -> u64 {
        loop {
            let (id, data) = self.next().await;
            let section = &data["sections"][0];
            // The first may show the section not yet.
            if ["free", "held", "sold"].map(|name| section[name].as_u64()) == places.map(Some) {
                return id;
            }
        }
    }
}

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(person: &Person<'_>) -> Self {
        let mut request =
            format!("{}/ws", person.server.url.replace("http", "ws")).into_client_request().unwrap();
        let authorised = person.request(Method::GET, "/").build().unwrap();
        request.headers_mut().insert("authorization", authorised.headers()["authorization"].clone());
        Self(connect_async(request).await.unwrap().0)
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn heard(&mut self) -> Value {
        loop {
            let message = timeout(PATIENCE, self.0.next()).await.expect("a message in time");
            if let Message::Text(text) = message.unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_show_is_followed_and_resumed() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let ann = server.sign_in("ann@example.org").await;
    let show = ann.sell(3).await;
    let mut events = Events::follow(&server, &show, None).await;
    let first = events.until([3, 0, 0]).await;
    let reservation = ann.reserve(&show, 2).await.expect(201);
    let held = events.until([1, 2, 0]).await;
    assert!(held >= reservation.header("x-position").parse().unwrap() && held > first);
    ann.pay(&reservation, "succeed").await.expect(201);
    let sold = events.until([1, 0, 2]).await;

    let (position, shown) = Events::follow(&server, &show, Some(first)).await.next().await;
    assert_eq!(position, sold);
    let asked = server.get(&format!("/api/events/{}/availability", show.id)).await.expect(200);
    let without = |mut body: Value| {
        body.as_object_mut().unwrap().remove("position").expect("a position");
        body
    };
    assert_eq!(without(shown), without(asked.body), "the same as /availability");
}

#[tokio::test]
async fn a_show_is_whole_from_the_moment_on_that_it_is_on_sale() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let ann = server.sign_in("ann@example.org").await;
    for _ in 0..20 {
        let show = ann.sell(3).await;
        // Nobody says up to which position the view has to be.
        let path = format!("/api/events/{}/availability", show.id);
        let asked = async { server.get(&path).await.expect(200).body };
        let followed = async { Events::follow(&server, &show, None).await.next().await.1 };
        let page = format!("/events/{}", show.id);
        let opened = async { server.request(Method::GET, &page).send().await.unwrap().text().await.unwrap() };
        let (asked, followed, page) = tokio::join!(asked, followed, opened);
        for shown in [asked, followed] {
            assert_eq!(shown["sections"][0]["free"], 3, "{shown}");
        }
        assert!(page.contains("<span data-free>3</span>") && !page.contains("Sold out"), "{page}");
    }
}

#[tokio::test]
async fn a_draft_is_followed_by_its_owner_alone() {
    let folder = folder();
    let server = Server::start(folder.path(), &[("ADMIN_EMAIL", "root@example.org")]);
    let (ann, eve) = (server.sign_in("ann@example.org").await, server.sign_in("eve@example.org").await);
    let admin = server.sign_in("root@example.org").await;
    let draft = ann.post("/api/events", event(3)).await.expect(201).text("/id");
    let path = format!("/api/events/{draft}/live");
    server.get(&path).await.problem(404, "not_found");
    eve.get(&path).await.problem(404, "not_found");
    for person in [&ann, &admin] {
        assert_eq!(person.request(Method::GET, &path).send().await.unwrap().status(), 200);
    }
    let mut socket = Socket::open(&eve).await;
    socket.say(json!({ "type": "subscribe", "topic": "availability", "event_id": draft })).await;
    assert_eq!(socket.heard().await["code"], "not_found");
}

#[tokio::test]
async fn a_buyer_follows_a_show_and_his_own_orders() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let (ann, eve) = (server.sign_in("ann@example.org").await, server.sign_in("eve@example.org").await);
    let show = ann.sell(5).await;
    let mut socket = Socket::open(&ann).await;
    socket.say(json!({ "type": "subscribe", "topic": "reservations" })).await;
    assert_eq!(socket.heard().await["type"], "subscribed");
    let others: Answer = eve.reserve(&show, 1).await.expect(201);
    let own = ann.reserve(&show, 2).await.expect(201);
    let held = socket.heard().await;
    assert_eq!((&held["type"], &held["status"]), (&json!("reservation"), &json!("held")));
    assert_eq!((&held["id"], &held["quantity"]), (&own.body["id"], &json!(2)));
    assert!(held["position"].as_u64().unwrap() >= own.header("x-position").parse().unwrap());
    assert_ne!(held["id"], others.body["id"]);
    ann.pay(&own, "succeed").await.expect(201);
    // He may see that it is being paid before he sees that it is.
    while socket.heard().await["status"] != "completed" {}

    socket.say(json!({ "type": "subscribe", "topic": "availability", "event_id": show.id })).await;
    assert_eq!(socket.heard().await["type"], "subscribed");
    let shown = socket.heard().await;
    assert_eq!((&shown["type"], &shown["sections"][0]["sold"]), (&json!("availability"), &json!(2)));
}
