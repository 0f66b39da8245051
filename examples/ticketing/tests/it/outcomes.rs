//! Every way in which a payment goes, through HTTP: a payer who is asked, and money that comes late.

use crate::binary::{Answer, OnSale, Person, Server, folder};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

/// Within this time the program notices money that came late, also on a machine with other work to do.
const SOON: Duration = Duration::from_secs(10);

/// The payment when it has come to this status: each turn waits for the log to go on.
async fn until(person: &Person<'_>, show: &OnSale, path: &str, statuses: &[&str]) -> Answer {
    let mut position = 0;
    for _ in 0..60 {
        let answer = person.get(path).await.expect(200);
        if statuses.contains(&&*answer.text("/status")) {
            return answer;
        }
        let path = format!("/api/events/{}/availability", show.id);
        let next = person.request(reqwest::Method::GET, &path).header("x-min-position", position + 1);
        let seen = Answer::of(next.send().await.unwrap()).await;
        position = seen.body["position"].as_u64().unwrap_or(position).max(position);
    }
    panic!("{path} never becomes one of {statuses:?}");
}

/// The page that asks the payer, without the host that its link names.
fn path_of(server: &Server, asked: &Answer) -> String {
    asked.text("/action_url").strip_prefix(&server.url).expect("a page of this program").to_owned()
}

#[tokio::test]
async fn a_payer_who_is_asked_pays_or_does_not() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let (buyer, other) = (server.sign_in("ann@example.org").await, server.sign_in("eve@example.org").await);
    let show = buyer.sell(3).await;
    let reservation = buyer.reserve(&show, 1).await.expect(201);
    let asked = buyer.pay(&reservation, "requires_action").await.expect(201);
    assert_eq!(asked.text("/status"), "requires_action");
    let page = path_of(&server, &asked);
    let shown = buyer.request(reqwest::Method::GET, &page).send().await.unwrap();
    assert!(shown.text().await.unwrap().contains("45.00 EUR"));
    other.post(&page, json!({ "approve": true })).await.problem(403, "forbidden");
    server.get(&page).await.problem(401, "unauthenticated");
    buyer.post(&page, json!({ "approve": "yes" })).await.problem(422, "validation_failed");
    buyer.pay(&reservation, "succeed").await.problem(409, "payment_in_progress");

    let declined = buyer.post(&page, json!({ "approve": false })).await.expect(200);
    assert_eq!(declined.text("/status"), "declined");
    buyer.post(&page, json!({ "approve": true })).await.problem(409, "wrong_state");
    let asked = buyer.pay(&reservation, "requires_action").await.expect(201);
    let form = buyer.request(reqwest::Method::POST, &path_of(&server, &asked)).form(&[("approve", "true")]);
    assert!(form.send().await.unwrap().status().as_u16() < 400);
    let path = format!("/api/reservations/{}", reservation.text("/id"));
    assert_eq!(buyer.get(&path).await.text("/status"), "completed");
}

#[tokio::test]
async fn a_payer_who_says_nothing_loses_his_places_and_no_money() {
    let folder = folder();
    let server = Server::start(folder.path(), &[("HOLD_SECONDS", "1"), ("PAYMENT_SECONDS", "1")]);
    let buyer = server.sign_in("ann@example.org").await;
    let show = buyer.sell(1).await;
    let reservation = buyer.reserve(&show, 1).await.expect(201);
    let asked = buyer.pay(&reservation, "requires_action").await.expect(201);
    let path = format!("/api/reservations/{}", reservation.text("/id"));
    until(&buyer, &show, &path, &["expired"]).await;
    let page = path_of(&server, &asked);
    buyer.post(&page, json!({ "approve": true })).await.problem(409, "wrong_state");
    let payment = buyer.get(&format!("/api/payments/{}", asked.text("/id"))).await;
    assert_eq!(payment.text("/status"), "cancelled");
}

#[tokio::test]
async fn late_money_takes_the_places_again_or_goes_back() {
    let folder = folder();
    let server = Server::start(folder.path(), &[("HOLD_SECONDS", "1"), ("PAYMENT_SECONDS", "1")]);
    let buyer = server.sign_in("ann@example.org").await;
    let show = buyer.sell(1).await;
    let reservation = buyer.reserve(&show, 1).await.expect(201);
    let late = buyer.pay(&reservation, "late_success").await.expect(201);
    assert_eq!(late.text("/status"), "processing");
    let order = format!("/api/reservations/{}", reservation.text("/id"));
    until(&buyer, &show, &order, &["expired", "completed"]).await;
    // The money comes a second after the end of the hold, and the places with it.
    let took = timeout(SOON, until(&buyer, &show, &order, &["completed"])).await;
    took.expect("late money is noticed soon");

    let show = buyer.sell(1).await;
    let reservation = buyer.reserve(&show, 1).await.expect(201);
    let late = buyer.pay(&reservation, "late_success").await.expect(201);
    let order = format!("/api/reservations/{}", reservation.text("/id"));
    until(&buyer, &show, &order, &["expired"]).await;
    let path = format!("/api/events/{}/sections/{}/inventory", show.id, show.section);
    // Whoever comes first has the place; here it is the organiser, who keeps it back.
    loop {
        let kept = buyer.post(&path, json!({ "block": 1 })).await;
        if kept.status == 200 {
            break;
        }
        kept.problem(409, "seats_unavailable");
    }
    let payment = format!("/api/payments/{}", late.text("/id"));
    let back = timeout(SOON, until(&buyer, &show, &payment, &["refunded"])).await;
    let back = back.expect("late money goes back soon");
    assert_eq!(back.body["refunded"], json!({ "amount": 4_500, "currency": "EUR" }));
    assert_eq!(buyer.get(&order).await.text("/status"), "expired");
}
