//! Many lives with failures, lost answers, delays and crashes anywhere: in the end the rows are what the log says.

use crate::tally::{Tally, Totals};
use crate::world::{World, live};
use composable_rust_core::port::{DeadLetterFilter, DlqStatus, LogQuery, PageRequest};
use composable_rust_core::{Position, SeededRandom};
use composable_rust_projections::{FailurePolicy, ProjectionOptions, verify};
use composable_rust_testing::memory::{FaultRates, Faults};
use composable_rust_testing::simulation::{Ending, Simulation};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const RATES: FaultRates = FaultRates {
    fail: 0.02,
    lose: 0.02,
    delay: 0.02,
    longest_delay: Duration::from_millis(300),
    crash: 0.005,
    duplicate: 0.0,
    reorder: 0.0,
};

fn options() -> ProjectionOptions {
    let mut options = ProjectionOptions { rows_kept: 4, ..ProjectionOptions::default() };
    options.subscription.batch_size = 5;
    options.subscription.failure_policy = FailurePolicy::Park { after: 2 };
    options
}

/// Appends, retries and rebuilds at random while a projection runs; two instances at times.
async fn a_life(simulation: &Simulation, world: &World, totals: &Totals) {
    totals.mended.store(simulation.below(2) == 0, Ordering::SeqCst);
    let running = world.start("a", totals.clone(), options());
    let other = simulation.below(2).eq(&0).then(|| world.start("b", totals.clone(), options()));
    for _ in 0..simulation.below(60) {
        let name = format!("t{}", simulation.below(4));
        match simulation.below(40) {
            0 => world.try_append(&name, Tally::Jammed).await,
            1 => drop(running.control.rebuild().await),
            2..5 => retry_one(world).await,
            5 => world.pass(Duration::from_millis(simulation.below(3000))).await,
            6 => drop(world.storage.events.append(foreign(world)).await),
            amount => world.try_append(&name, Tally::Added(i64::try_from(amount).unwrap())).await,
        }
    }
    if simulation.below(2) == 0 {
        drop(running.shut_down().await);
    }
    drop(other);
}

fn foreign(world: &World) -> composable_rust_core::port::Append {
    world.new_append("foreign", "x", b"1".to_vec())
}

async fn retry_one(world: &World) {
    let filter = DeadLetterFilter { statuses: vec![DlqStatus::Pending], ..DeadLetterFilter::default() };
    let queue = &world.storage.dead_letters;
    let Ok(page) = queue.list(&filter, PageRequest::first(1)).await else { return };
    for found in page.items {
        let pending = [DlqStatus::Pending];
        _ = queue.transition(found.letter.id, &pending, DlqStatus::Processing, Some("ann"), None).await;
    }
}

/// Everything mended, retried and caught up.
async fn settle(world: &World, totals: &Totals, seed: u64) {
    totals.mend();
    let running = world.start("z", totals.clone(), options());
    world.pass(Duration::from_secs(20)).await;
    let filter = DeadLetterFilter { statuses: vec![DlqStatus::Pending], ..DeadLetterFilter::default() };
    loop {
        let page = world.storage.dead_letters.list(&filter, PageRequest::first(1000)).await.unwrap();
        if page.items.is_empty() {
            break;
        }
        for found in page.items {
            let (id, pending) = (found.letter.id, [DlqStatus::Pending]);
            let queue = &world.storage.dead_letters;
            queue.transition(id, &pending, DlqStatus::Processing, None, None).await.unwrap();
        }
        world.pass(Duration::from_mins(1)).await;
    }
    let query = LogQuery::after(Position::ZERO, 1);
    let horizon = world.storage.events.read_log(query).await.unwrap().horizon;
    running.reach(horizon).await;
    world.pass(Duration::from_secs(2)).await;
    let differences = verify(totals, &running.view).await.unwrap();
    assert_eq!(differences, [], "seed {seed}: {:?}", running.control.progress());
    running.shut_down().await.unwrap();
}

fn simulate(seed: u64) {
    let faults = |seed| Faults::seeded(Arc::new(SeededRandom::new(seed)), RATES);
    Simulation::run_with(seed, faults, async |simulation| {
        let totals = Totals::default();
        for _ in 0..6 {
            // Whether it crashed or not.
            _ = live(simulation, async |world| a_life(simulation, &world, &totals).await).await;
        }
        simulation.faults().calm(true);
        let ending = live(simulation, async |world| settle(&world, &totals, seed).await).await;
        assert_eq!(ending, Ending::Finished(()), "seed {seed}");
        assert_eq!(simulation.task_panics(), Vec::<String>::new(), "seed {seed}");
    });
}

#[test]
fn rows_equal_the_log_after_any_failures_and_crashes() {
    let seeds = std::env::var("PROJECTION_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
    for seed in 0..seeds {
        simulate(seed);
    }
}
