//! The keys that this process is working on, and the answers that are on their way to the store.
//!
//! Answers are saved many in one write, and each client gets his when it is saved: a repeat after a crash finds what
//! he has heard. Until it is saved a repeat gets the answer from here. One that a crash loses nobody has heard; it is
//! rebuilt by the handler from the command's first result.

use bytes::Bytes;
use composable_rust_core::describe;
use composable_rust_core::port::{EventStore, StoredResponse};
use composable_rust_core::{CommandId, Environment};
use futures_util::FutureExt;
use futures_util::future::Shared;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot};

/// Most answers in one write.
const BATCH: usize = 256;
/// Most answers that wait for a write; further ones are not kept.
const MOST_WAITING: usize = 10_000;

/// The keys in work. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    saved: Notify,
}

#[derive(Debug, Default)]
struct State {
    keys: BTreeMap<CommandId, Entry>,
    to_save: Vec<Kept>,
    is_saving: bool,
}

/// Completes when an answer is saved, or cannot be; it is saved all the same when nobody waits.
pub(crate) type Saved = Shared<oneshot::Receiver<()>>;

/// An answer on its way to the store.
#[derive(Debug)]
struct Kept {
    id: CommandId,
    answer: StoredResponse,
    /// Dropped when it is there, or given up.
    saved: oneshot::Sender<()>,
}

#[derive(Debug)]
struct Entry {
    fingerprint: Bytes,
    /// Absent while the request is running.
    answer: Option<(StoredResponse, Saved)>,
}

/// A claim on a key; it ends with this value, however the request ends.
#[derive(Debug)]
pub(crate) struct Claim {
    id: CommandId,
    answers: Answers,
}

/// Why a key cannot be claimed.
#[derive(Debug)]
pub(crate) enum Taken {
    /// The same request is running.
    Running,
    /// The same request was answered with this.
    Answered(StoredResponse, Saved),
    /// It belongs to another request.
    Other,
}

impl Answers {
    /// Claims a key for a request.
    pub(crate) fn claim(&self, id: CommandId, fingerprint: &Bytes) -> Result<Claim, Taken> {
        let mut state = self.lock();
        match state.keys.get(&id) {
            Some(entry) if entry.fingerprint != *fingerprint => Err(Taken::Other),
            Some(Entry { answer: Some((answer, saved)), .. }) => {
                Err(Taken::Answered(answer.clone(), saved.clone()))
            }
            Some(_) => Err(Taken::Running),
            None => {
                state.keys.insert(id, Entry { fingerprint: fingerprint.clone(), answer: None });
                Ok(Claim { id, answers: self.clone() })
            }
        }
    }

    /// Completes when all answers have been saved.
    pub(crate) async fn saved(&self) {
        loop {
            let saved = self.inner.saved.notified();
            if !self.lock().is_saving {
                return;
            }
            saved.await;
        }
    }

    /// Saves what waits, batch by batch: the next one gathers while the last one is written.
    async fn save(self, events: Arc<dyn EventStore>) {
        let mut saving = Saving { answers: &self, batch: Vec::new() };
        while let Some(batch) = self.next_batch() {
            let (batch, waiting): (Vec<_>, Vec<_>) =
                batch.into_iter().map(|kept| ((kept.id, kept.answer), kept.saved)).unzip();
            saving.batch = batch.iter().map(|(id, _)| *id).collect();
            if let Err(error) = events.save_responses(batch).await {
                tracing::warn!(error = describe(&error), "answers could not be kept for repeats");
            }
            let mut state = self.lock();
            for id in std::mem::take(&mut saving.batch) {
                state.keys.remove(&id);
            }
            drop(state);
            drop(waiting);
        }
    }

    fn next_batch(&self) -> Option<Vec<Kept>> {
        let mut state = self.lock();
        let size = state.to_save.len().min(BATCH);
        let batch: Vec<_> = state.to_save.drain(..size).collect();
        state.is_saving = !batch.is_empty();
        state.is_saving.then_some(batch)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, and the state is whole at any time.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the saving, also one that a panic of the store or an abort breaks off: what waits then is given up, as after
/// any failure, so that nothing piles up and nobody waits for ever.
struct Saving<'a> {
    answers: &'a Answers,
    /// What is being written.
    batch: Vec<CommandId>,
}

impl Drop for Saving<'_> {
    fn drop(&mut self) {
        let mut state = self.answers.lock();
        // In good order it is false already, and somebody may have begun anew.
        if !self.batch.is_empty() {
            let waiting = std::mem::take(&mut state.to_save).into_iter().map(|kept| kept.id);
            for id in std::mem::take(&mut self.batch).into_iter().chain(waiting) {
                state.keys.remove(&id);
            }
            state.is_saving = false;
            tracing::warn!("answers could not be kept for repeats: their writing was broken off");
        }
        drop(state);
        self.answers.inner.saved.notify_waiters();
    }
}

