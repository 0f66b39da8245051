//! What an effect is, without running it: comparable and printable.

use super::{Effect, EffectId, Effects, HostCall, HostRequest, Spaced};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt::{self, Debug};

/// The kinds of effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EffectKind {
    /// Awaits a future.
    Future,
    /// Follows a stream.
    Stream,
    /// Waits in memory.
    Delay,
    /// Side by side.
    Parallel,
    /// One after the other.
    Sequential,
    /// Appends events.
    AppendEvents,
    /// Reads events.
    LoadEvents,
    /// Saves a snapshot.
    SaveSnapshot,
    /// Loads a snapshot.
    LoadSnapshot,
    /// Tells whoever listens.
    Notify,
    /// Executes a command.
    Dispatch,
    /// Sets a durable timer.
    ScheduleTimer,
    /// Removes a durable timer.
    CancelTimer,
    /// Can be cancelled.
    Cancellable,
    /// Cancels.
    Cancel,
    /// Waits for quiet.
    Debounce,
    /// Holds apart.
    Throttle,
}

impl EffectKind {
    /// Its name, for traces and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Future => "future",
            Self::Stream => "stream",
            Self::Delay => "delay",
            Self::Parallel => "parallel",
            Self::Sequential => "sequential",
            Self::AppendEvents => "append events",
            Self::LoadEvents => "load events",
            Self::SaveSnapshot => "save snapshot",
            Self::LoadSnapshot => "load snapshot",
            Self::Notify => "notify",
            Self::Dispatch => "dispatch",
            Self::ScheduleTimer => "schedule timer",
            Self::CancelTimer => "cancel timer",
            Self::Cancellable => "cancellable",
            Self::Cancel => "cancel",
            Self::Debounce => "debounce",
            Self::Throttle => "throttle",
        }
    }
}

impl fmt::Display for EffectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an effect is: its kind, what it acts on, what it carries, and the effects inside it.
///
/// Of a future or a stream only the name can be told.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectDescription {
    /// The kind.
    pub kind: EffectKind,
    /// What it acts on: a stream, an aggregate, a name, a duration.
    pub target: String,
    /// What it carries.
    pub payload: Value,
    /// The effects inside it, in order.
    pub parts: Vec<Self>,
}

impl EffectDescription {
    /// A description without payload and parts.
    pub fn new(kind: EffectKind, target: impl Into<String>) -> Self {
        Self { kind, target: target.into(), payload: Value::Null, parts: Vec::new() }
    }

    /// The description of a future named `name`.
    pub fn future(name: impl Into<String>) -> Self {
        Self::new(EffectKind::Future, name)
    }

    /// The description of a stream named `name`.
    pub fn stream(name: impl Into<String>) -> Self {
        Self::new(EffectKind::Stream, name)
    }

    /// The description of cancelling `id`.
    pub fn cancel(id: impl Into<EffectId>) -> Self {
        Self::new(EffectKind::Cancel, id.into().as_str())
    }

    /// With what the effect carries.
    #[must_use]
    pub fn with_payload(mut self, payload: Value) -> Self {
        self.payload = payload;
        self
    }

    /// With the effects inside.
    #[must_use]
    pub fn with_parts(mut self, parts: impl IntoIterator<Item = Self>) -> Self {
        self.parts = parts.into_iter().collect();
        self
    }

    /// This effect, cancellable by `id`.
    #[must_use]
    pub fn cancellable(self, id: impl Into<EffectId>) -> Self {
        Self::new(EffectKind::Cancellable, id.into().as_str()).with_parts([self])
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        write!(f, "{:indent$}{}", "", self.kind, indent = depth * 2)?;
        if !self.target.is_empty() {
            write!(f, " {}", self.target)?;
        }
        match &self.payload {
            Value::Null => {}
            Value::String(text) => write!(f, ": {text}")?,
            payload @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                write!(f, ": {payload}")?;
            }
        }
        for part in &self.parts {
            writeln!(f)?;
            part.write(f, depth + 1)?;
        }
        Ok(())
    }
}

/// One line for each effect: kind, target and payload; parts are indented.
impl fmt::Display for EffectDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

impl<A: Debug + 'static> Effect<A> {
    /// What it is, without running it.
    pub fn describe(&self) -> EffectDescription {
        let new = |target: &str| EffectDescription::new(self.kind(), target);
        match self {
            Self::Future(task) => new(task.name()),
            Self::Stream(source) => new(source.name()),
            Self::Delay(delay) => {
                new(&format!("{:?}", delay.after)).with_payload(Value::String(format!("{:?}", delay.action)))
            }
            Self::Parallel(effects) | Self::Sequential(effects) => {
                new("").with_parts(effects.iter().map(Self::describe))
            }
            Self::AppendEvents(call) => describe_call(self, call),
            Self::LoadEvents(call) => describe_call(self, call),
            Self::SaveSnapshot(call) => describe_call(self, call),
            Self::LoadSnapshot(call) => describe_call(self, call),
            Self::Dispatch(call) => describe_call(self, call),
            Self::ScheduleTimer(call) => describe_call(self, call),
            Self::CancelTimer(call) => describe_call(self, call),
            Self::Notify(notice) => new(notice.topic).with_payload(match &notice.payload {
                Ok(payload) => payload.clone(),
                Err(error) => Value::String(format!("not encodable: {error}")),
            }),
            Self::Cancellable(inner) => new(inner.id.as_str()).with_parts([inner.effect.describe()]),
            Self::Cancel(id) => new(id.as_str()),
            Self::Debounce(spaced) | Self::Throttle(spaced) => {
                new(&spacing(spaced)).with_parts([spaced.effect.describe()])
            }
        }
    }
}

impl<A: Debug + 'static> Effects<A> {
    /// What they are, in order, without running them.
    pub fn describe(&self) -> Vec<EffectDescription> {
        self.iter().map(Effect::describe).collect()
    }
}

/// One effect describes itself, several are parallel parts; so a test can write what it expects as a reducer would.
impl<A: Debug + 'static> From<Effects<A>> for EffectDescription {
    fn from(effects: Effects<A>) -> Self {
        let mut parts = effects.describe();
        match (parts.pop(), parts.is_empty()) {
            (Some(only), true) => only,
            (last, _) => Self::new(EffectKind::Parallel, "").with_parts(parts.into_iter().chain(last)),
        }
    }
}

fn describe_call<Q: HostRequest, A: 'static>(effect: &Effect<A>, call: &HostCall<Q, A>) -> EffectDescription {
    call.describe().unwrap_or_else(|| EffectDescription::new(effect.kind(), ""))
}

fn spacing<A>(spaced: &Spaced<A>) -> Cow<'_, str> {
    Cow::Owned(format!("{} by {:?}", spaced.id, spaced.span))
}
