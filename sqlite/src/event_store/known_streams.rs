//! What the writer remembers of streams, so that an append to one of them needs no look-up, and their rows in a plan.
//!
//! The file has one writer, so what it wrote is what is there. Whatever makes that doubtful clears everything.

use composable_rust_core::port::plan::Plan;
use composable_rust_core::{StreamId, StreamVersion};
use lru::LruCache;
use std::num::NonZeroUsize;

/// Row and version of the streams that were written or looked up last.
#[derive(Debug)]
pub(crate) struct KnownStreams {
    streams: LruCache<StreamId, KnownStream>,
}

/// A stream that exists.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownStream {
    pub(crate) row: i64,
    pub(crate) version: StreamVersion,
}

impl KnownStreams {
    /// Remembers `limit` streams, at least one.
    pub(crate) fn new(limit: usize) -> Self {
        Self { streams: LruCache::new(NonZeroUsize::new(limit).unwrap_or(NonZeroUsize::MIN)) }
    }

    pub(super) fn get(&mut self, stream: &StreamId) -> Option<KnownStream> {
        self.streams.get(stream).copied()
    }

    pub(super) fn put(&mut self, stream: StreamId, known: KnownStream) {
        self.streams.put(stream, known);
    }

    /// Forgets all, when a write may have ended otherwise than it seemed.
    pub(crate) fn clear(&mut self) {
        self.streams.clear();
    }
}

/// The rows of a plan's streams, place by place; zero where a stream has none yet.
#[derive(Debug)]
pub(super) struct StreamRows {
    rows: Vec<i64>,
    /// The newest row number given away.
    pub(super) newest: i64,
}

impl StreamRows {
    pub(super) fn of(plan: &Plan, newest: i64) -> Self {
        Self { rows: vec![0; plan.streams.len()], newest }
    }

    pub(super) fn get(&self, place: usize) -> i64 {
        self.rows.get(place).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, place: usize, row: i64) {
        if let Some(known) = self.rows.get_mut(place) {
            *known = row;
        }
    }

    /// Takes over what is known of streams; answers the places of the others.
    pub(super) fn recall(&mut self, plan: &mut Plan, known: &mut KnownStreams) -> Vec<usize> {
        let mut unknown = Vec::new();
        for place in 0..self.rows.len() {
            match plan.streams.get(place).and_then(|stream| known.get(&stream.name)) {
                Some(known) => {
                    self.set(place, known.row);
                    plan.learn_stream(place, known.version);
                }
                None => unknown.push(place),
            }
        }
        unknown
    }

    /// Gives a row to each stream that is written and has none.
    pub(super) fn number(&mut self, plan: &Plan) {
        for (row, stream) in self.rows.iter_mut().zip(&plan.streams) {
            if *row == 0 && stream.is_written() {
                self.newest += 1;
                *row = self.newest;
            }
        }
    }

    /// Leaves what became of the streams to the next plans, once it is committed.
    pub(super) fn remember(&self, plan: &Plan, known: &mut KnownStreams) {
        for (&row, stream) in self.rows.iter().zip(&plan.streams).filter(|(row, _)| **row != 0) {
            known.put(stream.name.clone(), KnownStream { row, version: stream.version });
        }
    }
}
