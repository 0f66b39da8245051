//! What is measured on: an account that notes amounts, and the inventory of a section without seats, shaped like
//! ticketing's.

use composable_rust::prelude::*;
use jiff::Timestamp;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Amounts noted.
#[derive(Debug, Clone, Default, PartialEq, State)]
pub(crate) struct Account {
    pub(crate) count: u64,
    pub(crate) sum: u64,
}

#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "account", key = String, decider = Account)]
pub(crate) enum AccountAction {
    #[command]
    Note { amount: u32, reference: Uuid, text: String },
    #[event]
    Noted { amount: u32, reference: Uuid, text: String },
}

impl AccountCommand {
    /// A command of usual size.
    pub(crate) fn of(amount: u32) -> Self {
        let reference = Uuid::from_u128(u128::from(amount) << 64);
        Self::Note { amount, reference, text: "two evenings at the opera".to_owned() }
    }
}

impl Decider for Account {
    type Action = AccountAction;
    type Rejection = Never;

    fn decide(&self, command: AccountCommand, _: &Context) -> Decision<Self> {
        let AccountCommand::Note { amount, reference, text } = command;
        Ok(vec![AccountEvent::Noted { amount, reference, text }])
    }

    fn evolve(&mut self, event: &AccountEvent) {
        let AccountEvent::Noted { amount, .. } = event;
        self.count += 1;
        self.sum += u64::from(*amount);
    }
}

/// What each account has noted.
#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "account", index = "sum")]
pub(crate) struct Balance {
    pub(crate) account: String,
    pub(crate) count: u64,
    pub(crate) sum: i64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Balances;

impl Projection for Balances {
    type Event = AccountEvent;
    type Row = Balance;
    const NAME: &'static str = "balances";

    fn project(&self, event: &Recorded<AccountEvent>, rows: &mut Rows<Balance>) {
        let AccountEvent::Noted { amount, .. } = &event.body;
        let new = || Balance { account: event.key().clone(), count: 0, sum: 0 };
        rows.upsert(event.key(), new, |row| {
            row.count += 1;
            row.sum += i64::from(*amount);
        });
    }
}

/// The places of a section.
#[derive(Debug, Clone, Default, PartialEq, State)]
pub(crate) struct Inventory {
    pub(crate) capacity: u32,
    pub(crate) free: u32,
    pub(crate) held: u32,
    pub(crate) holds: BTreeMap<Uuid, Hold>,
}

/// Places held for somebody.
#[derive(Debug, Clone, PartialEq, Data)]
pub(crate) struct Hold {
    pub(crate) places: u32,
    pub(crate) until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "inventory", key = String, decider = Inventory)]
pub(crate) enum InventoryAction {
    #[command]
    Open { capacity: u32 },
    #[command]
    Reserve { reservation: Uuid, places: u32, until: Timestamp },
    #[event]
    Opened { capacity: u32 },
    #[event]
    Reserved { reservation: Uuid, places: u32, until: Timestamp },
}

#[derive(Debug, Clone, PartialEq, Rejection)]
pub(crate) enum InventoryRejection {
    #[rejection(message = "only {free} places are free")]
    SoldOut { free: u32 },
}

impl Decider for Inventory {
    type Action = InventoryAction;
    type Rejection = InventoryRejection;

    fn decide(&self, command: InventoryCommand, _: &Context) -> Decision<Self> {
        match command {
            InventoryCommand::Open { capacity } => Ok(vec![InventoryEvent::Opened { capacity }]),
            InventoryCommand::Reserve { places, .. } if places > self.free => {
                Err(InventoryRejection::SoldOut { free: self.free })
            }
            InventoryCommand::Reserve { reservation, .. } if self.holds.contains_key(&reservation) => {
                Ok(Vec::new())
            }
            InventoryCommand::Reserve { reservation, places, until } => {
                Ok(vec![InventoryEvent::Reserved { reservation, places, until }])
            }
        }
    }

    fn evolve(&mut self, event: &InventoryEvent) {
        match event {
            InventoryEvent::Opened { capacity } => {
                self.capacity += capacity;
                self.free += capacity;
            }
            InventoryEvent::Reserved { reservation, places, until } => {
                self.free -= places;
                self.held += places;
                self.holds.insert(*reservation, Hold { places: *places, until: *until });
            }
        }
    }
}
