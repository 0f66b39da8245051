//! The checkout on one thread under virtual time, crashed between any two polls, from a seed.
//!
//! `PROVE_SECONDS` runs as many seeds as fit; without it a thousand.

use crate::invariants::broken;
use crate::story::{Buyer, OnSale, offer, rush};
use composable_rust::Environment;
use composable_rust::prelude::*;
use composable_rust::testing::simulation::{Ending, Life, Simulation};
use std::sync::Arc;
use std::time::{Duration, Instant};
use ticketing::account::Sessions;
use ticketing::payment::gateway::{Ledger, PaymentGateway, SimulatedGateway};
use ticketing::shared::Secret;
use ticketing::{Parts, assembled};

const OUTCOMES: [&str; 4] = ["succeed", "decline", "slow", "lost_answer"];
const SEEDS: u64 = 1_000;
/// Short, so that a seed is quick; what matters is their order.
const HOLD: Duration = Duration::from_secs(10);
const PAYMENT: Duration = Duration::from_secs(20);
/// Longer than every hold, payment and pause between attempts.
const REST: Duration = Duration::from_mins(2);

/// The world of one seed: the gateway outlives every crash.
struct World<'a> {
    simulation: &'a Simulation,
    gateway: Arc<SimulatedGateway>,
    buyers: Vec<Buyer>,
}

impl<'a> World<'a> {
    fn new(simulation: &'a Simulation) -> Self {
        let gateway = Arc::new(SimulatedGateway::new(Ledger::in_memory(), simulation.clock()));
        let buyers = (0..6).map(|n| draw(simulation, n)).collect();
        Self { simulation, gateway, buyers }
    }

    async fn start(&self, environment: Environment) -> Application {
        let secret = Secret::new(b"a secret of this simulation, long enough");
        let parts = Parts {
            gateway: Arc::clone(&self.gateway) as Arc<dyn PaymentGateway>,
            sessions: Sessions::new(secret, None),
            hold: HOLD,
            payment: PAYMENT,
        };
        assembled(parts)
            .environment(environment)
            .storage(self.simulation.storage())
            .http(HttpOptions::in_process())
            .start()
            .await
            .expect("a sound application")
    }

    /// Lives until a crash, and tells the story as far as it gets.
    async fn live_until_a_crash(&self) {
        let life = Life::crashing_after(1 + self.simulation.below(6_000));
        let tell = async |environment| {
            let app = self.start(environment).await;
            let on_sale = offer(&app).await;
            rush(&app, &on_sale, &self.buyers).await;
        };
        self.simulation.live(life, tell).await;
    }

    /// Tells the story to its end, lets everything come to rest, and answers what is wrong.
    async fn come_to_rest(&self) -> Vec<String> {
        let rest = async |environment| {
            let app = self.start(environment).await;
            let on_sale: OnSale = offer(&app).await;
            rush(&app, &on_sale, &self.buyers).await;
            app.environment().clock.sleep(REST).await;
            let broken = broken(&app, &on_sale.section, self.gateway.ledger()).await;
            app.shutdown().await.expect("an orderly end");
            broken
        };
        match self.simulation.live(Life::CALM, rest).await {
            Ending::Finished(mut broken) => {
                broken.extend(self.simulation.task_panics());
                broken
            }
            Ending::Crashed => vec!["a calm life crashed".to_owned()],
        }
    }
}

fn draw(simulation: &Simulation, n: u64) -> Buyer {
    let tries = 1 + simulation.below(2);
    Buyer {
        number: n,
        // Two buyers share an account, so that the limit per customer is fought over.
        name: format!("buyer{}", n / 2),
        quantity: 1 + u32::try_from(simulation.below(3)).expect("below three"),
        payments: (0..tries)
            .map(|_| OUTCOMES[usize::try_from(simulation.below(4)).expect("below four")])
            .collect(),
        gives_up: simulation.below(3) == 0,
    }
}

/// What is wrong after the lives of `seed`, and its log.
fn outcome_of(seed: u64) -> (Vec<String>, String) {
    Simulation::run(seed, async |simulation| {
        let world = World::new(simulation);
        for _ in 0..simulation.below(4) {
            world.live_until_a_crash().await;
        }
        let broken = world.come_to_rest().await;
        (broken, simulation.log_text().await.expect("a log"))
    })
}

#[test]
fn simulation_of_the_checkout_keeps_every_promise_wherever_it_crashes() {
    let limit =
        std::env::var("PROVE_SECONDS").ok().and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let started = now();
    let mut seed = 0;
    while limit.map_or(seed < SEEDS, |limit| started.elapsed() < limit) {
        let (broken, _) = outcome_of(seed);
        assert!(broken.is_empty(), "seed {seed}:\n{}", broken.join("\n"));
        seed += 1;
    }
}

#[test]
fn simulation_of_one_seed_writes_the_same_log_byte_for_byte() {
    for seed in 0..20 {
        assert_eq!(outcome_of(seed).1, outcome_of(seed).1, "seed {seed}");
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a proof runs is the only real time here")]
fn now() -> Instant {
    Instant::now()
}
