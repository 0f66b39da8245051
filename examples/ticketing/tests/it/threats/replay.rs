//! Reading the log again does nothing but read: no charge, no refund, no event.

use crate::invariants::{broken, told};
use crate::simulation::started;
use crate::story::{Buyer, offer, rush};
use composable_rust::Environment;
use composable_rust::prelude::*;
use composable_rust::testing::simulation::{Ending, Life, Simulation};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use ticketing::Parts;
use ticketing::account::Sessions;
use ticketing::payment::gateway::{
    Booked, ChargeAnswer, Ledger, NoAnswer, Order, PaymentGateway, SimulatedGateway, StopAnswer,
};
use ticketing::shared::{Money, PaymentId, RefundId, Secret};

/// A gateway that counts how often it is asked.
#[derive(Debug)]
struct Counting {
    right: SimulatedGateway,
    asked: AtomicU64,
}

impl Counting {
    fn count(&self) -> &SimulatedGateway {
        self.asked.fetch_add(1, Ordering::SeqCst);
        &self.right
    }
}

#[async_trait]
impl PaymentGateway for Counting {
    async fn charge(&self, payment: PaymentId, order: Order) -> Result<ChargeAnswer, NoAnswer> {
        self.count().charge(payment, order).await
    }

    async fn act(&self, payment: PaymentId, approves: bool) -> Result<ChargeAnswer, NoAnswer> {
        self.count().act(payment, approves).await
    }

    async fn stop(&self, payment: PaymentId) -> Result<StopAnswer, NoAnswer> {
        self.count().stop(payment).await
    }

    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), NoAnswer> {
        self.count().refund(payment, refund, amount).await
    }

    async fn booked(&self, from: PaymentId, most: usize) -> Result<Vec<Booked>, NoAnswer> {
        self.right.booked(from, most).await
    }
}

fn buyers() -> Vec<Buyer> {
    let outcomes = ["succeed", "decline", "slow", "lost_answer", "requires_action", "late_success"];
    let buyer = |(number, outcome): (u64, &'static str)| Buyer {
        number,
        name: format!("buyer{number}"),
        quantity: 1,
        payments: vec![outcome],
        gives_up: false,
        extends: false,
        hesitates: Duration::ZERO,
    };
    (0..).zip(outcomes).map(buyer).collect()
}

#[test]
fn a_rebuild_of_every_view_and_a_restart_ask_the_gateway_nothing_and_write_nothing() {
    Simulation::run(7, async |simulation| {
        let right = SimulatedGateway::new(Ledger::in_memory(), simulation.clock());
        let bank = Arc::new(Counting { right, asked: AtomicU64::default() });
        let start = async |environment: Environment| {
            let parts = Parts {
                gateway: Arc::clone(&bank) as Arc<dyn PaymentGateway>,
                sessions: Sessions::new(Secret::new(b"a secret of this simulation, long enough"), None),
                hold: Duration::from_secs(10),
                payment: Duration::from_secs(20),
            };
            started(parts, environment, simulation).await
        };
        let done = |app: &Application| (bank.asked.load(Ordering::SeqCst), app.events().signal().position());
        let sold = async |environment: Environment| {
            let app = start(environment).await;
            let on_sale = offer(&app).await;
            rush(&app, &on_sale, &buyers(), None).await;
            app.environment().clock.sleep(Duration::from_mins(5)).await;
            let broken = broken(&app, bank.right.ledger()).await;
            assert!(broken.is_empty(), "{}", told(&broken));
            let before = done(&app);
            assert!(before.0 > 6, "the gateway was asked {} times", before.0);
            for control in app.projections() {
                let generation = control.rebuild().await.expect("a rebuild");
                control.switched(generation).await.expect("its switch");
            }
            app.environment().clock.sleep(Duration::from_mins(5)).await;
            assert_eq!(done(&app), before);
            app.shutdown().await.expect("an orderly end");
            before
        };
        let Ending::Finished(before) = simulation.live(Life::CALM, sold).await else { panic!("no crash") };
        let again = async |environment: Environment| {
            let app = start(environment).await;
            app.environment().clock.sleep(Duration::from_mins(5)).await;
            assert_eq!(done(&app), before);
            app.shutdown().await.expect("an orderly end");
        };
        assert_eq!(simulation.live(Life::CALM, again).await, Ending::Finished(()));
    });
}
