//! What is measured on where ticketing would say too little about the framework: an account that notes amounts.

use composable_rust::prelude::*;
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
