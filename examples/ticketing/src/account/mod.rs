//! Who somebody is. In development an e-mail address is believed; nothing else can sign in yet.

mod decider;
mod routes;
mod sessions;
#[cfg(test)]
mod tests;

pub use decider::{Account, AccountAction, AccountCommand, AccountEvent, AccountId};
pub use routes::{SignIn, routes, sign_in, user_of};
pub use sessions::{COOKIE, Sessions, VALID_FOR};
