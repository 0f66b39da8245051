//! `/events/{id}`: one show, what is left of it, and the order for it.

use super::Counter;
use super::frame::Frame;
use super::seating::{Offer, SectionView, are_seats_shown};
use super::selection::{Fault, Selection, field_of};
use super::sign_in;
use super::told::{When, tone};
use crate::inventory::views::{Availability, sections_of};
use crate::reservation::{NewReservation, hold_places};
use crate::shared::ShowId;
use crate::show::{Listing, Show, ShowStatus, event_to_see};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use composable_rust::prelude::*;
use composable_rust::web::{FormBody, SeeOther};

#[derive(Template)]
#[template(path = "show.html")]
struct ShowPage<'a> {
    frame: &'a Frame,
    id: ShowId,
    tone: u64,
    status: ShowStatus,
    listing: &'a Listing,
    when: When,
    ends: Option<When>,
    sections: Vec<SectionView>,
    faults: &'a [Fault],
}

impl ShowPage<'_> {
    fn is_sold_out(&self) -> bool {
        self.is_on_sale() && self.sections.iter().all(|section| section.free == 0)
    }

    /// Most places that one person may order at once.
    fn most(&self) -> u32 {
        most_of(self.listing)
    }

    /// What is followed: seats that the page does not show are not sent to it.
    fn detail(&self) -> &'static str {
        if self.sections.iter().all(|section| section.rows.is_empty()) { "?seats=false" } else { "" }
    }

    fn is_on_sale(&self) -> bool {
        self.status == ShowStatus::SalesOpen
    }

    /// Why nothing can be ordered, if nothing can.
    fn closed(&self) -> Option<&'static str> {
        match self.status {
            ShowStatus::SalesOpen if self.is_sold_out() => Some("Sold out"),
            ShowStatus::SalesOpen if self.sections.iter().any(SectionView::is_left) => None,
            ShowStatus::SalesOpen => Some("No ticket is on sale at the moment"),
            ShowStatus::Published => Some("Tickets are not on sale yet"),
            ShowStatus::Unlisted | ShowStatus::Draft => Some("This event is not published yet"),
            ShowStatus::SalesClosed => Some("The sale has ended"),
            ShowStatus::Cancelled => Some("This event is cancelled; whoever has paid gets the money back"),
        }
    }

    fn fault(&self, field: &str) -> Option<&str> {
        self.faults.iter().find(|fault| fault.field == field).map(|fault| fault.text.as_str())
    }
}

pub(super) async fn page(
    State(app): State<Application>,
    frame: Frame,
    PathId(id): PathId<ShowId>,
    QueryParams(selection): QueryParams<Selection>,
    min_position: MinPosition,
) -> Result<Response, Problem> {
    let show = event_to_see(&app, id, frame.principal.as_ref()).await?;
    let places = min_position.of(app.view::<Availability>());
    shown(&app, &frame, (id, &show, &places), &selection, (StatusCode::OK, &[])).await
}

/// Holds what was chosen. What is refused is told on the same page, with the choice as it was.
pub(super) async fn reserve(
    State(app): State<Application>,
    Extension(counter): Extension<Counter>,
    (frame, command): (Frame, KeyedRequest),
    PathId(id): PathId<ShowId>,
    FormBody(selection): FormBody<Selection>,
) -> Result<Response, Problem> {
    let Some(principal) = &frame.principal else {
        return Ok(sign_in::first(&selection.link(id)).into_response());
    };
    let show = event_to_see(&app, id, Some(principal)).await?;
    let Some(listing) = &show.state.listing else { return Err(Problem::internal()) };
    let (status, faults) = match selection.lines(listing, app.environment().now()) {
        Ok(lines) => {
            let (fields, lines): (Vec<_>, Vec<_>) = lines.into_iter().unzip();
            let wanted = NewReservation { event_id: id, lines };
            match hold_places(&app, counter.hold, principal, &command, &wanted).await {
                Ok(placed) => {
                    let order = SeeOther::to(format!("/orders/{}", placed.id));
                    return Ok(order.after(&placed).into_response());
                }
                Err(problem) if problem.status().is_server_error() => return Err(problem),
                Err(problem) => (problem.status(), faults_of(&problem, &fields, listing)),
            }
        }
        Err(faults) => (StatusCode::UNPROCESSABLE_ENTITY, faults),
    };
    shown(&app, &frame, (id, &show, &app.view::<Availability>()), &selection, (status, &faults)).await
}

async fn shown(
    app: &Application,
    frame: &Frame,
    (id, show, places): (ShowId, &Loaded<Show>, &View<Availability>),
    selection: &Selection,
    (status, faults): (StatusCode, &[Fault]),
) -> Result<Response, Problem> {
    let Loaded { state: Show { status: sale, listing: Some(listing), .. }, .. } = show else {
        return Err(Problem::internal());
    };
    let rows = sections_of(app, places, (id, show)).await?;
    let zone = listing.venue.time_zone.as_str();
    let offer = Offer {
        selection,
        picked: &selection.seats(),
        now: app.environment().now(),
        zone,
        most: most_of(listing),
        are_seats_shown: are_seats_shown(listing),
    };
    let page = ShowPage {
        frame,
        id,
        tone: tone(id.as_uuid()),
        status: *sale,
        listing,
        when: When::new(listing.starts_at, zone),
        ends: listing.ends_at.map(|end| When::new(end, zone)),
        sections: rows.items.iter().map(|row| SectionView::new(row, offer)).collect(),
        faults,
    };
    frame.shows_as(status, &page)
}

fn most_of(listing: &Listing) -> u32 {
    listing.max_per_customer.unwrap_or(u32::MAX).min(listing.max_per_order)
}

/// What was refused, each fault with the field of the line that it is about.
fn faults_of(problem: &Problem, fields: &[String], listing: &Listing) -> Vec<Fault> {
    let first = || listing.sections.iter().flat_map(|section| &section.tiers).next();
    let first = || first().map(|tier| field_of(tier.id)).unwrap_or_default();
    let line_of = |pointer: &str| fields.get(pointer.split('/').nth(2)?.parse::<usize>().ok()?).cloned();
    let named = problem.errors().iter().map(|error| Fault {
        field: line_of(&error.pointer).unwrap_or_else(first),
        text: error.detail.to_string(),
    });
    let named: Vec<_> = named.collect();
    if named.is_empty() {
        vec![Fault { field: fields.first().cloned().unwrap_or_else(first), text: told(problem) }]
    } else {
        named
    }
}

fn told(problem: &Problem) -> String {
    match problem.code() {
        "seats_unavailable" => match problem.member("available").and_then(serde_json::Value::as_u64) {
            Some(0) | None => "Somebody was faster: nothing of that is left. Choose again.".to_owned(),
            Some(left) => {
                format!("Somebody was faster: only {left} of what you chose can still be had. Choose again.")
            }
        },
        _ => problem.detail().to_owned(),
    }
}
