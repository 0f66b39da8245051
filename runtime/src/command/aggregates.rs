//! The aggregates of one decider: loading, caching and snapshots.

use super::error::Failure;
use super::kept::KeptAs;
use super::slots::{Slot, SlotGuard, Slots};
use super::snapshot::{Since, SnapshotPolicy};
use composable_rust_core::port::{EventStore, Snapshot, SnapshotStore, StreamRange};
use composable_rust_core::{Decider, Environment, EventOf, EventSet, RecordedEvent, StreamId, StreamVersion};
use futures_util::{StreamExt, TryStreamExt, poll};
use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Events read before it is worth asking for a snapshot.
const FIRST_PAGE: usize = 256;

/// How the aggregates of one decider are kept. Given to `ApplicationBuilder::decider_with`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeciderOptions {
    /// When states are saved.
    pub snapshots: SnapshotPolicy,
}

/// The aggregates of decider `D`.
pub(crate) struct Aggregates<D: Decider> {
    slots: Slots<Cached<D>>,
    events: Arc<dyn EventStore>,
    snapshots: Arc<dyn SnapshotStore>,
    environment: Environment,
    options: DeciderOptions,
    saving: Arc<Mutex<BTreeSet<StreamId>>>,
    kept: KeptAs,
}

/// A state with what its snapshots need to know.
#[derive(Debug, Clone)]
pub(crate) struct Cached<D> {
    pub(crate) state: Arc<D>,
    pub(crate) since: Since,
}

impl<D: Decider> fmt::Debug for Aggregates<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aggregates").field("decider", &std::any::type_name::<D>()).finish_non_exhaustive()
    }
}

impl<D: Decider> Aggregates<D> {
    pub(crate) fn new(
        storage: &composable_rust_core::port::Storage,
        environment: Environment,
        options: DeciderOptions,
        cached: usize,
    ) -> Self {
        Self {
            slots: Slots::new(cached),
            events: Arc::clone(&storage.events),
            snapshots: Arc::clone(&storage.snapshots),
            environment,
            options,
            saving: Arc::default(),
            kept: KeptAs::of::<D>(),
        }
    }

    /// Locks the cached state of `stream`.
    pub(crate) async fn enter(&self, stream: &StreamId) -> Result<SlotGuard<Cached<D>>, Failure> {
        self.slots.enter(stream, self.load_slot(stream)).await
    }

    /// Loads the state of `stream` where it is not cached, without waiting for its lock.
    pub(crate) async fn warm(&self, stream: &StreamId) -> Result<(), Failure> {
        self.slots.warm(stream, self.load_slot(stream)).await
    }

    async fn load_slot(&self, stream: &StreamId) -> Result<Slot<Cached<D>>, Failure> {
        let (state, version, events) = self.load(stream).await?;
        let since = Since { events, ..Since::starting(self.environment.now()) };
        Ok(Slot::new(Cached { state: Arc::new(state), since }, version))
    }

    /// The newest state, its version, and how many events were folded after the last snapshot.
    pub(crate) async fn load(&self, stream: &StreamId) -> Result<(D, StreamVersion, u64), Failure> {
        let mut folded = Folded::<D>::default();
        let range = StreamRange::after(StreamVersion::ZERO, FIRST_PAGE);
        let page = self.events.read_stream(stream, range).await?;
        let Some(last) = page.last().filter(|_| range.is_filled_by(&page)) else {
            page.iter().try_for_each(|event| folded.apply(event))?;
            return Ok((folded.state, folded.version, folded.events));
        };
        let mut rest = self.events.load_events(stream, last.version).peekable();
        if let Some(snapshot) = self.snapshot(stream).await? {
            folded = snapshot;
            rest = self.events.load_events(stream, folded.version).peekable();
        } else {
            // The next page is read while this one is folded.
            let _begun = poll!(Pin::new(&mut rest).peek());
            page.iter().try_for_each(|event| folded.apply(event))?;
        }
        while let Some(event) = rest.try_next().await? {
            folded.apply(&event)?;
        }
        Ok((folded.state, folded.version, folded.events))
    }

