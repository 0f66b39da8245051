//! What the earlier parts of a set of commands decided, for a part that is completed with it.
//!
//! A part never sees another's state: only the events that are appended together with its own.

use composable_rust_core::{Action, Decider, EventOf, KeyOf, StreamId};
use std::any::Any;
use std::fmt::{self, Debug};

/// What was decided before, in one set of commands; given to [`CommandOn::informed_by`](super::CommandOn::informed_by).
#[derive(Clone, Copy)]
pub struct Earlier<'a>(pub(crate) &'a dyn EarlierParts);

/// The parts that have decided, in their order.
pub(crate) trait EarlierParts: Sync {
    /// The stream and the events of a part, as a `Vec` of its decider's events; `None` after the last.
    fn part(&self, index: usize) -> Option<(&StreamId, &dyn Any)>;
}

impl<'a> Earlier<'a> {
    /// The events of every earlier part that one decider decided, with the key of its aggregate.
    pub fn events<D: Decider>(&self) -> impl Iterator<Item = (KeyOf<D>, &'a [EventOf<D>])> {
        let parts = self.0;
        (0..).map_while(|index| parts.part(index)).filter_map(|(stream, events)| {
            let events = events.downcast_ref::<Vec<EventOf<D>>>()?;
            let is_meant = stream.category() == D::Action::CATEGORY;
            let key = stream.key().parse().ok().filter(|_| is_meant)?;
            Some((key, events.as_slice()))
        })
    }
}

impl Debug for Earlier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Earlier")
    }
}
