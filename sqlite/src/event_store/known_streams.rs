//! What the writer remembers of streams, so that an append to one of them needs no look-up.
//!
//! The file has one writer, so what it wrote is what is there. Whatever makes that doubtful clears everything.

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
