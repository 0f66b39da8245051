//! Resilience policies, with time that moves when told.

use crate::domain::{StockCommand, application};
use composable_rust_core::{Environment, FixedClock};
use composable_rust_projections::Backoff;
use composable_rust_runtime::ComponentStatus;
use composable_rust_runtime::resilience::{
    Bulkhead, BulkheadOptions, CircuitBreaker, CircuitChange, CircuitOptions, CircuitState, Circuits, Policy,
    PolicyError, RateLimiter, RateLimiterOptions, RetryPolicy, Timeout,
};
use composable_rust_testing::memory::{Faults, MemoryBus};
use composable_rust_testing::simulation::{Ending, Life, Simulation};
use composable_rust_testing::test_environment;
use futures_util::future::{BoxFuture, pending, ready};
use futures_util::{FutureExt, poll};
use std::cell::RefCell;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, PartialEq)]
enum Error {
    Broken,
    Policy(PolicyError),
}

impl From<PolicyError> for Error {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

type Answer = Result<u32, Error>;

fn clock() -> FixedClock {
    FixedClock::at("2026-01-01T00:00:00Z".parse().unwrap())
}

fn well() -> BoxFuture<'static, Answer> {
    ready(Ok(1)).boxed()
}

fn ill() -> BoxFuture<'static, Answer> {
    ready(Err(Error::Broken)).boxed()
}

/// The outcome of a call that has nothing to wait for.
fn now(call: impl Future<Output = Answer>) -> Answer {
    call.now_or_never().expect("the call waits")
}

fn open(name: &'static str, retry_after: Duration) -> Answer {
    Err(Error::Policy(PolicyError::CircuitOpen { name, retry_after }))
}

fn break_it(circuit: &CircuitBreaker) {
    for _ in 0..5 {
        assert_eq!(now(circuit.call(ill())), Err(Error::Broken));
    }
    assert_eq!(circuit.state(), CircuitState::Open);
}

#[test]
fn a_circuit_opens_after_five_failures_in_a_row() {
    let circuit = CircuitBreaker::new("bank", CircuitOptions::default(), Arc::new(clock()));
    for _ in 0..4 {
        now(circuit.call(ill())).unwrap_err();
    }
    now(circuit.call(well())).unwrap();
    assert_eq!(circuit.state(), CircuitState::Closed, "a success in between starts the count anew");
    break_it(&circuit);
    assert_eq!(now(circuit.call(well())), open("bank", 30 * SECOND));
}

#[test]
fn an_open_circuit_lets_one_probe_through_after_30_seconds() {
    let clock = clock();
    let circuit = CircuitBreaker::new("bank", CircuitOptions::default(), Arc::new(clock.clone()));
    break_it(&circuit);
    clock.advance(29 * SECOND);
    assert_eq!(now(circuit.call(well())), open("bank", SECOND));
    clock.advance(SECOND);
    let mut probe = pin!(circuit.call(pending::<Answer>()));
    assert!(probe.as_mut().now_or_never().is_none());
    assert_eq!(circuit.state(), CircuitState::HalfOpen);
    assert_eq!(now(circuit.call(well())), open("bank", Duration::ZERO), "there is a probe already");
}

#[test]
fn the_probe_closes_the_circuit_or_opens_it_again() {
    let clock = clock();
    let circuit = CircuitBreaker::new("bank", CircuitOptions::default(), Arc::new(clock.clone()));
    break_it(&circuit);
    clock.advance(30 * SECOND);
    assert_eq!(now(circuit.call(ill())), Err(Error::Broken));
    assert_eq!(now(circuit.call(well())), open("bank", 30 * SECOND));
    clock.advance(30 * SECOND);
    now(circuit.call(well())).unwrap();
    assert_eq!(circuit.state(), CircuitState::Closed);
    now(circuit.call(well())).unwrap();
}

#[test]
fn a_dropped_probe_makes_way_for_the_next() {
    let clock = clock();
    let circuit = CircuitBreaker::new("bank", CircuitOptions::default(), Arc::new(clock.clone()));
    break_it(&circuit);
    clock.advance(30 * SECOND);
    assert!(circuit.call(pending::<Answer>()).now_or_never().is_none());
    now(circuit.call(well())).unwrap();
    assert_eq!(circuit.state(), CircuitState::Closed);
}

#[tokio::test]
async fn an_answer_to_a_call_from_before_the_opening_changes_nothing() {
    let clock = clock();
    let circuit = CircuitBreaker::new("bank", CircuitOptions::default(), Arc::new(clock.clone()));
    let (answer, answered) = tokio::sync::oneshot::channel::<Answer>();
    let mut early = pin!(circuit.call(async { answered.await.unwrap() }));
    assert_eq!(poll!(&mut early), Poll::Pending);
    break_it(&circuit);
    answer.send(Ok(1)).unwrap();
    early.await.unwrap();
    assert_eq!(circuit.state(), CircuitState::Open);
}

