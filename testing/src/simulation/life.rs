//! One life of the application: from a start to its end or to a crash.

use super::fuse::Fuse;
use super::spawner::LifeSpawner;
use super::world::Simulation;
use crate::memory::Faults;
use composable_rust_core::{Environment, SeededRandom};
use std::sync::Arc;
use std::time::Duration;

/// How a life is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Life {
    /// Crash after so many polls of its tasks; `None` lets it live.
    pub crash_after: Option<u64>,
    /// How far its machine's clock is ahead of the storage's.
    pub clock_ahead: Duration,
}

impl Life {
    /// A life that ends when its body does.
    pub const CALM: Self = Self { crash_after: None, clock_ahead: Duration::ZERO };

    /// A life that crashes after `polls` polls.
    pub const fn crashing_after(polls: u64) -> Self {
        Self { crash_after: Some(polls), ..Self::CALM }
    }
}

/// How a life ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending<T> {
    /// Its body ended with this.
    Finished(T),
    /// It crashed; everything in memory is gone.
    Crashed,
}

impl Simulation {
    /// Lives one life: `body` gets the environment with which to start the application. Whatever it spawned is gone
    /// when this returns, as if the process had been killed.
    pub async fn live<T>(&self, life: Life, body: impl AsyncFnOnce(Environment) -> T) -> Ending<T> {
        let fuse = Fuse::new(life.crash_after);
        let spawner = Arc::new(LifeSpawner::new(fuse.clone(), self.panics()));
        let environment = Environment {
            clock: Arc::new(self.virtual_clock().skewed(life.clock_ahead)),
            ids: self.ids(),
            random: Arc::new(SeededRandom::new(self.next_u64())),
            spawner: Arc::clone(&spawner) as _,
        };
        let faults: Faults = self.faults();
        let ending = tokio::select! {
            biased;
            () = fuse.blown() => Ending::Crashed,
            () = faults.crashed() => Ending::Crashed,
            result = fuse.guard(body(environment)) => Ending::Finished(result),
        };
        spawner.end().await;
        faults.revive();
        self.count_polls(fuse.polls());
        ending
    }
}
