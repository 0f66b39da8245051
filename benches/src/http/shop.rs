//! What a scenario needs before it begins: people who are signed in, each with an address of his own, and shows on sale.

use super::client::{Answer, Connection, Request};
use super::program::Program;
use crate::Outcome;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;

/// How many sign in at once.
const AT_ONCE: usize = 64;

/// Somebody who is signed in.
#[derive(Debug)]
pub(super) struct Person {
    token: String,
    address: String,
    id: String,
}

/// A show on sale, with one section.
#[derive(Debug, Clone)]
pub(super) struct OnSale {
    pub(super) id: String,
    section: String,
    tier: String,
}

impl Person {
    /// The person with this number; the same each time.
    pub(super) async fn sign_in(connection: &mut Connection, number: usize) -> Outcome<Self> {
        let address = format!("10.{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255);
        let email = format!("person-{number}@example.org");
        let request = Request::post("/api/auth/dev-sign-in", &json!({ "email": email }));
        let answer = connection.send(&request.with("x-forwarded-for", &address).bytes()).await?;
        let body = answer.expect(200)?;
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        Ok(Self { token: format!("Bearer {}", text("token")), address, id: text("user_id").to_owned() })
    }

    /// So many people, with numbers from 0.
    pub(super) async fn many(program: &Program, count: usize) -> Outcome<Vec<Arc<Self>>> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut arriving = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (next, mut connection) = (Arc::clone(&next), program.connection());
            arriving.spawn(async move {
                let mut people = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return Outcome::Ok(people);
                    }
                    people.push(Arc::new(Self::sign_in(&mut connection, number).await?));
                }
            });
        }
        let mut people = Vec::with_capacity(count);
        while let Some(arrived) = arriving.join_next().await {
            people.extend(arrived??);
        }
        Ok(people)
    }

    /// A request of this person.
    pub(super) fn asks(&self, request: Request) -> Request {
        request.with("authorization", &self.token).with("x-forwarded-for", &self.address)
    }

    /// What this person posts, under a fresh key.
    pub(super) fn posts(&self, path: &str, body: &Value) -> Vec<u8> {
        static KEYS: AtomicUsize = AtomicUsize::new(0);
        let key = KEYS.fetch_add(1, Ordering::Relaxed).to_string();
        self.asks(Request::post(path, body)).with("idempotency-key", &key).bytes()
    }

    /// Pays an order with the means that always succeeds.
    pub(super) fn pays(&self, order: &Value) -> Vec<u8> {
        let method = json!({ "type": "simulated", "outcome": "succeed" });
        self.posts("/api/payments", &json!({ "reservation_id": order["id"], "method": method }))
    }

    /// Asks for the payments that were made.
    pub(super) fn payments(&self) -> Vec<u8> {
        self.asks(Request::get(&format!("/api/payments/user/{}", self.id))).bytes()
    }

    /// Puts a show with so many places on sale.
    pub(super) async fn sells(&self, program: &Program, capacity: usize) -> Outcome<OnSale> {
        let post = async |path: &str, body: &Value| -> Outcome<Answer> {
            program.connection().send(&self.posts(path, body)).await
        };
        let created = post("/api/events", &show(capacity)).await?.expect(201)?;
        let id = created["id"].as_str().unwrap_or_default().to_owned();
        post(&format!("/api/events/{id}/publish"), &json!({})).await?.expect(200)?;
        let open = post(&format!("/api/events/{id}/open-sales"), &json!({})).await?.expect(200)?;
        let text = |pointer| open.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(OnSale { id, section: text("/sections/0/id"), tier: text("/sections/0/tiers/0/id") })
    }
}

impl OnSale {
    /// One show of each of these people, each with so many places.
    pub(super) async fn many(
        program: &Program,
        sellers: impl Iterator<Item = &Arc<Person>>,
        capacity: usize,
    ) -> Outcome<Arc<[Self]>> {
        let mut shows = Vec::new();
        for seller in sellers {
            shows.push(seller.sells(program, capacity).await?);
        }
        Ok(shows.into())
    }

    /// What is asked for: one place.
    pub(super) fn order(&self) -> Value {
        let line = json!({ "section_id": self.section, "tier_id": self.tier, "quantity": 1 });
        json!({ "event_id": self.id, "lines": [line] })
    }

    /// The path of its places.
    pub(super) fn availability(&self) -> String {
        format!("/api/events/{}/availability", self.id)
    }

    /// Free, held and sold places, as of `position` or later.
    pub(super) async fn places(&self, program: &Program, position: &str) -> Outcome<[u64; 3]> {
        let request = Request::get(&self.availability()).with("x-min-position", position);
        let body = program.ask(request).await?.expect(200)?;
        Ok(["free", "held", "sold"].map(|name| body["sections"][0][name].as_u64().unwrap_or_default()))
    }
}

fn show(capacity: usize) -> Value {
    let tier = json!({ "name": "Standing", "price": { "amount": 4_500, "currency": "EUR" } });
    json!({
        "title": "Concert", "currency": "EUR", "starts_at": "2030-06-01T18:00:00Z",
        "venue": { "name": "Hall", "time_zone": "Europe/Berlin" },
        "sections": [{ "name": "Floor", "kind": "general", "capacity": capacity, "tiers": [tier] }]
    })
}
