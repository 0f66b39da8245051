//! The in-memory store. Time and tasks are the test's, so every order of events is the test's choice.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test answers to the few actions that it is about")]

mod application;
mod endless;
mod hosted;
mod limits;
mod named;
mod requests;
mod shutdown;

use composable_rust_core::effect::NoHost;
use composable_rust_core::{Effects, Environment, reducer};
use composable_rust_runtime::store::{Store, StoreOptions, StoreReducer};
use composable_rust_testing::TestEnvironment;
use futures_util::future::{BoxFuture, FutureExt, Shared};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, PartialEq)]
enum Action {
    Ask(u32),
    Answer(u32),
    Go(&'static str),
    Done(&'static str),
    Outcome(String),
}

/// A reducer whose state is the list of all its actions, and which asks for what `effects` says.
fn logging(
    effects: impl Fn(&Action) -> Effects<Action> + Send + Sync + 'static,
) -> impl StoreReducer<State = Vec<Action>, Action = Action, Environment = Environment> {
    reducer(move |state: &mut Vec<Action>, action: Action, _: &Environment| {
        let effects = effects(&action);
        state.push(action);
        effects
    })
}

fn with_options<R>(control: &TestEnvironment, reducer: R, options: StoreOptions) -> Store<R>
where
    R: StoreReducer<State = Vec<Action>, Environment = Environment>,
{
    Store::with_host(Vec::new(), reducer, control.environment.clone(), Arc::new(NoHost), options)
}

fn store<R>(control: &TestEnvironment, reducer: R) -> Store<R>
where
    R: StoreReducer<State = Vec<Action>, Environment = Environment>,
{
    with_options(control, reducer, StoreOptions::default())
}

/// Something that effects can wait for until the test opens it.
#[derive(Clone)]
struct Gate {
    open: Arc<Mutex<Option<oneshot::Sender<()>>>>,
    opened: Shared<BoxFuture<'static, ()>>,
}

impl Gate {
    fn new() -> Self {
        let (sender, receiver) = oneshot::channel();
        let opened = receiver.map(drop).boxed().shared();
        Self { open: Arc::new(Mutex::new(Some(sender))), opened }
    }

    fn open(&self) {
        drop(self.open.lock().unwrap().take());
    }

    fn effect(&self, name: &'static str) -> Effects<Action> {
        let opened = self.opened.clone();
        Effects::future(name, async move {
            opened.await;
            Action::Done(name)
        })
    }
}

/// What a future on the test's tasks has come to.
struct Pending<T>(Arc<Mutex<Option<T>>>);

impl<T: Send + 'static> Pending<T> {
    fn start(control: &TestEnvironment, future: impl Future<Output = T> + Send + 'static) -> Self {
        let result = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&result);
        let run = async move {
            let output = future.await;
            *slot.lock().unwrap() = Some(output);
        };
        control.environment.spawner.spawn("test", run.boxed());
        control.tasks.run();
        Self(result)
    }

    fn take(&self) -> Option<T> {
        self.0.lock().unwrap().take()
    }
}
