//! What a stranger does with the program: sell, buy, pay in every way, give up; through HTTP only.

use crate::binary::{Answer, OnSale, Person, Server, folder};
use serde_json::json;

/// Waits until the reservation has this status: each turn waits for the log to go on.
async fn until_status(person: &Person<'_>, show: &OnSale, path: &str, status: &str) -> Answer {
    let mut position = 0;
    for _ in 0..60 {
        let answer = person.get(path).await.expect(200);
        if answer.text("/status") == status {
            return answer;
        }
        let path = format!("/api/events/{}/availability", show.id);
        let next = person.request(reqwest::Method::GET, &path).header("x-min-position", position + 1);
        // 503 says that nothing happened for five seconds.
        let seen = Answer::of(next.send().await.unwrap()).await;
        position = seen.body["position"].as_u64().unwrap_or(position).max(position);
    }
    panic!("{path} never becomes {status}");
}

#[tokio::test]
async fn a_show_is_sold_and_a_buyer_gets_tickets() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let (organiser, buyer) =
        (server.sign_in("org@example.org").await, server.sign_in("ann@example.org").await);

    let show = organiser.sell(10).await;
    let reservation = buyer.reserve(&show, 2).await.expect(201);
    assert_eq!(reservation.text("/status"), "held");
    assert_eq!(reservation.body["total"], json!({ "amount": 9_000, "currency": "EUR" }));
    assert_eq!(reservation.header("location"), format!("/api/reservations/{}", reservation.text("/id")));
    assert_eq!(show.places(&server, &reservation).await, [8, 2, 0]);

    let payment = buyer.pay(&reservation, "succeed").await.expect(201);
    assert_eq!(
        (payment.text("/status"), payment.text("/reservation_id")),
        ("succeeded".into(), reservation.text("/id"))
    );
    assert_eq!(show.places(&server, &payment).await, [8, 0, 2]);

    let path = format!("/api/tickets?reservation_id={}", reservation.text("/id"));
    let tickets = buyer.list_after(&path, &payment).await.expect(200);
    assert_eq!(tickets.body["total"], 2);
    assert_eq!(
        (tickets.text("/items/0/status"), tickets.text("/items/0/section")),
        ("valid".into(), "Floor".into())
    );
    assert_ne!(tickets.text("/items/0/code"), tickets.text("/items/1/code"));
    let ticket = buyer.get(&format!("/api/tickets/{}", tickets.text("/items/0/id"))).await.expect(200);
    assert_eq!(ticket.body, tickets.body["items"][0]);

    let path = format!("/api/reservations/{}", reservation.text("/id"));
    assert_eq!(buyer.get(&path).await.text("/status"), "completed");
    let mine = buyer.list_after("/api/reservations", &payment).await;
    assert_eq!(mine.text("/items/0/status"), "completed");
    let paid = buyer.list_after(&format!("/api/payments/user/{}?status=succeeded", buyer.id), &payment).await;
    assert_eq!(paid.text("/items/0/id"), payment.text("/id"));
}

#[tokio::test]
async fn after_a_decline_another_try_is_allowed() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let show = person.sell(3).await;
    let reservation = person.reserve(&show, 1).await.expect(201);
    let declined = person.pay(&reservation, "decline").await.expect(201);
    assert_eq!(declined.text("/status"), "declined");
    assert_eq!(show.places(&server, &declined).await, [2, 1, 0]);
    assert_eq!(person.pay(&reservation, "succeed").await.expect(201).text("/status"), "succeeded");
    person.pay(&reservation, "succeed").await.problem(409, "already_paid");
}

#[tokio::test]
async fn a_slow_answer_and_a_lost_one_are_reconciled() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let show = person.sell(3).await;
    for outcome in ["slow", "lost_answer"] {
        let reservation = person.reserve(&show, 1).await.expect(201);
        let payment = person.pay(&reservation, outcome).await.expect(201);
        assert_eq!(payment.text("/status"), "processing", "{outcome}");
        person.pay(&reservation, "succeed").await.problem(409, "payment_in_progress");
        let path = format!("/api/reservations/{}", reservation.text("/id"));
        until_status(&person, &show, &path, "completed").await;
        let payment = person.get(&format!("/api/payments/{}", payment.text("/id"))).await;
        assert_eq!(payment.text("/status"), "succeeded", "{outcome}");
    }
}

