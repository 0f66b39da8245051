//! One seed's story: lives of the application that crash anywhere, on a storage that fails, beside a gateway that is
//! badly reached; then everything is mended and comes to rest.

use super::gateway::BadNetwork;
use super::listener::Listener;
use super::replay;
use crate::invariants::{Broken, Promise, broken, keys};
use crate::planted::Bug;
use crate::story::{Buyer, offer, rush};
use composable_rust::prelude::*;
use composable_rust::testing::memory::{FaultRates, Faults, MemoryBus};
use composable_rust::testing::simulation::{Ending, Life, Simulation};
use composable_rust::{Environment, SeededRandom};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;
use ticketing::account::Sessions;
use ticketing::payment::gateway::{Ledger, PaymentGateway, SimulatedGateway};
use ticketing::shared::Secret;
use ticketing::{Parts, assembled};

const OUTCOMES: [&str; 6] = ["succeed", "decline", "slow", "lost_answer", "requires_action", "late_success"];
const BUYERS: u64 = 6;
/// Short, so that a seed is quick; what matters is their order.
const HOLD: Duration = Duration::from_secs(10);
const PAYMENT: Duration = Duration::from_secs(20);
/// Most polls of a life that crashes; the story is told in about so many.
const LONGEST_LIFE: u64 = 12_000;
/// How long everything is left alone before it is looked at, and how often at most.
const REST: Duration = Duration::from_secs(40);
const LOOKS: u32 = 15;

/// What storage and bus do to each operation; duplicates and mixed messages are the bus's.
const FAULTS: FaultRates = FaultRates {
    fail: 0.005,
    lose: 0.01,
    delay: 0.01,
    longest_delay: Duration::from_millis(800),
    crash: 0.0,
    duplicate: 0.2,
    reorder: 0.2,
};

/// What became of a seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The promises that were not kept.
    pub(crate) broken: Vec<Broken>,
    /// The whole log.
    pub(crate) log: String,
    /// How often each fault has struck, by operation and kind.
    pub(crate) injected: BTreeMap<(&'static str, &'static str), u64>,
}

/// Tells the story of `seed` with `bug` in it.
pub(crate) fn outcome_of(seed: u64, bug: &Bug) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| tell(seed, bug))).unwrap_or_else(|panic| {
        eprintln!("seed {seed} panicked\n{}", replay(seed));
        resume_unwind(panic)
    })
}

fn tell(seed: u64, bug: &Bug) -> Outcome {
    let faults = |seed| Faults::seeded(Arc::new(SeededRandom::new(seed)), FAULTS);
    Simulation::run_with(seed, faults, async |simulation| {
        let world = World::new(simulation, bug);
        for _ in 0..simulation.below(4) {
            world.live_until_a_crash().await;
            world.stay_dead().await;
        }
        let mut broken = world.come_to_rest().await;
        let panic = |how| Broken { promise: Promise::NoTaskPanics, how };
        broken.extend(simulation.task_panics().into_iter().map(panic));
        let log = simulation.log_text().await.expect("a log");
        Outcome { broken, log, injected: simulation.faults().injected() }
    })
}

/// The world of one seed: all of it outlives every crash.
struct World<'a> {
    simulation: &'a Simulation,
    bug: &'a Bug,
    bank: Arc<SimulatedGateway>,
    network: Arc<BadNetwork>,
    /// A broker of its own: what it holds outlives the application too.
    bus: MemoryBus,
    listener: Arc<Listener>,
    buyers: Vec<Buyer>,
    /// When the organiser cancels the show in each life, if at all.
    cancelled_after: Option<Duration>,
}

impl<'a> World<'a> {
    fn new(simulation: &'a Simulation, bug: &'a Bug) -> Self {
        let bank = Arc::new(SimulatedGateway::new(Ledger::in_memory(), simulation.clock()));
        let gateway = (bug.gateway)(Arc::clone(&bank));
        let network = Arc::new(BadNetwork::new(gateway, simulation.clock(), simulation.next_u64()));
        let buyers = (0..BUYERS).map(|number| draw(simulation, number)).collect();
        let listener = Arc::new(Listener::new(bug.listener_looks));
        let cancelled_after =
            (simulation.below(4) == 0).then(|| Duration::from_millis(simulation.below(15_000)));
        Self { simulation, bug, bank, network, bus: simulation.bus(), listener, buyers, cancelled_after }
    }

