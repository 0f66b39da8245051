//! Effects with a name: cancel, debounce, throttle; and effects one after the other.

use super::{Action, Gate, SECOND, logging, store};
use composable_rust_core::Effects;
use composable_rust_testing::test_environment;
use futures_util::FutureExt;
use std::sync::{Arc, Mutex};

#[test]
fn a_cancel_reaches_what_was_asked_for_before_it_even_if_that_has_not_begun() {
    let control = test_environment();
    let gate = Gate::new();
    let held = gate.clone();
    let store = store(
        &control,
        logging(move |action| match action {
            Action::Go("stop") => Effects::cancel("work"),
            Action::Go(_) => held.effect("work").cancellable("work"),
            _ => Effects::none(),
        }),
    );
    store.send(Action::Go("start")).unwrap();
    store.send(Action::Go("stop")).unwrap();
    store.send(Action::Go("start")).unwrap();
    control.tasks.run();
    gate.open();
    control.tasks.run();
    let done =
        |actions: &Vec<Action>| actions.iter().filter(|action| **action == Action::Done("work")).count();
    assert_eq!(store.state(done), 1);

    store.send(Action::Go("stop")).unwrap();
    control.tasks.run();
    assert_eq!((store.state(done), store.stats().running), (1, 0));
}

#[test]
fn a_debounced_effect_begins_after_the_quiet_and_only_the_last_one() {
    let control = test_environment();
    let store = store(
        &control,
        logging(|action| match action {
            Action::Go(name) => {
                Effects::future("search", std::future::ready(Action::Done(name))).debounce("search", SECOND)
            }
            _ => Effects::none(),
        }),
    );
    for name in ["a", "b", "c"] {
        store.send(Action::Go(name)).unwrap();
        control.advance(SECOND / 2);
    }
    assert_eq!(store.state(Vec::len), 3);
    control.advance(SECOND);
    assert_eq!(store.state(|actions| actions[3..].to_vec()), [Action::Done("c")]);
}

#[test]
fn a_throttled_effect_is_dropped_until_its_time_has_passed() {
    let control = test_environment();
    let store = store(
        &control,
        logging(|action| match action {
            Action::Ask(n) => {
                Effects::future("answer", std::future::ready(Action::Answer(*n))).throttle("answer", SECOND)
            }
            _ => Effects::none(),
        }),
    );
    for n in 0..5 {
        store.send(Action::Ask(n)).unwrap();
        control.advance(SECOND / 2);
    }
    let answers = store.state(|actions| {
        actions.iter().filter(|action| matches!(action, Action::Answer(_))).cloned().collect::<Vec<_>>()
    });
    assert_eq!(answers, [Action::Answer(0), Action::Answer(2), Action::Answer(4)]);
}

#[test]
fn a_sequence_begins_the_next_when_the_one_before_has_come_back() {
    let control = test_environment();
    let gate = Gate::new();
    let held = gate.clone();
    let store = store(
        &control,
        logging(move |action| match action {
            Action::Go(_) => Effects::sequential([
                held.effect("first"),
                Effects::parallel([
                    Effects::future("second", std::future::ready(Action::Done("second"))),
                    Effects::future("third", std::future::ready(Action::Done("third"))),
                ]),
                Effects::delay(SECOND, Action::Done("last")),
            ]),
            _ => Effects::none(),
        }),
    );
    store.send(Action::Go("all")).unwrap();
    control.advance(SECOND);
    assert_eq!(store.state(Vec::len), 1);
    gate.open();
    control.tasks.run();
    let expected = ["first", "second", "third"].map(Action::Done);
    assert_eq!(store.state(|actions| actions[1..].to_vec()), expected);
    control.advance(SECOND);
    assert_eq!(store.state(|actions| actions.last().cloned()), Some(Action::Done("last")));
}

#[test]
fn a_name_is_free_again_when_its_effect_has_ended() {
    let control = test_environment();
    let store = store(
        &control,
        logging(|action| match action {
            Action::Go(name) => {
                Effects::future("work", std::future::ready(Action::Done(name))).cancellable("work")
            }
            Action::Ask(_) => Effects::cancel("work"),
            _ => Effects::none(),
        }),
    );
    for _ in 0..3 {
        store.send(Action::Go("a")).unwrap();
        control.tasks.run();
        store.send(Action::Ask(0)).unwrap();
    }
    assert_eq!(store.state(Vec::len), 9);
}

#[test]
fn an_effect_that_is_held_back_may_use_its_store_when_it_is_dropped() {
    /// Reads the store when it is dropped.
    struct Last(Arc<dyn Fn() + Send + Sync>);
    impl Drop for Last {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    let control = test_environment();
    let read = Arc::new(Mutex::new(None::<Arc<dyn Fn() + Send + Sync>>));
    let given = Arc::clone(&read);
    let store = store(
        &control,
        logging(move |_| {
            let last = given.lock().unwrap().clone().map(Last);
            Effects::future("work", async move { drop(last) }.map(|()| None)).throttle("work", SECOND)
        }),
    );
    let (reader, reads) = (store.clone(), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&reads);
    *read.lock().unwrap() = Some(Arc::new(move || seen.lock().unwrap().push(reader.state(Vec::len))));
    store.send(Action::Go("a")).unwrap();
    store.send(Action::Go("b")).unwrap();
    assert_eq!(*reads.lock().unwrap(), [2]);
}
