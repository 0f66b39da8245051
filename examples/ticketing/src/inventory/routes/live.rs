//! The places of a show as they change, for everybody who may see the show.

use super::places::places_of;
use crate::inventory::views::Availability;
use crate::shared::ShowId;
use crate::show::{Show, event_to_see};
use composable_rust::prelude::*;
use composable_rust::web::{Picture, Topic};
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt::{self, Display};

/// What is left of a show: the same as `/api/events/{id}/availability`, with `seats=false` without its seats.
#[derive(Debug)]
pub struct LiveAvailability;

/// Which show.
#[derive(Debug, Deserialize)]
pub struct OfEvent {
    /// Its id.
    pub event_id: ShowId,
    /// Whether each seat is told, where they are numbered, as it is by default; else only how many there are.
    pub seats: Option<bool>,
}

/// How much is told of places.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
pub(super) struct Detail {
    /// Whether each seat is told, where they are numbered, as it is by default; else only how many there are.
    pub(super) seats: Option<bool>,
}

/// What is followed.
#[derive(Debug, Clone, Copy)]
pub struct Followed {
    show: ShowId,
    with_seats: bool,
}

impl Detail {
    pub(super) fn with_seats(self) -> bool {
        self.seats.unwrap_or(true)
    }
}

impl Display for Followed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.show, if self.with_seats { "seats" } else { "counts" })
    }
}

#[async_trait]
impl Topic for LiveAvailability {
    const NAME: &'static str = "availability";
    type View = Availability;
    type Asked = OfEvent;
    type Key = Followed;

    async fn admit(
        &self,
        app: &Application,
        who: Option<&Principal>,
        asked: OfEvent,
    ) -> Result<Followed, Problem> {
        let followed = Followed { show: asked.event_id, with_seats: asked.seats.unwrap_or(true) };
        event_to_see(app, followed.show, who).await.map(|_| followed)
    }

    async fn look(&self, app: &Application, followed: &Followed) -> Result<Picture, Problem> {
        let Followed { show: id, with_seats } = *followed;
        let show = app.load::<Show>(&id).await?.ok_or_else(Problem::internal)?;
        let (position, places) = places_of(app, &app.view(), (id, &show), with_seats).await?;
        Picture::written(position, places)
    }
}
