//! The orders of a show, a page at a time.

use crate::reservation::views::ReservationList;
use crate::shared::{ReservationId, ShowId};
use composable_rust::prelude::*;

/// Orders on one page.
const PAGE: u32 = 100;

/// Asks for a page of a show's orders.
#[derive(Debug, Clone, PartialEq, Call)]
#[call(answer = OrdersPage)]
pub struct OrdersOf {
    /// Which show.
    pub show: ShowId,
    /// The position after which it has no new orders.
    pub position: Position,
    /// Which page, from 1.
    pub page: u32,
}

/// Some orders of a show, in the order in which they were placed.
#[derive(Debug, Clone, PartialEq, Data)]
pub struct OrdersPage {
    /// The orders.
    pub orders: Vec<ReservationId>,
    /// The page to ask for next; none when this was the last.
    pub next: Option<u32>,
}

/// Answers [`OrdersOf`].
#[derive(Debug)]
pub struct FindOrders(pub View<ReservationList>);

#[async_trait]
impl Activity for FindOrders {
    type Call = OrdersOf;

    async fn perform(&self, call: OrdersOf, _: ActivityContext) -> Result<OrdersPage, ActivityError> {
        let orders = self.0.at_least_position(call.position).query().filter_eq("show", call.show);
        let page = orders.order_by("placed_at").page(call.page, PAGE).fetch().await;
        let page = page.map_err(|error| ActivityError::Transient(error.into()))?;
        let is_last = u64::from(call.page).saturating_mul(u64::from(PAGE)) >= page.total;
        let next = (!is_last).then(|| call.page.saturating_add(1));
        Ok(OrdersPage { orders: page.items.into_iter().map(|row| row.id).collect(), next })
    }

    /// The same page is asked for again.
    fn give_up(&self, call: &OrdersOf, _: &ActivityError) -> OrdersPage {
        OrdersPage { orders: Vec::new(), next: Some(call.page) }
    }
}
