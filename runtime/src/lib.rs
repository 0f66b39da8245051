//! Everything that runs: the in-memory [`Store`](store::Store), command handling, processes, the relay, and the
//! [`ApplicationBuilder`] that assembles them. No SQL, no Kafka, no HTTP here.

mod application;
pub mod bus;
mod cache;
mod command;
mod environment;
mod process;
mod relay;
pub mod resilience;
mod sessions;
pub mod store;

pub use application::{
    Application, ApplicationBuilder, ApplicationError, ApplicationOptions, BoxError, ComponentHealth,
    ComponentStatus, Finding, Service,
};
pub use cache::InProcessCache;
pub use command::{
    Acknowledged, AnyRejection, CommandOn, CommandOptions, CommitterOptions, DeciderOptions, Earlier,
    Execute, ExecuteAll, ExecuteError, Expectation, InformedCommand, Loaded, OverLimit, Part, Receipt,
    ReceiptOfAll, RequestContext, SnapshotPolicy, TargetSet, on,
};
pub use composable_rust_projections::{Behind, Shows, View, ViewError, ViewPage, ViewQuery};
pub use environment::*;
pub use process::ProcessOptions;
pub use relay::RelayOptions;
pub use sessions::InProcessSessions;
