//! What a customer has, and what the limit allows: small enough for one file.
#![expect(missing_docs, reason = "the fields of commands and events are what they are called")]

use crate::shared::{QuotaId, ReservationId};
use composable_rust::prelude::*;
use std::collections::BTreeMap;

/// What one customer has of one show.
#[derive(Debug, Clone, Default, PartialEq, State)]
pub struct Quota {
    /// Places held or bought by each order.
    pub orders: BTreeMap<ReservationId, u32>,
}

/// What can be asked of a quota, and what can happen to it.
#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "quota", key = QuotaId, decider = Quota)]
pub enum QuotaAction {
    /// Counts an order's places.
    #[command]
    Take { reservation: ReservationId, quantity: u32, limit: Option<u32> },
    /// Counts them no longer. Not counted: nothing happens.
    #[command]
    GiveBack { reservation: ReservationId },
    /// Counts so many of an order's places no longer.
    #[command]
    GiveBackSome { reservation: ReservationId, quantity: u32 },

    /// They are counted.
    #[event]
    Taken { reservation: ReservationId, quantity: u32 },
    /// They are counted no longer.
    #[event]
    GivenBack { reservation: ReservationId },
    /// Some of them are counted no longer.
    #[event]
    SomeGivenBack { reservation: ReservationId, quantity: u32 },
}

/// Why a quota refuses.
#[derive(Debug, Clone, PartialEq, Eq, Rejection)]
pub enum QuotaRefused {
    /// The customer would have too many.
    #[rejection(message = "a customer may have at most {limit} places, and you have {taken}")]
    LimitExceeded {
        /// The most.
        limit: u32,
        /// What the customer has.
        taken: u32,
    },
}

impl Decider for Quota {
    type Action = QuotaAction;
    type Rejection = QuotaRefused;

    fn decide(&self, command: QuotaCommand, _: &Context) -> Decision<Self> {
        match command {
            QuotaCommand::Take { reservation, .. } if self.orders.contains_key(&reservation) => {
                Ok(Vec::new())
            }
            QuotaCommand::Take { reservation, quantity, limit } => {
                let taken = self.taken();
                match limit.filter(|limit| taken.saturating_add(quantity) > *limit) {
                    Some(limit) => Err(QuotaRefused::LimitExceeded { limit, taken }),
                    None => Ok(vec![QuotaEvent::Taken { reservation, quantity }]),
                }
            }
            QuotaCommand::GiveBack { reservation } => match self.orders.get(&reservation) {
                Some(_) => Ok(vec![QuotaEvent::GivenBack { reservation }]),
                None => Ok(Vec::new()),
            },
            QuotaCommand::GiveBackSome { reservation, quantity } => match self.orders.get(&reservation) {
                Some(taken) if quantity < *taken => {
                    Ok(vec![QuotaEvent::SomeGivenBack { reservation, quantity }])
                }
                Some(_) => Ok(vec![QuotaEvent::GivenBack { reservation }]),
                None => Ok(Vec::new()),
            },
        }
    }

    fn evolve(&mut self, event: &QuotaEvent) {
        match *event {
            QuotaEvent::Taken { reservation, quantity } => _ = self.orders.insert(reservation, quantity),
            QuotaEvent::GivenBack { reservation } => _ = self.orders.remove(&reservation),
            QuotaEvent::SomeGivenBack { reservation, quantity } => {
                if let Some(taken) = self.orders.get_mut(&reservation) {
                    *taken = taken.saturating_sub(quantity);
                }
            }
        }
    }
}

impl Quota {
    /// What the customer has in all.
    pub fn taken(&self) -> u32 {
        self.orders.values().fold(0, |sum, places| sum.saturating_add(*places))
    }
}
