//! The effects that are under way in a test, driven on the test's thread.

use super::diff::fail;
use crate::environment::{TestEnvironment, Woken};
use composable_rust_core::Effects;
use composable_rust_core::effect::EffectHost;
use composable_rust_runtime::store::{Interpreter, Sink};
use futures_util::future::BoxFuture;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// Rounds after which effects that keep waking themselves are taken for an endless loop.
const MAX_ROUNDS: usize = 10_000;

pub(super) struct Running<A> {
    interpreter: Interpreter,
    under_way: Vec<(String, BoxFuture<'static, ()>)>,
    inbox: Arc<Inbox<A>>,
    woken: Arc<Woken>,
}

impl<A: Debug + Send + 'static> Running<A> {
    pub(super) fn new(control: &TestEnvironment, host: Arc<dyn EffectHost>) -> Self {
        Self {
            interpreter: Interpreter::new(Arc::clone(&control.environment.clock), host),
            under_way: Vec::new(),
            inbox: Arc::default(),
            woken: Arc::new(Woken::yes()),
        }
    }

    /// Starts effects in their order. One that has nothing left to do, such as a cancel, is done at once.
    pub(super) fn start(&mut self, effects: Effects<A>) {
        for effect in effects {
            let name = effect.describe().to_string();
            if let Ok(plan) = self.interpreter.plan(effect) {
                let (interpreter, inbox) = (self.interpreter.clone(), Arc::clone(&self.inbox));
                let run = async move { interpreter.run(plan, inbox.as_ref()).await };
                self.under_way.push((name, Box::pin(run)));
            }
        }
    }

    /// Runs what can run.
    #[track_caller]
    pub(super) fn poll(&mut self) {
        let waker = Waker::from(Arc::clone(&self.woken));
        let mut context = Context::from_waker(&waker);
        for _ in 0..MAX_ROUNDS {
            let before = self.under_way.len();
            self.woken.take();
            self.under_way.retain_mut(|(_, run)| run.as_mut().poll(&mut context).is_pending());
            if self.under_way.len() == before && !self.woken.take() {
                return;
            }
        }
        fail(&format!("an effect never rests.\n{}", self.describe()));
    }

    pub(super) fn next_received(&self) -> Option<A> {
        self.inbox.lock().pop_front()
    }

    /// The actions that came back and were not asserted.
    pub(super) fn received(&self) -> Vec<String> {
        self.inbox.lock().iter().map(|action| format!("{action:?}")).collect()
    }

    /// The effects that have not ended.
    pub(super) fn names(&self) -> Vec<&str> {
        self.under_way.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub(super) fn forget(&mut self) {
        self.under_way.clear();
    }

    pub(super) fn describe(&self) -> String {
        match self.names().as_slice() {
            [] => "Nothing is under way.".to_owned(),
            names => format!("Under way:\n\n  {}", names.join("\n").replace('\n', "\n  ")),
        }
    }
}

/// The actions that came back.
struct Inbox<A>(Mutex<VecDeque<A>>);

impl<A> Inbox<A> {
    fn lock(&self) -> MutexGuard<'_, VecDeque<A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A> Default for Inbox<A> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<A: Send> Sink<A> for Inbox<A> {
    fn feed(&self, action: A) {
        self.lock().push_back(action);
    }
}
