//! The body of a request as it arrives: bounded in size, and given up when it comes too slowly.

use super::HttpOptions;
use axum::body::Bytes;
use http_body_util::Limited;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// A body did not arrive in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body of the request came too slowly")]
pub struct BodyTooSlow;

/// A body under a deadline that moves with the bytes it brings.
#[derive(Debug)]
pub(crate) struct TimedBody {
    inner: Limited<Incoming>,
    base: Duration,
    rate: u32,
    received: usize,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    unfinished: Arc<AtomicBool>,
}

impl TimedBody {
    /// `unfinished` tells the connection whether bytes of this body are still to come when the answer is out.
    pub(crate) fn new(inner: Incoming, options: &HttpOptions, unfinished: Arc<AtomicBool>) -> Self {
        unfinished.store(!inner.is_end_stream(), Ordering::Relaxed);
        Self {
            inner: Limited::new(inner, options.body_ceiling),
            base: options.body_timeout,
            rate: options.min_body_rate.max(1),
            received: 0,
            waiting: None,
            unfinished,
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
        match Pin::new(&mut self.inner).poll_frame(cx) {
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
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for TimedBody {
    fn drop(&mut self) {
        if self.inner.is_end_stream() {
            self.unfinished.store(false, Ordering::Relaxed);
        }
    }
}
