//! What the client library reports, told as failures of a store that say what to do.

use composable_rust_core::port::StoreError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// The failure of a call.
pub(crate) fn failure(address: &str, doing: &'static str, error: RedisError) -> StoreError {
    let refused = ["WRONGPASS", "NOAUTH"].map(Some).contains(&error.code())
        || error.kind() == ErrorKind::AuthenticationFailed;
    if refused {
        return StoreError::Setup(format!(
            "Redis at {address} does not accept the user or the password: correct REDIS_URL"
        ));
    }
    if error.code() == Some("NOPERM") {
        return StoreError::Setup(format!(
            "Redis at {address} does not allow this user what is needed ({error}): give it the rights"
        ));
    }
    if error.kind() == ErrorKind::InvalidClientConfig {
        return address_failure(address);
    }
    if error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly) {
        return StoreError::Setup(format!("Redis at {address} is a replica: name the primary in REDIS_URL"));
    }
    if error.code() == Some("OOM") {
        return StoreError::Full { doing, source: error.into() };
    }
    StoreError::unavailable(doing, Failure { address: address.to_owned(), source: error })
}

/// An address that cannot be one; it is not repeated, because of the password in it.
pub(crate) fn address_failure(address: &str) -> StoreError {
    StoreError::Setup(format!(
        "the address of Redis{} cannot be used: set REDIS_URL to redis://:password@host:port/0",
        if address.is_empty() { String::new() } else { format!(" at {address}") }
    ))
}

/// The cause of [`StoreError::Unavailable`].
#[derive(Debug, thiserror::Error)]
#[error("Redis at {address} does not do it")]
struct Failure {
    address: String,
    source: RedisError,
}

/// The cause when time has run out.
#[derive(Debug, thiserror::Error)]
#[error("Redis at {address} has not answered within {milliseconds} ms")]
pub(crate) struct Silent {
    pub(crate) address: String,
    pub(crate) milliseconds: u128,
}
