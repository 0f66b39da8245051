//! What a show allows.

use super::{Show, ShowAction, ShowCommand, ShowEvent, ShowStatus};
use crate::shared::Violation;
use composable_rust::prelude::*;

/// Why a show refuses.
#[derive(Debug, Clone, PartialEq, Rejection)]
pub enum ShowRefused {
    /// Something is wrong with what was asked for.
    #[rejection(code = "validation_failed", kind = Invalid, message = "this cannot be offered; see errors")]
    Invalid {
        /// All of it.
        errors: Vec<Violation>,
    },
    /// Not in this state.
    #[rejection(message = "the event is {status}")]
    WrongState {
        /// Where it stands.
        status: ShowStatus,
    },
    /// Nothing is sold now.
    #[rejection(message = "this is not on sale now")]
    SalesClosed,
    /// More than one order may have.
    #[rejection(message = "an order may have at most {limit} places")]
    LimitExceeded {
        /// The most.
        limit: u32,
    },
}

impl Decider for Show {
    type Action = ShowAction;
    type Rejection = ShowRefused;

    fn decide(&self, command: ShowCommand, context: &Context) -> Decision<Self> {
        match (command, self.status) {
            (ShowCommand::Create { owner, show }, ShowStatus::Unlisted) => {
                Ok(vec![ShowEvent::Created(show.list(owner, context)?)])
            }
            (ShowCommand::Publish, ShowStatus::Draft) => Ok(vec![ShowEvent::Published]),
            (ShowCommand::OpenSales, ShowStatus::Published | ShowStatus::SalesClosed) => {
                Ok(vec![ShowEvent::SalesOpened])
            }
            (ShowCommand::CloseSales, ShowStatus::SalesOpen) => Ok(vec![ShowEvent::SalesClosed]),
            (
                ShowCommand::Create { .. }
                | ShowCommand::Publish
                | ShowCommand::OpenSales
                | ShowCommand::CloseSales,
                status,
            ) => Err(ShowRefused::WrongState { status }),
        }
    }

    fn evolve(&mut self, event: &ShowEvent) {
        match event {
            ShowEvent::Created(listing) => {
                self.listing = Some(listing.clone());
                self.status = ShowStatus::Draft;
            }
            ShowEvent::Published => self.status = ShowStatus::Published,
            ShowEvent::SalesOpened => self.status = ShowStatus::SalesOpen,
            ShowEvent::SalesClosed => self.status = ShowStatus::SalesClosed,
        }
    }
}
