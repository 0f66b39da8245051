//! Identifiers as newtypes: an invalid one cannot be built, and two kinds cannot be confused.
//!
//! Not here: versions and positions (`version.rs`), and the making of fresh ids (`environment.rs`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use uuid::Uuid;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid {kind}: {reason}")]
pub struct InvalidId {
    /// What was being built, for example `stream id`.
    pub kind: &'static str,
    /// The text given, cut to 80 characters.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl InvalidId {
    /// An error for `text`, which is cut so that it can be logged.
    pub fn new(kind: &'static str, text: &str, reason: &'static str) -> Self {
        Self { kind, text: text.chars().take(80).collect(), reason }
    }
}

/// Longest category in bytes.
pub const MAX_CATEGORY_BYTES: usize = 64;
/// Longest stream key in bytes.
pub const MAX_KEY_BYTES: usize = 200;

/// The name of one stream of events: a category and a key, written `category/key`.
///
/// Cheap to clone. The category has 1 to 64 characters of `a-z 0-9 _ - .`; the key 1 to 200 bytes without control
/// characters.
///
/// ```
/// use composable_rust_core::StreamId;
/// let id = StreamId::new("counter", "clicks").unwrap();
/// assert_eq!(id.as_str(), "counter/clicks");
/// assert_eq!((id.category(), id.key()), ("counter", "clicks"));
/// assert!(StreamId::new("Counter!", "clicks").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    text: Arc<str>,
}

impl StreamId {
    /// The stream `key` of `category`.
    ///
    /// # Errors
    /// [`InvalidId`] when a part is empty, too long or has a character that is not allowed.
    pub fn new(category: &str, key: &str) -> Result<Self, InvalidId> {
        check_category(category)?;
        check_key(key)?;
        let mut text = String::with_capacity(category.len() + 1 + key.len());
        text.push_str(category);
        text.push('/');
        text.push_str(key);
        Ok(Self { text: text.into() })
    }

    /// The whole text, `category/key`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the first `/`.
    pub fn category(&self) -> &str {
        self.text.split_once('/').map_or("", |(category, _)| category)
    }

    /// The part after the first `/`.
    pub fn key(&self) -> &str {
        self.text.split_once('/').map_or("", |(_, key)| key)
    }
}

fn check_category(category: &str) -> Result<(), InvalidId> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.');
    if category.is_empty() || category.len() > MAX_CATEGORY_BYTES {
        return Err(InvalidId::new(
            "category",
            category,
            "it needs 1 to 64 characters of a-z, 0-9, '_', '-' and '.'",
        ));
    }
    if !category.bytes().all(allowed) {
        return Err(InvalidId::new("category", category, "only a-z, 0-9, '_', '-' and '.' are allowed"));
    }
    Ok(())
}

fn check_key(key: &str) -> Result<(), InvalidId> {
    check_key_of("stream key", key)
}

/// Whether a text may be a stream's key; `kind` is what the error calls it.
///
/// # Errors
/// [`InvalidId`] when it may not.
pub fn check_key_of(kind: &'static str, key: &str) -> Result<(), InvalidId> {
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        return Err(InvalidId::new(kind, key, "it needs 1 to 200 bytes of UTF-8 without control characters"));
    }
    if key.chars().any(char::is_control) {
        return Err(InvalidId::new(
            kind,
            key,
            "it needs 1 to 200 bytes of UTF-8 without control characters, and has one",
        ));
    }
    Ok(())
}

impl FromStr for StreamId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (category, key) = text
            .split_once('/')
            .ok_or_else(|| InvalidId::new("stream id", text, "it must read category/key"))?;
        Self::new(category, key)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamId({})", self.text)
    }
}

impl Serialize for StreamId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for StreamId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What may name a stream within its category: parsed from and printed as the key's text.
///
/// Implemented by `String`, by `Uuid` and by everything that derives `Id`.
///
/// # Rules
/// The text has 1 to 200 bytes ([`MAX_KEY_BYTES`]) of UTF-8 and no control characters; everything else is allowed, `/` and
/// spaces too. A `Uuid` and what derives `Id` keep them by themselves; a `String` is checked where it is used:
/// [`StreamId::new`] answers [`InvalidId`], and a command to such a key is refused as `ExecuteError::Invalid`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no stream's key",
    label = "`Id` is not derived for this type",
    note = "write `#[derive(Debug, Clone, PartialEq, Id)] struct {Self}(Uuid);`, or use `String` or `Uuid`"
)]
pub trait StreamKey: Clone + fmt::Debug + fmt::Display + FromStr + PartialEq + Send + Sync + 'static {}

impl StreamKey for String {}
impl StreamKey for Uuid {}

/// Defines a newtype over [`Uuid`] with parsing, printing and serde.
macro_rules! uuid_newtype {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        #[schemars(inline)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps an id that already exists.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The id inside.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text).map(Self).map_err(|_| InvalidId::new($kind, text, "it must be a UUID"))
            }
        }
    };
}

uuid_newtype!(
    /// Identifies one committed event (`UUIDv7`).
    EventId, "event id"
);
uuid_newtype!(
    /// Identifies one command for idempotency: the same id is decided once and its first result is returned again.
    CommandId, "command id"
);
uuid_newtype!(
    /// Ties together everything that one request started.
    CorrelationId, "correlation id"
);
uuid_newtype!(
    /// Names what directly caused an event: a command or another event.
    CausationId, "causation id"
);
uuid_newtype!(
    /// Identifies the person or service on whose behalf something happens.
    UserId, "user id"
);
uuid_newtype!(
    /// Identifies a durable timer; scheduling the same id again replaces the timer.
    TimerId, "timer id"
);
uuid_newtype!(
    /// Identifies a dead letter.
    DeadLetterId, "dead letter id"
);

/// Namespace of every derived id of this framework.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f3c_9a52_71d4_4e0b_8f2e_05c7_b1aa_9d31);

impl CommandId {
    /// The id of the command that these parts name: equal parts give an equal id (`UUIDv5`, RFC 9562).
    ///
    /// Parts are length-prefixed, so `["a", "bc"]` and `["ab", "c"]` differ.
    pub fn derived(parts: &[&str]) -> Self {
        Self(derived_uuid(parts))
    }
}

impl TimerId {
    /// The id of the timer that these parts name; see [`CommandId::derived`].
    pub fn derived(parts: &[&str]) -> Self {
        Self(derived_uuid(parts))
    }
}

/// A name-based `UUIDv5` over length-prefixed parts.
pub fn derived_uuid(parts: &[&str]) -> Uuid {
    let mut name = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        name.extend_from_slice(&(part.len() as u64).to_be_bytes());
        name.extend_from_slice(part.as_bytes());
    }
    Uuid::new_v5(&NAMESPACE, &name)
}
