//! Effects as data: what a reducer wants done, which can be compared and printed without doing it.
//!
//! Nothing here runs an effect; `runtime::store` does, with an [`EffectHost`] for what needs storage.

mod call;
mod describe;
mod effects;
mod host;
mod id;
mod macros;
mod map;
mod notification;
mod request;
mod task;

pub use call::{HostCall, HostRequest};
pub use describe::{EffectDescription, EffectKind};
pub use effects::Effects;
#[doc(hidden)]
pub use effects::append_or_else;
pub use host::{DispatchError, Dispatched, Dispatcher, EffectHost, NoHost};
pub use id::EffectId;
pub use notification::{Notice, Notification, Notifier};
pub use request::{
    AppendEvents, CancelTimer, DispatchCommand, LoadEvents, LoadSnapshot, PendingEvent, SaveSnapshot,
    ScheduleTimer,
};
pub use task::{Source, Task};

use std::fmt;
use std::time::Duration;

/// One thing that a reducer wants done. Reducers make them through [`Effects`]; runners match on them.
///
/// Contents are boxed, so that four of them stay on the stack: 24 bytes each, and one allocation to make one.
pub enum Effect<A> {
    /// Awaits a future; its action, if any, comes back.
    Future(Task<A>),
    /// Follows a stream; each of its items comes back.
    Stream(Source<A>),
    /// Gives back an action after a while. Kept in memory only.
    Delay(Box<Delay<A>>),
    /// Does several things side by side.
    Parallel(Box<[Self]>),
    /// Does several things one after the other.
    Sequential(Box<[Self]>),
    /// Appends events to a stream.
    AppendEvents(HostCall<AppendEvents, A>),
    /// Reads events of a stream.
    LoadEvents(HostCall<LoadEvents, A>),
    /// Saves a snapshot.
    SaveSnapshot(HostCall<SaveSnapshot, A>),
    /// Loads a snapshot.
    LoadSnapshot(HostCall<LoadSnapshot, A>),
    /// Tells whoever listens now; at most once, never stored.
    Notify(Box<Notice>),
    /// Executes a command on an aggregate.
    Dispatch(HostCall<DispatchCommand, A>),
    /// Sets a durable timer.
    ScheduleTimer(HostCall<ScheduleTimer, A>),
    /// Removes a durable timer.
    CancelTimer(HostCall<CancelTimer, A>),
    /// Does a thing that can be cancelled by its id.
    Cancellable(Box<Identified<A>>),
    /// Cancels everything under way with this id.
    Cancel(Box<EffectId>),
    /// Does a thing once nothing with its id was asked for a while; each asking drops the one before.
    Debounce(Box<Spaced<A>>),
    /// Does a thing unless one with its id was done within a while.
    Throttle(Box<Spaced<A>>),
}

/// What [`Effect::Delay`] holds.
#[derive(Debug)]
pub struct Delay<A> {
    /// How long to wait.
    pub after: Duration,
    /// What comes back then.
    pub action: A,
}

/// What [`Effect::Cancellable`] holds.
#[derive(Debug)]
pub struct Identified<A> {
    /// What cancels it.
    pub id: EffectId,
    /// What is done.
    pub effect: Effect<A>,
}

/// What [`Effect::Debounce`] and [`Effect::Throttle`] hold.
#[derive(Debug)]
pub struct Spaced<A> {
    /// What is held apart.
    pub id: EffectId,
    /// How far apart.
    pub span: Duration,
    /// What is done.
    pub effect: Effect<A>,
}

impl<A> Effect<A> {
    /// Which kind it is.
    pub const fn kind(&self) -> EffectKind {
        match self {
            Self::Future(_) => EffectKind::Future,
            Self::Stream(_) => EffectKind::Stream,
            Self::Delay(_) => EffectKind::Delay,
            Self::Parallel(_) => EffectKind::Parallel,
            Self::Sequential(_) => EffectKind::Sequential,
            Self::AppendEvents(_) => EffectKind::AppendEvents,
            Self::LoadEvents(_) => EffectKind::LoadEvents,
            Self::SaveSnapshot(_) => EffectKind::SaveSnapshot,
            Self::LoadSnapshot(_) => EffectKind::LoadSnapshot,
            Self::Notify(_) => EffectKind::Notify,
            Self::Dispatch(_) => EffectKind::Dispatch,
            Self::ScheduleTimer(_) => EffectKind::ScheduleTimer,
            Self::CancelTimer(_) => EffectKind::CancelTimer,
            Self::Cancellable(_) => EffectKind::Cancellable,
            Self::Cancel(_) => EffectKind::Cancel,
            Self::Debounce(_) => EffectKind::Debounce,
            Self::Throttle(_) => EffectKind::Throttle,
        }
    }
}

impl<A> fmt::Debug for Effect<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Effect({})", self.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, Effects};

    #[test]
    fn effects_stay_small() {
        assert_eq!(size_of::<Effect<[u64; 8]>>(), 24);
        assert!(size_of::<Effects<[u64; 8]>>() <= 104);
    }
}
