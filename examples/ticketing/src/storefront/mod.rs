//! The storefront: pages where people look for shows, order, pay and find their tickets.
//!
//! They decide nothing: what the API's routes do, they do through the same functions, and show what comes of it. Every page
//! works without scripts; the one module (`assets/storefront.js`) adds what moves. Templates escape all that people wrote.

pub mod pages;

pub use pages::{Counter, ErrorPages, routes};