#[test]
fn limits_of_a_circuit_are_configurable_and_its_changes_are_told() {
    let clock = clock();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let options = CircuitOptions { failures: 1, open_for: SECOND };
    let circuit =
        CircuitBreaker::observed("bank", options, Arc::new(clock.clone()), move |change: CircuitChange| {
            log.lock().unwrap().push((change.circuit, change.from, change.to));
        });
    now(circuit.call(ill())).unwrap_err();
    clock.advance(SECOND);
    now(circuit.call(well())).unwrap();
    let (closed, open, half_open) = (CircuitState::Closed, CircuitState::Open, CircuitState::HalfOpen);
    let changes = [("bank", closed, open), ("bank", open, half_open), ("bank", half_open, closed)];
    assert_eq!(*seen.lock().unwrap(), changes);
}

#[test]
fn a_bulkhead_lets_so_many_run_and_so_many_wait_in_order() {
    let bulkhead = Bulkhead::new("bank", BulkheadOptions { max_running: 1, max_waiting: 1 });
    let mut running = Box::pin(bulkhead.call(pending::<Answer>()));
    assert!(running.as_mut().now_or_never().is_none());
    let mut waiting = pin!(bulkhead.call(well()));
    assert!(waiting.as_mut().now_or_never().is_none());
    let full = PolicyError::BulkheadFull { name: "bank" };
    assert!(full.is_refusal());
    assert_eq!(now(bulkhead.call(well())), Err(Error::Policy(full)));
    drop(running);
    assert_eq!(waiting.now_or_never(), Some(Ok(1)));
    now(bulkhead.call(well())).unwrap();
}

#[test]
fn a_timeout_drops_a_call_that_takes_too_long() {
    let clock = clock();
    let timeout = Timeout::new(5 * SECOND, Arc::new(clock.clone()));
    let mut slow = pin!(timeout.call(pending::<Answer>()));
    assert!(slow.as_mut().now_or_never().is_none());
    clock.advance(4 * SECOND);
    assert!(slow.as_mut().now_or_never().is_none());
    clock.advance(SECOND);
    let after = 5 * SECOND;
    assert_eq!(slow.now_or_never(), Some(Err(Error::Policy(PolicyError::TimedOut { after }))));
    assert_eq!(now(timeout.call(well())), Ok(1));
}

#[test]
fn a_rate_limiter_spends_its_burst_and_then_one_call_for_each_interval() {
    let clock = clock();
    let options = RateLimiterOptions::per(3, 3 * SECOND);
    let limiter = RateLimiter::new("mail", options, Arc::new(clock.clone()));
    for _ in 0..3 {
        now(limiter.call(well())).unwrap();
    }
    let refused = |retry_after| Err(PolicyError::RateLimited { name: "mail", retry_after });
    assert_eq!(limiter.take(), refused(SECOND));
    clock.advance(SECOND / 4);
    assert_eq!(limiter.take(), refused(3 * SECOND / 4));
    clock.advance(3 * SECOND / 4);
    limiter.take().unwrap();
    assert_eq!(limiter.take(), refused(SECOND));
    clock.advance(60 * SECOND);
    assert_eq!(
        (0..10).filter(|_| limiter.take().is_ok()).count(),
        3,
        "a long rest fills the bucket, not more"
    );
}

/// Runs a retry in simulated time and answers its outcome, the attempts, and how long it took.
fn retried(policy: RetryPolicy, fails: u32, error: &Error) -> (Answer, u32, Duration) {
    let test = test_environment();
    let (environment, started_at) = (test.environment.clone(), test.environment.now());
    let (attempts, ended) = (RefCell::new(0), RefCell::new(None));
    let mut run = pin!(async {
        let attempt = |number| {
            *attempts.borrow_mut() = number;
            ready(if number <= fails { Err(error.clone()) } else { Ok(number) })
        };
        let transient = |error: &Error| *error == Error::Broken;
        let answer = policy.run(&environment, transient, attempt).await;
        *ended.borrow_mut() = Some((answer, environment.now()));
    });
    let mut poll = || _ = run.as_mut().now_or_never();
    poll();
    for _ in 0..600 {
        if ended.borrow().is_some() {
            break;
        }
        test.advance(SECOND / 10);
        poll();
    }
    let (answer, at) = ended.take().expect("the retry ends");
    let attempts = *attempts.borrow();
    (answer, attempts, composable_rust_core::elapsed(started_at, at))
}

