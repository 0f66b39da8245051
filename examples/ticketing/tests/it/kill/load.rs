//! What goes on when the program is killed: every operation and every outcome of the gateway, mixed by a seed.
//!
//! Whatever fails because the program is dead is left as it is.

use super::ORGANISER;
use crate::acknowledged::{Acknowledged, Post};
use crate::binary::{OnSale, Server, event};
use composable_rust::{Randomness, SeededRandom};
use reqwest::Method;
use serde_json::{Value, json};

const OUTCOMES: [&str; 6] = ["succeed", "decline", "slow", "lost_answer", "requires_action", "late_success"];

/// One life's load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load<'a> {
    pub(super) server: &'a Server,
    pub(super) show: &'a OnSale,
    pub(super) acknowledged: &'a Acknowledged,
    pub(super) random: &'a SeededRandom,
    pub(super) life: u64,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
struct Someone {
    email: String,
    token: String,
}

impl Load<'_> {
    /// Below `limit`.
    fn below(&self, limit: u64) -> u64 {
        self.random.next_u64() % limit
    }

    async fn sign_in(&self, email: &str) -> Option<Someone> {
        let request = self.server.request(Method::POST, "/api/auth/dev-sign-in");
        let body: Value = request.json(&json!({ "email": email })).send().await.ok()?.json().await.ok()?;
        Some(Someone { email: email.to_owned(), token: body["token"].as_str()?.to_owned() })
    }

    /// Posts under a key.
    async fn ask(&self, who: &Someone, path: &str, key: &str, asked: Value) -> Option<(u16, Value)> {
        let request = self.server.request(Method::POST, path).bearer_auth(&who.token);
        let response = request.header("idempotency-key", key).json(&asked).send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.json().await.unwrap_or(Value::Null)))
    }

    /// As [`Self::ask`]; what is answered with success is held against the program.
    async fn post(&self, who: &Someone, path: &str, key: &str, asked: Value) -> Option<Value> {
        let (status, answer) = self.ask(who, path, key, asked.clone()).await?;
        let (buyer, path, key) = (who.email.clone(), path.to_owned(), key.to_owned());
        self.acknowledged.post(Post { buyer, path, key, asked, status, answer: answer.clone() });
        Some(answer)
    }

    async fn get(&self, who: &Someone, path: &str) -> Option<Value> {
        let request = self.server.request(Method::GET, path).bearer_auth(&who.token);
        request.send().await.ok()?.json().await.ok()
    }

    /// One buyer's requests.
    pub(super) async fn buy(&self, buyer: u64) -> Option<()> {
        let person = self.sign_in(&format!("buyer-{buyer}@example.org")).await?;
        for turn in 0..3 {
            let turn = format!("{}-{buyer}-{turn}", self.life);
            let order = self.order(&person).await?;
            let reserved = self.post(&person, "/api/reservations", &format!("reserve-{turn}"), order).await?;
            let Some(id) = reserved["id"].as_str() else { continue };
            if self.below(4) == 0 {
                let path = format!("/api/reservations/{id}");
                let request = self.server.request(Method::DELETE, &path).bearer_auth(&person.token);
                if request.send().await.ok()?.status().is_success() {
                    self.acknowledged.cancelled(id);
                }
                continue;
            }
            if self.below(4) == 0 {
                let path = format!("/api/reservations/{id}/extend");
                self.post(&person, &path, &format!("extend-{turn}"), json!({})).await?;
            }
            let paid = self.pay(&person, id, &turn).await?;
            if self.below(3) == 0 {
                self.refund(&person, (id, &paid), &turn).await?;
            }
            self.acknowledged.tickets(&self.get(&person, "/api/tickets?page_size=100").await?);
        }
        Some(())
    }

    /// Places of the show: as many, or seats by their ids.
    async fn order(&self, person: &Someone) -> Option<Value> {
        let quantity = 1 + self.below(3);
        let mut order = self.show.order(u32::try_from(quantity).ok()?);
        if self.below(3) == 0 {
            let shown = self.get(person, &format!("/api/events/{}/availability", self.show.id)).await?;
            let seats = shown["sections"][0]["seats"].as_array()?.iter();
            let free = seats.filter(|seat| seat["state"] == "free").map(|seat| seat["id"].clone());
            let skipped = usize::try_from(self.below(4)).ok()?;
            let line = order["lines"][0].as_object_mut()?;
            line.remove("quantity");
            line.insert("seat_ids".into(), free.skip(skipped).take(2).collect());
        }
        Some(order)
    }

    /// Pays, one time in four twice at once, and says yes or no where somebody asks.
    async fn pay(&self, person: &Someone, order: &str, turn: &str) -> Option<Value> {
        let outcome = OUTCOMES[usize::try_from(self.below(6)).ok()?];
        let body = json!({ "reservation_id": order, "method": { "type": "simulated", "outcome": outcome } });
        let key = format!("pay-{turn}");
        let pay = || self.post(person, "/api/payments", &key, body.clone());
        let paid = if self.below(4) == 0 { futures_util::join!(pay(), pay()).0? } else { pay().await? };
        if let Some(path) =
            paid["action_url"].as_str().and_then(|url| url.find("/payments/").map(|at| &url[at..]))
        {
            let says = json!({ "approve": self.below(2) == 0 });
            self.ask(person, path, &format!("says-{turn}"), says).await?;
        }
        Some(paid)
    }

    /// The organiser gives the money back, for all tickets or one.
    async fn refund(&self, person: &Someone, (order, paid): (&str, &Value), turn: &str) -> Option<()> {
        let Some(payment) = paid["id"].as_str() else { return Some(()) };
        let mut asked = json!({});
        if self.below(2) == 0 {
            let path = format!("/api/tickets?reservation_id={order}");
            // The list may be a little behind.
            for _ in 0..20 {
                let tickets = self.get(person, &path).await?;
                if let Some(ticket) = tickets["items"][0]["id"].as_str() {
                    asked = json!({ "ticket_ids": [ticket], "reason": "one is ill" });
                    break;
                }
            }
        }
        let organiser = self.sign_in(ORGANISER).await?;
        let path = format!("/api/payments/{payment}/refund");
        self.post(&organiser, &path, &format!("refund-{turn}"), asked).await.map(drop)
    }

    /// The organiser changes what is sold while it is sold.
    pub(super) async fn organise(&self) -> Option<()> {
        let organiser = self.sign_in(ORGANISER).await?;
        let show = format!("/api/events/{}", self.show.id);
        let key = |what: &str| format!("{what}-{}", self.life);
        let open = format!("{show}/open-sales");
        self.ask(&organiser, &open, &key("open"), json!({})).await?;
        let places = format!("{show}/sections/{}/inventory", self.show.section);
        self.ask(&organiser, &places, &key("block"), json!({ "block": 1 + self.below(3) })).await?;
        self.ask(&organiser, &places, &key("unblock"), json!({ "unblock": 1 + self.below(3) })).await?;
        let seen = self.server.request(Method::GET, &show).bearer_auth(&organiser.token).send().await.ok()?;
        let version = seen.headers().get("etag")?.clone();
        let change = json!({ "title": format!("Concert in life {}", self.life) });
        let put =
            self.server.request(Method::PUT, &show).bearer_auth(&organiser.token).header("if-match", version);
        put.json(&change).send().await.ok()?;
        if self.below(2) == 0 {
            self.ask(&organiser, &format!("{show}/close-sales"), &key("close"), json!({})).await?;
            self.ask(&organiser, &open, &key("reopen"), json!({})).await?;
        }
        self.get(&organiser, &format!("{show}/orders")).await.map(drop)
    }

    /// A small show with two sections, one of them free, that is sold and cancelled in one life, as far as it comes.
    pub(super) async fn side_show(&self) -> Option<()> {
        let (organiser, buyer) = (self.sign_in(ORGANISER).await?, self.sign_in("side@example.org").await?);
        let key = |what: &str| format!("side-{what}-{}", self.life);
        let mut side = event(4);
        let mut standing = side["sections"][0].clone();
        standing["name"] = json!("Gallery");
        standing["tiers"][0]["price"]["amount"] = json!(0);
        side["sections"].as_array_mut()?.push(standing);
        let (_, made) = self.ask(&organiser, "/api/events", &key("create"), side).await?;
        let show = format!("/api/events/{}", made["id"].as_str()?);
        for step in ["publish", "open-sales"] {
            self.ask(&organiser, &format!("{show}/{step}"), &key(step), json!({})).await?;
        }
        let line = |section: usize, quantity: u64| {
            let section = &made["sections"][section];
            json!({ "section_id": section["id"], "tier_id": section["tiers"][0]["id"], "quantity": quantity })
        };
        for (number, lines) in
            [vec![line(0, 2), line(1, 1)], vec![line(1, 2)], vec![line(0, 1)]].iter().enumerate()
        {
            let turn = format!("side-{number}-{}", self.life);
            let order = json!({ "event_id": made["id"], "lines": lines });
            let reserved = self.post(&buyer, "/api/reservations", &format!("reserve-{turn}"), order).await?;
            let id = reserved["id"].as_str()?;
            if number == 1 {
                let free = json!({ "reservation_id": id, "method": { "type": "free" } });
                self.post(&buyer, "/api/payments", &format!("pay-{turn}"), free).await?;
                continue;
            }
            let paid = self.pay(&buyer, id, &turn).await?;
            if number == 0 && self.below(2) == 0 {
                self.refund(&buyer, (id, &paid), &turn).await?;
            }
        }
        let added = json!({ "add_capacity": 2, "block": 1 });
        let places = format!("{show}/sections/{}/inventory", made["sections"][0]["id"].as_str()?);
        self.ask(&organiser, &places, &key("add"), added).await?;
        let gone =
            self.server.request(Method::DELETE, &show).bearer_auth(&organiser.token).send().await.ok()?;
        if gone.status().is_success() {
            self.acknowledged.show_cancelled(made["id"].as_str()?);
        }
        Some(())
    }
}
