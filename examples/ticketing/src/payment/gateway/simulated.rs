//! The development gateway: does as the payment method tells it, and keeps its own books.

use super::{Booked, ChargeAnswer, Entry, Fate, Ledger, NoAnswer, Order, PaymentGateway, StopAnswer};
use crate::payment::{Method, SimulatedOutcome};
use crate::shared::{Money, PaymentId, RefundId};
use composable_rust::prelude::*;
use composable_rust::{Clock, later};
use jiff::Timestamp;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long a slow charge takes.
const SLOW: Duration = Duration::from_secs(3);
/// How long after the end of its hold a late charge is made.
const LATE: Duration = Duration::from_secs(1);

/// Charges nobody; for development and tests.
#[derive(Debug)]
pub struct SimulatedGateway {
    ledger: Ledger,
    clock: Arc<dyn Clock>,
}

impl SimulatedGateway {
    /// A gateway with these books.
    pub fn new(ledger: Ledger, clock: Arc<dyn Clock>) -> Self {
        Self { ledger, clock }
    }

    /// Its books.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Changes the books, and answers when that is on disk: also what others have written there is answered for.
    async fn settle<T: Send>(
        &self,
        payment: PaymentId,
        change: impl FnOnce(Option<&Entry>) -> (Option<Entry>, T) + Send,
    ) -> Result<T, NoAnswer> {
        let no_books =
            |error: io::Error| NoAnswer::Unreachable(format!("its books cannot be written: {error}"));
        let answer = self.ledger.change(payment, change).map_err(no_books)?;
        self.ledger.on_disk().await.map_err(no_books)?;
        Ok(answer)
    }
}

#[async_trait]
impl PaymentGateway for SimulatedGateway {
    async fn charge(&self, payment: PaymentId, order: Order) -> Result<ChargeAnswer, NoAnswer> {
        let now = self.clock.now();
        let outcome = match order.method {
            Method::Simulated { outcome } => outcome,
            Method::Free {} => SimulatedOutcome::Succeed,
        };
        let change = |known: Option<&Entry>| {
            if let Some(entry) = known {
                let fate = fate_at(entry.fate, now);
                return ((fate != entry.fate).then(|| Entry { fate, ..entry.clone() }), (fate, false));
            }
            let fate = first_fate(outcome, order.until, now);
            (Some(Entry::new(payment, Some(order), fate)), (fate, outcome == SimulatedOutcome::LostAnswer))
        };
        let (fate, is_lost) = self.settle(payment, change).await?;
        if is_lost { Err(NoAnswer::Unclear("the answer was lost".into())) } else { Ok(answer(fate, now)) }
    }

    async fn act(&self, payment: PaymentId, approves: bool) -> Result<ChargeAnswer, NoAnswer> {
        let now = self.clock.now();
        let change = |known: Option<&Entry>| match known {
            Some(entry) if entry.fate == Fate::RequiresAction => {
                let fate = if approves { Fate::Charged { at: now } } else { Fate::Declined };
                (Some(Entry { fate, ..entry.clone() }), answer(fate, now))
            }
            Some(entry) => (None, answer(entry.fate, now)),
            None => (None, ChargeAnswer::Unanswered),
        };
        self.settle(payment, change).await
    }

    async fn stop(&self, payment: PaymentId) -> Result<StopAnswer, NoAnswer> {
        let now = self.clock.now();
        let change = |known: Option<&Entry>| match known.map(|entry| fate_at(entry.fate, now)) {
            Some(fate @ Fate::Charged { at }) if at <= now => {
                (known.map(|entry| Entry { fate, ..entry.clone() }), Some(StopAnswer::AlreadyCharged))
            }
            Some(Fate::Late { until }) if until <= now => (None, None),
            Some(Fate::Declined | Fate::Stopped) => (None, Some(StopAnswer::Stopped)),
            Some(Fate::Charged { .. } | Fate::RequiresAction | Fate::Late { .. }) | None => {
                let stopped = known.cloned().unwrap_or_else(|| Entry::new(payment, None, Fate::Stopped));
                (Some(Entry { fate: Fate::Stopped, ..stopped }), Some(StopAnswer::Stopped))
            }
        };
        let stopped = self.settle(payment, change).await?;
        stopped.ok_or_else(|| NoAnswer::Unclear("it is silent".into()))
    }

    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), NoAnswer> {
        let change = |known: Option<&Entry>| match known {
            Some(entry) if entry.refunds.contains_key(&refund) => (None, true),
            Some(entry) if entry.kept() >= amount.amount => {
                let mut entry = entry.clone();
                entry.refunds.insert(refund, amount);
                (Some(entry), true)
            }
            Some(_) | None => (None, false),
        };
        let is_back = self.settle(payment, change).await?;
        if is_back { Ok(()) } else { Err(NoAnswer::Unclear("so much was not charged".into())) }
    }

    async fn booked(&self, from: PaymentId, most: usize) -> Result<Vec<Booked>, NoAnswer> {
        let now = self.clock.now();
        let booked = |entry: &Entry| match (fate_at(entry.fate, now), entry.amount) {
            (Fate::Charged { at }, Some(charged)) if at <= now => {
                let (payment, refunded) = (entry.payment, entry.refunded());
                Some(Booked { payment, charged, refunded })
            }
            _ => None,
        };
        Ok(self.ledger.from(from, booked, most))
    }
}

fn first_fate(outcome: SimulatedOutcome, until: Timestamp, now: Timestamp) -> Fate {
    match outcome {
        SimulatedOutcome::Succeed | SimulatedOutcome::LostAnswer => Fate::Charged { at: now },
        SimulatedOutcome::Slow => Fate::Charged { at: later(now, SLOW) },
        SimulatedOutcome::Decline => Fate::Declined,
        SimulatedOutcome::RequiresAction => Fate::RequiresAction,
        SimulatedOutcome::LateSuccess => Fate::Late { until },
    }
}

/// What a charge that comes late has become by now.
fn fate_at(fate: Fate, now: Timestamp) -> Fate {
    match fate {
        Fate::Late { until } if later(until, LATE) <= now => Fate::Charged { at: later(until, LATE) },
        Fate::Late { .. } | Fate::Charged { .. } | Fate::RequiresAction | Fate::Declined | Fate::Stopped => {
            fate
        }
    }
}

fn answer(fate: Fate, now: Timestamp) -> ChargeAnswer {
    match fate {
        Fate::Charged { at } if at <= now => ChargeAnswer::Succeeded,
        Fate::Charged { .. } | Fate::Late { .. } => ChargeAnswer::Unanswered,
        Fate::RequiresAction => ChargeAnswer::RequiresAction,
        Fate::Declined => ChargeAnswer::Declined { reason: "the card was declined".into() },
        Fate::Stopped => ChargeAnswer::Stopped,
    }
}
