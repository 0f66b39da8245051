//! The group committer: concurrent appends share transactions.
//!
//! While one batch is being flushed the next one gathers; it is flushed when the last one has returned and the callers
//! that it woke have queued again. Nothing waits for a timer. Order of submission is order of commit.

use super::chain::Chain;
use composable_rust_core::port::{Append, AppendError, Appended, EventStore, StoreError};
use composable_rust_core::{NewEvent, Spawner, StreamVersion};
use smallvec::SmallVec;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// At most so often the committer lets others run before it flushes again.
const GATHERING_TURNS: u32 = 16;

/// Limits of the group committer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitterOptions {
    /// Most appends in one transaction. Default 512.
    pub max_batch: usize,
    /// Most appends that wait; one more is answered `overloaded`. Default 20,000.
    pub max_waiting: usize,
    /// Bytes of payloads and metadata at which a transaction takes no further append; a single larger one has it alone.
    /// Default 16 MiB.
    pub max_batch_bytes: usize,
    /// Bytes of payloads and metadata that wait at which one more append is answered `overloaded`. All are in memory.
    /// Default 256 MiB.
    pub max_waiting_bytes: usize,
}

impl Default for CommitterOptions {
    fn default() -> Self {
        Self {
            max_batch: 512,
            max_waiting: 20_000,
            max_batch_bytes: 16 * 1024 * 1024,
            max_waiting_bytes: 256 * 1024 * 1024,
        }
    }
}

/// The answer to a submission.
pub(crate) type Committed = Result<Appended, AppendError>;

/// Coalesces appends. Cheap to clone.
#[derive(Clone)]
pub(crate) struct GroupCommitter {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn EventStore>,
    spawner: Arc<dyn Spawner>,
    options: CommitterOptions,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Submission>,
    /// The bytes of all that waits.
    bytes: usize,
    flushing: bool,
}

impl Queue {
    fn push(&mut self, submission: Submission) {
        self.bytes = self.bytes.saturating_add(submission.bytes);
        self.waiting.push_back(submission);
    }

    /// The next transaction's, at least one if any waits.
    fn take(&mut self, options: &CommitterOptions) -> Vec<Submission> {
        let mut batch = Vec::with_capacity(self.waiting.len().min(options.max_batch));
        let mut bytes = 0_usize;
        while let Some(next) = self.waiting.pop_front_if(|next| {
            let fits = bytes.saturating_add(next.bytes) <= options.max_batch_bytes;
            batch.is_empty() || (batch.len() < options.max_batch && fits)
        }) {
            bytes = bytes.saturating_add(next.bytes);
            batch.push(next);
        }
        self.bytes = self.bytes.saturating_sub(bytes);
        batch
    }
}

struct Submission {
    append: Append,
    /// Of its payloads and metadata.
    bytes: usize,
    waiter: Waiter,
}

impl fmt::Debug for GroupCommitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupCommitter").field("store", &self.inner.store).finish_non_exhaustive()
    }
}

impl GroupCommitter {
    pub(crate) fn new(
        store: Arc<dyn EventStore>,
        spawner: Arc<dyn Spawner>,
        options: CommitterOptions,
    ) -> Self {
        Self { inner: Arc::new(Inner { store, spawner, options, queue: Mutex::default() }) }
    }

    /// Whether too many appends wait already.
    pub(crate) fn is_full(&self) -> bool {
        let (queue, options) = (self.inner.lock(), &self.inner.options);
        queue.waiting.len() >= options.max_waiting || queue.bytes >= options.max_waiting_bytes
    }

    /// Queues an append that was decided on the outcome of `chains`. Ask [`Self::is_full`] first: a few that came
    /// between do no harm.
    pub(crate) fn submit(
        &self,
        append: Append,
        chains: SmallVec<[Arc<Chain>; 2]>,
    ) -> oneshot::Receiver<Committed> {
        let (reply, answer) = oneshot::channel();
        let bytes = append.streams.iter().flat_map(|part| &part.events).map(NewEvent::content_bytes).sum();
        let mut queue = self.inner.lock();
        queue.push(Submission { append, bytes, waiter: Waiter { chains, reply: Some(reply) } });
        if !std::mem::replace(&mut queue.flushing, true) {
            let inner = Arc::clone(&self.inner);
            self.inner.spawner.spawn("group-committer", Box::pin(async move { inner.flush_all().await }));
        }
        answer
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn flush_all(self: Arc<Self>) {
        let stopped = StopGuard(&self);
        loop {
            let batch = {
                let mut queue = self.lock();
                if queue.waiting.is_empty() {
                    queue.flushing = false;
                    break;
                }
                queue.take(&self.options)
            };
            let woken = batch.len();
            self.flush(batch).await;
            self.gather(woken).await;
        }
        std::mem::forget(stopped);
    }

    /// Lets those who were woken queue again before the next flush; else half of them would miss it, and wait for one
    /// more. Whoever does not come back is not waited for: it ends when a turn has brought nobody.
    async fn gather(&self, woken: usize) {
        let mut before = 0;
        for turn in 0..GATHERING_TURNS {
            tokio::task::yield_now().await;
            let waiting = self.lock().waiting.len();
            if waiting >= woken || (waiting == before && turn > 0) {
                return;
            }
            before = waiting;
        }
    }

    async fn flush(&self, batch: Vec<Submission>) {
        let mut running = Batch::default();
        for submission in batch {
            running.add(submission);
        }
        let appends = std::mem::take(&mut running.appends);
        let results =
            if appends.is_empty() { Ok(Vec::new()) } else { self.store.append_batch(appends).await };
        running.answer(results);
    }
}

/// Fails what waits when the flushing task ends early (it was aborted, or a store panicked).
struct StopGuard<'a>(&'a Inner);

