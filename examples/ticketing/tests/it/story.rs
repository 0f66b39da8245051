//! What people do with a show: an organiser offers it, buyers rush for it, pay in every way there is, or give up.

use crate::client::Client;
use axum::http::StatusCode;
use composable_rust::{Application, Clock};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

/// Places of the show.
pub(crate) const CAPACITY: u32 = 5;
/// Most places that one buyer may have.
pub(crate) const PER_CUSTOMER: u32 = 3;

/// What one buyer intends; drawn before the first life, so that every life tells the same story.
#[derive(Debug, Clone)]
pub(crate) struct Buyer {
    /// Tells this intention from another of the same person.
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) quantity: u32,
    /// The outcomes of the payments tried, one after the other.
    pub(crate) payments: Vec<&'static str>,
    pub(crate) gives_up: bool,
    pub(crate) extends: bool,
    /// How long before each payment.
    pub(crate) hesitates: Duration,
}

/// How long somebody for whom no place is free waits before asking again, and how often: holds end meanwhile.
const PATIENCE: Duration = Duration::from_secs(12);
const ASKS: u32 = 3;

/// A show on sale.
#[derive(Debug, Clone)]
pub(crate) struct OnSale {
    pub(crate) show: String,
    pub(crate) section: String,
    pub(crate) tier: String,
}

/// Offers the show; telling it again changes nothing, since every request has its key.
pub(crate) async fn offer(app: &Application) -> OnSale {
    offer_with(app, CAPACITY, Some(PER_CUSTOMER), Places::Seats).await
}

/// How places are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Places {
    /// By row and number.
    Seats,
    /// Not at all.
    Alike,
}

