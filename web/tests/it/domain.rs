//! A room with seats, written as a user would.

use composable_rust_core::{
    Action, Context, Decider, Decision, Id, Projection, Recorded, Rejection, Row, Rows, State,
};
use serde::Serialize;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Id)]
pub(crate) struct RoomId(Uuid);

#[derive(Debug, Clone, Default, PartialEq, Eq, State)]
pub(crate) struct Room {
    pub(crate) name: String,
    pub(crate) free: u32,
    pub(crate) is_open: bool,
}

#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "room", key = RoomId)]
pub(crate) enum RoomAction {
    #[command]
    Open { name: String, seats: u32 },
    #[command]
    Take { seats: u32 },
    #[command]
    Rename { name: String },
    #[event]
    Opened { name: String, seats: u32 },
    #[event]
    Taken { seats: u32 },
    #[event]
    Renamed { name: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Rejection)]
pub(crate) enum Refused {
    #[rejection(message = "only {available} seats are free")]
    SeatsUnavailable { available: u32 },
    #[rejection(kind = NotFound, message = "there is no such room")]
    NotFound,
    #[rejection(kind = Gone, message = "it is too late for that")]
    HoldExpired,
}

impl Decider for Room {
    type Action = RoomAction;
    type Rejection = Refused;

    fn decide(&self, command: RoomCommand, _: &Context) -> Decision<Self> {
        match command {
            RoomCommand::Open { .. } if self.is_open => Err(Refused::HoldExpired),
            RoomCommand::Open { name, seats } => Ok(vec![RoomEvent::Opened { name, seats }]),
            RoomCommand::Take { .. } | RoomCommand::Rename { .. } if !self.is_open => Err(Refused::NotFound),
            RoomCommand::Take { seats } if seats > self.free => {
                Err(Refused::SeatsUnavailable { available: self.free })
            }
            RoomCommand::Take { seats } => Ok(vec![RoomEvent::Taken { seats }]),
            RoomCommand::Rename { name } => Ok(vec![RoomEvent::Renamed { name }]),
        }
    }

    fn evolve(&mut self, event: &RoomEvent) {
        match event {
            RoomEvent::Opened { name, seats } => {
                *self = Self { name: name.clone(), free: *seats, is_open: true };
            }
            RoomEvent::Taken { seats } => self.free -= seats,
            RoomEvent::Renamed { name } => self.name.clone_from(name),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct RoomBody {
    pub(crate) id: RoomId,
    pub(crate) name: String,
    pub(crate) free: u32,
}

impl RoomBody {
    pub(crate) fn new(id: RoomId, room: &Room) -> Self {
        Self { id, name: room.name.clone(), free: room.free }
    }
}

#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "id")]
pub(crate) struct FreeSeats {
    pub(crate) id: RoomId,
    pub(crate) free: u32,
}

pub(crate) struct FreeSeatsView;

impl Projection for FreeSeatsView {
    type Event = RoomEvent;
    type Row = FreeSeats;
    const NAME: &'static str = "free_seats";

    fn project(&self, event: &Recorded<RoomEvent>, rows: &mut Rows<FreeSeats>) {
        match event.body {
            RoomEvent::Opened { seats, .. } => rows.put(FreeSeats { id: event.key, free: seats }),
            RoomEvent::Taken { seats } => rows.update(event.key, |row| row.free -= seats),
            RoomEvent::Renamed { .. } => {}
        }
    }
}
