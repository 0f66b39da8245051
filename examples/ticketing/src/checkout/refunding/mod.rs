//! Giving tickets back for their money: the request does it in one append, and a process finishes what a request left.
//!
//! The order decides which tickets go back and by which refund, so no two refunds overlap; the gateway knows a refund by
//! its id, so the money moves once; and of those who learn that it has moved, the order lets one finish.

mod process;
mod settling;
#[cfg(test)]
mod tests;

pub use process::{Refunding, RefundingInput, RefundingTimer};
pub use settling::{GivenBack, refund_tickets};
