//! Tasks of one life, which all end with it.

use super::fuse::Fuse;
use composable_rust_core::Spawner;
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinHandle;

/// Spawns on the simulation's one thread and remembers every task.
#[derive(Debug)]
pub(super) struct LifeSpawner {
    fuse: Fuse,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    panics: Arc<Mutex<Vec<String>>>,
}

impl LifeSpawner {
    pub(super) fn new(fuse: Fuse, panics: Arc<Mutex<Vec<String>>>) -> Self {
        Self { fuse, tasks: Mutex::default(), panics }
    }

    /// Drops every task, and waits until they are dropped.
    pub(super) async fn end(&self) {
        loop {
            let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
            if tasks.is_empty() {
                return;
            }
            tasks.iter().for_each(JoinHandle::abort);
            for task in tasks {
                if let Err(error) = task.await
                    && error.is_panic()
                {
                    self.panics.lock().unwrap_or_else(PoisonError::into_inner).push(error.to_string());
                }
            }
        }
    }
}

impl Spawner for LifeSpawner {
    #[expect(clippy::disallowed_methods, reason = "this is the simulation's spawner behind the port")]
    fn spawn(&self, _: &'static str, task: BoxFuture<'static, ()>) {
        let task = tokio::spawn(self.fuse.guard(task));
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }
}
