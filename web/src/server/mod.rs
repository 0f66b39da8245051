//! Serves HTTP/1.1 on a socket of our own, so that no client can hold a connection by being slow.
//!
//! `axum::serve` installs no timer: a socket that sends nothing, or half a head, stays open for ever. HTTP/2 and TLS end
//! at the proxy in front.

mod accept;
mod body;
mod connection;
mod options;
mod socket;

pub(crate) use accept::{Server, bind};
pub use body::BodyTooSlow;
pub use options::HttpOptions;
