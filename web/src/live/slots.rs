//! How many may follow at once: in all, from one address, of one account.

use crate::rate_limit::network;
use crate::{LiveOptions, Problem};
use axum::http::StatusCode;
use composable_rust_core::UserId;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// How somebody follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    EventStream,
    WebSocket,
}

impl Kind {
    const fn label(self) -> &'static str {
        match self {
            Self::EventStream => "sse",
            Self::WebSocket => "websocket",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Holder {
    All(Kind),
    Address(Kind, IpAddr),
    User(Kind, UserId),
}

/// Who follows at the moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slots {
    taken: Arc<Mutex<BTreeMap<Holder, usize>>>,
}

/// The right to follow; it ends when this is dropped.
#[derive(Debug)]
#[must_use = "the slot is free again when this is dropped"]
pub(crate) struct Slot {
    slots: Slots,
    holders: Vec<Holder>,
}

impl Slots {
    /// A connection from `address`, of `user` if that is known.
    ///
    /// # Errors
    /// 503 when there are too many in all, 429 when there are too many of this address or account.
    pub(crate) fn connection(
        &self,
        kind: Kind,
        (address, user): (IpAddr, Option<UserId>),
        options: &LiveOptions,
    ) -> Result<Slot, Problem> {
        let address = Holder::Address(kind, network(address));
        let user = user.map(|user| (Holder::User(kind, user), options.max_per_user));
        let general = [(Holder::All(kind), options.max_followers), (address, options.max_per_ip)];
        self.take(general.into_iter().chain(user).collect())
    }

    /// A connection that has a slot already, once it is known whose it is.
    ///
    /// # Errors
    /// 429 when there are too many of this account.
    pub(crate) fn account(&self, kind: Kind, user: UserId, options: &LiveOptions) -> Result<Slot, Problem> {
        self.take(vec![(Holder::User(kind, user), options.max_per_user)])
    }

    fn take(&self, wanted: Vec<(Holder, usize)>) -> Result<Slot, Problem> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        for (holder, most) in &wanted {
            if taken.get(holder).copied().unwrap_or_default() >= *most {
                return Err(refusal(*holder));
            }
        }
        let holders: Vec<_> = wanted.into_iter().map(|(holder, _)| holder).collect();
        for holder in &holders {
            *taken.entry(*holder).or_default() += 1;
            gauge(*holder, 1.0);
        }
        Ok(Slot { slots: self.clone(), holders })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken.lock().unwrap_or_else(PoisonError::into_inner);
        for holder in &self.holders {
            gauge(*holder, -1.0);
            match taken.get_mut(holder) {
                Some(count) if *count > 1 => *count -= 1,
                Some(_) | None => drop(taken.remove(holder)),
            }
        }
    }
}

fn gauge(holder: Holder, by: f64) {
    if let Holder::All(kind) = holder {
        metrics::gauge!("live_connections", "kind" => kind.label()).increment(by);
    }
}

fn refusal(holder: Holder) -> Problem {
    let detail = match holder {
        Holder::All(_) => return Problem::overloaded(),
        Holder::Address(..) => "too many live connections from this address; close one",
        Holder::User(..) => "too many live connections of this account; close one",
    };
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).retry_after(5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_slot_counts_for_all_for_its_address_and_for_its_account_until_it_is_dropped() {
        let options = LiveOptions { max_followers: 4, max_per_ip: 2, max_per_user: 2, ..Default::default() };
        let slots = Slots::default();
        let take = |address: &str, user: u128| {
            let user = (user > 0).then(|| UserId::from_uuid(Uuid::from_u128(user)));
            slots
                .connection(Kind::WebSocket, (address.parse().unwrap(), user), &options)
                .map_err(|problem| problem.status().as_u16())
        };
        let first = take("192.0.2.1", 1).unwrap();
        let second = take("192.0.2.2", 1).unwrap();
        assert_eq!(take("192.0.2.3", 1).unwrap_err(), 429, "one account from three addresses");
        let third = take("192.0.2.1", 0).unwrap();
        assert_eq!(take("192.0.2.1", 0).unwrap_err(), 429, "one address");
        let fourth = take("2001:db8::1", 0).unwrap();
        assert_eq!(take("2001:db8::2", 2).unwrap_err(), 503, "in all");
        drop(first);
        let again = take("2001:db8::2", 1).unwrap();
        drop((second, third, fourth, again));
        assert!(slots.taken.lock().unwrap().is_empty(), "what is free is forgotten");
    }
}
