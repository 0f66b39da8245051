//! A state as a snapshot keeps it: beside the shape that its type then had.

use composable_rust_core::{Shape, State};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The shape that a state's type has now.
#[derive(Debug, Clone)]
pub(super) struct KeptAs(Arc<str>);

#[derive(Serialize)]
struct Encoded<'a, S> {
    shape: &'a str,
    state: &'a S,
}

#[derive(Deserialize)]
struct Decoded<S> {
    shape: String,
    state: S,
}

impl KeptAs {
    pub(super) fn of<S: State>() -> Self {
        Self(Shape::of::<S>().digest().into())
    }

    /// # Errors
    /// The state has no JSON form.
    pub(super) fn encode<S: State>(&self, state: &S) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Encoded { shape: &self.0, state })
    }

    /// The state, unless its type had another shape: such a one might be read, with another meaning.
    pub(super) fn decode<S: State>(&self, bytes: &[u8]) -> Option<S> {
        let kept: Decoded<S> = serde_json::from_slice(bytes).ok()?;
        (*kept.shape == *self.0).then_some(kept.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    mod before {
        #[derive(Debug, Clone, PartialEq, composable_rust_core::State)]
        pub(super) struct Account {
            pub(super) total: u32,
        }
    }

    mod after {
        #[derive(Debug, Clone, PartialEq, composable_rust_core::State)]
        pub(super) struct Account {
            pub(super) total: u32,
            #[serde(default)]
            pub(super) events: u32,
        }
    }

    #[test]
    fn a_state_is_read_in_its_own_shape_alone() {
        let (before, after) = (KeptAs::of::<before::Account>(), KeptAs::of::<after::Account>());
        let kept = before.encode(&before::Account { total: 3 }).unwrap_or_default();
        assert_eq!(before.decode(&kept), Some(before::Account { total: 3 }));
        assert_eq!(after.decode::<after::Account>(&kept), None, "serde alone would read it");
        assert_eq!(before.decode::<before::Account>(br#"{"total":3}"#), None);
    }
}
