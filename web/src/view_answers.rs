//! Answers made from a view, each kept until a row of the view changes.

use crate::{Describes, Operation, Problem};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use composable_rust_core::{Position, Projection};
use composable_rust_runtime::{Shows, View};
use lru::LruCache;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a slot takes besides its answer.
const SLOT_BYTES: usize = 256;

/// JSON made from a view, for as many readers as there are: one makes it after each change of the view's rows, and all
/// others get the same bytes; events that the view does not take change nothing but the position told. Whatever is
/// asked for, an answer is never older than the view was when it was asked for. Cheap to clone.
///
/// ```
/// # use composable_rust_core::Projection;
/// # use composable_rust_runtime::View;
/// use composable_rust_web::{Problem, ViewAnswer, ViewAnswers};
/// async fn total<P: Projection>(answers: ViewAnswers<&'static str>, view: View<P>) -> Result<ViewAnswer, Problem> {
///     answers.get("total", view, async |view| {
///         let page = view.query().page(1, 1).fetch().await?;
///         ViewAnswer::new(page.position, &format!("{{\"total\":{}}}", page.total))
///     }).await
/// }
/// ```
pub struct ViewAnswers<K> {
    slots: Arc<Mutex<Slots<K>>>,
}

struct Slots<K> {
    /// Each with the bytes that were counted for it.
    by_key: LruCache<K, (Arc<Slot>, usize)>,
    bytes: usize,
    most_bytes: usize,
}

#[derive(Default)]
struct Slot {
    /// Held by whoever makes the answer.
    turn: tokio::sync::Mutex<()>,
    kept: Mutex<Option<Kept>>,
}

#[derive(Clone)]
struct Kept {
    generation: u32,
    /// The view's when the answer began to be made.
    changes: u64,
    answer: ViewAnswer,
}

/// A JSON object that shows a view at a position, which it also tells: as its first member `position` and as
/// `X-Position`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewAnswer {
    position: Position,
    body: Bytes,
    /// Where in the body its own members begin.
    members: usize,
}

impl ViewAnswer {
    /// `object`, a JSON object without its position, as it was read at `position`.
    ///
    /// # Errors
    /// 500 when it is no object.
    pub fn new(position: Position, object: &str) -> Result<Self, Problem> {
        let members = object.strip_prefix('{').filter(|members| members.ends_with('}'));
        let members = members.ok_or_else(|| {
            tracing::error!("an answer made from a view is no JSON object");
            Problem::internal()
        })?;
        Ok(Self::of(position, members.as_bytes()))
    }

    /// The same as of a position up to which nothing has changed.
    fn at(&self, position: Position) -> Self {
        if position <= self.position {
            return self.clone();
        }
        Self::of(position, self.body.get(self.members..).unwrap_or_default())
    }

    /// `members` are what follows the opening brace.
    fn of(position: Position, members: &[u8]) -> Self {
        let comma = if members == b"}" { "" } else { "," };
        let head = format!("{{\"position\":{position}{comma}");
        let body = [head.as_bytes(), members].concat();
        Self { position, body: body.into(), members: head.len() }
    }
}

impl IntoResponse for ViewAnswer {
    fn into_response(self) -> Response {
        let position = ("x-position", self.position.to_string());
        ([(CONTENT_TYPE, "application/json")], [position], self.body).into_response()
    }
}

impl Describes for ViewAnswer {
    fn describe(operation: &mut Operation) {
        operation.answers_text("application/json");
        operation.answers_header("X-Position", "What it shows.");
    }
}

impl<K: Hash + Eq + Clone> ViewAnswers<K> {
    /// Keeps answers of so many bytes in all; those that were not asked for longest go first.
    pub fn keeping(most_bytes: usize) -> Self {
        let slots = Slots { by_key: LruCache::unbounded(), bytes: 0, most_bytes };
        Self { slots: Arc::new(Mutex::new(slots)) }
    }

    /// The answer under `key`, if it was made already and shows all that the view does.
    ///
    /// # Errors
    /// Why the view cannot be read.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn kept<P: Projection>(&self, key: &K, view: &View<P>) -> Result<Option<ViewAnswer>, Problem> {
        let shows = view.shows().await?;
        let slot = self.lock().by_key.get(key).map(|(slot, _)| Arc::clone(slot));
        Ok(slot.and_then(|slot| slot.showing(shows)))
    }

    /// The answer under `key`: kept, or made by `make`; who asks meanwhile waits for that.
    ///
    /// # Errors
    /// Why the view cannot be read, or what `make` says.
    ///
    /// # Cancel safety
    /// Dropping the future lets the next who waits make it.
    pub async fn get<P: Projection>(
        &self,
        key: K,
        view: View<P>,
        make: impl AsyncFnOnce(View<P>) -> Result<ViewAnswer, Problem>,
    ) -> Result<ViewAnswer, Problem> {
        let shows = view.shows().await?;
        let Some(Shows { generation, changes, .. }) = shows else { return make(view).await };
        let slot = self.lock().slot(&key);
        let turn = slot.turn.lock().await;
        if let Some(answer) = slot.showing(shows) {
            return Ok(answer);
        }
        let answer = make(view).await?;
        slot.keep(Kept { generation, changes, answer: answer.clone() });
        drop(turn);
        self.lock().count(&key, &answer);
        Ok(answer)
    }

    fn lock(&self) -> MutexGuard<'_, Slots<K>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// The answer, if it shows at least this. It is told at the position that it shows by now.
    fn showing(&self, shows: Option<Shows>) -> Option<ViewAnswer> {
        let Shows { generation, changes, position } = shows?;
        let mut kept = self.kept();
        // One that was made after more changes shows more, and its own position tells how much.
        let kept = kept.as_mut().filter(|kept| kept.generation == generation && kept.changes >= changes)?;
        kept.answer = kept.answer.at(position);
        Some(kept.answer.clone())
    }

    fn keep(&self, kept: Kept) {
        *self.kept() = Some(kept);
    }

    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq + Clone> Slots<K> {
    /// The slot of a key, made where there is none.
    fn slot(&mut self, key: &K) -> Arc<Slot> {
        if let Some((slot, _)) = self.by_key.get(key) {
            return Arc::clone(slot);
        }
        let slot = Arc::<Slot>::default();
        self.by_key.put(key.clone(), (Arc::clone(&slot), SLOT_BYTES));
        self.bytes += SLOT_BYTES;
        self.make_room();
        slot
    }

    /// Counts the answer that a slot has now; one that had to go meanwhile stays gone.
    fn count(&mut self, key: &K, answer: &ViewAnswer) {
        if let Some((_, counted)) = self.by_key.get_mut(key) {
            let before = std::mem::replace(counted, SLOT_BYTES + answer.body.len());
            self.bytes = self.bytes - before + *counted;
            self.make_room();
        }
    }

    fn make_room(&mut self) {
        while self.bytes > self.most_bytes {
            let Some((_, (_, counted))) = self.by_key.pop_lru() else { return };
            self.bytes -= counted;
        }
    }
}

impl<K> Clone for ViewAnswers<K> {
    fn clone(&self) -> Self {
        Self { slots: Arc::clone(&self.slots) }
    }
}

impl<K> fmt::Debug for ViewAnswers<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViewAnswers").finish_non_exhaustive()
    }
}