#[tokio::test]
async fn an_order_that_nobody_pays_expires_and_its_places_are_free_again() {
    let folder = folder();
    let server = Server::start(folder.path(), &[("HOLD_SECONDS", "1")]);
    let person = server.sign_in("ann@example.org").await;
    let show = person.sell(3).await;
    let reservation = person.reserve(&show, 3).await.expect(201);
    let path = format!("/api/reservations/{}", reservation.text("/id"));
    let expired = until_status(&person, &show, &path, "expired").await;
    let mut seen = show.places_at(&server, "0").await;
    while seen.1 != [3, 0, 0] {
        seen = show.places_at(&server, &(seen.0 + 1).to_string()).await;
    }
    person.pay(&expired, "succeed").await.problem(410, "hold_expired");
    person.delete(&path).await.problem(410, "hold_expired");
    person.reserve(&show, 3).await.expect(201);
}

#[tokio::test]
async fn an_order_is_given_up_and_its_places_are_free_at_once() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let show = person.sell_with(3, json!({ "max_per_customer": 3 })).await;
    let reservation = person.reserve(&show, 3).await.expect(201);
    let path = format!("/api/reservations/{}", reservation.text("/id"));
    let gone = person.delete(&path).await.expect(204);
    assert_eq!(show.places(&server, &gone).await, [3, 0, 0]);
    person.delete(&path).await.expect(204);
    person.pay(&reservation, "succeed").await.problem(409, "wrong_state");

    let again = person.reserve(&show, 3).await.expect(201);
    person.pay(&again, "slow").await.expect(201);
    let path = format!("/api/reservations/{}", again.text("/id"));
    let gone = person.delete(&path).await.expect(204);
    assert_eq!(show.places(&server, &gone).await, [3, 0, 0]);
    let paid = person.reserve(&show, 1).await.expect(201);
    person.pay(&paid, "succeed").await.expect(201);
    let path = format!("/api/reservations/{}", paid.text("/id"));
    person.delete(&path).await.problem(409, "already_paid");
}

#[tokio::test]
async fn several_lines_are_held_together_or_not_at_all() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let tier = |amount: u32| json!({ "name": "One", "price": { "amount": amount, "currency": "EUR" } });
    let section = |name: &str, capacity: u32| json!({ "name": name, "kind": "general", "capacity": capacity, "tiers": [tier(0), tier(1_000)] });
    let show = person.sell_with(1, json!({ "sections": [section("Floor", 5), section("Balcony", 1)] })).await;
    let event = person.get(&format!("/api/events/{}", show.id)).await.body;
    let line = |section: usize, tier: usize, quantity: u32| {
        json!({ "section_id": event["sections"][section]["id"],
                "tier_id": event["sections"][section]["tiers"][tier]["id"], "quantity": quantity })
    };
    let order = |lines: Vec<_>| json!({ "event_id": show.id, "lines": lines });

    let both = order(vec![line(0, 0, 1), line(0, 1, 1), line(1, 1, 2)]);
    let refused = person.post("/api/reservations", both).await.problem(409, "seats_unavailable");
    assert_eq!(refused["available"], 1);
    let both = order(vec![line(0, 0, 1), line(0, 1, 1), line(1, 1, 1)]);
    let held = person.post("/api/reservations", both).await.expect(201);
    assert_eq!((&held.body["quantity"], &held.body["total"]["amount"]), (&json!(3), &json!(2_000)));
    assert_eq!(show.places(&server, &held).await, [3, 2, 0]);
}

#[tokio::test]
async fn what_costs_nothing_needs_no_card() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let tier = json!({ "name": "Free", "price": { "amount": 0, "currency": "EUR" } });
    let section = json!({ "name": "Lawn", "kind": "general", "capacity": 5, "tiers": [tier] });
    let show = person.sell_with(5, json!({ "sections": [section] })).await;
    let reservation = person.reserve(&show, 1).await.expect(201);
    person.pay(&reservation, "succeed").await.problem(422, "validation_failed");
    let body = json!({ "reservation_id": reservation.text("/id"), "method": { "type": "free" } });
    let payment = person.post("/api/payments", body).await.expect(201);
    assert_eq!(payment.text("/status"), "succeeded");
}
