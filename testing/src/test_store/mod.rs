//! An exhaustive store for tests: every state change, every effect and every action that comes back must be asserted.
//!
//! No async runtime and no waiting: effects run on the test's thread, time moves by [`TestStore::advance`].

mod diff;
mod host;
mod running;

pub use host::{Answerable, Answers};

use crate::environment::{TestEnvironment, test_environment};
use composable_rust_core::effect::EffectHost;
use composable_rust_core::{EffectDescription, Environment, Reducer};
use composable_rust_runtime::store::StoreReducer;
use diff::{describe_lines, difference, fail};
use running::Running;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// Runs one reducer under a test's control, and fails where the test did not say what happens.
///
/// ```
/// use composable_rust_core::{Effects, Environment, delay, reducer};
/// use composable_rust_testing::TestStore;
/// use std::time::Duration;
///
/// #[derive(Debug, Clone, PartialEq)]
/// enum Action { Start, Rang }
///
/// let alarm = reducer(|rings: &mut u32, action, _: &Environment| match action {
///     Action::Start => delay! { after: Duration::from_secs(5), action: Action::Rang },
///     Action::Rang => { *rings += 1; Effects::none() }
/// });
///
/// let mut store = TestStore::new(0, alarm);
/// store.send(Action::Start, |_| {});
/// store.expect_effect(delay! { after: Duration::from_secs(5), action: Action::Rang });
/// store.advance(Duration::from_secs(5));
/// store.receive(Action::Rang, |rings| *rings = 1);
/// ```
///
/// # Panics
/// Each method, and dropping the store, when something was not asserted or is otherwise than asserted.
pub struct TestStore<R: TestedReducer> {
    state: R::State,
    reducer: R,
    environment: R::Environment,
    control: TestEnvironment,
    answers: Arc<Answers>,
    running: Running<R::Action>,
    unasserted: VecDeque<EffectDescription>,
}

/// A reducer that a [`TestStore`] can run; every one whose state and actions can be compared and printed is one.
pub trait TestedReducer: StoreReducer<State: Clone + PartialEq + Debug, Action: PartialEq + Debug> {}

impl<R> TestedReducer for R where R: StoreReducer<State: Clone + PartialEq + Debug, Action: PartialEq + Debug> {}

impl<R: TestedReducer + Reducer<Environment = Environment>> TestStore<R> {
    /// A store in a [`test_environment`].
    pub fn new(state: R::State, reducer: R) -> Self {
        Self::in_environment(state, reducer, |control| control.environment.clone())
    }
}

impl<R: TestedReducer> TestStore<R> {
    /// A store whose reducer has an environment of its own, made from the one that the test controls.
    pub fn in_environment(
        state: R::State,
        reducer: R,
        environment: impl FnOnce(&TestEnvironment) -> R::Environment,
    ) -> Self {
        let control = test_environment();
        let environment = environment(&control);
        let answers = Arc::new(Answers::default());
        let running = Running::new(&control, Arc::clone(&answers) as Arc<dyn EffectHost>);
        Self { state, reducer, environment, control, answers, running, unasserted: VecDeque::new() }
    }

    /// With a host that carries out effects, in place of [`Self::answer`].
    #[must_use]
    pub fn with_host(mut self, host: Arc<dyn EffectHost>) -> Self {
        self.running = Running::new(&self.control, host);
        self
    }

    /// The state now.
    pub const fn state(&self) -> &R::State {
        &self.state
    }

    /// What the test controls.
    pub const fn control(&self) -> &TestEnvironment {
        &self.control
    }
}

impl<R: TestedReducer> TestStore<R> {
    /// Sends an action; `change` makes the expected state of the state before.
    #[track_caller]
    pub fn send(&mut self, action: R::Action, change: impl FnOnce(&mut R::State)) {
        self.running.poll();
        self.fail_if_unasserted("before the next action is sent");
        self.reduce(action, change);
    }

