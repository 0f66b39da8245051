//! Compares the gateway's books with ours, every few minutes: whatever went wrong without anybody noticing shows here.
//!
//! It changes nothing: what is to be done about a difference somebody has to decide who can ask the gateway. What is
//! merely under way is the checkout's business.

mod books;
mod job;
mod routes;
#[cfg(test)]
mod tests;

pub use books::{Difference, Mismatch};
pub(crate) use job::ReconciliationService;
pub use job::{Reconciliation, Report};
pub use routes::routes;
