//! What a program has answered with success before it was killed: all of it must be there afterwards, and the same
//! request under the same key must get the same answer.

use crate::binary::{Answer, Server};
use composable_rust::Application;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use ticketing::payment::{Payment, PaymentStatus};
use ticketing::reservation::{Reservation, ReservationStatus};
use ticketing::shared::{PaymentId, RefundId, ReservationId, ShowId};
use ticketing::show::{Show, ShowStatus};

/// How long a repeat may take: no gateway is asked again for what is known.
const PATIENCE: Duration = Duration::from_secs(5);

/// Notes the answers of all lives of a program.
#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    noted: Mutex<Noted>,
}

#[derive(Debug, Default, Clone)]
struct Noted {
    posts: Vec<Post>,
    cancelled: BTreeSet<String>,
    tickets: BTreeSet<String>,
    shows_cancelled: BTreeSet<String>,
}

/// A request under a key that was answered with success.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) buyer: String,
    pub(crate) path: String,
    pub(crate) key: String,
    pub(crate) asked: Value,
    pub(crate) status: u16,
    pub(crate) answer: Value,
}

impl Acknowledged {
    /// Notes an answer, if it is one of success.
    pub(crate) fn post(&self, post: Post) {
        if (200..300).contains(&post.status) {
            self.lock().posts.push(post);
        }
    }

    /// Notes a reservation of which the answer says that it is called off.
    pub(crate) fn cancelled(&self, reservation: &str) {
        self.lock().cancelled.insert(reservation.to_owned());
    }

    /// Notes a show of which the answer says that it is cancelled.
    pub(crate) fn show_cancelled(&self, show: &str) {
        self.lock().shows_cancelled.insert(show.to_owned());
    }

    /// Notes the tickets of a page.
    pub(crate) fn tickets(&self, page: &Value) {
        let ids = page["items"].as_array().into_iter().flatten().filter_map(|ticket| ticket["id"].as_str());
        self.lock().tickets.extend(ids.map(str::to_owned));
    }

    /// How many requests were answered with success, and how many tickets were shown.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let noted = self.lock();
        (noted.posts.len(), noted.tickets.len())
    }

    /// All that was acknowledged and is not so in `app`, in words.
    pub(crate) async fn lost(&self, app: &Application) -> Vec<String> {
        let Noted { posts, cancelled, mut tickets, shows_cancelled } = self.lock().clone();
        let mut lost = Vec::new();
        for post in &posts {
            let found = match post.path.as_str() {
                path if path.starts_with("/api/reservations") => reservation(app, post, &mut tickets).await,
                "/api/payments" => payment(app, post).await,
                path if path.ends_with("/refund") => refund(app, post).await,
                path => Err(format!("nobody knows how to look for {path}")),
            };
            lost.extend(found.err().map(|how| format!("{how}, but was answered {post:?}")));
        }
        for id in cancelled {
            let order = app.load::<Reservation>(id.parse::<ReservationId>().unwrap()).await.unwrap();
            if order.map(|order| order.state.status) != Some(ReservationStatus::Cancelled) {
                lost.push(format!("reservation {id} was called off, but is not"));
            }
        }
        for id in shows_cancelled {
            let show = app.load::<Show>(id.parse::<ShowId>().unwrap()).await.unwrap();
            if show.map(|show| show.state.status) != Some(ShowStatus::Cancelled) {
                lost.push(format!("show {id} was cancelled, but is not"));
            }
        }
        lost.extend(tickets.into_iter().map(|id| format!("ticket {id} was shown, but is gone")));
        lost
    }

    /// Asks everything again under its key; the answers that are not the first ones, in words.
    pub(crate) async fn answered_otherwise(&self, server: &Server) -> Vec<String> {
        let posts = self.lock().posts.clone();
        let buyers: BTreeSet<_> = posts.iter().map(|post| post.buyer.clone()).collect();
        let of_buyers = buyers.into_iter().map(|buyer| {
            let posts = posts.iter().filter(move |post| post.buyer == buyer);
            async move {
                let mut otherwise = Vec::new();
                let mut person = None;
                for post in posts {
                    if person.is_none() {
                        person = Some(server.sign_in(&post.buyer).await);
                    }
                    let Some(person) = &person else { continue };
                    let again = person.request(Method::POST, &post.path).header("idempotency-key", &post.key);
                    let again = again.json(&post.asked).timeout(PATIENCE).send().await;
                    let Ok(again) = again else {
                        otherwise.push(format!("first {post:?}\nthen no answer within {PATIENCE:?}"));
                        continue;
                    };
                    let again = Answer::of(again).await;
                    if (again.status, &again.body) != (post.status, &post.answer) {
                        otherwise.push(format!("first {post:?}\nthen {} {}", again.status, again.body));
                    }
                }
                otherwise
            }
        });
        join_all(of_buyers).await.concat()
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap()
    }
}

/// Whether the reservation is as it was answered; takes its tickets out of those looked for.
async fn reservation(app: &Application, post: &Post, tickets: &mut BTreeSet<String>) -> Result<(), String> {
    let id: ReservationId = id(post)?;
    let found = app.load::<Reservation>(&id).await.unwrap().ok_or("the reservation is gone")?.state;
    for ticket in &found.tickets {
        tickets.remove(&ticket.id.to_string());
    }
    let order = found.order.ok_or("the reservation is empty")?;
    let (customer, quantity) = (&post.answer["user_id"], post.answer["quantity"].as_u64());
    if customer.as_str() != Some(&order.customer.to_string()) || quantity != Some(order.places().into()) {
        return Err(format!("the order is {order:?}"));
    }
    Ok(())
}

/// Whether the payment is there, and has not turned from what it had become.
async fn payment(app: &Application, post: &Post) -> Result<(), String> {
    let id: PaymentId = id(post)?;
    let status = app.load::<Payment>(&id).await.unwrap().ok_or("the payment is gone")?.state.status;
    let may_be: &[PaymentStatus] = match post.answer["status"].as_str() {
        Some("succeeded") => {
            &[PaymentStatus::Succeeded, PaymentStatus::PartiallyRefunded, PaymentStatus::Refunded]
        }
        Some("declined") => &[PaymentStatus::Declined],
        Some("refunded") => &[PaymentStatus::Refunded],
        Some("cancelled") => &[PaymentStatus::Cancelled, PaymentStatus::Refunded],
        _ => return Ok(()),
    };
    if !may_be.contains(&status) {
        return Err(format!("the payment is {status:?}"));
    }
    if status == PaymentStatus::Succeeded {
        let order: ReservationId = post.asked["reservation_id"].as_str().unwrap_or_default().parse().unwrap();
        let order = app.load::<Reservation>(&order).await.unwrap().ok_or("what it paid is gone")?.state;
        if !order.status.is_paid() || order.tickets.is_empty() {
            return Err(format!("what it paid is {:?} with {} tickets", order.status, order.tickets.len()));
        }
    }
    Ok(())
}

/// Whether the order has given the tickets back, or is about to.
async fn refund(app: &Application, post: &Post) -> Result<(), String> {
    let payment: PaymentId = post.path.split('/').nth(3).unwrap_or_default().parse().unwrap();
    let payment = app.load::<Payment>(&payment).await.unwrap().ok_or("the payment is gone")?.state;
    let refund: RefundId = id(post)?;
    if payment.refunds.contains(&refund) { Ok(()) } else { Err(format!("the payment is {payment:?}")) }
}

fn id<T: std::str::FromStr>(post: &Post) -> Result<T, String> {
    post.answer["id"].as_str().and_then(|id| id.parse().ok()).ok_or_else(|| "it has no id".to_owned())
}
