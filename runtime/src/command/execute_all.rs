//! One command over several aggregates: all decided, appended atomically, or nothing.

use super::Done;
use super::earlier::Earlier;
use super::error::{AnyRejection, ExecuteError, Failure};
use super::execute::{place, unknown_decider};
use super::expectation::Expectation;
use super::participant::Participant;
use super::request::RequestContext;
use super::target::{AnyTarget, Inform, Part, Target};
use crate::application::Shared;
use async_trait::async_trait;
use composable_rust_core::port::{Appended, CommandRecord};
use composable_rust_core::{Action, Command, DeciderOf, IntoKey, KeyOf, Position};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::fmt::Debug;
use std::sync::Arc;

/// A command and the aggregate that it is for; made by [`on`].
#[derive(Debug, Clone, PartialEq)]
pub struct CommandOn<C: Command> {
    key: <C::Action as Action>::Key,
    command: C,
    expected: Expectation,
}

impl<C: Command> CommandOn<C> {
    /// Only if the aggregate is at this version, as [`Execute::expecting`](crate::Execute::expecting); if not, nothing
    /// of the whole is carried out.
    #[must_use]
    pub fn expecting(mut self, version: impl Into<Expectation>) -> Self {
        self.expected = version.into();
        self
    }

    /// Completes the command with the events that earlier parts of the set decided, such as the seats that an inventory
    /// chose; again at each attempt, since another attempt may choose others.
    #[must_use]
    pub fn informed_by(
        self,
        inform: impl Fn(&mut C, &Earlier<'_>) + Send + Sync + 'static,
    ) -> InformedCommand<C> {
        InformedCommand { on: self, inform: Box::new(inform) }
    }
}

/// A command that is completed with what earlier parts of its set decided; made by [`CommandOn::informed_by`].
pub struct InformedCommand<C: Command> {
    on: CommandOn<C>,
    inform: Inform<C>,
}

impl<C: Command> Debug for InformedCommand<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InformedCommand({:?})", self.on.command)
    }
}

/// Names the aggregate of a command: `execute_all((on(section, hold), on("anna", count)))`.
pub fn on<C: Command>(key: impl IntoKey<<C::Action as Action>::Key>, command: C) -> CommandOn<C> {
    CommandOn { key: key.into_key(), command, expected: Expectation::default() }
}

/// What several commands led to; `parts` has the shape of what was given: a [`Part`] for each command.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiptOfAll<P> {
    /// What each wrote.
    pub parts: P,
    /// The place of the last event in the log.
    pub position: Position,
    /// When they were recorded.
    pub recorded_at: Timestamp,
    /// Whether this is the first result of a command that was given again.
    pub replayed: bool,
}

/// Commands that belong together: a [`CommandOn`], a `Vec` or a tuple (up to six) of such sets.
pub trait TargetSet: Send + 'static {
    /// What each command wrote.
    type Parts: Send;
    /// The commands on their way.
    #[doc(hidden)]
    type Running: RunningSet<Parts = Self::Parts>;

    /// Finds the deciders.
    #[doc(hidden)]
    fn start(self, shared: &SharedRef<'_>) -> Result<Self::Running, NotStarted>;
}

/// Why a set could not be started; boxed, because it is far larger than what is started.
type NotStarted = Box<ExecuteError<AnyRejection>>;

/// The application, opaque to users of [`TargetSet`].
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct SharedRef<'a>(pub(crate) &'a Arc<Shared>);

/// The participants of a set.
#[doc(hidden)]
#[async_trait]
pub trait RunningSet: Send {
    /// What each command wrote.
    type Parts: Send;

    /// Adds the participants in order.
    fn collect<'a>(&'a mut self, into: &mut Targets<'a>);

    /// Reads the results in order.
    async fn finish(&mut self, done: &DoneRef<'_>) -> Result<Self::Parts, ExecuteError<AnyRejection>>;
}

/// Participants, opaque to users.
#[doc(hidden)]
#[derive(Default)]
pub struct Targets<'a>(Vec<&'a mut dyn AnyTarget>);

impl Debug for Targets<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} targets", self.0.len())
    }
}

