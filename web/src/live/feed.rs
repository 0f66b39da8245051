//! One followed key: looked at by one task, however many follow it.

use super::{Picture, Topic};
use crate::{Problem, Web};
use composable_rust_core::{Clock, Position, Projection, panic_text};
use composable_rust_runtime::{Application, Shows, View};
use futures_util::FutureExt;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Before something that could not be seen is looked at again.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How long one wait for a view lasts; the next begins at once.
const WAIT: Duration = Duration::from_mins(1);
/// So many bytes are sent at the usual pace; each as many again add a pause.
const USUAL_SIZE: usize = 256 * 1024;

/// The feeds that somebody follows, by topic and key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Feeds {
    feeds: Arc<Mutex<BTreeMap<String, Weak<Feed>>>>,
}

#[derive(Debug)]
struct Feed {
    state: Mutex<State>,
    changed: Notify,
    /// Ends the task when the last follower is gone.
    _following: DropGuard,
}

#[derive(Debug, Default)]
struct State {
    /// Grows with every picture that differs, and with every failure before the first.
    round: u64,
    /// What the last look shows by now, changed or not; `None` before the first.
    seen: Option<Position>,
    parts: BTreeMap<String, Part>,
    /// Why there is no first picture.
    failure: Option<Problem>,
}

#[derive(Debug)]
struct Part {
    round: u64,
    change: Change,
}

/// A part as it is now.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// Where in the log it was seen so first.
    pub(crate) position: Position,
    /// A JSON object.
    pub(crate) text: Arc<str>,
}

/// Somebody who follows a feed, and what he has been told.
#[derive(Debug)]
pub(crate) struct Follower {
    feed: Arc<Feed>,
    round: u64,
    /// The position up to which he knows everything, from an earlier connection.
    known: Option<Position>,
}

impl Feeds {
    /// Follows a key; waits for the first look. `known` is what an earlier connection has told.
    ///
    /// # Errors
    /// Why it cannot be seen.
    ///
    /// # Cancel safety
    /// Dropping the future follows nothing.
    pub(crate) async fn follow<T: Topic>(
        &self,
        web: &Web,
        (topic, key): (&Arc<T>, T::Key),
        known: Option<Position>,
    ) -> Result<Follower, Problem> {
        let feed = self.feed(web, topic, key);
        let seen = feed.first().await?;
        // Who knows what lies ahead of us comes from elsewhere, and is told everything.
        Ok(Follower { feed, round: 0, known: known.filter(|known| *known <= seen) })
    }

    fn feed<T: Topic>(&self, web: &Web, topic: &Arc<T>, key: T::Key) -> Arc<Feed> {
        let name = format!("{}:{key}", T::NAME);
        let mut feeds = self.lock();
        if let Some(feed) = feeds.get(&name).and_then(Weak::upgrade) {
            return feed;
        }
        let gone = CancellationToken::new();
        let following = gone.clone().drop_guard();
        let feed = Arc::new(Feed { state: Mutex::default(), changed: Notify::new(), _following: following });
        feeds.insert(name.clone(), Arc::downgrade(&feed));
        drop(feeds);
        let pause = web.live().options.pause;
        let looks = look(Arc::clone(topic), web.application().clone(), key, (Arc::downgrade(&feed), pause));
        let feeds = self.clone();
        let task = async move {
            gone.run_until_cancelled(looks).await;
            feeds.forget(&name);
        };
        web.application().environment().spawner.spawn("live.feed", task.boxed());
        feed
    }

