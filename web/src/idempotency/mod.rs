//! Requests that may be sent twice and act once: `Idempotency-Key` on every POST.
//!
//! A key is scoped by principal, method and path. It becomes the id of the command that the handler executes, so the
//! event store itself, in the append's own transaction, makes sure that it acts once; what is kept here in memory only
//! tells that a first request is still running. Successful answers (2xx) are kept beside the command for
//! [`KEPT_FOR`], up to 4 MiB each: a repeat of a larger one is told that it was done (409 `answer_not_kept`). Refusals are
//! not kept and are decided anew.
//!
//! Without a principal a key is scoped by what is asked as well: two strangers may choose the same key, and neither
//! hears of the other. Answers to them are not kept but made anew, because they are what hands out credentials; the
//! command acts once all the same.

mod answers;
mod command_request;
mod fingerprint;
mod key;
mod middleware;

pub(crate) use answers::Answers;
pub use command_request::{CommandRequest, KeyedRequest};
pub use key::IdempotencyKey;
pub(crate) use middleware::idempotency;

use std::time::Duration;

/// How long a key and its answer are kept: a day.
pub const KEPT_FOR: Duration = Duration::from_hours(24);
