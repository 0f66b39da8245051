//! What an application's files begin with: `use composable_rust::prelude::*;`. Re-exports only.

pub use crate::effect::{DispatchError, Dispatched};
pub use crate::{
    Action, Activity, ActivityContext, ActivityError, ActivityPolicy, Call, Command, CommandId, Context,
    Data, Decider, Decision, Effects, Environment, Event, Events, ExpectedVersion, Id, Input, Label, Never,
    Notification, Outcome, Position, Process, ProcessId, ProcessStart, Projection, Recorded, Reducer,
    Rejected, Rejection, RejectionKind, Row, Rows, State, Step, Steps, StreamId, StreamVersion, Timestamp,
    UserId, Uuid, append_events, async_effect, call, cancel, delay, dispatch, fold, publish_event, reducer,
    schedule, steps,
};
pub use async_trait::async_trait;
pub use composable_rust_runtime::store::{Store, StoreOptions};
pub use composable_rust_runtime::{
    Acknowledged, AnyRejection, Application, ApplicationBuilder, ApplicationError, CommandOn, ExecuteError,
    Loaded, Receipt, RequestContext, View, on,
};

#[cfg(feature = "sqlite")]
pub use composable_rust_sqlite::Sqlite;

#[cfg(feature = "web")]
pub use composable_rust_web::{
    Authenticator, CommandRequest, Created, Findings, HttpOptions, IfMatch, JsonBody, KeyedRequest,
    MinPosition, PageBody, Pagination, PathId, PathIds, Principal, Problem, QueryParams, Validate, Versioned,
    WebExt, Written,
};

#[cfg(feature = "testing")]
pub use composable_rust_testing::spec::{given, given_inputs, given_no_inputs, given_nothing, project};
