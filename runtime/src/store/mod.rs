//! Runs one reducer in memory and performs its effects: for a session, a wizard, a connection.
//!
//! Not for what must survive: that is a decider behind the application. Nothing here is durable but what an effect
//! makes so through its host.

mod error;
mod host;
mod interpreter;
mod lane;
mod notices;
mod observer;
mod options;
mod registry;
mod request;
mod shared;

pub use error::{ObserveError, SendError, ShutdownError, WaitError};
pub use host::StorageHost;
pub use interpreter::{Interpreter, Plan, Sink};
pub use notices::Notices;
pub use observer::Observer;
pub use options::{StoreOptions, StoreStats};

use composable_rust_core::effect::{EffectHost, NoHost};
use composable_rust_core::{Environment, Reducer};
use observer::Watching;
use request::Request;
use shared::{Origin, Shared};
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// A reducer that a [`Store`] can run; every reducer with such types is one.
///
/// The reducer's environment holds the application's [`Environment`], from which the store takes time and tasks.
pub trait StoreReducer:
    Reducer<
        State: Send + 'static,
        Action: Clone + Send + 'static,
        Environment: AsRef<Environment> + Send + Sync + 'static,
    > + Send
    + Sync
    + 'static
{
}

impl<R> StoreReducer for R where
    R: Reducer<
            State: Send + 'static,
            Action: Clone + Send + 'static,
            Environment: AsRef<Environment> + Send + Sync + 'static,
        > + Send
        + Sync
        + 'static
{
}

/// Holds a state, reduces actions one at a time, performs the effects, and feeds back what they give.
///
/// Clones share one state. When the last one is dropped, waiting effects end, those that work finish, and what comes
/// back from them is reduced but begins nothing further. A reducer must not use its own store: it runs under the
/// store's lock. One that panics breaks the store: its effects are cancelled, and every later action is refused.
///
/// ```
/// use composable_rust_core::{Effects, Environment, reducer};
/// use composable_rust_runtime::{live_environment, store::Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let add = reducer(|total: &mut u32, by: u32, _: &Environment| { *total += by; Effects::none() });
/// let store = Store::new(0, add, live_environment());
/// store.send(2).unwrap();
/// assert_eq!(store.state(|total| *total), 2);
/// # }
/// ```
pub struct Store<R: StoreReducer> {
    handle: Arc<Handle<R>>,
}

/// Closes the intake with the last clone of the store.
struct Handle<R: StoreReducer> {
    shared: Arc<Shared<R>>,
}

impl<R: StoreReducer> Store<R> {
    /// A store without storage: effects that need it fail and say so.
    pub fn new(state: R::State, reducer: R, environment: R::Environment) -> Self {
        Self::with_host(state, reducer, environment, Arc::new(NoHost), StoreOptions::default())
    }

    /// A store whose effects `host` carries out, within the limits of `options`.
    pub fn with_host(
        state: R::State,
        reducer: R,
        environment: R::Environment,
        host: Arc<dyn EffectHost>,
        options: StoreOptions,
    ) -> Self {
        let shared = Arc::new(Shared::new(state, reducer, environment, host, options));
        Self { handle: Arc::new(Handle { shared }) }
    }

    /// Reduces `action` now, in the caller's turn, and starts its effects.
    ///
    /// # Errors
    /// [`SendError`]; the state is unchanged then.
    pub fn send(&self, action: R::Action) -> Result<(), SendError> {
        self.shared().reduce(action, None, Origin::Caller).map_err(|refused| refused.reason)
    }

    /// Like [`Self::send`], but waits while too many effects are queued.
    ///
    /// # Errors
    /// [`SendError::Closed`] or [`SendError::Broken`].
    ///
    /// # Cancel safety
    /// Dropping the future before it completes sends nothing.
    pub async fn send_when_ready(&self, action: R::Action) -> Result<(), SendError> {
        let mut action = action;
        loop {
            match self.shared().reduce(action, None, Origin::Caller) {
                Ok(()) => return Ok(()),
                Err(refused) if refused.reason == SendError::Overloaded => action = refused.action,
                Err(refused) => return Err(refused.reason),
            }
            self.shared().room().await;
        }
    }

