//! The payment: one attempt to pay one reservation, and the gateway that moves the money.
//!
//! The stream records what became of the money; it is the gateway that knows. What the answer means for places and
//! tickets is the checkout's business.

mod actions;
mod activities;
mod decider;
pub mod gateway;
pub mod reconciling;
mod routes;
mod state;
#[cfg(test)]
mod tests;
pub mod views;

pub use actions::{PaymentAction, PaymentCommand, PaymentEvent};
pub use activities::{Charge, ChargeCard, Refund, RefundCard, RefundOutcome, StopCharge, StopCharging};
pub use decider::PaymentRefused;
pub use gateway::PaymentGateway;
pub use routes::{Paid, Pay, PaymentBody, Till, action_url, pay_order, routes};
pub use state::{Method, NewPayment, Payment, PaymentStatus, SimulatedOutcome};
