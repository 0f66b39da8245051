//! Somebody's own orders as they change.

use super::body::ReservationBody;
use super::views::ReservationList;
use composable_rust::prelude::*;
use composable_rust::web::{Picture, Topic};
use serde::Deserialize;

/// How many orders are followed: the newest.
const MOST: u32 = 100;

/// The orders of whoever asks, each a message when it changes.
#[derive(Debug)]
pub struct OwnReservations;

/// Nothing is asked for but one's own.
#[derive(Debug, Deserialize)]
pub struct Own {}

#[async_trait]
impl Topic for OwnReservations {
    const NAME: &'static str = "reservations";
    const MESSAGE: &'static str = "reservation";
    type View = ReservationList;
    type Asked = Own;
    type Key = UserId;

    async fn admit(&self, _: &Application, who: Option<&Principal>, Own {}: Own) -> Result<UserId, Problem> {
        who.map(|who| who.user_id).ok_or_else(|| Problem::unauthenticated(false))
    }

    async fn look(&self, app: &Application, customer: &UserId) -> Result<Picture, Problem> {
        let mine = app.view::<ReservationList>().query().filter_eq("customer", *customer);
        let page = mine.order_by_descending("placed_at").page(1, MOST).fetch().await?;
        let orders =
            page.items.iter().map(|row| (row.id, ReservationBody::followed(row.id, &row.reservation)));
        Picture::parts(page.position, orders)
    }
}