    /// Sends `action` and waits for its answer: the first action that `is_answer` accepts among those that the effects
    /// of `action` led to.
    ///
    /// An action that another request led to is never an answer, however much it looks like one; nor is `action`
    /// itself. When everything the request started has ended without an answer, the wait ends at once.
    ///
    /// # Errors
    /// [`WaitError`].
    ///
    /// # Cancel safety
    /// The action is reduced at the first poll; dropping the future then only stops waiting.
    pub async fn send_and_wait_for(
        &self,
        action: R::Action,
        is_answer: impl Fn(&R::Action) -> bool + Send + Sync + 'static,
        timeout: Duration,
    ) -> Result<R::Action, WaitError> {
        let (request, answer) = Request::new(is_answer);
        let deadline = self.shared().ambient().clock.sleep(timeout);
        let sent = self.shared().reduce(action, Some(&request), Origin::Caller);
        // From here on only effects hold the request; with the last of them the answer's channel closes.
        drop(request);
        sent.map_err(|refused| refused.reason)?;
        tokio::select! {
            biased;
            answer = answer => answer.map_err(|_| WaitError::Unanswered),
            () = deadline => Err(WaitError::TimedOut),
        }
    }

    /// Waits until the state is as `is_reached` says.
    ///
    /// # Errors
    /// [`WaitError::TimedOut`].
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn wait_for(
        &self,
        is_reached: impl Fn(&R::State) -> bool + Send,
        timeout: Duration,
    ) -> Result<(), WaitError> {
        let shared = self.shared();
        let _watching = Watching::new(&shared.watchers);
        let mut deadline = shared.ambient().clock.sleep(timeout);
        loop {
            let mut changed = pin!(shared.changed.notified());
            // Listening before looking, so that no change falls between.
            changed.as_mut().enable();
            if shared.read(&is_reached) {
                return Ok(());
            }
            tokio::select! {
                biased;
                () = changed => {}
                () = &mut deadline => return Err(WaitError::TimedOut),
            }
        }
    }

    /// Reads the state. Keep it short: nothing is reduced meanwhile. Must not use the store.
    pub fn state<T>(&self, read: impl FnOnce(&R::State) -> T) -> T {
        self.shared().read(read)
    }

    /// Follows all actions from now on, each after it changed the state. An observer that is more than
    /// [`StoreOptions::observer_buffer`] behind is told that it lagged.
    ///
    /// # Errors
    /// [`ObserveError::Closed`] after a shutdown.
    pub fn observe(&self) -> Result<Observer<R::Action>, ObserveError> {
        self.shared().observe().ok_or(ObserveError::Closed)
    }

    /// What the store has done and is doing.
    pub fn stats(&self) -> StoreStats {
        self.shared().stats()
    }

    /// Refuses new actions, ends what only waits (delays, streams, debounced work), and lets the rest finish; what comes
    /// back meanwhile still changes the state, which can be read afterwards.
    ///
    /// # Errors
    /// [`ShutdownError`] when the time was up and running effects were dropped.
    ///
    /// # Cancel safety
    /// The intake stays closed; calling it again goes on.
    pub async fn shutdown(&self, timeout: Duration) -> Result<(), ShutdownError> {
        let shared = self.shared();
        shared.close_intake();
        let mut deadline = shared.ambient().clock.sleep(timeout);
        loop {
            let mut drained = pin!(shared.drained.notified());
            drained.as_mut().enable();
            if shared.is_drained() {
                break;
            }
            tokio::select! {
                biased;
                () = drained => {}
                () = &mut deadline => break,
            }
        }
        match shared.close() {
            0 => Ok(()),
            effects => Err(ShutdownError { effects }),
        }
    }

    fn shared(&self) -> &Arc<Shared<R>> {
        &self.handle.shared
    }
}

impl<R: StoreReducer> Clone for Store<R> {
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle) }
    }
}

impl<R: StoreReducer> fmt::Debug for Store<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl<R: StoreReducer> Drop for Handle<R> {
    fn drop(&mut self) {
        self.shared.abandon();
    }
}
