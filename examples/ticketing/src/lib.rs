//! Ticketing.
