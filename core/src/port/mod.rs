//! The ports: what the framework needs of a store, a bus and a coordinator, with the contract of each in its docs.
//!
//! Adapters implement these traits and are proven by the suites in `testing::contract`; nothing here does I/O.

mod bus;
mod cache;
mod checkpoints;
mod dead_letters;
mod error;
mod event_store;
mod leases;
mod pages;
pub mod plan;
mod rate_limits;
mod read_models;
mod sessions;
mod snapshots;
mod storage;
mod timers;

pub use bus::{BusError, Consumer, Delivery, EventBus, Message};
pub use cache::{Cache, Cached, MAX_CACHE_KEEP, NewCached};
pub use checkpoints::{Checkpoint, CheckpointStore};
pub use dead_letters::{DeadLetter, DeadLetterFilter, DeadLetterQueue, DlqStats, DlqStatus, NewDeadLetter};
pub use error::StoreError;
pub use event_store::{
    Append, AppendError, Appended, CommandKey, CommandRecord, Direction, EventStore, LogPage, LogQuery,
    MAX_PAYLOAD_BYTES, PAGE_BYTES, StoredResponse, StreamAppend, StreamRange, WrittenStream,
};
pub use leases::{Lease, LeaseStore};
pub use rate_limits::{Rate, RateDecision, RateLimits};
pub use read_models::{
    Filter, IndexValue, Order, Page, PageRequest, Query, ReadModel, ReadModelStore, RowChange, StoredRow,
    ViewBatch,
};
pub use sessions::{NewSession, Session, SessionKey, Sessions};
pub use snapshots::{Snapshot, SnapshotStore};
pub use storage::{OpenStorage, Storage};
pub use timers::{NewTimer, Skip, Timer, TimerChanges, TimerClaim, TimerStore};
