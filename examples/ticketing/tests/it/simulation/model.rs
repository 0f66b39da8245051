//! What a shop of one section has to look like, kept as simply as can be: a list of orders and a few numbers.

use crate::story::Places;
use composable_rust::later;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;

/// What one place costs, in cents.
pub(super) const PRICE: u64 = 4_500;

/// A show with one section.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) places: Places,
    pub(super) capacity: u32,
    pub(super) blocked: u32,
    pub(super) is_open: bool,
    pub(super) is_cancelled: bool,
    pub(super) orders: Vec<Order>,
}

/// An order as the model knows it.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) quantity: u32,
    pub(super) status: String,
    pub(super) extensions: u32,
    pub(super) expires: Timestamp,
    /// The payment that was started last.
    pub(super) payment: Option<String>,
    /// Tickets that go back, or went.
    pub(super) given_back: BTreeSet<String>,
    /// Places of which the money is back.
    pub(super) refunded: u32,
}

impl Model {
    pub(super) fn new(capacity: u32, places: Places) -> Self {
        Self { places, capacity, blocked: 0, is_open: true, is_cancelled: false, orders: Vec::new() }
    }

    pub(super) fn free(&self) -> u32 {
        self.capacity - self.blocked - self.held() - self.sold()
    }

    pub(super) fn held(&self) -> u32 {
        self.orders.iter().filter(|order| order.is_held()).map(|order| order.quantity).sum()
    }

    pub(super) fn sold(&self) -> u32 {
        self.orders.iter().map(Order::kept).sum()
    }

    /// Holds are over, and whoever paid gets everything back.
    pub(super) fn cancel(&mut self, now: Timestamp) {
        (self.is_open, self.is_cancelled) = (false, true);
        for order in &mut self.orders {
            order.expires = order.expires.min(now);
        }
    }

    /// Order number `place` has become `next`, and so much money of it is back.
    pub(super) fn learn(
        &mut self,
        place: usize,
        (next, back): (&str, u64),
        (now, late): (Timestamp, Duration),
    ) {
        let is_cancelled = self.is_cancelled;
        let order = &mut self.orders[place];
        assert!(order.may_become(next, is_cancelled), "{order:?} became {next}");
        assert!(next != "expired" || now >= order.expires, "{order:?} expired early, at {now}");
        next.clone_into(&mut order.status);
        assert!(!order.is_held() || now <= later(order.expires, late), "{order:?} is late at {now}");
        if order.is_paid() {
            let refunded = u32::try_from(back / PRICE).expect("few places");
            assert_eq!(back % PRICE, 0, "{order:?} has got back {back} cents");
            order.refunded_to(refunded, is_cancelled);
        }
    }
}

impl Order {
    pub(super) fn new(id: &str, quantity: u32, expires: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            quantity,
            status: "held".into(),
            extensions: 0,
            expires,
            payment: None,
            given_back: BTreeSet::new(),
            refunded: 0,
        }
    }

    pub(super) fn is_held(&self) -> bool {
        ["held", "paying"].contains(&&*self.status)
    }

    pub(super) fn is_paid(&self) -> bool {
        ["completed", "partially_refunded", "refunded"].contains(&&*self.status)
    }

    /// Places that are its owner's.
    pub(super) fn kept(&self) -> u32 {
        if self.is_paid() { self.quantity - self.refunded } else { 0 }
    }

    /// So many of these tickets, those first that can go back; all that can for none.
    pub(super) fn to_give_back(&self, all: &[String], count: usize) -> Vec<String> {
        let (gone, left): (Vec<_>, Vec<_>) =
            all.iter().cloned().partition(|ticket| self.given_back.contains(ticket));
        if count == 0 { left } else { left.into_iter().chain(gone).take(count).collect() }
    }

    /// Where it may stand next. Late money completes what has expired.
    fn may_become(&self, next: &str, is_cancelled: bool) -> bool {
        let next_ones: &[&str] = match &*self.status {
            "held" | "paying" => &["held", "paying", "completed", "expired", "cancelled"],
            "expired" => &["expired", "completed"],
            "completed" | "partially_refunded" => &["completed", "partially_refunded", "refunded"],
            "refunded" => &["refunded"],
            "cancelled" => &["cancelled"],
            unknown => panic!("{unknown:?} is no status"),
        };
        // What is paid for a cancelled show goes back at once.
        let is_back_at_once = is_cancelled && next == "refunded" && self.status != "cancelled";
        next_ones.contains(&next) || is_back_at_once
    }

    /// So much is back by now: what was, and some of what somebody asked for.
    fn refunded_to(&mut self, refunded: u32, is_cancelled: bool) {
        if is_cancelled {
            // All that were left are going back, whatever they are called.
            let missing = self.given_back.len()..self.quantity as usize;
            self.given_back.extend(missing.map(|number| format!("called off {number}")));
        }
        let asked = u32::try_from(self.given_back.len()).expect("few tickets");
        assert!((self.refunded..=asked).contains(&refunded), "{self:?} has {refunded} places back");
        let status = match refunded {
            0 => "completed",
            _ if refunded == self.quantity => "refunded",
            _ => "partially_refunded",
        };
        assert_eq!(self.status, status, "{self:?} with {refunded} places back");
        self.refunded = refunded;
    }
}
