//! One stream's part in a command: an aggregate that decides, or a process instance that takes a step.

use super::chain::Chain;
use super::earlier::Earlier;
use super::error::Failure;
use async_trait::async_trait;
use composable_rust_core::port::{NewTimer, StreamAppend};
use composable_rust_core::{Context, Environment, RawMetadata, StreamId};
use std::any::Any;
use std::sync::Arc;

/// What a participant wants written.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) append: StreamAppend,
    pub(crate) cancel: Vec<composable_rust_core::TimerId>,
    pub(crate) schedule: Vec<NewTimer>,
}

/// Why a participant wants nothing written.
#[derive(Debug)]
pub(crate) enum Undecided {
    /// It refuses, and keeps the typed refusal.
    Refused,
    /// It could not decide.
    Failed(Failure),
}

/// What all participants of a command share.
#[derive(Debug)]
pub(crate) struct Deciding<'a> {
    pub(crate) context: Context,
    pub(crate) environment: &'a Environment,
    pub(crate) metadata: &'a RawMetadata,
    /// What the parts before this one have decided.
    pub(crate) earlier: Earlier<'a>,
}

/// One stream's part in a command. The executor calls, for all participants together: `warm` where there are several, `enter` in the order of the
/// streams, `decide`, then either `advance` (after the append was queued) or nothing, then `leave`.
#[async_trait]
pub(crate) trait Participant: Send + Sync {
    /// Its stream.
    fn stream(&self) -> &StreamId;

    /// What is asked of it, for telling a repeat from another command under the same id.
    fn command_name(&self) -> &'static str {
        ""
    }

    /// Loads the state, if that is needed and can be done without waiting for others.
    async fn warm(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Locks the state and loads it where needed.
    async fn enter(&mut self) -> Result<(), Failure>;

    /// The chain of the locked state.
    fn chain(&self) -> Option<&Arc<Chain>>;

    /// An append of nothing that succeeds while the locked state is the newest.
    fn check(&self) -> Option<StreamAppend>;

    /// The user's function that decides, for telling that it panicked.
    fn function(&self) -> &'static str {
        "decide"
    }

    /// Decides on the locked state, which stays as it is; a panic is the caller's to catch.
    fn decide(&mut self, deciding: &Deciding<'_>) -> Result<Decided, Undecided>;

    /// What was decided, for the parts after this one: a `Vec` of events.
    fn decided(&self) -> &dyn Any {
        &()
    }

    /// Moves the locked state on by what was decided.
    fn advance(&mut self);

    /// Throws the locked state away, after [`Self::advance`] broke off: it is loaded again for the next command.
    fn forget(&mut self);

    /// Unlocks the state.
    fn leave(&mut self);
}
