//! Many accounts behind one network: they are let pass, since an office or a mobile network looks the same, but told of.

use super::layer::network;
use crate::Web;
use composable_rust_core::UserId;
use composable_rust_core::describe;
use composable_rust_core::port::{Rate, StoreError};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// How many accounts of one network may do something before it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Crowds {
    /// The routes, by template.
    routes: Vec<String>,
    accounts: u32,
    period: Duration,
}

impl Crowds {
    pub(super) const fn new(accounts: u32, period: Duration, routes: Vec<String>) -> Self {
        Self { routes, accounts, period }
    }

    pub(super) fn watches(&self, template: &str) -> bool {
        self.routes.iter().any(|route| route == template)
    }

    /// Counts an account of a network, once in each period; beyond the limit it is told, and the first time of a period
    /// also logged.
    pub(super) async fn count(&self, web: &Web, template: String, user: UserId, address: IpAddr) {
        if let Err(error) = self.try_count(web, template, user, address).await {
            tracing::warn!(error = describe(&error), "accounts of a network cannot be counted");
        }
    }

    async fn try_count(
        &self,
        web: &Web,
        template: String,
        user: UserId,
        address: IpAddr,
    ) -> Result<(), StoreError> {
        let (limits, network) = (web.rate_limits(), neighbours(address));
        let once = Rate::per(1, self.period);
        if !limits.take(&format!("crowd:{network}:{user}"), once).await?.is_allowed {
            return Ok(());
        }
        let all = Rate::per(self.accounts, self.period);
        if limits.take(&format!("crowd:{network}"), all).await?.is_allowed {
            return Ok(());
        }
        metrics::counter!("http_crowd_accounts_total", "route" => template.clone()).increment(1);
        if limits.take(&format!("crowd-told:{network}"), once).await?.is_allowed {
            let accounts = self.accounts;
            tracing::warn!(%network, accounts, route = template, "more accounts than this act from one network");
        }
        Ok(())
    }
}

/// The network of an address that one party can be expected to have: a /24 of IPv4, a /64 of IPv6.
fn neighbours(address: IpAddr) -> IpAddr {
    match network(address) {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & !0xff).into(),
        address @ IpAddr::V6(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_a_24_or_a_64() {
        let of = |text: &str| neighbours(text.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.200"), "192.0.2.0");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.0");
        assert_ne!(of("192.0.2.1"), of("192.0.3.1"));
        assert_eq!(of("2001:db8:1:2:3::1"), of("2001:db8:1:2::9"));
    }
}
