//! The live environment: the machine's clock, fresh ids, random numbers and tokio tasks.
//!
//! The only place of the libraries that asks the machine for them; everything else goes through the ports.

use composable_rust_core::{Clock, Environment, IdGenerator, Randomness, Spawner, panic_text, uuid_v7};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The machine's clock; waits on tokio's timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the live clock behind the port")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Fresh `UUIDv7` ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl IdGenerator for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "these are the live ids behind the port")]
    fn new_id(&self, now: Timestamp) -> Uuid {
        uuid_v7(now, rand::random(), rand::random())
    }
}

/// The machine's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Randomness for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "this is the live randomness behind the port")]
    fn next_u64(&self) -> u64 {
        rand::random()
    }
}

/// Spawns tokio tasks; must be used inside a tokio runtime. A panic ends its task, is logged, and goes no further.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioSpawner;

impl Spawner for TokioSpawner {
    #[expect(clippy::disallowed_methods, reason = "this is the live spawner behind the port")]
    fn spawn(&self, name: &'static str, task: BoxFuture<'static, ()>) {
        drop(tokio::spawn(async move {
            if let Err(panic) = AssertUnwindSafe(task).catch_unwind().await {
                tracing::error!(task = name, panic = panic_text(panic.as_ref()), "a task panicked");
            }
        }));
    }
}

/// The environment of a running application. Must be used inside a tokio runtime.
pub fn live_environment() -> Environment {
    Environment {
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        random: Arc::new(SystemRandom),
        spawner: Arc::new(TokioSpawner),
    }
}
