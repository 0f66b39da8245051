//! One account for each e-mail address: whoever signs in under it is the same user, today and after a restart.
//!
//! The address itself is not stored: the stream is named by its digest, so the log tells nobody's address.
#![expect(missing_docs, reason = "the fields of commands and events are what they are called")]

use composable_rust::derived_uuid;
use composable_rust::prelude::*;
use uuid::Uuid;

/// Names the account of an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Id)]
pub struct AccountId(Uuid);

impl AccountId {
    /// Of this address, whichever way it is written.
    pub fn of(email: &str) -> Self {
        Self(derived_uuid(&["account", &email.trim().to_lowercase()]))
    }
}

/// Who signs in under an address.
#[derive(Debug, Clone, Default, PartialEq, Eq, State)]
pub struct Account {
    /// The user, once somebody has signed in.
    pub user: Option<UserId>,
}

/// What can be asked of an account, and what can happen to it.
#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "account", key = AccountId, decider = Account)]
pub enum AccountAction {
    /// Makes the user at the first time, and nothing later.
    #[command]
    Open,

    /// There is a user.
    #[event]
    Opened { user: UserId },
}

impl Decider for Account {
    type Action = AccountAction;
    type Rejection = Never;

    fn decide(&self, command: AccountCommand, context: &Context) -> Decision<Self> {
        match (command, self.user) {
            (AccountCommand::Open, None) => {
                Ok(vec![AccountEvent::Opened { user: UserId::from_uuid(context.id(0)) }])
            }
            (AccountCommand::Open, Some(_)) => Ok(vec![]),
        }
    }

    fn evolve(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::Opened { user } => self.user = Some(*user),
        }
    }
}
