//! Cached reads of an application that runs as one process.
//!
//! Not here: what is cached and for how long; whoever reads decides that.

use async_trait::async_trait;
use bytes::Bytes;
use composable_rust_core::port::{Cache, Cached, MAX_CACHE_KEEP, NewCached, StoreError};
use composable_rust_core::{Clock, Position, later};
use jiff::Timestamp;
use lru::LruCache;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What an entry takes besides its texts.
const ENTRY_BYTES: usize = 200;
/// Of so many tags it is known when they changed last.
const TAGS: usize = 100_000;

/// Keeps values in memory; those that were not asked for longest go first.
pub struct InProcessCache {
    clock: Arc<dyn Clock>,
    most_bytes: usize,
    kept: Mutex<Kept>,
}

struct Kept {
    entries: LruCache<String, Entry>,
    bytes: usize,
    /// When each tag changed last.
    changed: LruCache<String, Position>,
    /// The newest change of a tag that is no longer known: all others of that age may be changed too.
    forgotten: Position,
}

struct Entry {
    value: Bytes,
    position: Position,
    tags: Vec<String>,
    until: Timestamp,
    bytes: usize,
}

impl InProcessCache {
    /// Keeps so many bytes of keys, tags and values.
    pub fn new(clock: Arc<dyn Clock>, most_bytes: usize) -> Self {
        let (entries, changed) = (LruCache::unbounded(), LruCache::unbounded());
        let kept = Mutex::new(Kept { entries, bytes: 0, changed, forgotten: Position::ZERO });
        Self { clock, most_bytes, kept }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for InProcessCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessCache").field("most_bytes", &self.most_bytes).finish_non_exhaustive()
    }
}

#[async_trait]
impl Cache for InProcessCache {
    async fn get(&self, key: &str) -> Result<Option<Cached>, StoreError> {
        let now = self.clock.now();
        let mut kept = self.lock();
        let Some(entry) = kept.entries.get(key) else { return Ok(None) };
        let cached = Cached { value: entry.value.clone(), position: entry.position };
        if entry.until > now && kept.is_fresh(key) {
            return Ok(Some(cached));
        }
        kept.remove(key);
        Ok(None)
    }

    async fn put(&self, value: NewCached<'_>) -> Result<(), StoreError> {
        let until = later(self.clock.now(), value.keep.min(MAX_CACHE_KEEP));
        let tags: Vec<_> = value.tags.iter().map(ToString::to_string).collect();
        let texts = value.key.len() + tags.iter().map(String::len).sum::<usize>();
        let bytes = ENTRY_BYTES + texts + value.value.len();
        let mut kept = self.lock();
        kept.remove(value.key);
        kept.bytes += bytes;
        let entry = Entry { value: value.value, position: value.position, tags, until, bytes };
        kept.entries.put(value.key.to_owned(), entry);
        while kept.bytes > self.most_bytes {
            let Some((_, gone)) = kept.entries.pop_lru() else { break };
            kept.bytes -= gone.bytes;
        }
        Ok(())
    }

    async fn invalidate(&self, tags: &[&str], position: Position) -> Result<(), StoreError> {
        let mut kept = self.lock();
        for tag in tags {
            let before = kept.changed.get(*tag).copied().unwrap_or_default();
            kept.changed.put((*tag).to_owned(), before.max(position));
            if kept.changed.len() > TAGS
                && let Some((_, oldest)) = kept.changed.pop_lru()
            {
                kept.forgotten = kept.forgotten.max(oldest);
            }
        }
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        self.lock().remove(key);
        Ok(())
    }
}

impl Kept {
    /// Whether nothing that the entry is made from has changed since.
    fn is_fresh(&self, key: &str) -> bool {
        self.entries.peek(key).is_some_and(|entry| {
            let changed = |tag: &String| self.changed.peek(tag).copied().unwrap_or(self.forgotten);
            entry.tags.iter().all(|tag| changed(tag) <= entry.position)
        })
    }

    fn remove(&mut self, key: &str) {
        if let Some(gone) = self.entries.pop(key) {
            self.bytes -= gone.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use composable_rust_core::FixedClock;
    use std::time::Duration;

    fn cache(most_bytes: usize) -> InProcessCache {
        let clock = FixedClock::at("2026-01-01T00:00:00Z".parse().unwrap());
        InProcessCache::new(Arc::new(clock), most_bytes)
    }

    async fn put(cache: &InProcessCache, key: &str, tags: &[&str]) {
        let (value, position) = (Bytes::from(vec![0; 1_000]), Position::from(5));
        let keep = Duration::from_mins(1);
        cache.put(NewCached { key, value, position, tags, keep }).await.unwrap();
    }

    #[tokio::test]
    async fn a_cache_keeps_no_more_bytes_than_it_may() {
        let cache = cache(10_000);
        for key in 0..100 {
            put(&cache, &key.to_string(), &["a"]).await;
        }
        assert!(cache.lock().bytes <= 10_000);
        assert!(cache.get("99").await.unwrap().is_some() && cache.get("0").await.unwrap().is_none());
        for key in 0..100 {
            cache.remove(&key.to_string()).await.unwrap();
        }
        assert_eq!(cache.lock().bytes, 0);
    }

    #[tokio::test]
    async fn a_change_counts_also_when_there_are_too_many_tags_to_remember() {
        let cache = cache(10_000_000);
        put(&cache, "a", &["first"]).await;
        put(&cache, "b", &[]).await;
        cache.invalidate(&["first"], Position::from(6)).await.unwrap();
        for tag in 0..TAGS {
            cache.invalidate(&[&tag.to_string()], Position::from(1)).await.unwrap();
        }
        assert_eq!(cache.lock().changed.len(), TAGS);
        assert!(cache.get("a").await.unwrap().is_none() && cache.get("b").await.unwrap().is_some());
    }
}
