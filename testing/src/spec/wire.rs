//! The free tests: whatever would be stored is written, read back and compared.

use super::failure::{differ, fail, same};
use composable_rust_core::{Action, Event, State, StreamId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::error::Error;
use std::fmt::Debug;

/// The event survives being stored under its own type and version.
#[track_caller]
pub(super) fn check_event<E: Event>(event: &E) {
    let name = event.event_type();
    let payload = match event.encode() {
        Ok(payload) => payload,
        Err(error) => fail(&format!("event {name} cannot be stored: {}\n\n  {event:?}", chain(&error))),
    };
    let Ok(stream) = StreamId::new(<E::Action as Action>::CATEGORY, "test") else {
        fail(&format!("{:?} is not a category", <E::Action as Action>::CATEGORY))
    };
    let text = String::from_utf8_lossy(&payload);
    match E::decode_parts(&stream, name, event.schema_version(), &payload) {
        Ok(back) => {
            let what = format!("event {name} is not what it was after it was stored as {text}");
            same(&what, event, &back, "");
        }
        Err(error) => fail(&format!("event {name} cannot be read back from {text}: {}", chain(&error))),
    }
}

/// A command, refusal or row survives its encoding.
#[track_caller]
pub(super) fn check_value<T: Serialize + DeserializeOwned + PartialEq + Debug>(what: &str, value: &T) {
    match encoded(value).and_then(|text| Ok((serde_json::from_str::<T>(&text)?, text))) {
        Ok((back, text)) => {
            same(&format!("{what} is not what it was after it was stored as {text}"), value, &back, "");
        }
        Err(error) => fail(&format!("{what} does not survive its encoding: {error}\n\n  {value:?}")),
    }
}

/// A state survives its snapshot; states need no `PartialEq`, so what is compared is what they are stored as.
#[track_caller]
pub(super) fn check_state<S: State>(state: &S) {
    let there = encoded(state);
    let back = there.as_deref().map_err(ToString::to_string).and_then(|text| {
        let back: S = serde_json::from_str(text).map_err(|error| error.to_string())?;
        encoded(&back).map_err(|error| error.to_string())
    });
    match (there, back) {
        (Ok(there), Ok(back)) if there == back => {}
        (Ok(there), Ok(back)) => differ("the state is not what it was after a snapshot", &there, &back, ""),
        (_, Err(error)) | (Err(_), Ok(error)) => {
            fail(&format!("the state does not survive a snapshot: {error}\n\n  {state:?}"))
        }
    }
}

fn encoded(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(value)
}

/// An error with its causes, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
