//! How many places of a show one customer has, over all its sections.
//!
//! A stream for each show and customer, appended atomically with the hold: two orders at once cannot pass the limit
//! together. It is counted also where there is no limit, so that one can be set later.

mod decider;
#[cfg(test)]
mod tests;

pub use decider::{Quota, QuotaAction, QuotaCommand, QuotaEvent, QuotaRefused};
