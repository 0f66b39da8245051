//! All payments, by payer.

use crate::payment::{Payment, PaymentEvent, PaymentStatus};
use crate::shared::{PaymentId, ReservationId};
use composable_rust::prelude::*;
use jiff::Timestamp;

/// All payments.
#[derive(Debug)]
pub struct PaymentList;

/// A payment in the list.
#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "id", index = "customer, reservation, status, started_at")]
pub struct ListedPayment {
    /// Its id.
    pub id: PaymentId,
    /// Who pays.
    pub customer: UserId,
    /// What it pays.
    pub reservation: ReservationId,
    /// Where it stands.
    pub status: PaymentStatus,
    /// When it was started.
    pub started_at: Timestamp,
    /// The payment itself.
    pub payment: Payment,
}

impl Projection for PaymentList {
    type Event = PaymentEvent;
    type Row = ListedPayment;
    const NAME: &'static str = "payments";
    const VERSION: u32 = 2;

    fn project(&self, event: &Recorded<PaymentEvent>, rows: &mut Rows<ListedPayment>) {
        let id = *event.key();
        match &event.body {
            PaymentEvent::Started { terms, at } => rows.put(ListedPayment {
                id,
                customer: terms.customer,
                reservation: terms.reservation,
                status: PaymentStatus::Processing,
                started_at: *at,
                payment: fold([&event.body]),
            }),
            PaymentEvent::ActionRequired
            | PaymentEvent::Succeeded
            | PaymentEvent::Declined { .. }
            | PaymentEvent::Cancelled
            | PaymentEvent::Refunded { .. } => rows.update(id, |row| {
                row.payment.evolve(&event.body);
                row.status = row.payment.status;
            }),
        }
    }
}
