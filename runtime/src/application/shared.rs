//! What all parts of a running application share.

use super::drain::Drain;
use super::writes::Writes;
use super::{ApplicationOptions, Gate, Registry, Service};
use crate::command::{Aggregates, Executor};
use crate::store::Notices;
use composable_rust_core::Decider;
use composable_rust_core::port::EventBus;
use composable_rust_projections::{Dependencies, Monitor, ProjectionControl};
use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Values of any type, one of each.
#[derive(Default)]
pub(crate) struct Handles {
    values: Mutex<BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Handles {
    pub(crate) fn put<T: Any + Send + Sync>(&self, value: T) {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.insert(TypeId::of::<T>(), Arc::new(value));
    }

    pub(crate) fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(values.get(&TypeId::of::<T>())?).downcast().ok()
    }
}

/// A background task that tells when it has ended.
#[derive(Debug)]
pub(crate) struct Background {
    pub(crate) name: String,
    pub(crate) ended: oneshot::Receiver<()>,
}

/// What all parts of a running application share.
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) deps: Dependencies,
    pub(crate) bus: Arc<dyn EventBus>,
    /// Whether appends are written.
    pub(crate) writes: Writes,
    pub(crate) options: ApplicationOptions,
    pub(crate) executor: Arc<Executor>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) gate: Gate,
    pub(crate) notices: Notices,
    /// Tells subscriptions and workers to end.
    pub(crate) shutdown: CancellationToken,
    pub(crate) monitors: Vec<Monitor>,
    pub(crate) projections: Vec<ProjectionControl>,
    /// Typed handles of projections and whatever services leave for others.
    pub(crate) handles: Handles,
    pub(crate) background: Mutex<Vec<Background>>,
    pub(crate) drain: Drain,
    pub(crate) services: tokio::sync::Mutex<Vec<Box<dyn Service>>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The last handle is gone: what runs in the background ends, and with it what it holds.
impl Drop for Shared {
    fn drop(&mut self) {
        if !self.gate.is_closed() {
            tracing::warn!(
                application = self.name,
                "the last handle of a running application was dropped, which stops it without waiting; \
                 call `shutdown().await`"
            );
        }
        self.gate.close();
        self.shutdown.cancel();
    }
}

impl Shared {
    pub(crate) fn aggregates<D: Decider>(&self) -> Option<Arc<Aggregates<D>>> {
        self.registry.typed::<D>()
    }
}
