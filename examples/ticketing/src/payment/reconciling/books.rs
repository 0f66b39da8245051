//! What differs between two books.

use crate::payment::gateway::{Booked, NoAnswer, PaymentGateway};
use crate::payment::views::PaymentList;
use crate::payment::{Method, Payment, PaymentStatus};
use crate::shared::{Money, PaymentId};
use composable_rust::elapsed;
use composable_rust::prelude::*;
use jiff::Timestamp;
use schemars::JsonSchema;
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

/// How far back payments are compared.
const LOOKS_BACK: Duration = Duration::from_hours(7 * 24);
/// A payment that is open for longer is settled by nobody any more.
const OPEN: Duration = Duration::from_hours(1);
/// How many are compared at once.
const PAGE: u32 = 500;

/// How the books differ about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Label)]
pub enum Difference {
    /// The gateway has charged for a payment that we do not know.
    Unknown,
    /// The gateway has charged, and here the payment has failed.
    Charged,
    /// The gateway has not charged, and here the payment has succeeded.
    NotCharged,
    /// The gateway has charged another amount.
    Amount,
    /// The gateway has given back another amount.
    Refunded,
    /// The gateway has charged, and here the payment is still open after an hour.
    Open,
}

/// A payment about which the books differ.
#[derive(Debug, Clone, PartialEq, Data, JsonSchema)]
pub struct Mismatch {
    /// Which.
    pub payment: PaymentId,
    /// How.
    pub difference: Difference,
    /// What we have of it, refunds taken away; nothing where it was not paid.
    pub ours: Option<Money>,
    /// What the gateway has of it, refunds taken away; nothing where it was not charged.
    pub gateway: Option<Money>,
}

impl Mismatch {
    /// How the books differ about a payment, if they do.
    pub(super) fn of(
        payment: PaymentId,
        ours: Option<&Payment>,
        theirs: Option<&Booked>,
        now: Timestamp,
    ) -> Option<Self> {
        let difference = difference(ours, theirs, now)?;
        let paid = ours.filter(|ours| ours.status.has_money()).and_then(|ours| ours.terms.as_ref());
        let refunded = ours.and_then(|ours| ours.refunded);
        let left = |amount: Money, back: Option<Money>| back.map_or(Some(amount), |back| amount.minus(back));
        Some(Self {
            payment,
            difference,
            ours: paid.and_then(|terms| left(terms.amount, refunded)),
            gateway: theirs.and_then(|booked| left(booked.charged, booked.refunded)),
        })
    }
}

fn difference(ours: Option<&Payment>, theirs: Option<&Booked>, now: Timestamp) -> Option<Difference> {
    let (ours, theirs) = match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours, theirs),
        (Some(ours), None) => {
            return (ours.status.has_money() && !is_free(ours)).then_some(Difference::NotCharged);
        }
        (None, theirs) => return theirs.map(|_| Difference::Unknown),
    };
    let amount = ours.terms.as_ref().map(|terms| terms.amount);
    match ours.status {
        PaymentStatus::Unstarted | PaymentStatus::Processing | PaymentStatus::RequiresAction => {
            (elapsed(ours.started_at, now) > OPEN).then_some(Difference::Open)
        }
        PaymentStatus::Declined | PaymentStatus::Cancelled => Some(Difference::Charged),
        PaymentStatus::Succeeded | PaymentStatus::Refunded | PaymentStatus::PartiallyRefunded => {
            let is_other = amount != Some(theirs.charged);
            let is_kept = ours.refunded != theirs.refunded;
            is_other.then_some(Difference::Amount).or_else(|| is_kept.then_some(Difference::Refunded))
        }
    }
}

fn is_free(payment: &Payment) -> bool {
    payment.terms.as_ref().is_some_and(|terms| terms.method == Method::Free {})
}

/// What a look at both books has found; what is under way at this moment may be among it.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) compared: u64,
    pub(super) mismatches: Vec<Mismatch>,
}

/// Compares all payments of the last days.
///
/// # Errors
/// When one of the books cannot be read.
pub(super) async fn compare(app: &Application, gateway: &dyn PaymentGateway) -> Result<Found, Problem> {
    let now = app.environment().now();
    let since = now.checked_sub(LOOKS_BACK).unwrap_or(Timestamp::MIN);
    let (mut found, mut seen) = (Found::default(), BTreeSet::new());
    let payments = app.view::<PaymentList>();
    let mut from = first_at(since);
    loop {
        let page = gateway.booked(from, PAGE as usize).await.map_err(unread)?;
        for booked in &page {
            let ours = payments.get(booked.payment).await?.map(|row| row.payment);
            found.mismatches.extend(Mismatch::of(booked.payment, ours.as_ref(), Some(booked), now));
            seen.insert(booked.payment);
        }
        match page.last() {
            Some(last) if page.len() == PAGE as usize => from = next(last.payment),
            _ => break,
        }
    }
    let paid = [PaymentStatus::Succeeded, PaymentStatus::PartiallyRefunded, PaymentStatus::Refunded];
    for number in 1.. {
        let query = payments.query().any_of("status", paid).at_least("started_at", since);
        let page = query.order_by("started_at").page(number, PAGE).fetch().await?;
        for row in &page.items {
            if !seen.insert(row.id) {
                continue;
            }
            // It may have been charged since the gateway was asked.
            let booked = gateway.booked(row.id, 1).await.map_err(unread)?;
            let booked = booked.first().filter(|booked| booked.payment == row.id);
            found.mismatches.extend(Mismatch::of(row.id, Some(&row.payment), booked, now));
        }
        if page.items.len() < PAGE as usize {
            break;
        }
    }
    found.compared = seen.len() as u64;
    Ok(found)
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
fn unread(error: NoAnswer) -> Problem {
    tracing::warn!(%error, "the gateway's books cannot be read");
    Problem::overloaded()
}

/// The first id of a payment that is started at this moment: ids begin with their time.
fn first_at(moment: Timestamp) -> PaymentId {
    let milliseconds = u128::try_from(moment.as_millisecond()).unwrap_or_default();
    Uuid::from_u128(milliseconds.checked_shl(80).unwrap_or_default()).into()
}

fn next(id: PaymentId) -> PaymentId {
    Uuid::from_u128(id.as_uuid().as_u128().saturating_add(1)).into()
}
