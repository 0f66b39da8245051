//! Calls to the world: named, with an idempotency key, a timeout and a retry policy; their outcome is an input.

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt::Debug;
use std::time::Duration;

/// The data of a call to the world, as a process writes it: `call(Charge { … })`. Derived with `#[derive(Call)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no call of an activity",
    label = "`Call` is not derived for this type",
    note = "write `#[derive(Debug, Clone, PartialEq, Call)]` and `#[call(answer = …)]` above `{Self}`"
)]
pub trait ActivityCall:
    Serialize + DeserializeOwned + Debug + Clone + PartialEq + Send + Sync + 'static
{
    /// What the world answers, failures of the domain (a declined card) included.
    type Answer: Serialize + DeserializeOwned + Debug + Clone + PartialEq + Send + Sync + 'static;
    /// The activity's name, unique in the application.
    const NAME: &'static str;
}

/// How a call ended, with the call itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(serialize = "C: ActivityCall", deserialize = "C: ActivityCall"))]
pub struct Outcome<C: ActivityCall> {
    /// What was asked.
    pub call: C,
    /// What came of it.
    pub answer: C::Answer,
}

impl<C: ActivityCall> Outcome<C> {
    /// The name of the activity that was called.
    pub const ACTIVITY: &'static str = C::NAME;
}

/// What a call may know besides its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityContext {
    /// The same for every attempt of one call and for no other call: hand it to the other side.
    pub idempotency_key: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// An attempt failed without an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActivityError {
    /// Worth another attempt: a timeout, a refused connection, an answer that was lost.
    #[error("the attempt failed and may be repeated")]
    Transient(#[source] Box<dyn Error + Send + Sync>),
    /// Another attempt cannot help.
    #[error("the attempt failed for good")]
    Permanent(#[source] Box<dyn Error + Send + Sync>),
}

/// How long and how often an activity is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivityPolicy {
    /// Limit of one attempt.
    pub timeout: Duration,
    /// Attempts before [`Activity::give_up`] decides.
    pub max_attempts: u32,
    /// Pause after the first failed attempt; doubles with each further one, with jitter.
    pub first_pause: Duration,
    /// Longest pause.
    pub longest_pause: Duration,
}

impl Default for ActivityPolicy {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            max_attempts: 8,
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(30),
        }
    }
}

/// Performs the calls of one kind. Registered with `ApplicationBuilder::activity`.
///
/// The implementation needs `#[async_trait]`, which the prelude has, and its type `Debug`:
///
/// ```
/// use async_trait::async_trait;
/// use composable_rust_core::{Activity, ActivityContext, ActivityError, Call, Data};
///
/// #[derive(Debug, Clone, PartialEq, Call)]
/// #[call(answer = Delivery)]
/// struct SendMail { to: String }
///
/// #[derive(Debug, Clone, PartialEq, Data)]
/// enum Delivery { Sent, NeverSent }
///
/// #[derive(Debug)]
/// struct Mailer;
///
/// #[async_trait]
/// impl Activity for Mailer {
///     type Call = SendMail;
///
///     async fn perform(&self, mail: SendMail, context: ActivityContext) -> Result<Delivery, ActivityError> {
///         // Hand `context.idempotency_key` to the other side, which tells by it what is a repeat.
///         println!("{}: to {}", context.idempotency_key, mail.to);
///         Ok(Delivery::Sent)
///     }
///
///     fn give_up(&self, _: &SendMail, _: &ActivityError) -> Delivery {
///         Delivery::NeverSent
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no activity",
    label = "not an activity",
    note = "write `#[async_trait] impl Activity for {Self} {{ type Call = …; … }}`, and `#[derive(Debug)]` above `{Self}`"
)]
#[async_trait]
pub trait Activity: Debug + Send + Sync + 'static {
    /// The calls that it performs.
    type Call: ActivityCall;

    /// Makes one attempt. It may run more than once for one call: the other side tells repeats by the idempotency key.
    ///
    /// Each attempt runs in a task of its own. One that blocks its thread delays no other work, but is not cut off before
    /// it lets go; see `tokio::task::spawn_blocking`.
    ///
    /// # Errors
    /// [`ActivityError`] when there was no answer.
    ///
    /// # Cancel safety
    /// The future is dropped at any await when its time is up, or when the application stops; the call is made again under
    /// the same key.
    async fn perform(
        &self,
        call: Self::Call,
        context: ActivityContext,
    ) -> Result<<Self::Call as ActivityCall>::Answer, ActivityError>;

    /// The answer for the process when all attempts have failed: an outcome is always an input.
    fn give_up(&self, call: &Self::Call, error: &ActivityError) -> <Self::Call as ActivityCall>::Answer;

    /// Its limits.
    fn policy(&self) -> ActivityPolicy {
        ActivityPolicy::default()
    }
}
