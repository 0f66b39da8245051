//! What makes a command the same command when it is given again: its id, the caller's fingerprint, and what is asked
//! of whom.

use super::error::Failure;
use super::participant::Participant;
use super::request::Invocation;
use bytes::Bytes;
use composable_rust_core::derived_uuid;
use composable_rust_core::port::{CommandKey, CommandRecord};

/// The key under which the command's result is kept; `None` for one without an id.
pub(super) fn key_of(invocation: &Invocation, parts: &[&mut dyn Participant]) -> Option<CommandKey> {
    let request = &invocation.request;
    let fingerprint = || match (&request.fingerprint, invocation.looks_up) {
        (given, true) => Some(with_parts(given.as_deref().unwrap_or_default(), parts)),
        (given, false) => given.clone(),
    };
    request.command_id.map(|id| CommandKey { id, fingerprint: fingerprint(), keep: request.keep })
}

/// Refuses a record that another request, command or aggregate has left under the id.
pub(super) fn same(record: CommandRecord, key: Option<&CommandKey>) -> Result<Box<CommandRecord>, Failure> {
    if key.is_some_and(|key| key.fingerprint == record.fingerprint) {
        Ok(Box::new(record))
    } else {
        Err(Failure::KeyReused)
    }
}

/// The caller's fingerprint, then a digest of the streams and of the commands' names. Their contents are left to the
/// caller's fingerprint: what they carry (a time, a price) may well differ when somebody asks again.
fn with_parts(given: &[u8], parts: &[&mut dyn Participant]) -> Bytes {
    let named = parts.iter().flat_map(|part| [part.stream().as_str(), part.command_name()]);
    let digest = derived_uuid(&named.collect::<Vec<_>>());
    [given, digest.as_bytes()].concat().into()
}
