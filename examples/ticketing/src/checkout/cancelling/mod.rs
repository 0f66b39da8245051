//! What follows when a show is cancelled: every order of it is called off. Each then ends by itself, its hold by the
//! checkout and its money by the refunding process.

mod orders;
mod process;
#[cfg(test)]
mod tests;

pub use orders::{FindOrders, OrdersOf, OrdersPage};
pub use process::{Cancelling, CancellingInput, CancellingTimer};
