//! The payment gateway as it is met over a network: late, silent, out of service, its answers lost; its books are right.

use composable_rust::prelude::*;
use composable_rust::{Clock, Randomness, SeededRandom, later};
use jiff::Timestamp;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use ticketing::payment::gateway::{Booked, ChargeAnswer, NoAnswer, Order, PaymentGateway, StopAnswer};
use ticketing::shared::{Money, PaymentId, RefundId};

/// Longer than anybody waits for an answer.
const SILENCE: Duration = Duration::from_secs(30);

/// A gateway behind a bad network.
#[derive(Debug)]
pub(crate) struct BadNetwork {
    gateway: Arc<dyn PaymentGateway>,
    clock: Arc<dyn Clock>,
    random: SeededRandom,
    outage: Range<Timestamp>,
    is_mended: AtomicBool,
    is_down: AtomicBool,
}

impl BadNetwork {
    /// The network of `seed`, which one time in two fails wholly for up to a minute.
    pub(crate) fn new(gateway: Arc<dyn PaymentGateway>, clock: Arc<dyn Clock>, seed: u64) -> Self {
        let random = SeededRandom::new(seed);
        let begins = later(clock.now(), Duration::from_millis(random.next_u64() % 8_000));
        let lasts =
            Duration::from_secs(if random.next_u64().is_multiple_of(2) { random.next_u64() % 60 } else { 0 });
        Self {
            gateway,
            clock,
            random,
            outage: begins..later(begins, lasts),
            is_mended: AtomicBool::default(),
            is_down: AtomicBool::default(),
        }
    }

    /// From now on everything arrives.
    pub(crate) fn mend(&self) {
        self.is_mended.store(true, Ordering::SeqCst);
    }

    /// From now on nothing arrives, or what did before.
    pub(crate) fn fail(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// One way of a message.
    async fn carry(&self) -> Result<(), NoAnswer> {
        let (is_down, is_mended) =
            (self.is_down.load(Ordering::SeqCst), self.is_mended.load(Ordering::SeqCst));
        if is_mended && !is_down {
            return Ok(());
        }
        if is_down || self.outage.contains(&self.clock.now()) {
            self.clock.sleep(SILENCE).await;
            return Err(NoAnswer::Unreachable("it is out of service".into()));
        }
        match self.random.next_u64() % 24 {
            0 => Err(NoAnswer::Unreachable("the connection was refused".into())),
            1 => {
                self.clock.sleep(SILENCE).await;
                Err(NoAnswer::Unreachable("the message was lost".into()))
            }
            2 | 3 => {
                self.clock.sleep(Duration::from_millis(self.random.next_u64() % 4_000)).await;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl PaymentGateway for BadNetwork {
    async fn charge(&self, payment: PaymentId, order: Order) -> Result<ChargeAnswer, NoAnswer> {
        self.carry().await?;
        let answer = self.gateway.charge(payment, order).await?;
        self.carry().await.map(|()| answer)
    }

    async fn stop(&self, payment: PaymentId) -> Result<StopAnswer, NoAnswer> {
        self.carry().await?;
        let answer = self.gateway.stop(payment).await?;
        self.carry().await.map(|()| answer)
    }

    async fn act(&self, payment: PaymentId, approves: bool) -> Result<ChargeAnswer, NoAnswer> {
        self.carry().await?;
        let answer = self.gateway.act(payment, approves).await?;
        self.carry().await.map(|()| answer)
    }

    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), NoAnswer> {
        self.carry().await?;
        self.gateway.refund(payment, refund, amount).await?;
        self.carry().await
    }

    async fn booked(&self, from: PaymentId, most: usize) -> Result<Vec<Booked>, NoAnswer> {
        self.gateway.booked(from, most).await
    }
}
