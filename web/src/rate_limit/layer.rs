//! Which budget a request takes from, and what happens when it is used up.

use super::budget::{Budget, refusal};
use super::crowd::Crowds;
use crate::principal::Identity;
use crate::{ClientIp, Problem, Web};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use composable_rust_core::UserId;
use composable_rust_core::describe;
use composable_rust_core::port::Rate;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// Where files are served that no budget counts, unless the application names others.
const FILES: &str = "/static/";

/// The layer that limits how often somebody may ask; [`HttpOptions::rate_limits`](crate::HttpOptions::rate_limits)
/// switches it on. Without a budget it does nothing.
///
/// Who has signed in takes from the budget of the account, wherever he is; everybody else from the one of his address
/// (an IPv6 address counts with its whole /64). Probes and files are not counted. Beyond the budget a request is
/// answered with 429 `rate_limited`, and does nothing. While nobody can count, because a shared store does not answer,
/// routes that are [guarded](Self::guarded) refuse with 503 and all others let everybody pass.
///
/// ```
/// use composable_rust_core::port::Rate;
/// use composable_rust_web::{HttpOptions, RateLimitLayer};
/// use std::time::Duration;
/// let limits = RateLimitLayer::per_minute(100, 20)
///     .route("/api/search", Rate::per_minute(10))
///     .guarded("/api/sign-in", Rate::per(10, Duration::from_secs(60)));
/// let options = HttpOptions { rate_limits: limits, ..HttpOptions::default() };
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimitLayer {
    per_user: Option<Budget>,
    per_ip: Option<Budget>,
    routes: Vec<(String, Budget)>,
    uncounted: Vec<String>,
    crowds: Option<Crowds>,
}

impl RateLimitLayer {
    /// So many requests a minute for each account, and for each address without one; 0 switches a limit off.
    pub fn per_minute(per_user: u32, per_ip: u32) -> Self {
        Self {
            per_user: Budget::open("user", per_user),
            per_ip: Budget::open("ip", per_ip),
            routes: Vec::new(),
            uncounted: vec![FILES.to_owned()],
            crowds: None,
        }
    }

    /// Gives a route, named by its template, a budget of its own instead of the general one.
    #[must_use]
    pub fn route(mut self, template: impl Into<String>, rate: Rate) -> Self {
        self.own_budget(template.into(), rate, false);
        self
    }

    /// Gives a route that guards something, such as sign-in, a budget of its own: always by address, with no headers
    /// that tell how much is left, and closed while nobody can count.
    #[must_use]
    pub fn guarded(mut self, template: impl Into<String>, rate: Rate) -> Self {
        self.own_budget(template.into(), rate, true);
        self
    }

    /// Does not count routes whose template begins with `prefix`.
    #[must_use]
    pub fn except(mut self, prefix: impl Into<String>) -> Self {
        self.uncounted.push(prefix.into());
        self
    }

    /// Tells when more than so many accounts of one network (a /24 of IPv4, a /64 of IPv6) write by these routes within
    /// `period`: a warning in the log, once in each period, and the metric `http_crowd_accounts_total` for each further
    /// account. Nobody is refused, because those behind one address may be many.
    #[must_use]
    pub fn crowds<T: Into<String>>(
        mut self,
        accounts: u32,
        period: Duration,
        templates: impl IntoIterator<Item = T>,
    ) -> Self {
        self.crowds = Some(Crowds::new(accounts, period, templates.into_iter().map(Into::into).collect()));
        self
    }

    /// Whether anything is limited.
    pub fn is_off(&self) -> bool {
        self.per_user.is_none() && self.per_ip.is_none() && self.routes.is_empty()
    }

    /// The crowds that a request may be part of.
    fn crowds_of(&self, request: &Request) -> Option<&Crowds> {
        let template = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
        self.crowds.as_ref().filter(|crowds| !request.method().is_safe() && crowds.watches(template))
    }

    fn own_budget(&mut self, template: String, rate: Rate, guards: bool) {
        // The name goes into a header and must be plain there.
        let name = template.trim_matches('/').replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        self.routes.retain(|(own, _)| *own != template);
        self.routes.push((template, Budget { name: name.into(), rate, guards }));
    }

    /// The budget that a request takes from, and whose; `None` if it is not counted.
    fn budget(&self, template: &str, user: Option<UserId>, address: IpAddr) -> Option<(&Budget, String)> {
        let own = self.routes.iter().find(|(own, _)| own == template).map(|(_, budget)| budget);
        if own.is_none() && self.uncounted.iter().any(|prefix| template.starts_with(prefix.as_str())) {
            return None;
        }
        let user = user.filter(|_| own.is_none_or(|budget| !budget.guards));
        let general = if user.is_some() { self.per_user.as_ref() } else { self.per_ip.as_ref() };
        let budget = own.or(general)?;
        let who = user.map_or_else(|| network(address).to_string(), |user| user.to_string());
        Some((budget, format!("{}:{who}", budget.name)))
    }
}

/// Takes from the budget, then goes on or refuses.
pub(crate) async fn limited(State(web): State<Web>, request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let template = extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let user = extensions.get::<Identity>().and_then(Identity::principal).map(|user| user.user_id);
    let address = extensions.get::<ClientIp>().map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |client| client.0);
    let crowds = web.options().rate_limits.crowds_of(&request).zip(user);
    let budget = web.options().rate_limits.budget(template, user, address);
    if let Some((crowds, user)) = crowds {
        let template = template.to_owned();
        crowds.count(&web, template, user, address).await;
    }
    let Some((budget, key)) = budget else {
        return next.run(request).await;
    };
    match web.rate_limits().take(&key, budget.rate).await {
        Ok(decision) => {
            let mut response = if decision.is_allowed {
                next.run(request).await
            } else {
                refusal(&decision).into_response()
            };
            budget.tell(&decision, response.headers_mut());
            response
        }
        Err(error) => {
            tracing::warn!(error = describe(&error), budget = %budget.name, "requests cannot be counted");
            if budget.guards { Problem::overloaded().into_response() } else { next.run(request).await }
        }
    }
}

/// What one client can choose from freely counts as one: a whole /64 of IPv6.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn key(layer: &RateLimitLayer, template: &str, user: Option<u128>, address: &str) -> Option<String> {
        let user = user.map(|number| UserId::from_uuid(Uuid::from_u128(number)));
        layer.budget(template, user, address.parse().unwrap()).map(|(_, key)| key)
    }

    #[test]
    fn a_v6_network_is_one_client() {
        let layer = RateLimitLayer::per_minute(0, 20);
        let of = |address| key(&layer, "/a", None, address).unwrap();
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[test]
    fn each_request_takes_from_one_budget() {
        let layer = RateLimitLayer::per_minute(100, 0)
            .route("/search", Rate::per_minute(1))
            .guarded("/sign-in", Rate::per_minute(1))
            .except("/files/");
        let (address, user) = ("192.0.2.1", Some(7));
        assert_eq!(key(&layer, "/a", None, address), None, "addresses have no limit");
        assert!(key(&layer, "/a", user, address).unwrap().starts_with("user:"));
        assert!(key(&layer, "/search", user, address).unwrap().starts_with("search:0000"));
        assert_eq!(key(&layer, "/sign-in", user, address).as_deref(), Some("sign-in:192.0.2.1"));
        assert_eq!(key(&layer, "/static/{file}", user, address), None);
        assert_eq!(key(&layer, "/files/{file}", user, address), None);
        assert!(RateLimitLayer::per_minute(0, 0).is_off() && !layer.is_off());
    }
}