/// A result, opaque to users.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum DoneRef<'a> {
    /// Written now.
    Written(&'a Appended),
    /// Written before.
    Replayed(&'a CommandRecord),
}

/// Several commands about to be carried out as one: `.await` it, as [`Execute`](crate::Execute).
///
/// # Errors
/// [`ExecuteError`]; a refusal of any part as an [`AnyRejection`].
///
/// # Cancel safety
/// As for one command: all or nothing.
#[derive(Debug)]
#[must_use = "commands are carried out when they are awaited"]
pub struct ExecuteAll<T> {
    shared: Arc<Shared>,
    set: T,
    request: RequestContext,
}

impl<T: TargetSet> ExecuteAll<T> {
    pub(crate) fn new(shared: Arc<Shared>, set: T) -> Self {
        Self { shared, set, request: RequestContext::default() }
    }

    /// With their identity and origin.
    pub fn request(mut self, request: RequestContext) -> Self {
        self.request = request;
        self
    }

    async fn run(self) -> Result<ReceiptOfAll<T::Parts>, ExecuteError<AnyRejection>> {
        let _inside = self.shared.gate.enter().ok_or(ExecuteError::Draining)?;
        let mut running = self.set.start(&SharedRef(&self.shared)).map_err(|error| *error)?;
        let done = {
            let mut targets = Targets::default();
            running.collect(&mut targets);
            let mut parts: Vec<&mut dyn Participant> =
                targets.0.iter_mut().map(|target| &mut **target as &mut dyn Participant).collect();
            let result = self.shared.executor.execute(&mut parts, &self.request.into()).await;
            drop(parts);
            result.map_err(|failure| {
                failure.with_rejection(|index| targets.0.get_mut(index)?.any_rejection(index))
            })?
        };
        let (position, recorded_at, replayed) = place(&done);
        let done = match &done {
            Done::Written(appended) => DoneRef::Written(appended),
            Done::Replayed(record) => DoneRef::Replayed(record),
        };
        Ok(ReceiptOfAll { parts: running.finish(&done).await?, position, recorded_at, replayed })
    }
}

impl<T: TargetSet> IntoFuture for ExecuteAll<T> {
    type Output = Result<ReceiptOfAll<T::Parts>, ExecuteError<AnyRejection>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<C: Command> TargetSet for CommandOn<C> {
    type Parts = Part<DeciderOf<C>>;
    type Running = RunningTarget<C>;

    fn start(self, shared: &SharedRef<'_>) -> Result<Self::Running, NotStarted> {
        let aggregates =
            shared.0.aggregates::<DeciderOf<C>>().ok_or_else(unknown_decider::<DeciderOf<C>, _>)?;
        let key: KeyOf<DeciderOf<C>> = self.key;
        Target::new(aggregates, &key, self.command, false)
            .map(|target| RunningTarget(target.expecting(self.expected)))
            .map_err(|error| Box::new(fail(error.into())))
    }
}

/// One command of a set on its way.
#[doc(hidden)]
pub struct RunningTarget<C: Command>(Target<DeciderOf<C>>);

impl<C: Command> Debug for RunningTarget<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RunningTarget({})", self.0.stream())
    }
}

#[async_trait]
impl<C: Command> RunningSet for RunningTarget<C> {
    type Parts = Part<DeciderOf<C>>;

    fn collect<'a>(&'a mut self, into: &mut Targets<'a>) {
        into.0.push(&mut self.0);
    }

    async fn finish(&mut self, done: &DoneRef<'_>) -> Result<Self::Parts, ExecuteError<AnyRejection>> {
        match done {
            DoneRef::Written(appended) => self.0.written(appended),
            DoneRef::Replayed(record) => self.0.replayed(record).await,
        }
        .map_err(fail)
    }
}

impl<C: Command> TargetSet for InformedCommand<C> {
    type Parts = Part<DeciderOf<C>>;
    type Running = RunningTarget<C>;

    fn start(self, shared: &SharedRef<'_>) -> Result<Self::Running, NotStarted> {
        let RunningTarget(target) = self.on.start(shared)?;
        Ok(RunningTarget(target.informed_by(self.inform)))
    }
}

impl<T: TargetSet> TargetSet for Vec<T> {
    type Parts = Vec<T::Parts>;
    type Running = Vec<T::Running>;

    fn start(self, shared: &SharedRef<'_>) -> Result<Self::Running, NotStarted> {
        self.into_iter().map(|set| set.start(shared)).collect()
    }
}

#[async_trait]
impl<R: RunningSet> RunningSet for Vec<R> {
    type Parts = Vec<R::Parts>;

    fn collect<'a>(&'a mut self, into: &mut Targets<'a>) {
        for set in self {
            set.collect(into);
        }
    }

    async fn finish(&mut self, done: &DoneRef<'_>) -> Result<Self::Parts, ExecuteError<AnyRejection>> {
        let mut parts = Vec::with_capacity(self.len());
        for set in self {
            parts.push(set.finish(done).await?);
        }
        Ok(parts)
    }
}

/// Sets of several sets.
macro_rules! tuples {
    ($(($($name:ident $index:tt),+))+) => {$(
        impl<$($name: TargetSet),+> TargetSet for ($($name,)+) {
            type Parts = ($($name::Parts,)+);
            type Running = ($($name::Running,)+);

            fn start(self, shared: &SharedRef<'_>) -> Result<Self::Running, NotStarted> {
                Ok(($(self.$index.start(shared)?,)+))
            }
        }

        #[async_trait]
        impl<$($name: RunningSet),+> RunningSet for ($($name,)+) {
            type Parts = ($($name::Parts,)+);

            fn collect<'a>(&'a mut self, into: &mut Targets<'a>) {
                $(self.$index.collect(into);)+
            }

            async fn finish(&mut self, done: &DoneRef<'_>) -> Result<Self::Parts, ExecuteError<AnyRejection>> {
                Ok(($(self.$index.finish(done).await?,)+))
            }
        }
    )+};
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}

fn fail(failure: Failure) -> ExecuteError<AnyRejection> {
    failure.with_rejection(|_| None)
}
