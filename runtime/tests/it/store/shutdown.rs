//! How a store ends: what is refused, what is kept, what is given up.

use super::{Action, Gate, Pending, SECOND, logging, store};
use composable_rust_core::Effects;
use composable_rust_runtime::store::{ObserveError, SendError, ShutdownError};
use composable_rust_testing::test_environment;
use futures_util::stream;

fn effects(gate: Gate) -> impl Fn(&Action) -> Effects<Action> + Send + Sync + 'static {
    move |action| match action {
        Action::Go(_) => gate.effect("work"),
        Action::Done(_) => Effects::future("then", std::future::ready(Action::Answer(1)))
            .merge(Effects::delay(SECOND, Action::Answer(2))),
        Action::Ask(_) => {
            Effects::delay(SECOND, Action::Answer(3)).merge(Effects::stream("endless", stream::pending()))
        }
        _ => Effects::none(),
    }
}

#[test]
fn results_that_arrive_while_draining_are_kept_and_waits_are_given_up() {
    let control = test_environment();
    let gate = Gate::new();
    let store = store(&control, logging(effects(gate.clone())));
    store.send(Action::Go("a")).unwrap();
    store.send(Action::Ask(1)).unwrap();
    control.tasks.run();

    let closing = store.clone();
    let closed = Pending::start(&control, async move { closing.shutdown(SECOND).await });
    assert_eq!(closed.take(), None);
    assert_eq!(store.send(Action::Go("late")), Err(SendError::Closed));

    gate.open();
    control.tasks.run();
    assert_eq!(closed.take(), Some(Ok(())));
    let expected = [Action::Go("a"), Action::Ask(1), Action::Done("work"), Action::Answer(1)];
    assert_eq!(store.state(Vec::clone), expected);
    // The delay and the stream of `Ask`, and the delay that `Done` asked for while draining.
    assert_eq!((store.stats().given_up, store.stats().running), (3, 0));
    assert_eq!(control.tasks.names(), [""; 0]);
}

#[test]
fn a_shutdown_that_runs_out_of_time_says_what_it_gave_up() {
    let control = test_environment();
    let store = store(&control, logging(effects(Gate::new())));
    store.send(Action::Go("a")).unwrap();
    store.send(Action::Go("b")).unwrap();
    let closing = store.clone();
    let closed = Pending::start(&control, async move { closing.shutdown(SECOND).await });
    control.advance(SECOND);
    assert_eq!(closed.take(), Some(Err(ShutdownError { effects: 2 })));
    control.tasks.run();
    assert_eq!(control.tasks.names(), [""; 0]);
    assert_eq!(store.stats().given_up, 2);
}

#[test]
fn observers_end_with_the_store() {
    let control = test_environment();
    let store = store(&control, logging(|_| Effects::none()));
    let mut observer = store.observe().unwrap();
    let closing = store.clone();
    let closed = Pending::start(&control, async move { closing.shutdown(SECOND).await });
    assert_eq!(closed.take(), Some(Ok(())));
    let next = Pending::start(&control, async move { observer.next().await });
    assert_eq!(next.take(), Some(Err(ObserveError::Closed)));
    assert_eq!(store.observe().err(), Some(ObserveError::Closed));
}

#[test]
fn a_dropped_store_finishes_its_work_begins_nothing_more_and_leaves_no_task() {
    let control = test_environment();
    let gate = Gate::new();
    let store = store(&control, logging(effects(gate.clone())));
    let mut observer = store.observe().unwrap();
    store.send(Action::Go("a")).unwrap();
    store.send(Action::Ask(1)).unwrap();
    control.tasks.run();
    drop(store);
    control.tasks.run();
    assert_eq!(control.tasks.names().len(), 1);
    gate.open();
    control.tasks.run();
    assert_eq!(control.tasks.names(), [""; 0]);
    let seen = Pending::start(&control, async move {
        let mut seen = Vec::new();
        while let Ok(action) = observer.next().await {
            seen.push(action);
        }
        seen
    });
    // What `Done` asked for is not begun: nobody is there any more who could end it.
    assert_eq!(seen.take().unwrap(), [Action::Go("a"), Action::Ask(1), Action::Done("work")]);
}
