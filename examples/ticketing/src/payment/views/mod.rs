//! What can be asked about payments as a whole.

mod payments;

pub use payments::{ListedPayment, PaymentList};
