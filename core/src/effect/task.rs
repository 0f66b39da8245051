//! Named futures and streams: one allocation holds the name and the work.

use futures_util::Stream;
use pin_project_lite::pin_project;
use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future with a name, whose output may be an action.
pub struct Task<A>(Pin<Box<dyn NamedFuture<A>>>);

/// A stream of actions with a name.
pub struct Source<A>(Pin<Box<dyn NamedStream<A>>>);

impl<A> Task<A> {
    /// A future under `name`; what it gives comes back as an action, unless it is `None`.
    pub fn new<F>(name: impl Into<Cow<'static, str>>, future: F) -> Self
    where
        F: Future<Output: Into<Option<A>>> + Send + 'static,
    {
        Self(Box::pin(Named { name: name.into(), work: future }))
    }

    /// The name.
    pub fn name(&self) -> &Cow<'static, str> {
        self.0.name()
    }
}

impl<A> Source<A> {
    /// A stream under `name`.
    pub fn new<S>(name: impl Into<Cow<'static, str>>, stream: S) -> Self
    where
        S: Stream<Item = A> + Send + 'static,
    {
        Self(Box::pin(Named { name: name.into(), work: stream }))
    }

    /// The name.
    pub fn name(&self) -> &Cow<'static, str> {
        self.0.name()
    }
}

impl<A> Future for Task<A> {
    type Output = Option<A>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<A>> {
        self.0.as_mut().poll_action(context)
    }
}

impl<A> Stream for Source<A> {
    type Item = A;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<A>> {
        self.0.as_mut().poll_next(context)
    }
}

impl<A> fmt::Debug for Task<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").field(self.name()).finish()
    }
}

impl<A> fmt::Debug for Source<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(self.name()).finish()
    }
}

pin_project! {
    struct Named<W> {
        name: Cow<'static, str>,
        #[pin]
        work: W,
    }
}

trait NamedFuture<A>: Send {
    fn name(&self) -> &Cow<'static, str>;
    fn poll_action(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<A>>;
}

trait NamedStream<A>: Stream<Item = A> + Send {
    fn name(&self) -> &Cow<'static, str>;
}

impl<A, F: Future<Output: Into<Option<A>>> + Send> NamedFuture<A> for Named<F> {
    fn name(&self) -> &Cow<'static, str> {
        &self.name
    }

    fn poll_action(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<A>> {
        self.project().work.poll(context).map(Into::into)
    }
}

impl<A, S: Stream<Item = A> + Send> NamedStream<A> for Named<S> {
    fn name(&self) -> &Cow<'static, str> {
        &self.name
    }
}

impl<S: Stream> Stream for Named<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.project().work.poll_next(context)
    }
}
