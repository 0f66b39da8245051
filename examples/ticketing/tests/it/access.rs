//! Who may do what, as a table that covers every route of the program.

use crate::binary::{Answer, OnSale, Person, Server, event, folder};
use crate::openapi::routes_of_the_program;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const TABLE: &str = include_str!("access.txt");
const DRAFT: &str = " of a draft";
const COLUMNS: [&str; 6] = ["anonymous", "buyer", "other_buyer", "organiser", "other_organiser", "admin"];

/// An operation, with what each column expects.
fn rows() -> Vec<(String, Vec<u16>)> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (operation, statuses) = words.split_at(words.len() - COLUMNS.len());
        (operation.join(" "), statuses.iter().map(|status| status.parse().unwrap()).collect())
    };
    rows.map(row).collect()
}

#[tokio::test]
async fn every_route_has_a_row() {
    let rows: BTreeSet<_> = rows().into_iter().map(|(name, _)| name.replace(DRAFT, "")).collect();
    let routes = routes_of_the_program().await;
    let without: Vec<_> = routes.difference(&rows).collect();
    assert!(without.is_empty(), "say in access.txt who may call {without:#?}");
    let gone: Vec<_> = rows.difference(&routes).collect();
    assert!(gone.is_empty(), "access.txt has rows of no route: {gone:#?}");
}

/// What an operation is called with, made anew for each call.
struct World<'a> {
    organiser: &'a Person<'a>,
    buyer: &'a Person<'a>,
}

impl World<'_> {
    /// The path and the body of a call.
    async fn call(&self, operation: &str) -> (String, Option<Value>) {
        let (name, is_draft) = operation.strip_suffix(DRAFT).map_or((operation, false), |name| (name, true));
        let (method, template) = name.split_once(' ').unwrap();
        let body = match method {
            "POST" => Some(json!({})),
            "PUT" => Some(json!({ "title": "Changed" })),
            _ => None,
        };
        if is_draft {
            let draft = self.organiser.post("/api/events", event(5)).await.expect(201);
            return (template.replace("{id}", &draft.text("/id")), body);
        }
        let show = self.organiser.sell(5).await;
        let path = template.replace("{section_id}", &show.section).replace("{user_id}", &self.buyer.id);
        let part = template.split('/').nth(2).unwrap_or_default();
        if !template.starts_with("/api/") {
            return self.of_page(&path, &show, body).await;
        }
        match (part, template.contains("{id}")) {
            ("events", true) => self.of_event(&path, &show, body).await,
            ("events", false) => (path, body.map(|_| event(5))),
            ("auth", _) => (path, Some(json!({ "email": "somebody@example.org" }))),
            ("reservations", false) => (path, body.map(|_| show.order(1))),
            ("reservations", true) => {
                let held = self.buyer.reserve(&show, 1).await.expect(201);
                (path.replace("{id}", &held.text("/id")), body)
            }
            ("payments", false) if method == "POST" => {
                let held = self.buyer.reserve(&show, 1).await.expect(201);
                let method = json!({ "type": "simulated", "outcome": "succeed" });
                (path, Some(json!({ "reservation_id": held.text("/id"), "method": method })))
            }
            ("payments", true) => (path.replace("{id}", &self.paid(&show).await.text("/id")), body),
            ("tickets", true) => {
                let paid = self.paid(&show).await;
                let of = format!("/api/tickets?reservation_id={}", paid.text("/reservation_id"));
                let tickets = self.buyer.list_after(&of, &paid).await.expect(200);
                (path.replace("{id}", &tickets.text("/items/0/id")), body)
            }
            _ => (path, body),
        }
    }

    async fn of_event(&self, path: &str, show: &OnSale, body: Option<Value>) -> (String, Option<Value>) {
        if path.ends_with("/open-sales") {
            let close = format!("/api/events/{}/close-sales", show.id);
            self.organiser.post(&close, json!({})).await.expect(200);
        }
        let body = if path.ends_with("/inventory") { Some(json!({ "add_capacity": 1 })) } else { body };
        (path.replace("{id}", &show.id), body)
    }

    /// A page, or a form that is sent from one.
    async fn of_page(&self, path: &str, show: &OnSale, body: Option<Value>) -> (String, Option<Value>) {
        let (id, form) = match path.split('/').nth(1).unwrap_or_default() {
            "events" => (show.id.clone(), json!({ (format!("tier-{}", show.tier)): "1" })),
            "orders" if path.contains("{id}") => {
                let held = self.buyer.reserve(show, 1).await.expect(201);
                (held.text("/id"), json!({ "outcome": "succeed" }))
            }
            "payments" => {
                let held = self.buyer.reserve(show, 1).await.expect(201);
                let asked = self.buyer.pay(&held, "requires_action").await.expect(201);
                (asked.text("/id"), json!({ "approve": "true" }))
            }
            _ => (String::new(), json!({ "email": "somebody@example.org" })),
        };
        (path.replace("{id}", &id), body.map(|_| form))
    }

    async fn paid(&self, show: &OnSale) -> Answer {
        let held = self.buyer.reserve(show, 1).await.expect(201);
        self.buyer.pay(&held, "succeed").await.expect(201)
    }
}

#[tokio::test]
async fn everybody_may_do_what_the_table_says_and_nothing_else() {
    let folder = folder();
    let server = Server::start(folder.path(), &[("ADMIN_EMAIL", "admin@example.org")]);
    let mut people = Vec::new();
    for name in &COLUMNS[1..] {
        people.push(server.sign_in(&format!("{name}@example.org")).await);
    }
    let world = World { organiser: &people[2], buyer: &people[0] };
    // A page that leads to another answers so; where to is told by the tests of the pages.
    let http = Client::builder().redirect(Policy::none()).build().unwrap();
    let mut wrong = Vec::new();
    for (operation, expected) in rows() {
        let method: Method = operation.split(' ').next().unwrap().parse().unwrap();
        for (index, expected) in expected.into_iter().enumerate() {
            let (path, body) = world.call(&operation).await;
            let mut request = http.request(method.clone(), format!("{}{path}", server.url));
            if let Some(person) = index.checked_sub(1) {
                request = request.bearer_auth(people[person].token());
            }
            let status = status_of(request, body, (&operation, index)).await;
            if status != expected {
                wrong.push(format!("{operation} as {}: {status}, not {expected}", COLUMNS[index]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The status alone: a stream of events has no end.
async fn status_of(mut request: RequestBuilder, body: Option<Value>, operation: (&str, usize)) -> u16 {
    if let Some(mut body) = body {
        let key = format!("{}-{}", operation.0.replace(' ', "-"), operation.1);
        request = if operation.0.contains(" /api/") {
            request.header("idempotency-key", key).header("if-match", "*").json(&body)
        } else {
            body["idempotency_key"] = key.into();
            request.form(&body)
        };
    }
    request.send().await.unwrap().status().as_u16()
}
