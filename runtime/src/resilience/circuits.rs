//! The circuits of an application, so that metrics and the console can show them all.

use super::{CircuitBreaker, CircuitState};
use std::sync::{Arc, Mutex, PoisonError};

/// The circuits of an application: `app.get::<Circuits>()`. The relay's, named `bus`, is always there; whoever makes
/// another, such as a gateway, adds it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Circuits {
    list: Arc<Mutex<Vec<CircuitBreaker>>>,
}

impl Circuits {
    /// Shows `circuit` too.
    pub fn add(&self, circuit: CircuitBreaker) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).push(circuit);
    }

    /// Name and state of each, in the order in which they were added.
    pub fn states(&self) -> Vec<(&'static str, CircuitState)> {
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter().map(|circuit| (circuit.name(), circuit.state())).collect()
    }
}
