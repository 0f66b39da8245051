//! How times are told to people.

use composable_rust::prelude::Timestamp;
use jiff::Zoned;
use jiff::tz::TimeZone;
use std::time::Duration;

/// A moment by the clocks of a place.
#[derive(Debug, Clone)]
pub(super) struct When {
    at: Zoned,
}

impl When {
    /// The moment by the clocks of this IANA zone.
    pub(super) fn new(at: Timestamp, zone: &str) -> Self {
        Self { at: at.in_tz(zone).unwrap_or_else(|_| at.to_zoned(TimeZone::UTC)) }
    }

    /// For programs.
    pub(super) fn iso(&self) -> String {
        self.at.timestamp().to_string()
    }

    pub(super) fn day(&self) -> String {
        self.at.strftime("%-d").to_string()
    }

    pub(super) fn month(&self) -> String {
        self.at.strftime("%b").to_string()
    }

    pub(super) fn date_and_time(&self) -> String {
        self.at.strftime("%A, %-d %B %Y, %H:%M").to_string()
    }

    pub(super) fn time(&self) -> String {
        self.at.strftime("%H:%M").to_string()
    }

    /// Whose clocks: `CET`, or the offset where the zone has no letters.
    pub(super) fn zone(&self) -> String {
        self.at.strftime("%Z").to_string()
    }
}

/// `4 min 32 s`.
pub(super) fn duration(left: Duration) -> String {
    let seconds = left.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// One of six looks for a thing without a picture, always the same for the same id.
pub(super) fn tone(id: composable_rust::Uuid) -> u64 {
    id.as_u64_pair().1 % 6
}
