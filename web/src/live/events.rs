//! Server-sent events: a topic as a stream that browsers read and resume by themselves.

use super::{Change, Follower, Kind, Live, Slot, Topic};
use crate::{ClientIp, Principal, Problem, Web};
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use composable_rust_core::{Clock, Position};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, stream};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

/// Shortest time in milliseconds before a browser comes again; up to as much is added, so that not all come at once.
const RETRY_MS: u64 = 1_000;

/// Who wants to follow by server-sent events, and from where on: the argument of a handler that answers a stream.
///
/// ```
/// # use composable_rust_core::{Position, Projection};
/// use composable_rust_web::{EventStream, Follow, PathId, Problem, Topic};
/// async fn live<T: Topic<Asked = String> + Default>(
///     follow: Follow,
///     PathId(id): PathId<String>,
/// ) -> Result<EventStream, Problem> {
///     follow.topic(T::default(), id).await
/// }
/// ```
///
/// A bearer token that is not valid is refused with 401, a `Last-Event-ID` that is none of ours counts as none.
#[derive(Debug)]
pub struct Follow {
    web: Web,
    who: Option<Principal>,
    client: ClientIp,
    known: Option<Position>,
}

/// A stream of events as an answer: `event:` is the topic's message, `id:` the position in the log, `data:` JSON.
///
/// First comes all that there is to see, or what has changed since `Last-Event-ID`; then what changes, at most every
/// [`LiveOptions::pause`](crate::LiveOptions::pause). It is neither kept nor compressed, shows by a comment that it lives,
/// and ends with the service or at its longest age; browsers then come again.
pub struct EventStream {
    follower: Follower,
    message: &'static str,
    live: Live,
    clock: Arc<dyn Clock>,
    retry_ms: u64,
    _slot: Slot,
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStream").field("message", &self.message).finish_non_exhaustive()
    }
}

impl Follow {
    /// Follows a topic, if this person may.
    ///
    /// # Errors
    /// What the topic refuses; 429 or 503 when too many follow; 503 when it cannot be seen now.
    ///
    /// # Cancel safety
    /// Dropping the future follows nothing.
    pub async fn topic<T: Topic>(self, topic: T, asked: T::Asked) -> Result<EventStream, Problem> {
        let Self { web, who, client, known } = self;
        let (live, app) = (web.live().clone(), web.application());
        let key = topic.admit(app, who.as_ref(), asked).await?;
        let holder = (client.0, who.map(|who| who.user_id));
        let slot = live.slots.connection(Kind::EventStream, holder, &live.options)?;
        let follower = live.feeds.follow(&web, (&Arc::new(topic), key), known).await?;
        let environment = app.environment();
        let retry_ms = RETRY_MS + environment.random.next_u64() % RETRY_MS;
        let clock = Arc::clone(&environment.clock);
        Ok(EventStream { follower, message: T::MESSAGE, live, clock, retry_ms, _slot: slot })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Follow {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let who = <Principal as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        let client = ClientIp::from_request_parts(parts, state).await?;
        let web = parts.extensions.get::<Web>().cloned().ok_or_else(Problem::internal)?;
        let last = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok());
        let known = last.and_then(|id| Position::try_from(id.trim().parse::<u64>().ok()?).ok());
        Ok(Self { web, who, client, known })
    }
}

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        let headers = [
            (CONTENT_TYPE, "text/event-stream"),
            (CACHE_CONTROL, "no-store"),
            // A proxy that gathers answers before it passes them on would hold back every event.
            (axum::http::HeaderName::from_static("x-accel-buffering"), "no"),
        ];
        let over = self.live.over(&*self.clock).boxed();
        let mut waiting = VecDeque::new();
        waiting.push_back(Bytes::from(format!("retry: {}\n\n", self.retry_ms)));
        let chunks = stream::unfold(Chunks { stream: self, over, waiting }, Chunks::next);
        (headers, Body::from_stream(chunks)).into_response()
    }
}

/// What is still to be sent, and where more comes from.
struct Chunks {
    stream: EventStream,
    over: BoxFuture<'static, ()>,
    waiting: VecDeque<Bytes>,
}

impl Chunks {
    /// The next piece; `None` at the end. It is asked for when the last one was taken, so nothing piles up.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if self.waiting.is_empty() {
            let EventStream { follower, message, live, clock, .. } = &mut self.stream;
            tokio::select! {
                biased;
                () = &mut self.over => return None,
                changes = follower.next() => {
                    self.waiting.extend(changes.iter().map(|change| event(message, change)));
                }
                () = clock.sleep(live.options.keep_alive) => {
                    self.waiting.push_back(Bytes::from_static(b":\n\n"));
                }
            }
        }
        self.waiting.pop_front().map(|bytes| (Ok(bytes), self))
    }
}

fn event(message: &str, change: &Change) -> Bytes {
    let position = change.position;
    let mut text = String::with_capacity(change.text.len() + 96);
    // Writing to a String cannot fail.
    let _ = write!(text, "event: {message}\nid: {position}\ndata: ");
    change.write(&mut text, &format!("\"position\":{position}"));
    text.push_str("\n\n");
    text.into()
}