    /// Asserts the next action that came back from effects, and what it changes.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "an action is written as a value, as in `send`")]
    pub fn receive(&mut self, action: R::Action, change: impl FnOnce(&mut R::State)) {
        self.running.poll();
        self.fail_if_effects_unasserted("before an action is received");
        let Some(received) = self.running.next_received() else {
            fail(&format!(
                "no action came back from an effect, expected {action:?}.\n{}",
                self.running.describe()
            ));
        };
        if received != action {
            fail(&format!("another action came back.\n\n{}", difference(&action, &received)));
        }
        self.reduce(received, change);
    }

    /// Asserts the next effect. Give a description, or the effect as the reducer would write it.
    #[track_caller]
    pub fn expect_effect(&mut self, expected: impl Into<EffectDescription>) {
        let expected = expected.into();
        let Some(actual) = self.unasserted.pop_front() else {
            fail(&format!("no effect is left to assert, expected\n\n{expected}"));
        };
        if actual != expected {
            fail(&format!("another effect was asked for.\n\n{}", describe_lines(&expected, &actual)));
        }
    }

    /// Moves time on; what waited for it comes back in its order.
    #[track_caller]
    pub fn advance(&mut self, by: Duration) {
        self.running.poll();
        let Self { control, running, .. } = self;
        control.clock.advance_in_steps(by, || {
            control.tasks.run();
            running.poll();
        });
    }

    /// Gives the oldest request of this kind its outcome: `store.answer(|append: &AppendEvents| Ok(…))`.
    #[track_caller]
    pub fn answer<Q: Answerable>(&mut self, outcome: impl FnOnce(&Q) -> Q::Outcome) {
        self.running.poll();
        if !self.answers.answer(outcome) {
            fail(&format!("no such request waits for an answer.\n{}", self.running.describe()));
        }
        self.running.poll();
    }

    /// Lets effects that are under way end unasserted: for streams that have no end.
    pub fn forget_running(&mut self) {
        self.running.forget();
    }

    #[track_caller]
    fn reduce(&mut self, action: R::Action, change: impl FnOnce(&mut R::State)) {
        let mut expected = self.state.clone();
        change(&mut expected);
        let name = format!("{action:?}");
        let effects = self.reducer.reduce(&mut self.state, action, &self.environment);
        self.unasserted.extend(effects.describe());
        self.running.start(effects);
        if self.state != expected {
            let difference = difference(&expected, &self.state);
            fail(&format!("the state after {name} is not as expected.\n\n{difference}"));
        }
    }

    #[track_caller]
    fn fail_if_unasserted(&self, when: &str) {
        self.fail_if_effects_unasserted(when);
        let received = self.running.received();
        if !received.is_empty() {
            fail(&format!("actions came back and must be received {when}:\n\n  {}", received.join("\n  ")));
        }
    }

    #[track_caller]
    fn fail_if_effects_unasserted(&self, when: &str) {
        if !self.unasserted.is_empty() {
            let effects: Vec<_> = self.unasserted.iter().map(ToString::to_string).collect();
            let effects = effects.join("\n").replace('\n', "\n  ");
            fail(&format!("effects were asked for and must be asserted {when}:\n\n  {effects}"));
        }
    }
}

impl<R: TestedReducer> Drop for TestStore<R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.running.poll();
        let mut left: Vec<String> =
            self.unasserted.iter().map(|effect| format!("effect    {effect}")).collect();
        left.extend(self.running.received().iter().map(|action| format!("action    {action}")));
        left.extend(self.running.names().iter().map(|name| format!("running   {name}")));
        if !left.is_empty() {
            let left = left.join("\n").replace('\n', "\n  ");
            fail(&format!("the test ended and did not assert:\n\n  {left}"));
        }
    }
}

impl<R: TestedReducer> Debug for TestStore<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestStore").field("state", &self.state).finish_non_exhaustive()
    }
}
