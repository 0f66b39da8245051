//! The whole ticketing application: simulated, over HTTP, killed.
#![cfg(test)]

mod access;
mod acknowledged;
mod binary;
mod books;
mod buying;
mod cancelling;
mod client;
mod contract;
mod holds;
mod invariants;
mod kill;
mod limits;
mod live;
mod openapi;
mod organising;
mod outcomes;
mod planted;
mod proof;
mod race;
mod reconciliation;
mod refunds;
mod seats;
mod simulation;
mod slow_sockets;
mod startup;
mod storefront;
mod story;
mod threats;
mod walkthrough;
