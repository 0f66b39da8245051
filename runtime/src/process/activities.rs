//! The activities of an application, by name, and how one attempt at a call is made.

use async_trait::async_trait;
use composable_rust_core::{
    Activity, ActivityCall, ActivityContext, ActivityError, ActivityPolicy, Clock, Environment, Outcome,
    panic_text,
};
use futures_util::FutureExt;
use serde_json::Value;
use serde_json::value::RawValue;
use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::oneshot;

/// All activities.
pub(crate) type Activities = BTreeMap<&'static str, Arc<dyn AnyActivity>>;

/// An activity with its types erased.
#[async_trait]
pub(crate) trait AnyActivity: Send + Sync {
    fn policy(&self) -> ActivityPolicy;

    /// One attempt: an encoded [`Outcome`].
    async fn perform(
        &self,
        call: Value,
        context: ActivityContext,
        clock: &dyn Clock,
    ) -> Result<Box<RawValue>, ActivityError>;

    /// The encoded outcome when all attempts have failed.
    fn give_up(&self, call: &Value, error: &ActivityError) -> Result<Box<RawValue>, ActivityError>;
}

/// Makes one attempt in a task of its own, so that one which blocks its thread delays nobody else's work; a panic is a
/// failure that may pass.
///
/// The answer comes when the attempt has really ended: it counts as under way until then, and no second one begins
/// beside it. The limit of time is its own, so where it blocks, it is over when it lets go.
///
/// # Cancel safety
/// Dropping the future drops the attempt at its next await.
pub(super) async fn attempt(
    activity: &Arc<dyn AnyActivity>,
    call: Value,
    context: ActivityContext,
    environment: &Environment,
) -> Result<Box<RawValue>, ActivityError> {
    let (mut tell, told) = oneshot::channel();
    let (activity, clock) = (Arc::clone(activity), Arc::clone(&environment.clock));
    let task = async move {
        let performing = AssertUnwindSafe(activity.perform(call, context, &*clock)).catch_unwind();
        let answer = tokio::select! {
            biased;
            () = tell.closed() => return,
            answer = performing => answer,
        };
        let failed = |panic: Box<dyn Any + Send>| {
            Err(ActivityError::Transient(format!("it panicked: {}", panic_text(&*panic)).into()))
        };
        // Whoever asked may have gone in this moment: then the call is made again, under its key.
        drop(tell.send(answer.unwrap_or_else(failed)));
    };
    environment.spawner.spawn("activity", Box::pin(task));
    let cut_off = |_| Err(ActivityError::Transient("the attempt was cut off".into()));
    told.await.unwrap_or_else(cut_off)
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
        call: Value,
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
        let call = decode::<A>(call.clone())?;
        let answer = self.0.give_up(&call, error);
        encode(&Outcome { call, answer })
    }
}

fn decode<A: Activity>(call: Value) -> Result<A::Call, ActivityError> {
    serde_json::from_value(call).map_err(|error| ActivityError::Permanent(error.into()))
}

fn encode<C: ActivityCall>(outcome: &Outcome<C>) -> Result<Box<RawValue>, ActivityError> {
    serde_json::value::to_raw_value(outcome).map_err(|error| ActivityError::Permanent(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live_environment;
    use std::future::pending;
    use std::sync::Mutex;
    use tokio_util::sync::{CancellationToken, DropGuard};

    /// Never answers, and tells when its attempt is dropped.
    #[derive(Debug)]
    struct Endless {
        began: CancellationToken,
        dropped: Mutex<Option<DropGuard>>,
    }

    #[async_trait]
    impl AnyActivity for Endless {
        fn policy(&self) -> ActivityPolicy {
            ActivityPolicy::default()
        }

        async fn perform(
            &self,
            _: Value,
            _: ActivityContext,
            _: &dyn Clock,
        ) -> Result<Box<RawValue>, ActivityError> {
            let _tells = self.dropped.lock().unwrap().take();
            self.began.cancel();
            pending().await
        }

        fn give_up(&self, _: &Value, error: &ActivityError) -> Result<Box<RawValue>, ActivityError> {
            Err(ActivityError::Permanent(error.to_string().into()))
        }
    }

    #[tokio::test]
    async fn an_attempt_that_nobody_waits_for_any_more_is_dropped() {
        let (began, dropped) = (CancellationToken::new(), CancellationToken::new());
        let guard = Mutex::new(Some(dropped.clone().drop_guard()));
        let activity: Arc<dyn AnyActivity> = Arc::new(Endless { began: began.clone(), dropped: guard });
        let context = ActivityContext { idempotency_key: "key".to_owned(), attempt: 1 };
        let environment = live_environment();
        tokio::select! {
            biased;
            _ = attempt(&activity, Value::Null, context, &environment) => panic!("it never answers"),
            () = began.cancelled() => {}
        }
        dropped.cancelled().await;
    }
}
