//! The deciders of an application: typed calls find theirs by type, dispatched commands by category.

use crate::command::{Aggregates, Done, Executor, Failure, Invocation, Target};
use async_trait::async_trait;
use composable_rust_core::{Action, CommandOf, Decider, Position, Rejected, StreamVersion};
use serde_json::Value;
use serde_json::value::RawValue;
use std::any::{Any, TypeId, type_name};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// All deciders.
#[derive(Default)]
pub(crate) struct Registry {
    typed: BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>,
    by_category: BTreeMap<&'static str, Arc<dyn DispatchTarget>>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.by_category.keys()).finish()
    }
}

/// How a dispatched command ended.
#[derive(Debug)]
pub(crate) enum Dispatched {
    /// It was carried out, now or before.
    Done {
        /// The aggregate's version after it.
        version: StreamVersion,
        /// The position of its last event.
        position: Position,
    },
    /// It was refused: an encoded [`Rejected`].
    Rejected(Box<RawValue>),
}

impl Registry {
    pub(crate) fn add<D: Decider>(&mut self, aggregates: Aggregates<D>) {
        let aggregates = Arc::new(aggregates);
        self.typed.insert(TypeId::of::<D>(), Arc::clone(&aggregates) as Arc<dyn Any + Send + Sync>);
        self.by_category.insert(D::Action::CATEGORY, Arc::new(aggregates));
    }

    pub(crate) fn typed<D: Decider>(&self) -> Option<Arc<Aggregates<D>>> {
        Arc::clone(self.typed.get(&TypeId::of::<D>())?).downcast().ok()
    }

    pub(crate) fn by_category(&self, category: &str) -> Option<Arc<dyn DispatchTarget>> {
        self.by_category.get(category).cloned()
    }
}

/// Executes encoded commands of one category.
#[async_trait]
pub(crate) trait DispatchTarget: Send + Sync {
    /// Executes the command `command` on the aggregate `key`.
    async fn dispatch(
        &self,
        executor: &Executor,
        key: &str,
        command: &Value,
        invocation: &Invocation,
    ) -> Result<Dispatched, Failure>;
}

#[async_trait]
impl<D: Decider> DispatchTarget for Arc<Aggregates<D>> {
    async fn dispatch(
        &self,
        executor: &Executor,
        key: &str,
        command: &Value,
        invocation: &Invocation,
    ) -> Result<Dispatched, Failure> {
        let key = key
            .parse()
            .map_err(|_| Failure::Invalid(format!("{key:?} is no key of {}", type_name::<D>())))?;
        let command = serde_json::from_value::<CommandOf<D>>(command.clone()).map_err(unencodable)?;
        let mut target = Target::new(Arc::clone(self), &key, command, false)?;
        match executor.execute(&mut [&mut target], invocation).await {
            Ok(Done::Written(appended)) => {
                let version = target.written(&appended)?.version;
                Ok(Dispatched::Done { version, position: appended.position })
            }
            Ok(Done::Replayed(record)) => {
                let version = target.version_in(&record.appended)?;
                Ok(Dispatched::Done { version, position: record.appended.position })
            }
            Err(Failure::Rejected(index)) => match target.take_rejection() {
                Some(rejection) => {
                    let rejected = Rejected::<D>::new(&key, target.take_command(), rejection);
                    let raw = serde_json::value::to_raw_value(&rejected);
                    Ok(Dispatched::Rejected(raw.map_err(unencodable)?))
                }
                None => Err(Failure::Rejected(index)),
            },
            Err(failure) => Err(failure),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
fn unencodable(error: serde_json::Error) -> Failure {
    Failure::Invalid(error.to_string())
}
