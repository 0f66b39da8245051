//! Versions and positions: where an event stands in its stream and in the log.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// A number is larger than a store can hold (2^63 - 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is larger than the largest version or position, 2^63 - 1")]
pub struct TooLarge(pub u64);

const MAX: u64 = i64::MAX as u64;

/// Defines a counter bounded to the range of a signed 64-bit column.
macro_rules! counter {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "u64", into = "u64")]
        pub struct $name(u64);

        impl $name {
            /// The number before the first event.
            pub const ZERO: Self = Self(0);
            /// The largest value.
            pub const MAX: Self = Self(MAX);

            /// The plain number.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The number `count` further on; stays at [`Self::MAX`] instead of wrapping.
            #[must_use]
            pub const fn plus(self, count: u64) -> Self {
                let sum = self.0.saturating_add(count);
                Self(if sum > MAX { MAX } else { sum })
            }

            /// The number after this one.
            #[must_use]
            pub const fn next(self) -> Self {
                self.plus(1)
            }

            /// For a signed SQL column; never negative.
            pub const fn as_i64(self) -> i64 {
                self.0.cast_signed()
            }

            /// From a signed SQL column; a negative number reads as zero.
            pub const fn from_i64(value: i64) -> Self {
                Self(if value < 0 { 0 } else { value.cast_unsigned() })
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": MAX })
            }
        }

        impl TryFrom<u64> for $name {
            type Error = TooLarge;
            fn try_from(value: u64) -> Result<Self, TooLarge> {
                if value > MAX { Err(TooLarge(value)) } else { Ok(Self(value)) }
            }
        }

        impl From<$name> for u64 {
            fn from(value: $name) -> u64 {
                value.0
            }
        }

        impl From<u32> for $name {
            fn from(value: u32) -> Self {
                Self(u64::from(value))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

counter!(
    /// How many events a stream has; also the number of its last event. The first event has version 1.
    StreamVersion
);
counter!(
    /// The place of an event in the log of all streams. Positions grow; there may be holes. The first is at least 1.
    Position
);

/// The version of the shape of an event's payload or of a snapshot; 1 unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SchemaVersion(u32);

impl SchemaVersion {
    /// The first version.
    pub const FIRST: Self = Self(1);

    /// Version `number`; zero reads as the first.
    pub const fn new(number: u32) -> Self {
        Self(if number == 0 { 1 } else { number })
    }

    /// The plain number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for SchemaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the writer of an append believes about the stream; checked in the append's own transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// No belief: append after whatever is there.
    Any,
    /// The stream has no event yet.
    NoStream,
    /// The stream has at least one event.
    Exists,
    /// The stream has exactly this version.
    Exact(StreamVersion),
}

impl ExpectedVersion {
    /// Whether a stream at version `actual` is as expected.
    pub fn accepts(self, actual: StreamVersion) -> bool {
        match self {
            Self::Any => true,
            Self::NoStream => actual == StreamVersion::ZERO,
            Self::Exists => actual > StreamVersion::ZERO,
            Self::Exact(expected) => expected == actual,
        }
    }
}

impl fmt::Display for ExpectedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any version"),
            Self::NoStream => f.write_str("no stream"),
            Self::Exists => f.write_str("an existing stream"),
            Self::Exact(version) => write!(f, "version {version}"),
        }
    }
}