    /// Unless somebody follows it anew.
    fn forget(&self, name: &str) {
        let mut feeds = self.lock();
        if feeds.get(name).is_some_and(|feed| feed.strong_count() == 0) {
            feeds.remove(name);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Weak<Feed>>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks again and again, whenever rows of the view have changed and not too often.
async fn look<T: Topic>(topic: Arc<T>, app: Application, key: T::Key, (feed, pause): (Weak<Feed>, Duration)) {
    let (view, clock) = (app.view::<T::View>(), Arc::clone(&app.environment().clock));
    loop {
        let before = view.shows().await.ok().flatten();
        let looked = AssertUnwindSafe(topic.look(&app, &key)).catch_unwind().await;
        let looked = looked.unwrap_or_else(|panic| {
            tracing::error!(topic = T::NAME, panic = panic_text(panic.as_ref()), "a look panicked");
            Err(Problem::internal())
        });
        let Some(alive) = feed.upgrade() else { return };
        match looked {
            Ok(picture) => {
                let (seen, size) = (picture.position, picture.size());
                alive.show(picture);
                drop(alive);
                let pauses = u32::try_from(size / USUAL_SIZE).unwrap_or(u32::MAX).saturating_add(1);
                clock.sleep(pause.saturating_mul(pauses)).await;
                changed(&view, (seen, before), &feed, (&*clock, pause)).await;
            }
            Err(problem) => {
                tracing::warn!(topic = T::NAME, %problem, "what is followed cannot be seen");
                alive.fail(problem);
                drop(alive);
                clock.sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// Completes when rows may have changed since `before`, which was asked before the last look. Events that the view does
/// not take only move the feed's position.
async fn changed<P: Projection>(
    view: &View<P>,
    (mut seen, before): (Position, Option<Shows>),
    feed: &Weak<Feed>,
    (clock, pause): (&dyn Clock, Duration),
) {
    loop {
        while view.wait_for(seen.plus(1), WAIT).await.is_err() {}
        let (Some(before), Ok(Some(now))) = (before, view.shows().await) else { return };
        if (before.generation, before.changes) != (now.generation, now.changes) {
            return;
        }
        seen = now.position.max(seen);
        let Some(feed) = feed.upgrade() else { return };
        feed.state().seen = Some(seen);
        drop(feed);
        clock.sleep(pause).await;
    }
}

impl Feed {
    /// The position of the last look, as soon as there is one.
    async fn first(&self) -> Result<Position, Problem> {
        loop {
            let changed = self.changed.notified();
            {
                let state = self.state();
                match (state.seen, &state.failure) {
                    (Some(seen), _) => return Ok(seen),
                    (None, Some(problem)) => return Err(problem.clone()),
                    (None, None) => {}
                }
            }
            changed.await;
        }
    }

    fn show(&self, picture: Picture) {
        let mut state = self.state();
        let seen = state.seen.map_or(picture.position, |seen| seen.max(picture.position));
        let round = state.round + 1;
        let is_first = state.seen.replace(seen).is_none();
        state.parts.retain(|key, _| picture.parts.contains_key(key));
        let mut is_new = is_first;
        for (key, text) in picture.parts {
            if state.parts.get(&key).is_some_and(|part| *part.change.text == *text) {
                continue;
            }
            is_new = true;
            let change = Change { position: seen, text: text.into() };
            state.parts.insert(key, Part { round, change });
        }
        state.failure = None;
        if is_new {
            state.round = round;
            drop(state);
            self.changed.notify_waiters();
        }
    }

    fn fail(&self, problem: Problem) {
        let mut state = self.state();
        if state.seen.is_none() {
            state.failure = Some(problem);
            drop(state);
            self.changed.notify_waiters();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Change {
    /// Writes the object with more members before its own.
    pub(crate) fn write(&self, into: &mut String, members: &str) {
        let own = self.text.get(1..).unwrap_or("}");
        into.push('{');
        into.push_str(members);
        if own != "}" {
            into.push(',');
        }
        into.push_str(own);
    }
}

impl Follower {
    /// What the last look showed.
    pub(crate) fn seen(&self) -> Position {
        self.feed.state().seen.unwrap_or(Position::ZERO)
    }

    /// All parts that have changed since the last call, as they are now; at first all that he does not know.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: what was not returned comes with the next call.
    pub(crate) async fn next(&mut self) -> Vec<Change> {
        loop {
            let feed = Arc::clone(&self.feed);
            let changed = feed.changed.notified();
            let news = self.news();
            if !news.is_empty() {
                return news;
            }
            changed.await;
        }
    }

    fn news(&mut self) -> Vec<Change> {
        let state = self.feed.state();
        let known = self.known.take();
        let parts = state.parts.values().filter(|part| part.round > self.round);
        let parts = parts.filter(|part| known.is_none_or(|known| part.change.position > known));
        let mut news: Vec<_> = parts.map(|part| part.change.clone()).collect();
        news.sort_by_key(|change| change.position);
        self.round = state.round;
        news
    }
}
