//! The API's description agrees with the program: every route is in it and nothing else, with examples that were recorded
//! and still look so.
//!
//! `RECORD=1 cargo test -p ticketing --test it openapi` writes the examples anew.

mod described;

pub(crate) use described::is_described;

use crate::binary::{Answer, Person, Server, event, folder};
use axum::body::Body;
use axum::http::{Method, Request, header};
use composable_rust::Application;
use composable_rust::prelude::HttpOptions;
use composable_rust::runtime::SystemClock;
use composable_rust::testing::memory::MemoryStorage;
use composable_rust::web::{InProcess, WebExt};
use described::{description, validator};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use ticketing::account::Sessions;
use ticketing::payment::gateway::{Ledger, SimulatedGateway};
use ticketing::shared::Secret;
use ticketing::{Parts, assembled};

const EXAMPLES: &str = include_str!("../../src/examples.json");

/// For programs, not for people.
fn is_of_the_api(path: &str) -> bool {
    let api = ["/api/", "/ws", "/metrics", "/livez", "/readyz", "/ready", "/health"];
    api.iter().any(|prefix| path.starts_with(prefix))
}

/// The methods and paths of the router, from what it shows of itself and what it says that it allows; no files.
async fn routes(app: &Application) -> BTreeSet<String> {
    let server = app.get::<InProcess>().unwrap();
    let shown = format!("{server:?}");
    let is_route = |text: &str| {
        text.starts_with('/') && !["/static/", "/{*"].iter().any(|other| text.starts_with(other))
    };
    let paths = shown.split('"').filter(|text| is_route(text));
    let mut routes = BTreeSet::new();
    for path in paths.map(str::to_owned).collect::<BTreeSet<_>>() {
        let request = Request::builder().method(Method::PATCH).uri(&path).body(Body::empty()).unwrap();
        let answer = server.answer(request).await;
        let allowed = answer.headers().get(header::ALLOW).map(|allow| allow.to_str().unwrap().to_owned());
        let allowed = allowed.unwrap_or_else(|| panic!("{path} takes PATCH, or is no route: {answer:?}"));
        let methods = allowed.split(',').filter(|method| *method != "HEAD");
        routes.extend(methods.map(|method| format!("{method} {path}")));
    }
    routes
}

fn documented(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    let methods = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    methods.collect()
}

/// The whole program without a socket, its data in memory.
pub(crate) async fn program() -> Application {
    let parts = Parts {
        gateway: Arc::new(SimulatedGateway::new(Ledger::in_memory(), Arc::new(SystemClock))),
        sessions: Sessions::new(Secret::new(b"secret"), None),
        hold: Duration::from_mins(5),
        payment: Duration::from_mins(10),
    };
    let options = HttpOptions { metrics: true, ..HttpOptions::in_process() };
    assembled(parts).storage(MemoryStorage::new()).http(options).start().await.unwrap()
}

/// All methods and paths, of pages too.
pub(crate) async fn routes_of_the_program() -> BTreeSet<String> {
    let app = program().await;
    let routes = routes(&app).await;
    app.shutdown().await.unwrap();
    routes
}

#[tokio::test]
async fn every_route_of_the_router_is_described_and_nothing_else() {
    let (document, mut routes) = (description().await, routes_of_the_program().await);
    routes.retain(|route| is_of_the_api(route.split(' ').nth(1).unwrap()));
    assert!(routes.len() > 20, "{routes:#?}");
    assert_eq!(documented(document), routes);
    let examples: Map<String, Value> = serde_json::from_str(EXAMPLES).unwrap();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let name = format!("{} {path}", method.to_uppercase());
            assert_ne!(operation["summary"], "", "{name} has no `.about(…)`");
            let has_example = examples.contains_key(&name) || STREAMS.contains(&name.as_str());
            assert!(has_example, "{name} has no example: call it in `walk` and record");
        }
    }
}

#[tokio::test]
async fn the_examples_fit_the_schemas_that_the_types_tell() {
    let document = description().await;
    let examples: Map<String, Value> = serde_json::from_str(EXAMPLES).unwrap();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let name = format!("{} {path}", method.to_uppercase());
            let Some(example) = examples.get(&name) else { continue };
            if let Some(request) = example.get("request") {
                let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
                validator(document, schema)
                    .validate(request)
                    .unwrap_or_else(|e| panic!("{name} takes {request}: {e}"));
            }
            let response = &operation["responses"][example["status"].to_string()];
            assert!(response.is_object(), "{name} answers {}", example["status"]);
            if let Some(body) = example.get("response") {
                let schema = &response["content"]["application/json"]["schema"];
                validator(document, schema)
                    .validate(body)
                    .unwrap_or_else(|e| panic!("{name} answers {body}: {e}"));
            }
        }
    }
}

/// What answers no JSON.
const STREAMS: [&str; 4] =
    ["GET /api/events/{id}/live", "GET /api/tickets/{id}/qr.svg", "GET /ws", "GET /metrics"];

#[tokio::test]
async fn the_examples_look_as_what_the_program_takes_and_answers() {
    let recorded = walk().await;
    if std::env::var_os("RECORD").is_some() {
        let text = format!("{:#}\n", Value::Object(recorded.clone()));
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/examples.json"), text).unwrap();
        return;
    }
    let examples: Map<String, Value> = serde_json::from_str(EXAMPLES).unwrap();
    assert_eq!(examples.keys().collect::<Vec<_>>(), recorded.keys().collect::<Vec<_>>());
    for (name, example) in &recorded {
        assert_eq!(shape(&examples[name]), shape(example), "{name} has changed: record anew");
    }
}

