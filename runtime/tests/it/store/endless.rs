//! Effects that never end: they can be cancelled, dropped and shut down, and the program can exit.
//! Each ends by itself after many items, so that a store that never gives its turn away fails here instead of hanging.

use super::{Action, SECOND, logging};
use composable_rust_core::effect::NoHost;
use composable_rust_core::{Effects, Environment};
use composable_rust_runtime::live_environment;
use composable_rust_runtime::store::{SendError, ShutdownError, Store, StoreOptions, StoreReducer};
use futures_util::{StreamExt, stream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

const MANY: u32 = 200_000;

/// `Go("stream")` follows a stream, `Go("chain")` begins an effect that asks for the next, `Go("cancel")` ends both,
/// `Go("panic")` panics.
fn endless() -> Store<impl StoreReducer<State = Vec<Action>, Action = Action, Environment = Environment>> {
    let reducer = logging(|action| match action {
        Action::Go("stream") => {
            Effects::stream("numbers", stream::iter(0..MANY).map(Action::Answer)).cancellable("endless")
        }
        Action::Go("chain") => next(0),
        Action::Ask(n) if *n < MANY => next(n + 1),
        Action::Go("cancel") => Effects::cancel("endless"),
        Action::Go("panic") => panic!("as the test wants"),
        _ => Effects::none(),
    });
    Store::with_host(Vec::new(), reducer, live_environment(), Arc::new(NoHost), StoreOptions::default())
}

fn next(n: u32) -> Effects<Action> {
    Effects::future("next", std::future::ready(Action::Ask(n))).cancellable("endless")
}

/// Gives the other tasks of this thread some turns.
async fn turns() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_always_ready_can_be_cancelled() {
    for kind in ["stream", "chain"] {
        let store = endless();
        store.send(Action::Go(kind)).unwrap();
        turns().await;
        assert!(store.state(Vec::len) > 1, "{kind} runs");
        store.send(Action::Go("cancel")).unwrap();
        turns().await;
        let taken = store.state(Vec::len);
        turns().await;
        assert_eq!((store.state(Vec::len), store.stats().running), (taken, 0), "{kind} has ended");
        assert!(taken < 10_000, "{taken} of {kind} were taken before the cancel");
    }
}

#[tokio::test]
async fn what_is_always_ready_ends_with_the_store() {
    let store = endless();
    store.send(Action::Go("stream")).unwrap();
    turns().await;
    assert_eq!(store.shutdown(SECOND).await, Ok(()));
    let store = endless();
    store.send(Action::Go("chain")).unwrap();
    turns().await;
    assert_eq!(store.shutdown(Duration::ZERO).await, Err(ShutdownError { effects: 1 }));
    let taken = store.state(Vec::len);
    turns().await;
    assert_eq!((store.state(Vec::len), store.stats().running), (taken, 0), "the chain goes on");
}

#[tokio::test]
async fn what_is_always_ready_ends_when_the_last_handle_goes() {
    for kind in ["stream", "chain"] {
        let store = endless();
        let mut observer = store.observe().unwrap();
        store.send(Action::Go(kind)).unwrap();
        turns().await;
        drop(store);
        let mut seen = 0;
        while observer.next().await.is_ok() {
            seen += 1;
        }
        assert!(seen < 10_000, "{seen} of {kind} came before the end");
    }
}

#[tokio::test]
async fn a_panic_of_the_reducer_cancels_everything_that_runs() {
    for kind in ["stream", "chain"] {
        let store = endless();
        store.send(Action::Go(kind)).unwrap();
        turns().await;
        catch_unwind(AssertUnwindSafe(|| store.send(Action::Go("panic")))).unwrap_err();
        assert_eq!(store.send(Action::Go("late")), Err(SendError::Broken));
        turns().await;
        let stats = store.stats();
        assert_eq!((stats.running, stats.queued), (0, 0), "{kind} has ended");
        assert_eq!(store.shutdown(SECOND).await, Ok(()));
    }
}
