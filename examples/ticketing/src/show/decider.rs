//! What a show allows.

use super::draft::MOST_CAPACITY;
use super::{Changed, SectionKind, Show, ShowAction, ShowCommand, ShowEvent, ShowStatus};
use crate::shared::{SectionId, Violation, Violations};
use composable_rust::prelude::*;
use jiff::Timestamp;

/// Why a show refuses.
#[derive(Debug, Clone, PartialEq, Rejection)]
pub enum ShowRefused {
    /// Something is wrong with what was asked for.
    #[rejection(code = "validation_failed", kind = Invalid, message = "this is not as it should be; see errors")]
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
            (ShowCommand::Update(changed), status) if status != ShowStatus::Cancelled => {
                self.update(&changed, context.now())
            }
            (ShowCommand::Publish, ShowStatus::Draft) => Ok(vec![ShowEvent::Published]),
            (ShowCommand::OpenSales, ShowStatus::Published | ShowStatus::SalesClosed) => {
                Ok(vec![ShowEvent::SalesOpened])
            }
            (ShowCommand::CloseSales, ShowStatus::SalesOpen) => Ok(vec![ShowEvent::SalesClosed]),
            (ShowCommand::Cancel { .. }, ShowStatus::Cancelled) => Ok(Vec::new()),
            (
                ShowCommand::Cancel { reason },
                ShowStatus::Draft | ShowStatus::Published | ShowStatus::SalesOpen | ShowStatus::SalesClosed,
            ) => Ok(vec![ShowEvent::Cancelled { reason }]),
            (
                ShowCommand::AddCapacity { section, quantity },
                ShowStatus::Published | ShowStatus::SalesOpen | ShowStatus::SalesClosed,
            ) => self.add_capacity(section, quantity),
            (
                ShowCommand::Create { .. }
                | ShowCommand::Update(_)
                | ShowCommand::AddCapacity { .. }
                | ShowCommand::Publish
                | ShowCommand::OpenSales
                | ShowCommand::CloseSales
                | ShowCommand::Cancel { .. },
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
            ShowEvent::Updated(listing) => self.listing = Some(listing.clone()),
            ShowEvent::Published => (self.status, self.is_public) = (ShowStatus::Published, true),
            ShowEvent::SalesOpened => self.status = ShowStatus::SalesOpen,
            ShowEvent::SalesClosed => self.status = ShowStatus::SalesClosed,
            ShowEvent::Cancelled { reason } => {
                self.status = ShowStatus::Cancelled;
                self.cancel_reason.clone_from(reason);
            }
            ShowEvent::CapacityAdded { section, quantity } => {
                let sections = self.listing.iter_mut().flat_map(|listing| &mut listing.sections);
                for section in sections.filter(|known| known.id == *section) {
                    section.capacity = section.capacity.saturating_add(*quantity);
                }
            }
        }
    }
}

impl Show {
    /// What somebody saw must still be so: the sections are told what follows from it.
    fn update(&self, changed: &Changed, now: Timestamp) -> Decision<Self> {
        let Changed { from, to } = changed;
        if self.listing.as_ref() != Some(from) {
            return Err(ShowRefused::WrongState { status: self.status });
        }
        from.check_change(to, self.is_public, now)?;
        Ok((from != to).then(|| ShowEvent::Updated(to.clone())).into_iter().collect())
    }

    /// Where seats are numbered, the rows say how many there are.
    fn add_capacity(&self, id: SectionId, quantity: u32) -> Decision<Self> {
        let mut wrong = Violations::default();
        let sections = self.listing.iter().flat_map(|listing| &listing.sections);
        for section in sections.filter(|section| section.id == id) {
            let is_general = section.kind == SectionKind::General;
            wrong.check(
                is_general,
                "/add_capacity",
                "not_general",
                "numbered seats are made with their rows",
            );
            let capacity = i64::from(section.capacity).saturating_add(quantity.into());
            let detail = format!("a section may have at most {MOST_CAPACITY} places");
            wrong.check(capacity <= MOST_CAPACITY, "/add_capacity", "out_of_range", detail);
        }
        wrong.into_result(|errors| ShowRefused::Invalid { errors })?;
        Ok(vec![ShowEvent::CapacityAdded { section: id, quantity }])
    }
}
