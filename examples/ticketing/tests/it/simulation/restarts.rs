//! Every outcome of the gateway becomes known, and is what the gateway's books say: whether a request never reached the
//! gateway or its answer was lost, however often the program is killed meanwhile, before and after the end of the hold.

use super::started;
use crate::client::Client;
use crate::invariants::{broken, told};
use crate::story::{Places, offer_with};
use composable_rust::Environment;
use composable_rust::prelude::*;
use composable_rust::testing::simulation::{Ending, Life, Simulation};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use ticketing::Parts;
use ticketing::account::Sessions;
use ticketing::payment::gateway::{
    Booked, ChargeAnswer, Ledger, NoAnswer, Order, PaymentGateway, SimulatedGateway, StopAnswer,
};
use ticketing::shared::{Money, PaymentId, RefundId, Secret};

const OUTCOMES: [&str; 6] = ["succeed", "decline", "slow", "lost_answer", "requires_action", "late_success"];

/// What is lost on the way, until it is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    Requests,
    Answers,
}

/// A gateway from which nothing is heard until it is mended.
#[derive(Debug)]
pub(crate) struct Silent {
    pub(crate) right: SimulatedGateway,
    pub(crate) lost: Lost,
    pub(crate) is_mended: AtomicBool,
}

impl Silent {
    async fn carry<T>(&self, asked: impl Future<Output = Result<T, NoAnswer>>) -> Result<T, NoAnswer> {
        let is_mended = self.is_mended.load(Ordering::SeqCst);
        if !is_mended && self.lost == Lost::Requests {
            return Err(NoAnswer::Unreachable("503 Service Unavailable".into()));
        }
        let answer = asked.await;
        if is_mended { answer } else { Err(NoAnswer::Unreachable("connection reset".into())) }
    }
}

#[async_trait]
impl PaymentGateway for Silent {
    async fn charge(&self, payment: PaymentId, order: Order) -> Result<ChargeAnswer, NoAnswer> {
        self.carry(self.right.charge(payment, order)).await
    }

    async fn act(&self, payment: PaymentId, approves: bool) -> Result<ChargeAnswer, NoAnswer> {
        self.carry(self.right.act(payment, approves)).await
    }

    async fn stop(&self, payment: PaymentId) -> Result<StopAnswer, NoAnswer> {
        self.carry(self.right.stop(payment)).await
    }

    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), NoAnswer> {
        self.carry(self.right.refund(payment, refund, amount)).await
    }

    async fn booked(&self, from: PaymentId, most: usize) -> Result<Vec<Booked>, NoAnswer> {
        self.carry(self.right.booked(from, most)).await
    }
}

/// Where the payments stand in the end, in the order of [`OUTCOMES`]; `hold` says when the places are given up.
fn ends(lost: Lost, hold: Duration) -> Vec<String> {
    Simulation::run(0, async |simulation| {
        let right = SimulatedGateway::new(Ledger::in_memory(), simulation.clock());
        let bank = Arc::new(Silent { right, lost, is_mended: AtomicBool::new(false) });
        let start = async |environment: Environment| {
            let parts = Parts {
                gateway: Arc::clone(&bank) as Arc<dyn PaymentGateway>,
                sessions: Sessions::new(Secret::new(b"a secret of this simulation, long enough"), None),
                hold,
                payment: hold,
            };
            started(parts, environment, simulation).await
        };
        // Nobody ends it in order: each life but the last is a kill.
        let paid =
            simulation.live(Life::CALM, async |environment| pay_for_all(&start(environment).await).await);
        let Ending::Finished(payments) = paid.await else { panic!("nothing crashes here") };
        for seconds in [1, 20, 70] {
            let wait = async |environment: Environment| {
                let app = start(environment).await;
                app.environment().clock.sleep(Duration::from_secs(seconds)).await;
            };
            assert_eq!(simulation.live(Life::CALM, wait).await, Ending::Finished(()));
        }
        bank.is_mended.store(true, Ordering::SeqCst);
        let ended = simulation.live(Life::CALM, async |environment| {
            let app = start(environment).await;
            app.environment().clock.sleep(Duration::from_mins(40)).await;
            let broken = broken(&app, bank.right.ledger()).await;
            assert!(broken.is_empty(), "{lost:?}, {hold:?}: {}", told(&broken));
            let buyer = Client::new(&app).sign_in("ann@example.org").await;
            let mut ends = Vec::new();
            for payment in &payments {
                ends.push(buyer.get(&format!("/api/payments/{payment}")).await.text("/status").to_owned());
            }
            app.shutdown().await.expect("an orderly end");
            ends
        });
        let Ending::Finished(ends) = ended.await else { panic!("nothing crashes here") };
        ends
    })
}

/// An order for each outcome, paid; nobody knows yet what comes of it.
async fn pay_for_all(app: &Application) -> Vec<String> {
    let on_sale = offer_with(app, 6, None, Places::Alike).await;
    let buyer = Client::new(app).sign_in("ann@example.org").await;
    let mut payments = Vec::new();
    for outcome in OUTCOMES {
        let line = json!({ "section_id": on_sale.section, "tier_id": on_sale.tier, "quantity": 1 });
        let wanted = json!({ "event_id": on_sale.show, "lines": [line] });
        let order = buyer.post("/api/reservations", outcome, wanted).await;
        let method = json!({ "type": "simulated", "outcome": outcome });
        let body = json!({ "reservation_id": order.text("/id"), "method": method });
        let paid = buyer.post("/api/payments", outcome, body).await;
        assert_eq!((paid.status.as_u16(), paid.text("/status")), (201, "processing"), "{paid:?}");
        payments.push(paid.text("/id").to_owned());
    }
    payments
}

#[test]
fn simulation_of_a_silent_gateway_knows_every_outcome_in_the_end_however_often_it_is_killed() {
    let long = Duration::from_mins(10);
    for lost in [Lost::Requests, Lost::Answers] {
        let in_time = ["succeeded", "declined", "succeeded", "succeeded", "cancelled", "succeeded"];
        assert_eq!(ends(lost, long), in_time, "{lost:?}");
    }
    // The hold ends while the gateway is silent, and nobody else wants the places: money that was taken takes them
    // again. What the gateway has never heard of is not charged any longer.
    let short = Duration::from_secs(30);
    assert_eq!(ends(Lost::Requests, short), ["cancelled"; 6]);
    let late = ends(Lost::Answers, short);
    assert_eq!((&*late[0], &*late[3], &*late[4]), ("succeeded", "succeeded", "cancelled"), "{late:?}");
}
