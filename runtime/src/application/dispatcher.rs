//! Commands of reducers: executed on the deciders of the application, as if a handler had given them.

use super::registry::Dispatched;
use super::shared::Shared;
use crate::command::{ExecuteError, RequestContext};
use async_trait::async_trait;
use composable_rust_core::Never;
use composable_rust_core::effect::{self, DispatchCommand, DispatchError, Dispatcher};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// What can go wrong besides the decider's refusal, which is told apart.
type NotExecuted = ExecuteError<Never>;

/// The registry of an application as the [`Dispatcher`] of its stores.
pub(super) struct ApplicationDispatcher(pub(super) Arc<Shared>);

impl fmt::Debug for ApplicationDispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ApplicationDispatcher").field(&self.0.name).finish()
    }
}

#[async_trait]
impl Dispatcher for ApplicationDispatcher {
    async fn dispatch(&self, request: DispatchCommand) -> Result<effect::Dispatched, DispatchError> {
        let DispatchCommand { category, key, command, id } = request;
        let _inside = self.0.gate.enter().ok_or_else(|| failed(NotExecuted::Draining))?;
        let command = command.map_err(|error| failed(NotExecuted::Invalid(error)))?;
        let Some(target) = self.0.registry.by_category(&category) else {
            let text = format!("nobody decides commands of category {category:?}: add their decider");
            return Err(failed(NotExecuted::Invalid(text)));
        };
        let request = RequestContext { command_id: id, ..RequestContext::default() };
        match target.dispatch(&self.0.executor, &key, &command, &request.into()).await {
            Ok(Dispatched::Done { version, position }) => Ok(effect::Dispatched { version, position }),
            Ok(Dispatched::Rejected(rejected)) => {
                // The giver of a command knows it; of the answer only the refusal is news.
                let rejected = serde_json::from_str::<Value>(rejected.get());
                let rejection = rejected.map(|mut rejected| rejected["rejection"].take());
                Err(rejection.map_or_else(failed, DispatchError::Rejected))
            }
            Err(failure) => Err(failed(failure.with_rejection::<Never>(|_| None))),
        }
    }
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> DispatchError {
    DispatchError::Failed(error.into())
}