/// Offers so many places, so many of them to one customer at most.
pub(crate) async fn offer_with(
    app: &Application,
    capacity: u32,
    per_customer: Option<u32>,
    places: Places,
) -> OnSale {
    let organiser = Client::new(app).sign_in("organiser@example.org").await;
    let mut section = json!({
        "name": "Floor",
        "tiers": [{ "name": "Standard", "price": { "amount": 4500, "currency": "EUR" } }],
    });
    match places {
        Places::Seats => (section["kind"], section["rows"]) = (json!("seated"), json!(rows(capacity))),
        Places::Alike => (section["kind"], section["capacity"]) = (json!("general"), json!(capacity)),
    }
    let show = json!({
        "title": "The last concert",
        "venue": { "name": "Hall", "time_zone": "Europe/Rome" },
        "starts_at": "2030-06-01T18:00:00Z",
        "currency": "EUR",
        "max_per_customer": per_customer,
        "sections": [section],
    });
    let created = organiser.post("/api/events", "create", show).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    let id = created.text("/id").to_owned();
    for step in ["publish", "open-sales"] {
        let answer = organiser.post(&format!("/api/events/{id}/{step}"), step, json!({})).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    OnSale {
        section: created.text("/sections/0/id").to_owned(),
        tier: created.text("/sections/0/tiers/0/id").to_owned(),
        show: id,
    }
}

/// Rows of three seats, and one with the rest.
fn rows(seats: u32) -> Vec<Value> {
    let row = |number: u32| json!({ "name": format!("{number}"), "seats": (seats - 3 * number).min(3) });
    (0..seats.div_ceil(3)).map(row).collect()
}

/// All buyers at once.
pub(crate) async fn rush(
    app: &Application,
    on_sale: &OnSale,
    buyers: &[Buyer],
    cancelled_after: Option<Duration>,
) {
    let all = join_all(buyers.iter().map(|buyer| buy(app, on_sale, buyer)));
    futures_util::future::join3(all, keep_back(app, on_sale), cancel(app, on_sale, cancelled_after)).await;
}

/// The organiser cancels the show in the middle of everything.
async fn cancel(app: &Application, on_sale: &OnSale, after: Option<Duration>) {
    let Some(after) = after else { return };
    let clock = &app.environment().clock;
    clock.sleep(after).await;
    let organiser = Client::new(app).sign_in("organiser@example.org").await;
    loop {
        let answer = organiser.delete(&format!("/api/events/{}", on_sale.show)).await;
        if !answer.is_temporary() {
            return assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
        }
        clock.sleep(Duration::from_millis(100)).await;
    }
}

/// The organiser gives money back: of one order all, of the next one what one ticket cost, of the third nothing.
async fn refund(app: &Application, buyer: &Buyer, client: &Client, (order, payment): (&str, &str)) {
    let body = match buyer.number % 3 {
        0 => json!({ "reason": "asked for" }),
        1 => {
            let tickets = client.get(&format!("/api/tickets?reservation_id={order}")).await.body;
            let tickets = tickets["items"].as_array().into_iter().flatten();
            // The same in every life.
            let Some(ticket) = tickets.filter_map(|ticket| ticket["id"].as_str()).min() else { return };
            json!({ "ticket_ids": [ticket] })
        }
        _ => return,
    };
    let organiser = Client::new(app).sign_in("organiser@example.org").await;
    let path = format!("/api/payments/{payment}/refund");
    let back = organiser.post(&path, &format!("refund-{payment}"), body).await;
    assert!([StatusCode::OK, StatusCode::CONFLICT].contains(&back.status), "{back:?}");
}

/// Meanwhile the organiser keeps a place back for a while, if one is free.
async fn keep_back(app: &Application, on_sale: &OnSale) {
    let organiser = Client::new(app).sign_in("organiser@example.org").await;
    let path = format!("/api/events/{}/sections/{}/inventory", on_sale.show, on_sale.section);
    for change in ["block", "unblock"] {
        let answer = organiser.post(&path, change, json!({ change: 1 })).await;
        assert!([StatusCode::OK, StatusCode::CONFLICT].contains(&answer.status), "{answer:?}");
        app.environment().clock.sleep(Duration::from_secs(1)).await;
    }
}

/// The reservation, once there is one.
async fn reserve(client: &Client, buyer: &Buyer, wanted: &Value, clock: &dyn Clock) -> Option<String> {
    for time in 0..ASKS {
        let key = format!("reserve-{}-{time}", buyer.number);
        let reserved = client.post("/api/reservations", &key, wanted.clone()).await;
        if reserved.status == StatusCode::CREATED {
            return Some(reserved.text("/id").to_owned());
        }
        assert_eq!(reserved.status, StatusCode::CONFLICT, "{reserved:?}");
        if reserved.text("/code") != "seats_unavailable" {
            return None;
        }
        clock.sleep(PATIENCE).await;
    }
    None
}

/// One buyer's story, as far as the server lets it go.
async fn buy(app: &Application, on_sale: &OnSale, buyer: &Buyer) {
    let client = Client::new(app).sign_in(&format!("{}@example.org", buyer.name)).await;
    let line = json!({ "section_id": on_sale.section, "tier_id": on_sale.tier, "quantity": buyer.quantity });
    let wanted = json!({ "event_id": on_sale.show, "lines": [line] });
    let clock = &app.environment().clock;
    let Some(id) = reserve(&client, buyer, &wanted, &**clock).await else { return };
    for (attempt, outcome) in buyer.payments.iter().enumerate() {
        clock.sleep(buyer.hesitates).await;
        if buyer.extends {
            let path = format!("/api/reservations/{id}/extend");
            let extended = client.post(&path, &format!("extend-{id}-{attempt}"), json!({})).await;
            let expected = [StatusCode::OK, StatusCode::CONFLICT, StatusCode::GONE];
            assert!(expected.contains(&extended.status), "{extended:?}");
        }
        let payment = json!({
            "reservation_id": id,
            "method": { "type": "simulated", "outcome": outcome },
        });
        let paid = client.post("/api/payments", &format!("pay-{id}-{attempt}"), payment).await;
        let expected = [StatusCode::CREATED, StatusCode::CONFLICT, StatusCode::GONE];
        assert!(expected.contains(&paid.status), "{paid:?}");
        // Every other payer says yes; the hold may be over by then.
        if let Some(path) = paid.body["action_url"].as_str() {
            let says = json!({ "approve": buyer.number.is_multiple_of(2) });
            let acted = client.post(path, &format!("act-{id}-{attempt}"), says).await;
            assert!([StatusCode::OK, StatusCode::CONFLICT].contains(&acted.status), "{acted:?}");
        }
        if paid.text("/status") == "succeeded" {
            refund(app, buyer, &client, (&id, paid.text("/id"))).await;
        }
    }
    if buyer.gives_up {
        let answer = client.delete(&format!("/api/reservations/{id}")).await;
        let expected = [StatusCode::NO_CONTENT, StatusCode::CONFLICT, StatusCode::GONE];
        assert!(expected.contains(&answer.status) || answer.is_temporary(), "{answer:?}");
    }
}