impl Claim {
    /// Ends the claim with an answer that repeats shall get.
    pub(crate) fn answer(
        self,
        answer: StoredResponse,
        events: &Arc<dyn EventStore>,
        environment: &Environment,
    ) -> Saved {
        let (saved, is_saved) = oneshot::channel();
        let is_saved = is_saved.shared();
        let mut state = self.answers.lock();
        if state.to_save.len() >= MOST_WAITING {
            return is_saved;
        }
        if let Some(entry) = state.keys.get_mut(&self.id) {
            entry.answer = Some((answer.clone(), is_saved.clone()));
        }
        state.to_save.push(Kept { id: self.id, answer, saved });
        if !std::mem::replace(&mut state.is_saving, true) {
            let save = self.answers.clone().save(Arc::clone(events));
            environment.spawner.spawn("http.answers", Box::pin(save));
        }
        is_saved
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut state = self.answers.lock();
        if state.keys.get(&self.id).is_some_and(|entry| entry.answer.is_none()) {
            state.keys.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use composable_rust_core::port::{
        Append, AppendError, Appended, CommandRecord, LogPage, LogQuery, StoreError, StreamRange,
    };
    use composable_rust_core::{RecordedEvent, Signal, StreamId, StreamVersion};
    use composable_rust_runtime::live_environment;

    /// Panics at whatever it is asked.
    #[derive(Debug, Default)]
    struct Broken {
        signal: Signal,
    }

    #[async_trait]
    impl EventStore for Broken {
        async fn append_batch(
            &self,
            _: Vec<Append>,
        ) -> Result<Vec<Result<Appended, AppendError>>, StoreError> {
            panic!("broken")
        }

        async fn read_stream(&self, _: &StreamId, _: StreamRange) -> Result<Vec<RecordedEvent>, StoreError> {
            panic!("broken")
        }

        async fn stream_version(&self, _: &StreamId) -> Result<StreamVersion, StoreError> {
            panic!("broken")
        }

        async fn read_log(&self, _: LogQuery<'_>) -> Result<LogPage, StoreError> {
            panic!("broken")
        }

        async fn find_command(&self, _: CommandId) -> Result<Option<CommandRecord>, StoreError> {
            panic!("broken")
        }

        async fn save_response(&self, _: CommandId, _: StoredResponse) -> Result<(), StoreError> {
            panic!("broken")
        }

        fn signal(&self) -> &Signal {
            &self.signal
        }
    }

    #[tokio::test]
    async fn a_store_that_panics_lets_nothing_pile_up_and_nobody_wait() {
        let (answers, environment) = (Answers::default(), live_environment());
        let events = Arc::new(Broken::default()) as Arc<dyn EventStore>;
        let answer = StoredResponse { status: 200, headers: Vec::new(), body: Bytes::new() };
        for round in 0..3 {
            let mut heard = Vec::new();
            // More than one batch, so that some wait while the first is written.
            for number in 0..=BATCH {
                let id = CommandId::derived(&[&round.to_string(), &number.to_string()]);
                let claim = answers.claim(id, &Bytes::from("1")).unwrap();
                heard.push(claim.answer(answer.clone(), &events, &environment));
            }
            answers.saved().await;
            for is_saved in heard {
                assert!(is_saved.await.is_err(), "given up");
            }
            let state = answers.lock();
            assert!(state.keys.is_empty() && state.to_save.is_empty() && !state.is_saving, "{state:?}");
        }
    }

    #[test]
    fn a_key_is_claimed_once_until_its_request_ends() {
        let answers = Answers::default();
        let (id, one, two) = (CommandId::derived(&["k"]), Bytes::from("1"), Bytes::from("2"));
        let claim = answers.claim(id, &one).unwrap();
        assert!(matches!(answers.claim(id, &one).unwrap_err(), Taken::Running));
        assert!(matches!(answers.claim(id, &two).unwrap_err(), Taken::Other));
        drop(claim);
        assert!(answers.claim(id, &two).is_ok());
    }
}
