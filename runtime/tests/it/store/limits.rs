//! Bounded queues: what is refused, what pauses, and that nothing is spawned without limit.

use super::{Action, Gate, Pending, logging, with_options};
use composable_rust_core::Effects;
use composable_rust_runtime::store::{SendError, StoreOptions};
use composable_rust_testing::test_environment;
use futures_util::{StreamExt, stream};

fn narrow() -> StoreOptions {
    StoreOptions { max_running_effects: 2, max_queued_effects: 3, ..StoreOptions::default() }
}

#[test]
fn no_more_effects_run_at_once_than_allowed_and_a_full_queue_refuses_callers() {
    let control = test_environment();
    let gate = Gate::new();
    let held = gate.clone();
    let store = with_options(
        &control,
        logging(move |action| match action {
            Action::Go(_) => held.effect("held"),
            _ => Effects::none(),
        }),
        narrow(),
    );
    for _ in 0..2 {
        store.send(Action::Go("run")).unwrap();
        control.tasks.run();
    }
    for _ in 0..3 {
        store.send(Action::Go("queue")).unwrap();
        control.tasks.run();
    }
    assert_eq!((store.stats().running, store.stats().queued, control.tasks.names().len()), (2, 3, 2));

    assert_eq!(store.send(Action::Go("one too many")), Err(SendError::Overloaded));
    assert_eq!(store.state(Vec::len), 5);
    let patient = store.clone();
    let sent = Pending::start(&control, async move { patient.send_when_ready(Action::Go("patient")).await });
    assert_eq!(sent.take(), None);

    gate.open();
    control.tasks.run();
    assert_eq!(sent.take(), Some(Ok(())));
    assert_eq!((store.stats().running, store.stats().queued), (0, 0));
    assert_eq!(store.state(Vec::len), 12);
}

#[test]
fn results_of_effects_are_taken_even_when_the_queue_is_full() {
    let control = test_environment();
    let options = StoreOptions { max_running_effects: 1, max_queued_effects: 1, ..StoreOptions::default() };
    let store = with_options(
        &control,
        logging(|action| match action {
            Action::Ask(n) if *n > 0 => Effects::parallel((0..2).map(|_| {
                let next = Action::Ask(n - 1);
                Effects::future("two more", async move { next })
            })),
            _ => Effects::none(),
        }),
        options,
    );
    store.send(Action::Ask(5)).unwrap();
    control.tasks.run();
    assert_eq!(store.state(Vec::len), 63);
}

#[test]
fn a_stream_pauses_while_the_queue_is_full() {
    let control = test_environment();
    let gate = Gate::new();
    let held = gate.clone();
    let store = with_options(
        &control,
        logging(move |action| match action {
            Action::Go(_) => Effects::stream("numbers", stream::iter(0..20).map(Action::Ask)),
            Action::Ask(_) => held.effect("held"),
            _ => Effects::none(),
        }),
        narrow(),
    );
    store.send(Action::Go("follow")).unwrap();
    control.tasks.run();
    let taken = store.state(Vec::len);
    assert!(taken < 10, "{taken} taken of a stream whose effects cannot begin");
    gate.open();
    control.tasks.run();
    assert_eq!(store.state(Vec::len), 1 + 20 + 20);
}

#[test]
fn waits_have_a_limit_of_their_own_and_do_not_hold_up_work() {
    let control = test_environment();
    let options = StoreOptions { max_running_effects: 1, max_waiting_effects: 2, ..StoreOptions::default() };
    let store = with_options(
        &control,
        logging(|action| match action {
            Action::Go(name) => Effects::delay(super::SECOND, Action::Done(name)),
            Action::Ask(n) => Effects::future("work", std::future::ready(Action::Answer(*n))),
            _ => Effects::none(),
        }),
        options,
    );
    for name in ["a", "b", "c"] {
        store.send(Action::Go(name)).unwrap();
    }
    store.send(Action::Ask(1)).unwrap();
    control.tasks.run();
    assert_eq!((store.stats().running, store.stats().queued), (2, 1));
    assert_eq!(store.state(|actions| actions.last().cloned()), Some(Action::Answer(1)));
    control.advance(super::SECOND);
    assert_eq!((store.stats().running, store.stats().queued), (1, 0));
    control.advance(super::SECOND);
    assert_eq!(store.state(Vec::len), 8);
}

#[test]
fn workers_are_kept_for_the_next_effect_up_to_a_limit() {
    let control = test_environment();
    let gate = Gate::new();
    let held = gate.clone();
    let options = StoreOptions { max_idle_workers: 2, ..StoreOptions::default() };
    let store = with_options(
        &control,
        logging(move |action| match action {
            Action::Go(_) => held.effect("held"),
            _ => Effects::none(),
        }),
        options,
    );
    for _ in 0..10 {
        store.send(Action::Go("a")).unwrap();
    }
    control.tasks.run();
    assert_eq!(control.tasks.names().len(), 10);
    gate.open();
    control.tasks.run();
    assert_eq!(control.tasks.names().len(), 2);
    store.send(Action::Go("b")).unwrap();
    assert_eq!(control.tasks.names().len(), 2);
    control.tasks.run();
    assert_eq!(store.state(Vec::len), 22);
}