    /// `None` when the storage failed meanwhile: then the program ends and is started again.
    async fn start(&self, environment: Environment) -> Option<Application> {
        let secret = Secret::new(b"a secret of this simulation, long enough");
        let parts = Parts {
            gateway: Arc::clone(&self.network) as Arc<dyn PaymentGateway>,
            sessions: Sessions::new(secret, None),
            hold: HOLD,
            payment: PAYMENT,
        };
        self.listener.follow(self.bus.clone(), &environment);
        let started = assembled(parts)
            .environment(environment)
            .bus(self.bus.clone())
            .storage(self.bug.put_into(self.simulation.storage(), Arc::clone(&self.bank)))
            .http(HttpOptions::in_process())
            .start()
            .await;
        match started {
            Ok(app) => Some(app),
            Err(ApplicationError::Storage(error)) if error.is_transient() => None,
            Err(error) => panic!("an unsound application: {error}"),
        }
    }

    /// Lives until a crash, on a machine whose clock may be ahead, and tells the story as far as it gets.
    async fn live_until_a_crash(&self) {
        let ahead = [0, 0, 1, 30][usize::try_from(self.simulation.below(4)).expect("below four")];
        let crash_after = Some(1 + self.simulation.below(LONGEST_LIFE));
        let life = Life { crash_after, clock_ahead: Duration::from_secs(ahead) };
        let tell = async |environment| {
            if let Some(app) = self.start(environment).await {
                let on_sale = offer(&app).await;
                rush(&app, &on_sale, &self.buyers, self.cancelled_after).await;
            }
        };
        self.simulation.live(life, tell).await;
    }

    /// Time goes on without the application.
    async fn stay_dead(&self) {
        let seconds = [0, 1, 15, 60][usize::try_from(self.simulation.below(4)).expect("below four")];
        self.simulation.clock().sleep(Duration::from_secs(seconds)).await;
    }

    /// Tells the story to its end, mends everything, and answers what is wrong when nothing more happens.
    async fn come_to_rest(&self) -> Vec<Broken> {
        let rest = async |environment| {
            let app = self.start(environment).await?;
            let on_sale = offer(&app).await;
            rush(&app, &on_sale, &self.buyers, self.cancelled_after).await;
            self.simulation.faults().calm(true);
            self.network.mend();
            let mut found = Vec::new();
            for _ in 0..LOOKS {
                app.environment().clock.sleep(REST).await;
                found = broken(&app, self.bank.ledger()).await;
                found.extend(self.listener.broken(&app).await);
                found.extend(offered_again(&app).await);
                if found.is_empty() {
                    break;
                }
            }
            app.shutdown().await.expect("an orderly end");
            Some(found)
        };
        loop {
            if let Ending::Finished(Some(found)) = self.simulation.live(Life::CALM, rest).await {
                return found;
            }
        }
    }
}

/// Every life offers the show under the same keys.
async fn offered_again(app: &Application) -> Option<Broken> {
    let shows = keys(app, "show").await;
    let how = format!("the show was made {} times: {shows:?}", shows.len());
    (shows.len() != 1).then_some(Broken { promise: Promise::KeysActOnce, how })
}

fn draw(simulation: &Simulation, number: u64) -> Buyer {
    let tries = 1 + simulation.below(2);
    Buyer {
        number,
        // Two buyers share an account, so that the limit per customer is fought over.
        name: format!("buyer{}", number / 2),
        quantity: 1 + u32::try_from(simulation.below(3)).expect("below three"),
        payments: (0..tries)
            .map(|_| OUTCOMES[usize::try_from(simulation.below(6)).expect("below six")])
            .collect(),
        gives_up: simulation.below(4) == 0,
        extends: simulation.below(4) == 0,
        hesitates: Duration::from_millis(
            [0, 0, 2_000, 9_990][usize::try_from(simulation.below(4)).expect("below four")],
        ),
    }
}
