//! Tickets go back for their money, through HTTP: all or some, once, by those who may.

use crate::binary::{Answer, Person, Server, folder};
use futures_util::future::join_all;
use serde_json::{Value, json};

fn euros(cents: i64) -> Value {
    json!({ "amount": cents, "currency": "EUR" })
}

fn path(payment: &Answer) -> String {
    format!("/api/payments/{}/refund", payment.text("/id"))
}

async fn tickets(person: &Person<'_>, after: &Answer) -> Vec<Value> {
    let list = person.list_after("/api/tickets", after).await.expect(200);
    list.body["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_order_is_refunded_in_parts_and_its_places_are_free_again() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let (organiser, buyer) =
        (server.sign_in("org@example.org").await, server.sign_in("ann@example.org").await);
    let show = organiser.sell_with(3, json!({ "max_per_customer": 3 })).await;
    let reservation = buyer.reserve(&show, 3).await.expect(201);
    let payment = buyer.pay(&reservation, "succeed").await.expect(201);
    let of_buyer = tickets(&buyer, &payment).await;

    let one = json!({ "ticket_ids": [of_buyer[0]["id"]], "reason": "a child is ill" });
    let back = organiser.post(&path(&payment), one.clone()).await.expect(200);
    assert_eq!((&back.body["refunded"], &back.body["remaining"]), (&euros(4_500), &euros(9_000)));
    assert_eq!(show.places(&server, &back).await, [1, 0, 2]);
    let order = format!("/api/reservations/{}", reservation.text("/id"));
    assert_eq!(buyer.get(&order).await.text("/status"), "partially_refunded");
    let paid = buyer.get(&format!("/api/payments/{}", payment.text("/id"))).await;
    assert_eq!((paid.text("/status"), &paid.body["refunded"]), ("partially_refunded".into(), &euros(4_500)));
    let valid = tickets(&buyer, &back).await.iter().filter(|ticket| ticket["status"] == "valid").count();
    assert_eq!(valid, 2);
    buyer.reserve(&show, 1).await.expect(201);
    organiser.post(&path(&payment), one).await.problem(409, "nothing_to_refund");

    let rest = organiser.post(&path(&payment), json!({})).await.expect(200);
    assert_eq!((&rest.body["refunded"], &rest.body["remaining"]), (&euros(9_000), &euros(0)));
    assert_eq!(show.places(&server, &rest).await, [2, 1, 0]);
    assert_eq!(buyer.get(&order).await.text("/status"), "refunded");
    let listed = buyer.list_after(&format!("/api/payments/user/{}?status=refunded", buyer.id), &rest).await;
    assert_eq!(listed.body["items"][0]["refunded"], euros(13_500));
    organiser.post(&path(&payment), json!({})).await.problem(409, "nothing_to_refund");
    buyer.delete(&order).await.problem(409, "already_paid");
}

#[tokio::test]
async fn only_the_organiser_and_admins_refund_and_only_what_was_bought() {
    let folder = folder();
    let server = Server::start(folder.path(), &[("ADMIN_EMAIL", "root@example.org")]);
    let (organiser, buyer) =
        (server.sign_in("org@example.org").await, server.sign_in("ann@example.org").await);
    let show = organiser.sell(4).await;
    let reservation = buyer.reserve(&show, 1).await.expect(201);
    let declined = buyer.pay(&reservation, "decline").await.expect(201);
    organiser.post(&path(&declined), json!({})).await.problem(409, "nothing_to_refund");
    let payment = buyer.pay(&reservation, "succeed").await.expect(201);
    let path = path(&payment);

    buyer.post(&path, json!({})).await.problem(403, "forbidden");
    server.sign_in("eve@example.org").await.post(&path, json!({})).await.problem(403, "forbidden");
    let without = organiser.request(reqwest::Method::POST, &path).json(&json!({}));
    Answer::of(without.send().await.unwrap()).await.problem(400, "idempotency_key_missing");
    let unknown = "/api/payments/0190b3a0-0000-7000-8000-000000000000/refund";
    organiser.post(unknown, json!({})).await.problem(404, "not_found");
    for wrong in [
        json!({ "ticket_ids": [] }),
        json!({ "ticket_ids": [reservation.text("/id")] }),
        json!({ "ticket_ids": [reservation.text("/id"), reservation.text("/id")] }),
        json!({ "reason": "x".repeat(501) }),
    ] {
        organiser.post(&path, wrong).await.problem(422, "validation_failed");
    }
    organiser.post(&path, json!({ "amount": 1 })).await.problem(422, "unknown_field");
    server.sign_in("root@example.org").await.post(&path, json!({})).await.expect(200);
}

#[tokio::test]
async fn fifty_refunds_at_once_give_back_what_was_paid_and_a_repeat_gets_its_answer() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let (organiser, buyer) =
        (server.sign_in("org@example.org").await, server.sign_in("ann@example.org").await);
    let show = organiser.sell(10).await;
    let payment = buyer.pay(&buyer.reserve(&show, 10).await.expect(201), "succeed").await.expect(201);
    let of_buyer = tickets(&buyer, &payment).await;
    let path = path(&payment);
    let ask = |number: usize| {
        let (organiser, path, ticket) = (&organiser, &path, &of_buyer[number % 10]["id"]);
        // Some ask for the same ticket, some for all that are left.
        let body = if number.is_multiple_of(7) { json!({}) } else { json!({ "ticket_ids": [ticket] }) };
        async move { organiser.post_as(path, &format!("refund-{number}"), body).await }
    };
    let answers = join_all((0..50).map(ask)).await;
    let mut refunded = 0;
    for answer in &answers {
        assert!([200, 409].contains(&answer.status), "{answer:?}");
        refunded += answer.body["refunded"]["amount"].as_i64().unwrap_or_default();
    }
    assert_eq!(refunded, 45_000);
    let paid = buyer.get(&format!("/api/payments/{}", payment.text("/id"))).await;
    assert_eq!((paid.text("/status"), &paid.body["refunded"]), ("refunded".into(), &euros(45_000)));
    let (number, first) = answers.iter().enumerate().find(|(_, answer)| answer.status == 200).unwrap();
    let again = ask(number).await;
    assert_eq!((again.header("idempotent-replayed"), &again.body), ("true".into(), &first.body));
}
