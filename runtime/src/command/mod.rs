//! Command handling: from a command to committed events.
//!
//! [`Execute`] is what `Application::execute` returns; the rest is how it works. No HTTP and no SQL here.

mod aggregates;
mod chain;
mod committer;
mod earlier;
mod error;
mod execute;
mod execute_all;
mod executor;
mod expectation;
mod identity;
mod kept;
mod limits;
mod participant;
mod request;
mod slots;
mod snapshot;
mod target;

pub use aggregates::DeciderOptions;
pub use committer::CommitterOptions;
pub use earlier::Earlier;
pub use error::{AnyRejection, ExecuteError};
pub use execute::{Acknowledged, Execute, Loaded, Receipt};
pub use execute_all::{CommandOn, ExecuteAll, InformedCommand, ReceiptOfAll, TargetSet, on};
pub use executor::CommandOptions;
pub use expectation::Expectation;
pub use limits::OverLimit;
pub use request::RequestContext;
pub use snapshot::SnapshotPolicy;
pub use target::Part;

pub(crate) use aggregates::Aggregates;
pub(crate) use chain::Chain;
pub(crate) use committer::GroupCommitter;
pub(crate) use error::Failure;
pub(crate) use execute::load;
pub(crate) use executor::{Done, Executor};
pub(crate) use participant::{Decided, Deciding, Participant, Undecided};
pub(crate) use request::Invocation;
pub(crate) use slots::{Slot, SlotGuard, Slots};
pub(crate) use target::Target;