/// Which members there are, and of which kind; the first of each list.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), shape(value))).collect())
        }
        Value::Array(items) => items.iter().take(1).map(shape).collect(),
        Value::String(_) => "text".into(),
        Value::Bool(_) => "truth".into(),
        Value::Number(_) => "number".into(),
        Value::Null => Value::Null,
    }
}

/// Calls operations and writes down what was said.
struct Recorder<'a> {
    person: Person<'a>,
    examples: Map<String, Value>,
}

impl Recorder<'_> {
    /// Calls the operation `name`, whose `{…}` become `ids`.
    async fn call(&mut self, name: &str, ids: &[&str], body: Option<Value>) -> Answer {
        let (method, template) = name.split_once(' ').unwrap();
        let path = ids.iter().fold(template.to_owned(), |path, id| {
            let (before, rest) = path.split_once('{').unwrap();
            format!("{before}{id}{}", rest.split_once('}').unwrap().1)
        });
        let method: Method = method.parse().unwrap();
        let mut request = self.person.request(method, &path);
        if let Some(body) = &body {
            let key = format!("{name} {ids:?}").replace(' ', "-");
            request = request.header("if-match", "*").header("idempotency-key", key).json(body);
        }
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert!((200..300).contains(&answer.status), "{name}: {} {}", answer.status, answer.body);
        let mut example = json!({ "status": answer.status });
        if let Some(body) = body.filter(|body| *body != json!({})) {
            example["request"] = body;
        }
        if answer.status != 204 {
            example["response"] = answer.body.clone();
            if example["response"].get("token").is_some() {
                example["response"]["token"] = "eyJ1c2VyIjoi….c2lnbmF0dXJl".into();
            }
        }
        self.examples.insert(name.to_owned(), example);
        answer
    }

    async fn listed_after(&self, path: &str, answer: &Answer) {
        self.person.list_after(path, answer).await.expect(200);
    }
}

/// Every operation once, as somebody who organises and buys.
async fn walk() -> Map<String, Value> {
    let folder = folder();
    let server = Server::start(folder.path(), &[("ADMIN_EMAIL", "ann@example.org")]);
    let person = server.sign_in("ann@example.org").await;
    let me = person.id.clone();
    let mut api = Recorder { person, examples: Map::new() };
    api.call("POST /api/auth/dev-sign-in", &[], Some(json!({ "email": "ann@example.org" }))).await;

    let created = api.call("POST /api/events", &[], Some(event(100))).await;
    let (id, section, tier) =
        (created.text("/id"), created.text("/sections/0/id"), created.text("/sections/0/tiers/0/id"));
    let change = json!({ "title": "Concert by candlelight" });
    api.call("PUT /api/events/{id}", &[&id], Some(change)).await;
    for step in ["publish", "open-sales", "close-sales"] {
        api.call(&format!("POST /api/events/{{id}}/{step}"), &[&id], Some(json!({}))).await;
    }
    let open = format!("/api/events/{id}/open-sales");
    api.person.post(&open, json!({})).await.expect(200);
    let adjust = "POST /api/events/{id}/sections/{section_id}/inventory";
    let adjusted = api
        .call(adjust, &[&id, &section], Some(json!({ "add_capacity": 10, "block": 2, "unblock": 0 })))
        .await;
    api.listed_after("/api/events", &adjusted).await;
    api.call("GET /api/events", &[], None).await;
    api.call("GET /api/events/{id}", &[&id], None).await;

    let order =
        json!({ "event_id": id, "lines": [{ "section_id": section, "tier_id": tier, "quantity": 2 }] });
    let given_up = api.call("POST /api/reservations", &[], Some(order.clone())).await;
    api.call("POST /api/reservations/{id}/extend", &[&given_up.text("/id")], Some(json!({}))).await;
    api.call("DELETE /api/reservations/{id}", &[&given_up.text("/id")], None).await;
    let bought = api.person.post("/api/reservations", order).await.expect(201);
    let method = json!({ "type": "simulated", "outcome": "succeed" });
    let pay = json!({ "reservation_id": bought.text("/id"), "method": method });
    let paid = api.call("POST /api/payments", &[], Some(pay)).await;
    for path in ["/api/reservations", "/api/tickets", &format!("/api/payments/user/{me}")] {
        api.listed_after(path, &paid).await;
    }
    api.listed_after(&format!("/api/events/{id}/availability"), &paid).await;
    api.call("GET /api/events/{id}/availability", &[&id], None).await;
    api.call("GET /api/reservations", &[], None).await;
    api.call("GET /api/reservations/{id}", &[&bought.text("/id")], None).await;
    api.call("GET /api/payments/{id}", &[&paid.text("/id")], None).await;
    api.call("GET /api/payments/user/{user_id}", &[&me], None).await;
    let tickets = api.call("GET /api/tickets", &[], None).await;
    let ticket = tickets.text("/items/0/id");
    api.call("GET /api/tickets/{id}", &[&ticket], None).await;
    let refund = json!({ "ticket_ids": [ticket], "reason": "ill" });
    let refunded = api.call("POST /api/payments/{id}/refund", &[&paid.text("/id")], Some(refund)).await;
    let orders = format!("/api/events/{id}/orders");
    api.listed_after(&orders, &refunded).await;
    api.call("GET /api/events/{id}/orders", &[&id], None).await;
    api.listed_after(&format!("/api/events/{id}/sales"), &refunded).await;
    api.call("GET /api/events/{id}/sales", &[&id], None).await;
    api.call("DELETE /api/events/{id}", &[&id], Some(json!({ "reason": "a storm" }))).await;
    api.call("GET /api/reconciliation", &[], None).await;
    for probe in ["/livez", "/readyz", "/ready", "/health", "/health/live", "/health/ready"] {
        api.call(&format!("GET {probe}"), &[], None).await;
    }
    api.examples
}
