//! One command on one aggregate.

use super::error::{ExecuteError, Failure};
use super::expectation::Expectation;
use super::request::RequestContext;
use super::target::{Part, Target};
use super::{Aggregates, Done};
use crate::application::Shared;
use composable_rust_core::{CommandOf, Decider, EventOf, KeyOf, Position, StreamVersion, UserId, stream_of};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::any::type_name;
use std::sync::Arc;

/// What a command led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt<D: Decider> {
    /// The events; empty when there was nothing to do.
    pub events: Vec<EventOf<D>>,
    /// The aggregate's version after them.
    pub version: StreamVersion,
    /// Their place in the log: a query that waits for it sees them.
    pub position: Position,
    /// When they were recorded.
    pub recorded_at: Timestamp,
    /// The state after them.
    pub state: Arc<D>,
    /// Whether this is the first result of a command that was given again.
    pub replayed: bool,
}

/// A [`Receipt`] without the state: spares a copy of a large state in a rush.
#[derive(Debug, Clone, PartialEq)]
pub struct Acknowledged<D: Decider> {
    /// The events.
    pub events: Vec<EventOf<D>>,
    /// The aggregate's version after them.
    pub version: StreamVersion,
    /// Their place in the log.
    pub position: Position,
    /// When they were recorded.
    pub recorded_at: Timestamp,
    /// Whether this is the first result of a command that was given again.
    pub replayed: bool,
}

/// The newest state of an aggregate.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded<D> {
    /// The state.
    pub state: D,
    /// Its version.
    pub version: StreamVersion,
}

/// A command about to be carried out: `.await` it, after `.request(…)`, `.by(…)` or `.expecting(…)` where it needs them.
///
/// `await` takes it as it is, and so does all that takes an [`IntoFuture`], such as `tokio::time::timeout`. Where a
/// [`Future`] itself is wanted, as by `join_all`, write [`.into_future()`](IntoFuture::into_future).
///
/// # Errors
/// [`ExecuteError`].
///
/// # Cancel safety
/// Dropping the future leaves the command either whole or not done; give it a command id to find out by repeating it.
#[derive(Debug)]
#[must_use = "a command is carried out when it is awaited"]
pub struct Execute<D: Decider> {
    shared: Arc<Shared>,
    key: KeyOf<D>,
    command: CommandOf<D>,
    request: RequestContext,
    expected: Expectation,
}

impl<D: Decider> Execute<D> {
    pub(crate) fn new(shared: Arc<Shared>, key: KeyOf<D>, command: CommandOf<D>) -> Self {
        Self { shared, key, command, request: RequestContext::default(), expected: Expectation::default() }
    }

    /// With its identity and origin.
    pub fn request(mut self, request: RequestContext) -> Self {
        self.request = request;
        self
    }

    /// On behalf of `user`.
    pub fn by(mut self, user: UserId) -> Self {
        self.request.user_id = Some(user);
        self
    }

    /// Only if the aggregate is at this version, checked together with the append: in between, nobody can change it.
    /// Otherwise [`ExecuteError::Version`]. A repeat of a command that was carried out gets its first result all the
    /// same.
    pub fn expecting(mut self, version: impl Into<Expectation>) -> Self {
        self.expected = version.into();
        self
    }

    /// Carries the command out without copying the state into the receipt.
    ///
    /// # Errors
    /// [`ExecuteError`].
    ///
    /// # Cancel safety
    /// As awaiting it.
    pub async fn acknowledged(self) -> Result<Acknowledged<D>, ExecuteError<D::Rejection>> {
        let (written, done) = self.run(false).await?;
        let Part { events, version, .. } = written;
        let (position, recorded_at, replayed) = place(&done);
        Ok(Acknowledged { events, version, position, recorded_at, replayed })
    }

    async fn receipt(self) -> Result<Receipt<D>, ExecuteError<D::Rejection>> {
        let (written, done) = self.run(true).await?;
        let (position, recorded_at, replayed) = place(&done);
        let state = written.state.unwrap_or_default();
        Ok(Receipt {
            events: written.events,
            version: written.version,
            position,
            recorded_at,
            state,
            replayed,
        })
    }

    async fn run(self, wants_state: bool) -> Result<(Part<D>, Done), ExecuteError<D::Rejection>> {
        let _inside = self.shared.gate.enter().ok_or(ExecuteError::Draining)?;
        let aggregates = self.shared.aggregates::<D>().ok_or_else(unknown_decider::<D, _>)?;
        let none = |_| None;
        let mut target = Target::new(aggregates, &self.key, self.command, wants_state)
            .map_err(|error| Failure::from(error).with_rejection(none))?
            .expecting(self.expected);
        match self.shared.executor.execute(&mut [&mut target], &self.request.into()).await {
            Ok(done) => {
                let written = match &done {
                    Done::Written(appended) => target.written(appended),
                    Done::Replayed(record) => target.replayed(record).await,
                };
                Ok((written.map_err(|failure| failure.with_rejection(none))?, done))
            }
            Err(failure) => Err(failure.with_rejection(|_| target.take_rejection())),
        }
    }
}

impl<D: Decider> IntoFuture for Execute<D> {
    type Output = Result<Receipt<D>, ExecuteError<D::Rejection>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.receipt())
    }
}

/// The state of the aggregate `key` as its stream says now; `None` when it has no event.
pub(crate) async fn load<D: Decider>(
    shared: &Shared,
    key: &KeyOf<D>,
) -> Result<Option<Loaded<D>>, ExecuteError<composable_rust_core::Never>> {
    let aggregates: Arc<Aggregates<D>> = shared.aggregates::<D>().ok_or_else(unknown_decider::<D, _>)?;
    let loaded = async {
        let (state, version, _) = aggregates.load(&stream_of::<D>(key)?).await?;
        Ok::<_, Failure>(Loaded { state, version })
    };
    let loaded = loaded.await.map_err(|failure| failure.with_rejection(|_| None))?;
    Ok((loaded.version > StreamVersion::ZERO).then_some(loaded))
}

pub(super) fn place(done: &Done) -> (Position, Timestamp, bool) {
    match done {
        Done::Written(appended) => (appended.position, appended.recorded_at, false),
        Done::Replayed(record) => (record.appended.position, record.appended.recorded_at, true),
    }
}

pub(super) fn unknown_decider<D: Decider, R: std::error::Error + 'static>() -> ExecuteError<R> {
    ExecuteError::UnknownDecider {
        category: <D::Action as composable_rust_core::Action>::CATEGORY,
        decider: type_name::<D>(),
    }
}
