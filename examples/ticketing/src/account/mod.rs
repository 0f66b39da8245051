//! Who somebody is. In development an e-mail address is believed; nothing else can sign in yet.

mod routes;
mod sessions;
#[cfg(test)]
mod tests;

pub use routes::routes;
pub use sessions::{Sessions, id_of};
