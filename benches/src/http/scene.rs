//! A scenario under way: a program, a clock that runs since it began, and what was measured so far.

use super::client::{Answer, Connection};
use super::program::Program;
use super::samples::{Sample, Step};
use crate::Outcome;
use crate::measure::Stopwatch;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Shared by everybody who takes part.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) program: Program,
    watch: Stopwatch,
    samples: Mutex<Vec<Sample>>,
}

impl Scene {
    /// Begins now.
    pub(super) fn begin(program: Program) -> Arc<Self> {
        Arc::new(Self { program, watch: Stopwatch::start(), samples: Mutex::default() })
    }

    /// Since it began.
    pub(super) fn now(&self) -> Duration {
        self.watch.elapsed()
    }

    /// Sends a request and notes how long its answer took, from when it was due.
    pub(super) async fn ask(
        &self,
        connection: &mut Connection,
        step: Step,
        due: Duration,
        request: &[u8],
    ) -> Option<Answer> {
        let answer = connection.send(request).await.ok();
        self.note(step, due, answer.as_ref());
        answer
    }

    /// Notes an answer, or that there was none.
    pub(super) fn note(&self, step: Step, at: Duration, answer: Option<&Answer>) {
        let status = answer.map_or(0, |answer| answer.status);
        let took = self.now().saturating_sub(at);
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).push(Sample { step, at, took, status });
    }

    /// Ends the program and answers what was measured.
    ///
    /// # Errors
    /// When somebody still takes part, or the program does not end in good order.
    pub(super) fn end(self: Arc<Self>) -> Outcome<Vec<Sample>> {
        let Some(scene) = Arc::into_inner(self) else { return Err("the scenario is not over".into()) };
        scene.program.stop()?;
        Ok(scene.samples.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Connections for people who come and go, as a proxy keeps them.
#[derive(Debug)]
pub(super) struct Pool {
    free: Mutex<Vec<Connection>>,
    slots: Semaphore,
}

impl Pool {
    /// At most so many connections at once; who comes when all are taken waits, and that counts.
    pub(super) const fn of(most: usize) -> Self {
        Self { free: Mutex::new(Vec::new()), slots: Semaphore::const_new(most) }
    }

    /// Sends a request on one of them.
    ///
    /// # Errors
    /// When there is no answer.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection.
    pub(super) async fn send(&self, program: &Program, request: &[u8]) -> Outcome<Answer> {
        let _slot = self.slots.acquire().await?;
        let free = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = free().pop();
        let mut connection = kept.unwrap_or_else(|| program.connection());
        let answer = connection.send(request).await;
        free().push(connection);
        answer
    }
}