impl Drop for StopGuard<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.flushing = false;
        (queue.bytes, queue.waiting) = (0, VecDeque::new());
    }
}

/// Who waits for an append, and what was decided on it. Dropped without an answer, it fails.
struct Waiter {
    chains: SmallVec<[Arc<Chain>; 2]>,
    reply: Option<oneshot::Sender<Committed>>,
}

impl Waiter {
    fn settle(mut self, result: Committed) {
        self.tell(result);
    }

    fn tell(&mut self, result: Committed) {
        let Some(reply) = self.reply.take() else { return };
        if result.is_err() {
            self.chains.iter().for_each(|chain| chain.break_off());
        }
        // The caller may have gone; its append stands all the same.
        drop(reply.send(result));
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.tell(Err(broken_off()));
    }
}

/// The submissions of one transaction.
#[derive(Default)]
struct Batch {
    appends: Vec<Append>,
    waiters: Vec<Waiter>,
    /// The last append on each chain, by the chain's address.
    last_on: HashMap<usize, usize>,
}

impl Batch {
    fn add(&mut self, submission: Submission) {
        let Submission { mut append, waiter, .. } = submission;
        if waiter.chains.iter().any(|chain| chain.is_broken()) {
            waiter.settle(Err(decided_on_nothing(&append)));
            return;
        }
        let index = self.appends.len();
        append.depends_on =
            waiter.chains.iter().filter_map(|chain| self.last_on.insert(address(chain), index)).collect();
        self.appends.push(append);
        self.waiters.push(waiter);
    }

    fn answer(self, results: Result<Vec<Committed>, StoreError>) {
        match results {
            Ok(results) => {
                let mut results = results.into_iter();
                for waiter in self.waiters {
                    waiter.settle(results.next().unwrap_or_else(|| Err(broken_off())));
                }
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a batch of appends failed");
                let error = Arc::new(error);
                for waiter in self.waiters {
                    waiter.settle(Err(AppendError::Store(share(&error))));
                }
            }
        }
    }
}

/// What became of the batch, for one of its appends.
fn share(error: &Arc<StoreError>) -> StoreError {
    let doing = "append a batch";
    let source = || Box::new(Arc::clone(error));
    match &**error {
        StoreError::Full { .. } => StoreError::Full { doing, source: source() },
        StoreError::Corrupt(text) => StoreError::Corrupt(text.clone()),
        StoreError::InvalidRequest(text) => StoreError::InvalidRequest(text.clone()),
        StoreError::Setup(text) => StoreError::Setup(text.clone()),
        StoreError::Unavailable { .. } | StoreError::Fenced { .. } | _ => {
            StoreError::Unavailable { doing, source: source() }
        }
    }
}

fn address(chain: &Arc<Chain>) -> usize {
    Arc::as_ptr(chain).addr()
}

fn broken_off() -> AppendError {
    AppendError::Store(StoreError::unavailable("append a batch", "the batch failed or was broken off"))
}

/// What an append gets that was decided on an append which failed: it must be decided again.
fn decided_on_nothing(append: &Append) -> AppendError {
    match append.streams.first() {
        Some(part) => AppendError::Conflict {
            stream: part.stream.clone(),
            expected: part.expected,
            actual: StreamVersion::ZERO,
        },
        None => broken_off(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use composable_rust_core::ExpectedVersion;

    #[test]
    fn who_is_never_answered_hears_so_and_what_was_decided_on_it_is_void() {
        let (reply, mut answer) = oneshot::channel();
        let chain = Arc::new(Chain::default());
        let waiter = Waiter { chains: [Arc::clone(&chain)].into_iter().collect(), reply: Some(reply) };
        // As when a store panics in the middle of a batch.
        drop(waiter);
        assert!(matches!(answer.try_recv(), Ok(Err(AppendError::Store(_)))));
        assert!(chain.is_broken());
    }

    /// An append of one stream, decided on the outcome of `chain`.
    fn decided_on(chain: &Arc<Chain>) -> (Submission, oneshot::Receiver<Committed>) {
        let (reply, answer) = oneshot::channel();
        let chains = [Arc::clone(chain)].into_iter().collect();
        let append = Append::to("stock/a".parse().unwrap(), ExpectedVersion::Any, Vec::new());
        (Submission { append, bytes: 0, waiter: Waiter { chains, reply: Some(reply) } }, answer)
    }

    #[test]
    fn the_store_is_told_which_appends_of_a_batch_were_decided_on_which() {
        let chains = [Arc::new(Chain::default()), Arc::new(Chain::default())];
        let mut batch = Batch::default();
        for chain in [0, 1, 0, 0, 1] {
            batch.add(decided_on(&chains[chain]).0);
        }
        let told: Vec<_> = batch.appends.iter().map(|append| append.depends_on.to_vec()).collect();
        assert_eq!(told, [vec![], vec![], vec![0], vec![2], vec![1]]);
    }

    /// Its version may fit all the same: another instance may have brought the stream to the same number.
    #[test]
    fn what_was_decided_on_an_append_of_an_earlier_batch_that_failed_does_not_reach_the_store() {
        let chain = Arc::new(Chain::default());
        let (failed, _answer) = decided_on(&chain);
        failed.waiter.settle(Err(broken_off()));
        let mut batch = Batch::default();
        let (later, mut answer) = decided_on(&chain);
        batch.add(later);
        assert!(batch.appends.is_empty());
        assert!(matches!(answer.try_recv(), Ok(Err(AppendError::Conflict { .. }))));
    }
}