    /// The state right after `version`, for the first result of a repeated command.
    pub(crate) async fn load_at(&self, stream: &StreamId, version: StreamVersion) -> Result<D, Failure> {
        let mut folded = Folded::<D>::default();
        let mut events = self.events.load_events(stream, StreamVersion::ZERO);
        while let Some(event) = events.try_next().await? {
            if event.version > version {
                break;
            }
            folded.apply(&event)?;
        }
        Ok(folded.state)
    }

    /// The events after `before` up to `after`.
    pub(crate) async fn events_between(
        &self,
        stream: &StreamId,
        before: StreamVersion,
        after: StreamVersion,
    ) -> Result<Vec<EventOf<D>>, Failure> {
        let count = usize::try_from(after.get().saturating_sub(before.get())).unwrap_or(usize::MAX);
        // What one append has written, so it has a limit of its own.
        let range = StreamRange { max_bytes: usize::MAX, ..StreamRange::after(before, count) };
        let events = self.events.read_stream(stream, range).await?;
        events.iter().map(|event| decode::<D>(event).map_err(Failure::from)).collect()
    }

    /// A snapshot that still fits; anything else is ignored and the state rebuilt.
    async fn snapshot(&self, stream: &StreamId) -> Result<Option<Folded<D>>, Failure> {
        let snapshot = self.snapshots.load_snapshot(stream).await?;
        Ok(snapshot.filter(|snapshot| snapshot.schema == D::SCHEMA).and_then(|snapshot| {
            Some(Folded { state: self.kept.decode(&snapshot.state)?, version: snapshot.version, events: 0 })
        }))
    }

    /// Whether a snapshot of `cached` is due; if so the count starts anew.
    pub(crate) fn snapshot_is_due(&self, cached: &mut Cached<D>) -> bool {
        let now = self.environment.now();
        let due = cached.since.is_due(self.options.snapshots, now);
        if due {
            cached.since = Since::starting(now);
        }
        due
    }

    /// Saves a state in the background, after the append that led to it; one at a time for each stream.
    pub(crate) fn save_snapshot(&self, stream: &StreamId, version: StreamVersion, state: Arc<D>) {
        if !lock(&self.saving).insert(stream.clone()) {
            return;
        }
        let (stream, snapshots, saving) =
            (stream.clone(), Arc::clone(&self.snapshots), Arc::clone(&self.saving));
        let kept = self.kept.clone();
        self.environment.spawner.spawn(
            "snapshot",
            Box::pin(async move {
                if let Ok(encoded) = kept.encode(&*state) {
                    let snapshot = Snapshot { version, schema: D::SCHEMA, state: encoded.into() };
                    if let Err(error) = snapshots.save_snapshot(&stream, snapshot).await {
                        tracing::warn!(%stream, error = &error as &dyn std::error::Error, "a snapshot was not saved");
                    }
                }
                lock(&saving).remove(&stream);
            }),
        );
    }
}

fn lock(saving: &Mutex<BTreeSet<StreamId>>) -> MutexGuard<'_, BTreeSet<StreamId>> {
    saving.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Folded<D> {
    state: D,
    version: StreamVersion,
    events: u64,
}

impl<D: Default> Default for Folded<D> {
    fn default() -> Self {
        Self { state: D::default(), version: StreamVersion::ZERO, events: 0 }
    }
}

impl<D: Decider> Folded<D> {
    fn apply(&mut self, event: &RecordedEvent) -> Result<(), Failure> {
        let body = decode::<D>(event)?;
        let evolving = AssertUnwindSafe(|| self.state.evolve(&body));
        catch_unwind(evolving).map_err(|panic| Failure::panicked_at(event, &*panic))?;
        self.version = event.version;
        self.events += 1;
        Ok(())
    }
}

fn decode<D: Decider>(event: &RecordedEvent) -> Result<EventOf<D>, composable_rust_core::DecodeError> {
    EventOf::<D>::decode(event)
}
