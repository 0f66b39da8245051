//! The limits of the HTTP side, in one place.

use crate::{LiveOptions, RateLimitLayer, TrustedProxies};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Where to listen and what to allow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "switches that have nothing to do with each other")]
pub struct HttpOptions {
    /// Where to listen; port 0 picks a free one.
    pub address: SocketAddr,
    /// Whether to listen at all; without it requests come by [`InProcess`](crate::InProcess) only, as in a simulation.
    pub listens: bool,
    /// Most connections at once; further ones wait in the kernel's queue.
    pub max_connections: usize,
    /// Longest time for the head of a request to arrive, also while a kept connection is idle.
    pub header_timeout: Duration,
    /// Largest head of a request, in bytes; at least 8,192. One up to twice as large is refused with 431 as a problem, a
    /// larger one with the protocol's bare 431, because it is never read to its end.
    pub max_head: usize,
    /// Longest time for a body to arrive, apart from what `min_body_rate` grants.
    pub body_timeout: Duration,
    /// A body may take longer as long as it brings so many bytes per second.
    pub min_body_rate: u32,
    /// Longest time a client may stop reading an answer.
    pub write_timeout: Duration,
    /// Longest time from a request to the head of its answer.
    pub request_timeout: Duration,
    /// Largest body in bytes, unless the route says otherwise.
    pub body_limit: usize,
    /// Largest body in bytes, whatever a route says.
    pub body_ceiling: usize,
    /// Whether browsers are told to come back by HTTPS only (HSTS). On where TLS stands in front; not in development.
    pub only_https: bool,
    /// The origins whose pages may call this API from a browser, such as `https://shop.example`; none by default.
    pub cors_origins: Vec<String>,
    /// Whether text is compressed for clients that take it.
    pub compression: bool,
    /// Whose `X-Forwarded-For` counts.
    pub trusted_proxies: TrustedProxies,
    /// How often somebody may ask; without a limit by default.
    pub rate_limits: RateLimitLayer,
    /// How many may follow what changes, and how often they are told.
    pub live: LiveOptions,
    /// Whether `/metrics` is offered, to the roles `admin` and `monitoring`. It installs the recorder of the process
    /// (see the crate `metrics`), so the program must not install another.
    pub metrics: bool,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            listens: true,
            max_connections: 10_000,
            header_timeout: Duration::from_secs(5),
            max_head: 8 * 1024,
            body_timeout: Duration::from_secs(5),
            min_body_rate: 16 * 1024,
            write_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            body_limit: 64 * 1024,
            body_ceiling: 1024 * 1024,
            only_https: false,
            cors_origins: Vec::new(),
            compression: true,
            trusted_proxies: TrustedProxies::default(),
            rate_limits: RateLimitLayer::default(),
            live: LiveOptions::default(),
            metrics: false,
        }
    }
}

impl HttpOptions {
    /// The defaults, listening on `address`.
    pub fn listen(address: SocketAddr) -> Self {
        Self { address, ..Self::default() }
    }

    /// The defaults without a socket: requests come by [`InProcess`](crate::InProcess).
    pub fn in_process() -> Self {
        Self { listens: false, ..Self::default() }
    }
}
