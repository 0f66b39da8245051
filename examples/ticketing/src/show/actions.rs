//! The language of a show.
#![expect(missing_docs, reason = "the fields of commands and events are what they are called")]

use super::{Listing, NewShow, Show};
use crate::shared::{SectionId, ShowId};
use composable_rust::prelude::*;

/// A change of what is offered: what somebody saw, and what is to be.
#[derive(Debug, Clone, PartialEq, Data)]
pub struct Changed {
    pub from: Listing,
    pub to: Listing,
}

/// What can be asked of a show, and what can happen to it.
#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "show", key = ShowId, decider = Show)]
pub enum ShowAction {
    /// Makes a draft.
    #[command]
    Create { owner: UserId, show: NewShow },
    /// Changes what is offered; its sections are told in the same append.
    #[command]
    Update(Box<Changed>),
    /// Shows it to everybody.
    #[command]
    Publish,
    /// Begins to sell, or begins again.
    #[command]
    OpenSales,
    /// Makes more general places in a section; its inventory is told in the same append.
    #[command]
    AddCapacity { section: SectionId, quantity: u32 },
    /// Ends selling; what is held may still be paid.
    #[command]
    CloseSales,

    /// Ends it for good; its sections are told in the same append, its orders by a process.
    #[command]
    Cancel { reason: Option<String> },

    /// There is a draft.
    #[event]
    Created(Listing),
    /// Something else is offered.
    #[event]
    Updated(Listing),
    /// Everybody sees it.
    #[event]
    Published,
    /// It is sold.
    #[event]
    SalesOpened,
    /// It is no longer sold.
    #[event]
    SalesClosed,
    /// It does not take place.
    #[event]
    Cancelled {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A section has more places.
    #[event]
    CapacityAdded { section: SectionId, quantity: u32 },
}
