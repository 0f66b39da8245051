//! The checkout on one thread under virtual time, crashed between any two polls, from a seed.
//!
//! `PROVE_SECONDS` runs as many new seeds as fit; without it a thousand. `SIMULATION_SEED` runs one,
//! and prints its log where it breaks a promise.

mod gateway;
mod listener;
mod model;
mod operations;
pub(crate) mod restarts;
mod scenario;

pub(crate) use scenario::{Outcome, outcome_of};

use crate::invariants::told;
use crate::planted::Bug;
use crate::proof::{Proof, number};
use composable_rust::Environment;
use composable_rust::prelude::*;
use composable_rust::runtime::ApplicationOptions;
use composable_rust::testing::simulation::Simulation;
use std::collections::BTreeSet;
use std::time::Duration;
use ticketing::{Parts, assembled};

/// Seeds of a short run.
pub(crate) const SEEDS: u64 = 1_000;

/// A life of the application that meets no faults of its storage, over what the lives before it left.
pub(crate) async fn started(parts: Parts, environment: Environment, simulation: &Simulation) -> Application {
    // Looking at the log without a signal is for what never happens here, and would be most of the work of an hour that passes.
    let mut options = ApplicationOptions::default();
    options.subscriptions.poll_interval = Duration::from_secs(10);
    options.projections.subscription.poll_interval = Duration::from_secs(10);
    let application =
        assembled(parts).environment(environment).storage(simulation.storage()).options(options);
    application.http(HttpOptions::in_process()).start().await.expect("a sound application")
}

/// How one seed is told again.
pub(crate) fn replay(seed: u64) -> String {
    format!("replay: SIMULATION_SEED={seed} cargo test -p ticketing --test it simulation_of_the_checkout")
}

#[test]
fn simulation_of_the_checkout_keeps_every_promise_wherever_it_crashes() {
    let wrong = |seed| Some(outcome_of(seed, &Bug::NONE)).filter(|outcome| !outcome.broken.is_empty());
    let found = match number("SIMULATION_SEED") {
        Some(seed) => {
            wrong(seed).map(|outcome| (seed, outcome)).inspect(|(_, outcome)| eprintln!("{}", outcome.log))
        }
        None => Proof::of(SEEDS).first_that(wrong),
    };
    if let Some((seed, Outcome { broken, .. })) = found {
        panic!("seed {seed} breaks a promise\n{}\n{}", told(&broken), replay(seed));
    }
}

#[test]
fn simulation_of_the_checkout_meets_duplicates_and_mixed_messages_of_the_bus() {
    let mut missing = BTreeSet::from(["duplicate", "reorder", "fail", "lose", "delay"]);
    for seed in 0..100 {
        let struck = outcome_of(seed, &Bug::NONE).injected;
        missing.retain(|kind| !struck.contains_key(&("receive", kind)));
        if missing.is_empty() {
            return;
        }
    }
    panic!("no {missing:?} while messages were received");
}

/// Set in a process that is asked for the logs alone.
const LOGS_ONLY: &str = "SIMULATION_LOGS_ONLY";

#[test]
fn simulation_of_one_seed_writes_the_same_log_in_another_process() {
    let logs = || (0..5).map(|seed| outcome_of(seed, &Bug::NONE).log).collect::<String>();
    if std::env::var_os(LOGS_ONLY).is_some() {
        return print!("{}{LOGS_ONLY}", logs());
    }
    let program = std::env::current_exe().expect("a test program");
    let of_a_process = || {
        let name = "simulation::simulation_of_one_seed_writes_the_same_log_in_another_process";
        let mut command = std::process::Command::new(&program);
        let output = command.args(["--exact", name, "--nocapture"]).env(LOGS_ONLY, "1").output();
        let output = String::from_utf8(output.expect("it runs").stdout).expect("text");
        // The rest is the test program's own, with the time it took.
        output.split_once(LOGS_ONLY).expect("logs").0.to_owned()
    };
    let (first, second) = (of_a_process(), of_a_process());
    assert!(first == second, "two processes write different logs for one seed");
    assert!(first.ends_with(&logs()), "a process writes another log than this one");
}

/// Whatever can become of an order; the story must come to each.
const ENDS: [&str; 20] = [
    "show.Cancelled",
    "inventory.Cancelled",
    "reservation.CalledOff",
    "reservation.RefundStarted",
    "reservation.Refunded",
    "inventory.SeatsReturned",
    "quota.SomeGivenBack",
    "payment.ActionRequired",
    "inventory.SeatsBlocked",
    "inventory.SeatsUnblocked",
    "reservation.Extended",
    "reservation.Completed",
    "reservation.Cancelled",
    "reservation.Expired",
    "inventory.SeatsRetaken",
    "inventory.SeatsReleased",
    "payment.Succeeded",
    "payment.Declined",
    "payment.Cancelled",
    "payment.Refunded",
];

#[test]
fn simulation_of_one_seed_writes_the_same_log_byte_for_byte() {
    for seed in 0..20 {
        assert_eq!(outcome_of(seed, &Bug::NONE), outcome_of(seed, &Bug::NONE), "seed {seed}");
    }
}

#[test]
fn simulation_of_the_checkout_comes_to_every_end() {
    let mut missed = BTreeSet::from(ENDS);
    for seed in 0..200 {
        let log = outcome_of(seed, &Bug::NONE).log;
        missed.retain(|end| !log.contains(&format!(" {end} ")));
        if missed.is_empty() {
            return;
        }
    }
    panic!("the story never comes to {missed:?}");
}
