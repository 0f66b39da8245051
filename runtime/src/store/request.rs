//! Which answer belongs to which request.
//!
//! A request is a scope. The effects of its action carry the scope, the actions that come back from them are reduced
//! under it, and so are the effects of those. Only an action under the scope can answer it; so a request never receives
//! another one's answer, whatever the actions look like. When the last effect of a scope is gone nobody holds it any
//! more, and the waiting side learns at once that no answer can come.

use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// The request that an effect works for, if somebody waits.
pub(super) type Lineage<A> = Option<Arc<Request<A>>>;

/// The same, borrowed.
pub(super) type Asked<'a, A> = Option<&'a Arc<Request<A>>>;

pub(super) struct Request<A> {
    is_answer: Box<dyn Fn(&A) -> bool + Send + Sync>,
    reply: Mutex<Option<oneshot::Sender<A>>>,
}

impl<A: Clone> Request<A> {
    pub(super) fn new(
        is_answer: impl Fn(&A) -> bool + Send + Sync + 'static,
    ) -> (Arc<Self>, oneshot::Receiver<A>) {
        let (sender, receiver) = oneshot::channel();
        (Arc::new(Self { is_answer: Box::new(is_answer), reply: Mutex::new(Some(sender)) }), receiver)
    }

    /// A copy of `action` if it is an answer.
    pub(super) fn answer_in(&self, action: &A) -> Option<A> {
        (self.is_answer)(action).then(|| action.clone())
    }

    /// Gives the answer; the first one counts.
    pub(super) fn answer(&self, action: A) {
        let sender = self.reply.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A requester that has stopped waiting is no failure.
        drop(sender.map(|sender| sender.send(action)));
    }
}
