//! The body of a request as it arrives: bounded in size, and given up when it comes too slowly.

use super::HttpOptions;
use axum::body::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::error::Error;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// A rest of at most so many bytes that nobody read is read away after the answer is made, for at most so long: then the
/// connection can be used again. Of a longer rest it ends, since reading it would cost more than a new one.
const SMALL_REST: u64 = 64 * 1024;
const SHORT: Duration = Duration::from_millis(500);

/// A body did not arrive in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body of the request came too slowly")]
pub struct BodyTooSlow;

/// A body under a deadline that moves with the bytes it brings.
#[derive(Debug)]
pub(crate) struct TimedBody {
    /// There until it is dropped.
    inner: Option<Limited<Incoming>>,
    base: Duration,
    rate: u32,
    received: usize,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    unfinished: Arc<AtomicBool>,
    left: Left,
}

/// What is left of a request's body when nobody will read it any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Left(Arc<Mutex<Option<Limited<Incoming>>>>);

impl Left {
    /// Reads a small rest away, and answers whether the body has been read to its end or somebody still reads it: then
    /// the connection may go on.
    pub(crate) async fn is_settled(&self, unfinished: &AtomicBool) -> bool {
        let left = self.lock().take();
        let Some(mut left) = left else { return true };
        if left.size_hint().upper().is_none_or(|bytes| bytes > SMALL_REST) {
            return false;
        }
        let rest = async { while left.frame().await.is_some_and(|frame| frame.is_ok()) {} };
        let in_time = tokio::time::timeout(SHORT, rest).await.is_ok();
        let is_settled = in_time && left.is_end_stream();
        unfinished.store(!is_settled, Ordering::Relaxed);
        is_settled
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Limited<Incoming>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TimedBody {
    /// `unfinished` tells the connection whether bytes of this body are still to come when the answer is out.
    pub(crate) fn new(
        inner: Incoming,
        options: &HttpOptions,
        unfinished: Arc<AtomicBool>,
        left: Left,
    ) -> Self {
        unfinished.store(!inner.is_end_stream(), Ordering::Relaxed);
        Self {
            inner: Some(Limited::new(inner, options.body_ceiling)),
            base: options.body_timeout,
            rate: options.min_body_rate.max(1),
            received: 0,
            waiting: None,
            unfinished,
            left,
        }
    }

    /// Whether the deadline has passed; called only while there is nothing to read.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let granted =
            Duration::from_millis((self.received as u64).saturating_mul(1000) / u64::from(self.rate));
        let allowed = self.base.saturating_add(granted);
        let (started, sleep) = self.waiting.get_or_insert_with(|| {
            let sleep = Box::pin(tokio::time::sleep(allowed));
            (sleep.deadline() - allowed, sleep)
        });
        let deadline = *started + allowed;
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx)
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        match Pin::new(inner).poll_frame(cx) {
            Poll::Ready(frame) => {
                if let Some(Ok(frame)) = &frame {
                    self.received += frame.data_ref().map_or(0, Bytes::len);
                }
                if frame.is_none() {
                    self.unfinished.store(false, Ordering::Relaxed);
                }
                Poll::Ready(frame)
            }
            Poll::Pending => self.poll_deadline(cx).map(|()| Some(Err(BodyTooSlow.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for TimedBody {
    fn drop(&mut self) {
        let Some(inner) = self.inner.take() else { return };
        if inner.is_end_stream() {
            self.unfinished.store(false, Ordering::Relaxed);
        } else if self.unfinished.load(Ordering::Relaxed) {
            *self.left.lock() = Some(inner);
        }
    }
}
