//! Prices, quantities and rights are the server's: whatever a client says of them is refused.

use crate::binary::{Answer, Person, Server, event, folder};
use crate::books::Books;
use reqwest::Method;
use serde_json::{Value, json};
use ticketing::payment::gateway::Entry;

/// What nobody may say of himself or of what he buys.
const FOREIGN: [&str; 10] =
    ["role", "roles", "owner_id", "user_id", "status", "paid", "total", "price", "id", "expires_at"];

#[tokio::test]
async fn a_member_that_nobody_may_set_is_refused_in_every_body() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let show = person.sell(10).await;
    let order = person.reserve(&show, 1).await.expect(201).text("/id");
    let method = json!({ "type": "simulated", "outcome": "succeed" });
    let paid = person.pay(&person.reserve(&show, 1).await.expect(201), "succeed").await.expect(201);
    let bodies = [
        ("/api/auth/dev-sign-in".to_owned(), json!({ "email": "eve@example.org" })),
        ("/api/events".to_owned(), event(3)),
        (format!("/api/events/{}/sections/{}/inventory", show.id, show.section), json!({ "block": 1 })),
        ("/api/reservations".to_owned(), show.order(1)),
        ("/api/payments".to_owned(), json!({ "reservation_id": order, "method": method })),
        (format!("/api/payments/{}/refund", paid.text("/id")), json!({})),
    ];
    for (path, body) in bodies {
        for name in FOREIGN {
            let mut body = body.clone();
            body[name] = json!("admin");
            let refused = person.post(&path, body).await.problem(422, "unknown_field");
            assert_eq!(refused["errors"][0]["pointer"], format!("/{name}"), "{path}");
        }
    }
    assert_eq!(person.get(&format!("/api/reservations/{order}")).await.text("/status"), "held");
}

#[tokio::test]
async fn a_route_that_takes_no_body_refuses_one() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let nobody = "01890a5d-ac96-774b-bcce-b302099a8057";
    let mut routes = 0;
    let document = server.request(Method::GET, "/api-docs/openapi.json").send().await.unwrap();
    let document: Value = document.json().await.unwrap();
    for (template, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if method == "get" || operation.get("requestBody").is_some() {
                continue;
            }
            routes += 1;
            let path = template.replace("{id}", nobody).replace("{section_id}", nobody);
            let method: Method = method.to_uppercase().parse().unwrap();
            let send = async |kind: &str, body: &str| {
                let request = person.request(method.clone(), &path).header("content-type", kind);
                let request = request.header("idempotency-key", "one").header("if-match", "*");
                Answer::of(request.body(body.to_owned()).send().await.unwrap()).await
            };
            let unknown = send("application/json", r#"{"price": 1}"#).await.problem(422, "unknown_field");
            assert_eq!(unknown["errors"][0]["pointer"], "/price");
            send("application/json", "[1]").await.problem(422, "validation_failed");
            for garbage in ["{", "{} {}", "price=1", "\u{0}"] {
                send("application/json", garbage).await.problem(400, "malformed_request");
            }
            for kind in ["text/plain", "application/x-www-form-urlencoded"] {
                send(kind, "price=1").await.problem(415, "unsupported_media_type");
            }
            // Nothing, and nothing said at length, is heard: there is no such thing.
            for (kind, nothing) in [("application/json", "{}"), ("application/json", ""), ("text/plain", "")]
            {
                send(kind, nothing).await.problem(404, "not_found");
            }
        }
    }
    assert!(routes >= 5, "publish, open, close, extend and give up take no body; there are {routes}");
}

#[tokio::test]
async fn no_name_breaks_the_line_or_turns_the_direction_of_what_stands_beside_it() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let mut seated = event(3);
    let section = json!({ "name": "Stalls", "kind": "seated", "rows": [{ "name": "A", "seats": 2 }],
        "tiers": seated["sections"][0]["tiers"] });
    seated["sections"].as_array_mut().unwrap().push(section);
    let names =
        ["/title", "/venue/name", "/sections/0/name", "/sections/0/tiers/0/name", "/sections/1/rows/0/name"];
    let marks = "\n\r\t\u{85}\u{2028}\u{2029}\u{202e}\u{2066}\u{200f}\u{61c}";
    for (pointer, mark) in
        names.into_iter().flat_map(|pointer| marks.chars().map(move |mark| (pointer, mark)))
    {
        let mut event = seated.clone();
        *event.pointer_mut(pointer).unwrap() = json!(format!("a{mark}b"));
        let refused = person.post("/api/events", event).await.problem(422, "validation_failed");
        let error = &refused["errors"][0];
        assert_eq!(
            (&error["pointer"], &error["code"]),
            (&json!(pointer), &json!("invalid_value")),
            "{mark:?}"
        );
    }
    let mut right = seated.clone();
    right["title"] = json!("\u{5e9}\u{5dc}\u{5d5}\u{5dd} Äpfel 👩\u{200d}👩\u{200d}👧");
    right["description"] = json!("one line\nand another");
    person.post("/api/events", right).await.expect(201);
}

async fn refused(person: &Person<'_>, path: &str, body: Value, codes: &[&str]) {
    let answer = person.post(path, body.clone()).await;
    assert!((400..500).contains(&answer.status), "{body} is taken: {}", answer.body);
    assert!(codes.contains(&&*answer.text("/code")), "{body}: {}", answer.body);
}

#[tokio::test]
async fn nobody_names_his_own_price_quantity_or_tier() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let (show, other) = (person.sell(10).await, person.sell(10).await);
    let mut over = event(10);
    over["sections"][0]["tiers"][0]["sales_end"] = json!("2020-01-01T00:00:00Z");
    let over = person.sell_with(10, json!({ "sections": over["sections"] })).await;
    let line = |name: &str, value: Value| {
        let mut order = show.order(1);
        order["lines"][0][name] = value;
        order
    };
    let (path, invalid) = ("/api/reservations", "validation_failed");
    for quantity in [json!(-1), json!(0), json!(9_223_372_036_854_775_808_u64), json!(1.5), json!("1")] {
        refused(&person, path, line("quantity", quantity), &[invalid]).await;
    }
    refused(&person, path, line("quantity", json!(4_294_967_295_u32)), &["limit_exceeded"]).await;
    refused(&person, path, line("price", json!({ "amount": 1, "currency": "EUR" })), &["unknown_field"])
        .await;
    refused(&person, path, line("tier_id", json!(other.tier)), &[invalid]).await;
    refused(&person, path, line("section_id", json!(other.section)), &[invalid]).await;
    refused(&person, path, over.order(1), &["sales_closed"]).await;

    let order = person.reserve(&show, 2).await.expect(201);
    let pay = |extra: Value| {
        let method = json!({ "type": "simulated", "outcome": "succeed" });
        let mut body = json!({ "reservation_id": order.text("/id"), "method": method });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        body
    };
    let (path, unknown) = ("/api/payments", "unknown_field");
    refused(&person, path, pay(json!({ "amount": { "amount": 1, "currency": "EUR" } })), &[unknown]).await;
    refused(&person, path, pay(json!({ "currency": "JPY" })), &[unknown]).await;
    refused(&person, path, pay(json!({ "method": { "type": "free" } })), &[invalid]).await;
    person.post(path, pay(json!({}))).await.expect(201);
    drop(server);
    let Books { app, gateway } = Books::open(folder.path()).await;
    let entries = gateway.ledger().entries();
    assert_eq!(entries.iter().map(Entry::kept).collect::<Vec<_>>(), [9_000], "the gateway sees our price");
    app.shutdown().await.unwrap();
}
