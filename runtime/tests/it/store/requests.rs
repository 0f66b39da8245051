//! Sending, waiting for the state, and which answer belongs to which request.

use super::{Action, Gate, Pending, SECOND, logging, store};
use composable_rust_core::{Effects, Environment, reducer};
use composable_rust_runtime::live_environment;
use composable_rust_runtime::store::{ObserveError, SendError, Store, StoreOptions, WaitError};
use composable_rust_testing::test_environment;
use futures_util::future::join_all;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

#[test]
fn a_send_reduces_at_once_and_its_effect_comes_back() {
    let control = test_environment();
    let store = store(
        &control,
        logging(|action| match action {
            Action::Ask(n) => Effects::future("answer", std::future::ready(Action::Answer(*n))),
            _ => Effects::none(),
        }),
    );
    store.send(Action::Ask(1)).unwrap();
    assert_eq!(store.state(Vec::clone), [Action::Ask(1)]);
    control.tasks.run();
    assert_eq!(store.state(Vec::clone), [Action::Ask(1), Action::Answer(1)]);
    assert_eq!(store.stats().actions, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_concurrent_requests_get_their_own_answers() {
    let store = Store::new(
        0,
        reducer(|asked: &mut u32, action, _: &Environment| match action {
            Action::Ask(n) => {
                *asked += 1;
                Effects::future("think", async move {
                    // Later requests think shorter, so that answers overtake each other.
                    for _ in n..100 {
                        tokio::task::yield_now().await;
                    }
                    Action::Done("thinking")
                })
                .concat(Effects::future("answer", async move { Action::Answer(n) }))
            }
            _ => Effects::none(),
        }),
        live_environment(),
    );
    let requests = (0..100).map(|n| {
        let store = store.clone();
        // Every answer looks right to everybody.
        async move {
            let is_answer = |action: &Action| matches!(action, Action::Answer(_));
            store.send_and_wait_for(Action::Ask(n), is_answer, Duration::from_mins(1)).await
        }
    });
    let spawned: Vec<_> = requests.map(|request| tokio::task::JoinSet::from_iter([request])).collect();
    let answers = join_all(spawned.into_iter().map(tokio::task::JoinSet::join_all)).await.concat();
    assert_eq!(answers, (0..100).map(|n| Ok(Action::Answer(n))).collect::<Vec<_>>());
    assert_eq!(store.state(|asked| *asked), 100);
}

#[test]
fn an_answer_to_another_request_is_none_of_ours() {
    let control = test_environment();
    let gate = Gate::new();
    let held = gate.clone();
    let store = store(
        &control,
        logging(move |action| match action {
            Action::Go(_) => held.effect("never"),
            Action::Ask(n) => Effects::future("answer", std::future::ready(Action::Answer(*n))),
            _ => Effects::none(),
        }),
    );
    let is_answer = |action: &Action| matches!(action, Action::Answer(_));
    let waiting = store.clone();
    let ours = Pending::start(&control, async move {
        waiting.send_and_wait_for(Action::Go("a"), is_answer, SECOND).await
    });
    store.send(Action::Ask(1)).unwrap();
    store.send(Action::Answer(2)).unwrap();
    control.tasks.run();
    assert_eq!(store.state(Vec::len), 4);
    assert_eq!(ours.take(), None);
    control.advance(SECOND);
    assert_eq!(ours.take(), Some(Err(WaitError::TimedOut)));
}

#[test]
fn a_request_that_ends_without_an_answer_says_so_at_once() {
    let control = test_environment();
    let store = store(
        &control,
        logging(|action| match action {
            Action::Ask(n) if *n > 0 => Effects::future("step", std::future::ready(Action::Ask(n - 1))),
            _ => Effects::none(),
        }),
    );
    for asked in [0, 3] {
        let (store, is_answer) = (store.clone(), |action: &Action| matches!(action, Action::Answer(_)));
        let request = Pending::start(&control, async move {
            store.send_and_wait_for(Action::Ask(asked), is_answer, SECOND).await
        });
        assert_eq!(request.take(), Some(Err(WaitError::Unanswered)));
    }
}

#[test]
fn a_request_is_not_its_own_answer() {
    let control = test_environment();
    let store = store(
        &control,
        logging(|action| match action {
            Action::Ask(1) => Effects::future("next", std::future::ready(Action::Ask(2))),
            _ => Effects::none(),
        }),
    );
    let is_answer = |action: &Action| matches!(action, Action::Ask(_));
    let request =
        Pending::start(
            &control,
            async move { store.send_and_wait_for(Action::Ask(1), is_answer, SECOND).await },
        );
    assert_eq!(request.take(), Some(Ok(Action::Ask(2))));
}

#[test]
fn waiting_for_a_state_ends_when_it_is_reached_or_the_time_is_up() {
    let control = test_environment();
    let store = store(&control, logging(|_| Effects::none()));
    let wait = |length| {
        let store = store.clone();
        async move { store.wait_for(move |actions| actions.len() >= length, SECOND).await }
    };
    let (first, second, third) = (
        Pending::start(&control, wait(0)),
        Pending::start(&control, wait(1)),
        Pending::start(&control, wait(2)),
    );
    assert_eq!((first.take(), second.take()), (Some(Ok(())), None));
    store.send(Action::Go("a")).unwrap();
    control.tasks.run();
    assert_eq!((second.take(), third.take()), (Some(Ok(())), None));
    control.advance(SECOND);
    assert_eq!(third.take(), Some(Err(WaitError::TimedOut)));
}

#[test]
fn observers_hear_of_an_action_after_it_changed_the_state() {
    let control = test_environment();
    let store = store(&control, logging(|_| Effects::none()));
    let mut observer = store.observe().unwrap();
    let reader = store.clone();
    let seen = Pending::start(&control, async move {
        let action = observer.next().await;
        (action, reader.state(Vec::clone))
    });
    store.send(Action::Go("a")).unwrap();
    control.tasks.run();
    assert_eq!(seen.take(), Some((Ok(Action::Go("a")), vec![Action::Go("a")])));
}

#[test]
fn a_slow_observer_is_told_how_much_it_missed() {
    let control = test_environment();
    let options = StoreOptions { observer_buffer: 4, ..StoreOptions::default() };
    let store = super::with_options(&control, logging(|_| Effects::none()), options);
    let mut observer = store.observe().unwrap();
    for n in 0..10 {
        store.send(Action::Ask(n)).unwrap();
    }
    let seen = Pending::start(&control, async move { (observer.next().await, observer.next().await) });
    assert_eq!(seen.take(), Some((Err(ObserveError::Lagged { missed: 6 }), Ok(Action::Ask(6)))));
}

#[test]
fn a_panicking_effect_is_counted_and_the_others_go_on() {
    let control = test_environment();
    let store = store(
        &control,
        logging(|action| match action {
            Action::Go(_) => {
                Effects::future("panics", async { if true { panic!("as the test says") } else { None } })
                    .merge(Effects::future("answers", std::future::ready(Action::Answer(1))))
            }
            _ => Effects::none(),
        }),
    );
    store.send(Action::Go("a")).unwrap();
    store.send(Action::Go("b")).unwrap();
    control.tasks.run();
    assert_eq!((store.stats().panics, store.stats().running), (2, 0));
    assert_eq!(
        store.state(|actions| actions.iter().filter(|action| **action == Action::Answer(1)).count()),
        2
    );
}

#[test]
fn a_store_whose_reducer_panicked_refuses_to_go_on() {
    let control = test_environment();
    let store = store(
        &control,
        logging(|action| {
            assert_ne!(*action, Action::Go("wrong"), "as the test says");
            Effects::none()
        }),
    );
    let panic = catch_unwind(AssertUnwindSafe(|| store.send(Action::Go("wrong"))));
    assert!(panic.is_err());
    assert_eq!(store.send(Action::Go("right")), Err(SendError::Broken));
    assert_eq!(store.state(Vec::len), 0);
}
