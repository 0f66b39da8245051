//! Which keys are being worked on in this process.

use bytes::Bytes;
use composable_rust_core::CommandId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The keys in work, each with the fingerprint of its request.
#[derive(Debug, Clone, Default)]
pub(crate) struct InFlight {
    running: Arc<Mutex<BTreeMap<CommandId, Bytes>>>,
}

/// A claim on a key; it ends with this value, however the request ends.
#[derive(Debug)]
pub(crate) struct Claim {
    id: CommandId,
    in_flight: InFlight,
}

/// Somebody else works on the key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The same request.
    Same,
    /// Another request.
    Other,
}

impl InFlight {
    /// Claims a key for a request.
    pub(crate) fn claim(&self, id: CommandId, fingerprint: &Bytes) -> Result<Claim, Taken> {
        let mut running = self.lock();
        match running.get(&id) {
            Some(first) if first == fingerprint => Err(Taken::Same),
            Some(_) => Err(Taken::Other),
            None => {
                running.insert(id, fingerprint.clone());
                Ok(Claim { id, in_flight: self.clone() })
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<CommandId, Bytes>> {
        // No code panics while it holds the lock, and the map is whole at any time.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.in_flight.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_claimed_once_until_its_request_ends() {
        let in_flight = InFlight::default();
        let (id, one, two) = (CommandId::derived(&["k"]), Bytes::from("1"), Bytes::from("2"));
        let claim = in_flight.claim(id, &one).unwrap();
        assert_eq!(in_flight.claim(id, &one).unwrap_err(), Taken::Same);
        assert_eq!(in_flight.claim(id, &two).unwrap_err(), Taken::Other);
        drop(claim);
        assert!(in_flight.claim(id, &two).is_ok());
    }
}
