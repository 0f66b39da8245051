//! How often somebody may ask: budgets per user and per address, each route's own where it matters.
//!
//! Where the counting happens is a port ([`RateLimits`](composable_rust_core::port::RateLimits)); within this process
//! unless [`WebExt::rate_limits`](crate::WebExt::rate_limits) gives another.

mod budget;
mod crowd;
mod in_process;
mod layer;

pub use in_process::InProcessRateLimits;
pub use layer::RateLimitLayer;
pub(crate) use layer::{limited, network};
