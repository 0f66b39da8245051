//! A show is cancelled, through HTTP: its holds end, everybody who paid gets the money back once, also after a crash.

use crate::binary::{Answer, OnSale, Person, Server, event, folder};
use crate::books::Books;
use crate::invariants::{broken, told};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

async fn cancel(person: &Person<'_>, show: &OnSale) -> Answer {
    let path = format!("/api/events/{}", show.id);
    let asked = person.request(Method::DELETE, &path).json(&json!({ "reason": "The singer is ill" }));
    Answer::of(asked.send().await.unwrap()).await
}

/// Waits until nothing of the show is held or sold.
async fn until_empty(server: &Server, show: &OnSale, capacity: u64) {
    let mut seen = show.places_at(server, "0").await;
    while seen.1 != [capacity, 0, 0] {
        seen = show.places_at(server, &(seen.0 + 1).to_string()).await;
    }
}

async fn statuses(person: &Person<'_>, orders: &[Answer]) -> Vec<String> {
    let mut found = Vec::new();
    for order in orders {
        found.push(person.get(&format!("/api/reservations/{}", order.text("/id"))).await.text("/status"));
    }
    found
}

#[tokio::test]
async fn a_cancelled_show_ends_holds_and_gives_all_money_back_also_after_a_crash() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let (organiser, buyer) =
        (server.sign_in("org@example.org").await, server.sign_in("ann@example.org").await);
    let show = organiser.sell(20).await;
    let mut orders = Vec::new();
    for outcome in [None, Some("succeed"), Some("succeed"), Some("slow"), Some("requires_action")] {
        let order = buyer.reserve(&show, 2).await.expect(201);
        if let Some(outcome) = outcome {
            let payment = buyer.pay(&order, outcome).await.expect(201);
            if orders.len() == 1 {
                let tickets = buyer.list_after("/api/tickets", &payment).await;
                let one = json!({ "ticket_ids": [tickets.body["items"][0]["id"]] });
                let path = format!("/api/payments/{}/refund", payment.text("/id"));
                organiser.post(&path, one).await.expect(200);
            }
        }
        orders.push(order);
    }

    buyer.delete(&format!("/api/events/{}", show.id)).await.problem(403, "forbidden");
    cancel(&organiser, &show).await.expect(204);
    buyer.reserve(&show, 1).await.problem(409, "sales_closed");
    drop(server);
    let server = Server::start(folder.path(), &[]);
    let (organiser, buyer) =
        (server.sign_in("org@example.org").await, server.sign_in("ann@example.org").await);
    cancel(&organiser, &show).await.expect(204);
    let seen = organiser.get(&format!("/api/events/{}", show.id)).await.expect(200);
    assert_eq!(
        (seen.text("/status"), seen.text("/cancel_reason")),
        ("cancelled".into(), "The singer is ill".into())
    );
    organiser
        .post(&format!("/api/events/{}/open-sales", show.id), json!({}))
        .await
        .problem(409, "wrong_state");

    until_empty(&server, &show, 20).await;
    let ended = statuses(&buyer, &orders).await;
    assert_eq!(ended[..3], ["expired", "refunded", "refunded"]);
    assert!(["expired", "refunded"].contains(&&*ended[3]), "{ended:?}");
    assert_eq!(ended[4], "expired");
    let order = format!("/api/reservations/{}", orders[0].text("/id"));
    buyer.post(&format!("{order}/extend"), json!({})).await.problem(410, "hold_expired");
    buyer.pay(&orders[0], "succeed").await.problem(410, "hold_expired");
    drop(server);

    let Books { app, gateway } = Books::open(folder.path()).await;
    let mut found = Vec::new();
    for _ in 0..60 {
        let seen = app.events().signal().position();
        found = broken(&app, gateway.ledger()).await;
        if found.is_empty() {
            break;
        }
        // The next event, or a while: then look again.
        let next = app.events().signal().reached(seen.next());
        _ = tokio::time::timeout(Duration::from_secs(1), next).await;
    }
    assert!(found.is_empty(), "{}", told(&found));
    let kept: i64 = gateway.ledger().entries().iter().map(ticketing::payment::gateway::Entry::kept).sum();
    assert_eq!(kept, 0, "{:?}", gateway.ledger().entries());
    app.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_draft_that_is_cancelled_stays_its_owners() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let (ann, eve) = (server.sign_in("ann@example.org").await, server.sign_in("eve@example.org").await);
    let draft = ann.post("/api/events", event(3)).await.expect(201);
    let path = format!("/api/events/{}", draft.text("/id"));
    eve.delete(&path).await.problem(403, "forbidden");
    let stale = ann.request(Method::DELETE, &path).header("if-match", "\"7\"");
    Answer::of(stale.send().await.unwrap()).await.problem(412, "version_mismatch");
    let gone = ann.delete(&path).await.expect(204);
    ann.delete(&path).await.expect(204);
    eve.get(&path).await.problem(404, "not_found");
    let listed = ann.list_after("/api/events?status=cancelled", &gone).await;
    assert_eq!((&listed.body["total"], &listed.body["items"][0]["id"]), (&json!(1), &draft.body["id"]));
    assert_eq!(
        eve.list_after("/api/events?status=cancelled", &gone).await.body["items"],
        Value::Array(vec![])
    );
}
