//! The checkout: what happens next to an order, and what an answer of the gateway means for places, tickets and money.
//!
//! The only slice whose subject is the others. A request settles a payment itself, in one append (`settling.rs`), so that
//! its answer is final; the process (`process.rs`) ends holds, asks about payments that nobody settled, and puts right
//! what came late. Both lead to the same events, and a repeat of either changes nothing.

mod cancelling;
mod input;
mod late;
mod money;
mod process;
mod refunding;
mod seating;
mod settling;
mod state;
#[cfg(test)]
mod tests;

pub use cancelling::{Cancelling, CancellingInput, CancellingTimer, FindOrders, OrdersOf, OrdersPage};
pub use input::{CheckoutInput, CheckoutTimer};
pub use refunding::{GivenBack, Refunding, RefundingInput, RefundingTimer, refund_tickets};
pub use seating::seated;
pub use settling::{act_on, charge, give_up, settle};
pub use state::{Attempt, Checkout, Order, Stage};
