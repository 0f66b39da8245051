//! What happens next to a show that is cancelled.

use super::{OrdersOf, OrdersPage};
use crate::reservation::{Reservation, ReservationCommand};
use crate::shared::ShowId;
use crate::show::ShowEvent;
use composable_rust::later;
use composable_rust::prelude::*;
use std::time::Duration;

/// How long after a page of orders the next one: those who buy something else are served meanwhile.
const PACE: Duration = Duration::from_secs(1);

/// The cancellation of one show.
#[derive(Debug, Clone, Default, PartialEq, State)]
pub struct Cancelling {
    /// The page of orders to ask for next; none when all are called off.
    pub next: Option<OrdersOf>,
}

/// What it hears.
#[derive(Debug, Clone, PartialEq, Input)]
pub enum CancellingInput {
    /// Something happened to a show.
    Show(ShowId, ShowEvent),

    /// An order refused.
    #[rejected]
    OrderRefused(Rejected<Reservation>),

    /// A page of orders.
    #[outcome]
    Found(Outcome<OrdersOf>),

    /// It is time for the next page.
    #[timer]
    Next,
}

impl Process for Cancelling {
    type Input = CancellingInput;
    const NAME: &'static str = "cancelling";

    fn id(input: &CancellingInput) -> Option<ProcessId> {
        match input {
            CancellingInput::Show(show, ShowEvent::Cancelled { .. }) => Some(ProcessId::of(show)),
            // Answers and timers return to their instance by themselves.
            CancellingInput::Show(..)
            | CancellingInput::OrderRefused(_)
            | CancellingInput::Found(_)
            | CancellingInput::Next => None,
        }
    }

    fn react(&mut self, input: Recorded<CancellingInput>) -> Steps<Self> {
        let Recorded { body, position, recorded_at: now, .. } = input;
        match body {
            // Its sections refuse to hold places from this position on: later there are no new orders.
            CancellingInput::Show(show, ShowEvent::Cancelled { .. }) => {
                self.next = Some(OrdersOf { show, position, page: 1 });
                self.ask()
            }
            CancellingInput::Next => self.ask(),
            CancellingInput::Found(Outcome { call, answer: OrdersPage { orders, next } }) => {
                let call_off = |order| dispatch(order, ReservationCommand::CallOff);
                let mut steps: Steps<Self> = orders.into_iter().map(call_off).collect();
                self.next = next.map(|page| OrdersOf { page, ..call });
                if self.next.is_some() {
                    steps.push(schedule(CancellingTimer::Next, later(now, PACE)));
                }
                steps
            }
            // An order has no reason to refuse it.
            CancellingInput::Show(..) | CancellingInput::OrderRefused(_) => steps![],
        }
    }
}

impl Cancelling {
    fn ask(&self) -> Steps<Self> {
        self.next.clone().into_iter().map(call).collect()
    }
}
