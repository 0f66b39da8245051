//! How far a subscription has come, as numbers for health, metrics and the console.

use composable_rust_core::Position;
use std::time::Duration;

/// What a subscription is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionState {
    /// Not started yet, or waiting for the lease, which another instance may hold.
    Waiting,
    /// Reading what lies behind.
    CatchingUp,
    /// Everything readable is handled; new events are handled as they come.
    Live,
    /// Ended with an error; see [`Progress::last_error`].
    Stopped,
    /// Ended because it was told to.
    Ended,
}

/// How far a subscription has come at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub state: SubscriptionState,
    /// Everything up to here is done.
    pub position: Position,
    /// The newest position known to be readable.
    pub horizon: Position,
    /// Where it stood when this instance took it up.
    pub started_at: Position,
    /// For how long the oldest event known to be unhandled has been in the log; zero when there is none.
    pub lag: Duration,
    /// For how long nobody has got on with the events that lie ahead while this instance waits for the lease; zero when
    /// it does not wait, when nothing lies ahead, and beside an instance that works.
    pub unattended: Duration,
    /// Events handled by this instance.
    pub handled: u64,
    /// Events a second, over the last second with any.
    pub events_per_second: f64,
    /// Streams with a parked event.
    pub parked_streams: usize,
    /// The last failure, with its causes.
    pub last_error: Option<String>,
}

impl Progress {
    /// How many events lie ahead at most: holes in the log and events of other categories count too.
    pub fn lag_events(&self) -> u64 {
        self.horizon.get().saturating_sub(self.position.get())
    }

    /// How much of the log lies behind, 0 to 100.
    #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
    pub fn percent(&self) -> f64 {
        if self.horizon <= self.position {
            return 100.0;
        }
        self.position.get() as f64 * 100.0 / self.horizon.get() as f64
    }

    /// When the horizon will be reached at the present speed; `None` while there is none.
    #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
    pub fn time_left(&self) -> Option<Duration> {
        if self.lag_events() == 0 {
            return Some(Duration::ZERO);
        }
        Duration::try_from_secs_f64(self.lag_events() as f64 / self.events_per_second).ok()
    }
}