#[test]
fn a_retry_pauses_longer_each_time_and_ends_with_the_last_error() {
    let policy = RetryPolicy { attempts: 4, backoff: Backoff { first: SECOND, longest: 2 * SECOND } };
    let (answer, attempts, took) = retried(policy, 9, &Error::Broken);
    assert_eq!((answer, attempts), (Err(Error::Broken), 4));
    // Pauses of 1, 2 and 2 s, each shortened by up to a half.
    assert!(took >= 5 * SECOND / 2 && took <= 6 * SECOND, "{took:?}");
    let (answer, attempts, _) = retried(policy, 2, &Error::Broken);
    assert_eq!((answer, attempts), (Ok(3), 3));
}

#[test]
fn a_retry_leaves_lasting_errors_alone() {
    let error = Error::Policy(PolicyError::BulkheadFull { name: "bank" });
    let (answer, attempts, took) = retried(RetryPolicy::default(), 9, &error);
    assert_eq!((answer, attempts, took), (Err(error), 1, Duration::ZERO));
}

#[test]
fn policies_stack_as_tower_layers() {
    let clock = clock();
    let port: Arc<dyn composable_rust_core::Clock> = Arc::new(clock.clone());
    let circuit =
        CircuitBreaker::new("bank", CircuitOptions { failures: 2, open_for: SECOND }, Arc::clone(&port));
    let calls = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&calls);
    let service = ServiceBuilder::new()
        .layer(RateLimiter::new("bank", RateLimiterOptions::per(100, SECOND), Arc::clone(&port)))
        .layer(Bulkhead::new("bank", BulkheadOptions::default()))
        .layer(circuit.clone())
        .layer(Timeout::new(SECOND, port))
        .service(service_fn(move |is_well: bool| {
            *seen.lock().unwrap() += 1;
            if is_well { well() } else { pending().boxed() }
        }));
    assert_eq!(now(service.clone().oneshot(true)), Ok(1));
    for _ in 0..2 {
        let mut slow = pin!(service.clone().oneshot(false));
        assert!(slow.as_mut().now_or_never().is_none());
        clock.advance(SECOND);
        assert_eq!(slow.now_or_never(), Some(Err(Error::Policy(PolicyError::TimedOut { after: SECOND }))));
    }
    assert_eq!(circuit.state(), CircuitState::Open);
    assert_eq!(now(service.clone().oneshot(true)), open("bank", SECOND));
    assert_eq!(*calls.lock().unwrap(), 3, "a refused call does not reach the service");
}

#[test]
fn the_relay_is_behind_a_circuit_that_the_application_shows() {
    crate::domain::live_once(async |app| {
        let states = app.get::<Circuits>().unwrap().states();
        assert_eq!(states, [("bus", CircuitState::Closed)]);
    });
}

#[test]
fn each_part_that_fails_shows_in_the_health() {
    let scenario = async |simulation: &Simulation| {
        let life = async |environment: Environment| {
            let faults = simulation.faults();
            let bus = MemoryBus::new(&environment).with_faults(faults.clone());
            let app = application(simulation, environment).bus(bus).start().await.unwrap();
            let failing = async || {
                let parts = app.health().await.into_iter();
                parts
                    .filter(|part| part.status != ComponentStatus::Healthy)
                    .map(|part| part.name)
                    .collect::<Vec<_>>()
            };
            while !failing().await.is_empty() {
                app.environment().clock.sleep(SECOND).await;
            }
            for (operation, name) in [("read_log", "event_store"), ("load_checkpoint", "projections_db")] {
                faults.fail_next(operation);
                assert_eq!(failing().await, [name]);
                assert!(failing().await.is_empty());
            }
            (0..5).for_each(|_| faults.fail_next("publish"));
            app.execute("a", StockCommand::Fill { amount: 1 }).await.unwrap();
            while !failing().await.contains(&"event_bus".to_owned()) {
                app.environment().clock.sleep(SECOND).await;
            }
            let bus = app.health().await.into_iter().find(|part| part.name == "event_bus").unwrap();
            assert!(!bus.critical && bus.detail.is_some(), "{bus:?}");
            while failing().await.contains(&"event_bus".to_owned()) {
                app.environment().clock.sleep(SECOND).await;
            }
        };
        assert_eq!(simulation.live(Life::CALM, life).await, Ending::Finished(()));
    };
    Simulation::run_with(1, |_| Faults::scripted(), scenario);
}

#[tokio::test]
async fn a_retry_is_a_layer_too() {
    let environment: Environment = composable_rust_runtime::live_environment();
    let policy =
        RetryPolicy { attempts: 3, backoff: Backoff { first: Duration::ZERO, longest: Duration::ZERO } };
    let calls = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&calls);
    let service =
        policy.layer(environment, |error: &Error| *error == Error::Broken).layer(service_fn(move |_: u8| {
            let mut calls = seen.lock().unwrap();
            *calls += 1;
            if *calls < 3 { ill() } else { well() }
        }));
    assert_eq!(service.oneshot(7).await, Ok(1));
    assert_eq!(*calls.lock().unwrap(), 3);
}
