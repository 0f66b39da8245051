//! The places of a show as they change, for everybody who may see the show.

use super::places::places_of;
use crate::inventory::views::Availability;
use crate::shared::ShowId;
use crate::show::event_to_see;
use composable_rust::prelude::*;
use composable_rust::web::{Picture, Topic};
use serde::Deserialize;

/// What is left of a show: the same as `/api/events/{id}/availability`.
#[derive(Debug)]
pub struct LiveAvailability;

/// Which show.
#[derive(Debug, Deserialize)]
pub struct OfEvent {
    /// Its id.
    pub event_id: ShowId,
}

#[async_trait]
impl Topic for LiveAvailability {
    const NAME: &'static str = "availability";
    type View = Availability;
    type Asked = OfEvent;
    type Key = ShowId;

    async fn admit(
        &self,
        app: &Application,
        who: Option<&Principal>,
        asked: OfEvent,
    ) -> Result<ShowId, Problem> {
        event_to_see(app, asked.event_id, who).await.map(|_| asked.event_id)
    }

    async fn look(&self, app: &Application, id: &ShowId) -> Result<Picture, Problem> {
        let (position, places) = places_of(app.view(), *id).await?;
        Picture::written(position, places)
    }
}
