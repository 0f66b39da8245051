//! The activities of an application, by name.

use async_trait::async_trait;
use composable_rust_core::{
    Activity, ActivityCall, ActivityContext, ActivityError, ActivityPolicy, Clock, Outcome,
};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All activities.
pub(crate) type Activities = BTreeMap<&'static str, Arc<dyn AnyActivity>>;

/// An activity with its types erased.
#[async_trait]
pub(crate) trait AnyActivity: Send + Sync {
    fn policy(&self) -> ActivityPolicy;

    /// One attempt: an encoded [`Outcome`].
    async fn perform(
        &self,
        call: &Value,
        context: ActivityContext,
        clock: &dyn Clock,
    ) -> Result<Box<RawValue>, ActivityError>;

    /// The encoded outcome when all attempts have failed.
    fn give_up(&self, call: &Value, error: &ActivityError) -> Result<Box<RawValue>, ActivityError>;
}

/// An activity of one type.
pub(crate) struct TypedActivity<A>(pub(crate) A);

#[async_trait]
impl<A: Activity> AnyActivity for TypedActivity<A> {
    fn policy(&self) -> ActivityPolicy {
        self.0.policy()
    }

    async fn perform(
        &self,
        call: &Value,
        context: ActivityContext,
        clock: &dyn Clock,
    ) -> Result<Box<RawValue>, ActivityError> {
        let call = decode::<A>(call)?;
        let timeout = clock.sleep(self.policy().timeout);
        let answer = tokio::select! {
            biased;
            answer = self.0.perform(call.clone(), context) => answer?,
            () = timeout => return Err(ActivityError::Transient("the attempt took too long".into())),
        };
        encode(&Outcome { call, answer })
    }

    fn give_up(&self, call: &Value, error: &ActivityError) -> Result<Box<RawValue>, ActivityError> {
        let call = decode::<A>(call)?;
        let answer = self.0.give_up(&call, error);
        encode(&Outcome { call, answer })
    }
}

fn decode<A: Activity>(call: &Value) -> Result<A::Call, ActivityError> {
    serde_json::from_value(call.clone()).map_err(|error| ActivityError::Permanent(error.into()))
}

fn encode<C: ActivityCall>(outcome: &Outcome<C>) -> Result<Box<RawValue>, ActivityError> {
    serde_json::value::to_raw_value(outcome).map_err(|error| ActivityError::Permanent(error.into()))
}
