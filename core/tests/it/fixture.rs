//! A small domain that the tests of the derives share, written as a user would.

use composable_rust_core::{
    Action, Call, Context, Data, Decider, Decision, Events, Id, Input, Label, Never, Outcome, Position,
    RecordedEvent, Rejected, Rejection, SchemaVersion, State, StreamId, StreamVersion, json,
};
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Id)]
pub(crate) struct AccountId(Uuid);

#[derive(Debug, Clone, PartialEq, Eq, Data)]
pub(crate) struct Money {
    pub(crate) cents: u64,
    pub(crate) currency: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Label)]
pub(crate) enum Reason {
    Salary,
    GiftCard,
    #[label("paid back")]
    Refund,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, State)]
pub(crate) struct Account {
    pub(crate) cents: u64,
    pub(crate) frozen: bool,
}

#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "account", key = AccountId, derive(Eq))]
pub(crate) enum AccountAction {
    /// Puts money in.
    #[command]
    Deposit { amount: Money, reason: Reason },
    #[command]
    Freeze,

    #[event]
    #[version(3)]
    #[upcast(1 => add_currency)]
    #[upcast(2 => wrap_amount)]
    Deposited {
        amount: Money,
        reason: Reason,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    #[event]
    Noted(String),
    #[event(name = "account.Moved")]
    Transferred(AccountId, u64),
    #[event]
    Frozen,
}

/// v1 `{"cents": 5, "reason": "salary"}` had no currency.
fn add_currency(mut payload: json::Value) -> Result<json::Value, String> {
    payload.as_object_mut().ok_or("not an object")?.insert("currency".into(), "EUR".into());
    Ok(payload)
}

/// v2 had the amount's parts beside the reason.
fn wrap_amount(mut payload: json::Value) -> Result<json::Value, String> {
    let fields = payload.as_object_mut().ok_or("not an object")?;
    let mut part = |name: &str| fields.remove(name).ok_or(format!("no {name}"));
    let amount = json::json!({ "cents": part("cents")?, "currency": part("currency")? });
    fields.insert("amount".into(), amount);
    Ok(payload)
}

#[derive(Debug, Clone, PartialEq, Eq, Rejection)]
pub(crate) enum Refused {
    #[rejection(message = "the account is frozen, {cents} cents stay outside")]
    AccountFrozen { cents: u64 },
    #[rejection(code = "empty", kind = Invalid)]
    NothingToDeposit,
    #[rejection(kind = Gone, message = "{0:?} after {1}")]
    Late(String, u32),
}

impl Decider for Account {
    type Action = AccountAction;
    type Rejection = Refused;

    fn decide(&self, command: AccountCommand, _: &Context) -> Decision<Self> {
        match command {
            AccountCommand::Deposit { amount, .. } if self.frozen => {
                Err(Refused::AccountFrozen { cents: amount.cents })
            }
            AccountCommand::Deposit { amount, .. } if amount.cents == 0 => Err(Refused::NothingToDeposit),
            AccountCommand::Deposit { amount, reason } => {
                Ok(vec![AccountEvent::Deposited { amount, reason, note: None }])
            }
            AccountCommand::Freeze => Ok(vec![AccountEvent::Frozen]),
        }
    }

    fn evolve(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::Deposited { amount, .. } => self.cents += amount.cents,
            AccountEvent::Transferred(_, cents) => self.cents = self.cents.saturating_sub(*cents),
            AccountEvent::Frozen => self.frozen = true,
            AccountEvent::Noted(_) => {}
        }
    }
}

/// An aggregate that only takes note: no commands.
#[derive(Debug, Clone, Default, State)]
pub(crate) struct Journal;

#[derive(Debug, Clone, PartialEq, Action)]
pub(crate) enum JournalAction {
    #[event]
    Written { line: String },
}

impl Decider for Journal {
    type Action = JournalAction;
    type Rejection = Never;

    fn decide(&self, command: JournalCommand, _: &Context) -> Decision<Self> {
        match command {}
    }

    fn evolve(&mut self, _: &JournalEvent) {}
}

/// An aggregate that is asked but never changes: no events. Its name does not end in `Action`.
#[derive(Debug, Clone, Default, State)]
pub(crate) struct Oracle;

#[derive(Debug, Clone, PartialEq, Action)]
#[action(decider = Oracle)]
pub(crate) enum OracleTalk {
    #[command]
    Ask,
}

impl Decider for Oracle {
    type Action = OracleTalk;
    type Rejection = Never;

    fn decide(&self, _: OracleTalkCommand, _: &Context) -> Decision<Self> {
        Ok(Vec::new())
    }

    fn evolve(&mut self, event: &OracleTalkEvent) {
        match *event {}
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Data)]
pub(crate) enum MailAnswer {
    Sent,
    Bounced { code: u16 },
}

#[derive(Debug, Clone, PartialEq, Eq, Call)]
#[call(answer = MailAnswer)]
pub(crate) struct SendMail {
    pub(crate) to: String,
}

#[derive(Debug, Clone, PartialEq, Input)]
pub(crate) enum WelcomeInput {
    Account(AccountId, AccountEvent),
    Journal(JournalEvent),
    #[rejected]
    Refused(Rejected<Account>),
    #[outcome]
    Mailed(Outcome<SendMail>),
    /// The time to greet is over.
    #[timer]
    GiveUp,
    #[timer]
    Remind {
        round: u8,
    },
}

#[derive(Debug, Clone, PartialEq, Events)]
pub(crate) enum Ledger {
    Account(AccountEvent),
    Journal(String, JournalEvent),
}

pub(crate) fn account_id() -> AccountId {
    AccountId::from(Uuid::from_u128(7))
}

/// An event as the log would hold it.
pub(crate) fn recorded(stream: &str, event_type: &str, schema: u32, payload: &str) -> RecordedEvent {
    RecordedEvent {
        position: Position::from(9),
        stream: stream.parse::<StreamId>().unwrap(),
        version: StreamVersion::from(2),
        id: Uuid::from_u128(1).to_string().parse().unwrap(),
        event_type: event_type.to_owned().into(),
        schema_version: SchemaVersion::new(schema),
        payload: payload.to_owned().into(),
        metadata: composable_rust_core::RawMetadata::from_bytes("{}"),
        recorded_at: "2026-01-01T00:00:00Z".parse().unwrap(),
    }
}
