//! What the two sides say to each other.

use crate::Problem;
use crate::extract::decode;
use crate::live::Change;
use composable_rust_core::Position;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Said {
    Auth { token: String },
    Subscribe(Wanted),
    Unsubscribe(Wanted),
    Ping {},
}

/// A topic, and which of it.
#[derive(Deserialize)]
pub(super) struct Wanted {
    pub(super) topic: String,
    /// Up to where the client knows everything.
    #[serde(default)]
    position: Option<u64>,
    #[serde(flatten)]
    pub(super) asked: Map<String, Value>,
}

impl Said {
    /// # Errors
    /// 400 for what is not JSON, 422 for what is no message.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        decode(text.as_bytes())
    }
}

impl Wanted {
    pub(super) fn known(&self) -> Option<Position> {
        self.position.and_then(|known| Position::try_from(known).ok())
    }

    /// What tells a subscription from others. The map is sorted, so the order of fields does not count.
    pub(super) fn id(&self) -> String {
        Value::from(vec![Value::from(self.topic.as_str()), Value::Object(self.asked.clone())]).to_string()
    }

    /// An answer about it.
    pub(super) fn answer(&self, kind: &str, position: Option<Position>) -> String {
        let mut members = self.asked.clone();
        members.insert("type".to_owned(), kind.into());
        members.insert("topic".to_owned(), self.topic.as_str().into());
        if let Some(position) = position {
            members.insert("position".to_owned(), position.get().into());
        }
        Value::Object(members).to_string()
    }
}

pub(super) fn pong() -> String {
    json!({ "type": "pong" }).to_string()
}

/// What was wrong, and with which topic.
pub(super) fn error(problem: &Problem, about: Option<&str>) -> String {
    let (code, status) = (problem.code(), problem.status().as_u16());
    let mut told = json!({ "type": "error", "code": code, "status": status, "detail": problem.detail() });
    if let Some(topic) = about {
        told["topic"] = topic.into();
    }
    if !problem.errors().is_empty() {
        told["errors"] = json!(problem.errors());
    }
    told.to_string()
}

pub(super) fn change(message: &str, change: &Change) -> String {
    let mut text = String::with_capacity(change.text.len() + 64);
    change.write(&mut text, &format!("\"type\":\"{message}\",\"position\":{}", change.position));
    text
}
