//! Waiting until a view has reached a position: by its signal where this instance maintains it, else by looking.

use super::{Behind, View};
use crate::engine::is_followed_here;
use crate::subscription_name;
use composable_rust_core::{Position, Projection, elapsed};
use jiff::Timestamp;
use std::time::Duration;

impl<P: Projection> View<P> {
    /// Waits until the projection shows everything up to `position`, for at most `timeout`.
    ///
    /// # Errors
    /// [`Behind`] when it does not in time.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn wait_for(&self, position: Position, timeout: Duration) -> Result<(), Behind> {
        self.wait_until(position, self.shared.deps.environment.now(), timeout).await
    }

    pub(super) async fn wait_until(
        &self,
        wanted: Position,
        since: Timestamp,
        patience: Duration,
    ) -> Result<(), Behind> {
        let clock = &self.shared.deps.environment.clock;
        loop {
            let switched = self.shared.switched.listen();
            // A store that fails is asked again until the time is up.
            let live = self.shared.live().await.ok().flatten().map(|live| live.generation);
            let monitor = live.and_then(|generation| self.shared.monitor(generation));
            let mut reached = monitor.as_ref().map_or(Position::ZERO, |monitor| monitor.signal().position());
            let here = monitor.as_ref().is_some_and(is_followed_here);
            if reached < wanted && !here {
                reached = reached.max(self.saved(live).await);
            }
            if reached >= wanted {
                return Ok(());
            }
            let passed = elapsed(since, clock.now());
            if passed >= patience {
                return Err(Behind { name: P::NAME, wanted, reached });
            }
            let options = &self.shared.options;
            let look = if here { options.subscription.poll_interval } else { options.wait_poll };
            let signal = monitor.map(|monitor| monitor.signal().clone());
            tokio::select! {
                biased;
                () = announced(signal, wanted) => {}
                () = switched => {}
                () = clock.sleep(look.min(patience.saturating_sub(passed))) => {}
            }
        }
    }

    /// The checkpoint as the store has it; zero when it cannot tell.
    async fn saved(&self, live: Option<u32>) -> Position {
        let Some(generation) = live else { return Position::ZERO };
        let subscription = subscription_name(P::NAME, generation);
        let model = self.shared.model(generation);
        let found = self.shared.deps.storage.views.get(&model, &subscription, "").await;
        found.map_or(Position::ZERO, |(_, position)| position)
    }
}

async fn announced(signal: Option<composable_rust_core::Signal>, wanted: Position) {
    match signal {
        Some(signal) => signal.reached(wanted).await,
        None => std::future::pending().await,
    }
}
