//! Stops calling what keeps failing, and tries with one call whether it is well again.

use super::circuit::Circuit;
use super::{CircuitOptions, CircuitState, Policy, PolicyError};
use composable_rust_core::Clock;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A circuit went from one state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitChange {
    /// The circuit's name.
    pub circuit: &'static str,
    /// The state before.
    pub from: CircuitState,
    /// The state now.
    pub to: CircuitState,
}

/// Opens after some failures in a row and then refuses calls, so that a failing dependency is left in peace and callers
/// need not wait for it. After a while one call goes through as a probe: its success closes the circuit.
///
/// Every `Err` of a call is a failure of the other side; an answer that the domain expects belongs into `Ok`.
#[derive(Clone)]
pub struct CircuitBreaker {
    inner: Arc<Inner>,
}

struct Inner {
    name: &'static str,
    clock: Arc<dyn Clock>,
    circuit: Mutex<Circuit>,
    observer: Option<Box<dyn Fn(CircuitChange) + Send + Sync>>,
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { name, .. } = &*self.inner;
        f.debug_struct("CircuitBreaker")
            .field("name", name)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl CircuitBreaker {
    /// A closed circuit; `name` shows in errors, logs and metrics.
    pub fn new(name: &'static str, options: CircuitOptions, clock: Arc<dyn Clock>) -> Self {
        let circuit = Mutex::new(Circuit::new(options));
        Self { inner: Arc::new(Inner { name, clock, circuit, observer: None }) }
    }

    /// A closed circuit that tells `observer` every change, in the caller's turn and outside its lock.
    pub fn observed(
        name: &'static str,
        options: CircuitOptions,
        clock: Arc<dyn Clock>,
        observer: impl Fn(CircuitChange) + Send + Sync + 'static,
    ) -> Self {
        let circuit = Mutex::new(Circuit::new(options));
        Self { inner: Arc::new(Inner { name, clock, circuit, observer: Some(Box::new(observer)) }) }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.inner.name
    }

    /// Its state now. An open circuit becomes half-open with the call that probes.
    pub fn state(&self) -> CircuitState {
        self.inner.lock().state()
    }
}

impl Policy for CircuitBreaker {
    async fn call<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send,
        E: From<PolicyError> + Send,
        F: Future<Output = Result<T, E>> + Send,
    {
        let call = self.inner.admit()?;
        let result = work.await;
        call.end(result.is_ok());
        result
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self) -> Result<Call<'_>, PolicyError> {
        let now = self.clock.now();
        let (era, admitted) = self.change(|circuit| (circuit.era, circuit.admit(now)));
        match admitted {
            Ok(()) => Ok(Call { inner: self, era, ended: false }),
            Err(retry_after) => Err(PolicyError::CircuitOpen { name: self.name, retry_after }),
        }
    }

    /// Changes the circuit and tells what became of it.
    fn change<T>(&self, change: impl FnOnce(&mut Circuit) -> T) -> T {
        let mut circuit = self.lock();
        let from = circuit.state();
        let result = change(&mut circuit);
        let to = circuit.state();
        drop(circuit);
        if from != to {
            tracing::warn!(circuit = self.name, ?from, ?to, "a circuit changed");
            if let Some(observer) = &self.observer {
                observer(CircuitChange { circuit: self.name, from, to });
            }
        }
        result
    }
}

/// A call under way.
struct Call<'a> {
    inner: &'a Inner,
    era: u64,
    ended: bool,
}

impl Call<'_> {
    fn end(mut self, well: bool) {
        self.ended = true;
        let now = self.inner.clock.now();
        self.inner
            .change(|circuit| if well { circuit.succeeded(self.era) } else { circuit.failed(self.era, now) });
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let now = self.inner.clock.now();
            self.inner.change(|circuit| circuit.dropped(self.era, now));
        }
    }
}
