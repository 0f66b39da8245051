//! What a show is at the moment.

use crate::shared::{Currency, Money, Seat, SeatId, SectionId, TierId, line, text};
use composable_rust::prelude::*;
use jiff::Timestamp;
use schemars::JsonSchema;

/// A show.
#[derive(Debug, Clone, Default, PartialEq, State)]
pub struct Show {
    /// What is offered; there from the first event on.
    pub listing: Option<Listing>,
    /// Where it stands.
    pub status: ShowStatus,
    /// Whether everybody has been shown it.
    pub is_public: bool,
    /// Why it was cancelled.
    pub cancel_reason: Option<String>,
}

/// Where a show stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Label)]
pub enum ShowStatus {
    /// Not made yet.
    #[default]
    Unlisted,
    /// Its owner alone sees it.
    Draft,
    /// Everybody sees it.
    Published,
    /// Places can be reserved.
    SalesOpen,
    /// Places can no longer be reserved.
    SalesClosed,
    /// It does not take place.
    Cancelled,
}

/// What is offered, by whom and when.
#[derive(Debug, Clone, PartialEq, Data, JsonSchema)]
pub struct Listing {
    /// Who may change it.
    pub owner_id: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it is called.
    pub title: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where it happens.
    pub venue: Venue,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// What its prices are in.
    pub currency: Currency,
    /// Most places in one order.
    pub max_per_order: u32,
    /// Most places that one customer may have, where there is a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_customer: Option<u32>,
    /// Its sections.
    pub sections: Vec<Section>,
}

/// Where a show happens.
#[derive(Debug, Clone, PartialEq, Eq, Data, JsonSchema)]
pub struct Venue {
    /// What it is called.
    #[schemars(transform = line::<1, 200>)]
    pub name: String,
    /// How to find it.
    #[schemars(transform = text::<0, 500>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The IANA zone of its clocks.
    #[schemars(extend("format" = "time-zone"))]
    pub time_zone: String,
}

/// A part of the venue whose places are alike.
#[derive(Debug, Clone, PartialEq, Data, JsonSchema)]
pub struct Section {
    /// Its id, also of its inventory.
    pub id: SectionId,
    /// What it is called.
    pub name: String,
    /// How its places are told apart.
    pub kind: SectionKind,
    /// How many places it has.
    pub capacity: u32,
    /// Its rows from the front, where seats are numbered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<SeatRow>,
    /// Its prices.
    pub tiers: Vec<Tier>,
}

/// A row of numbered seats.
#[derive(Debug, Clone, PartialEq, Eq, Data, JsonSchema)]
pub struct SeatRow {
    /// What it is called.
    #[schemars(transform = line::<1, 20>)]
    pub name: String,
    /// How many seats it has, numbered from 1.
    #[schemars(range(min = 1, max = 1_000))]
    pub seats: u32,
}

impl Section {
    /// Its seats, row by row from the front: a seat's place is its number in this order.
    pub fn seats(&self) -> impl Iterator<Item = Seat> + '_ {
        let numbers = self.rows.iter().flat_map(|row| (1..=row.seats).map(move |number| (row, number)));
        let seat = |(place, (row, number)): (u32, (&SeatRow, u32))| Seat {
            id: SeatId::of(self.id, place),
            row: row.name.clone(),
            number,
        };
        (0..).zip(numbers).map(seat)
    }

    /// How many seats each row has.
    pub fn row_lengths(&self) -> Vec<u32> {
        self.rows.iter().map(|row| row.seats).collect()
    }

    /// The seat at this place.
    pub fn seat(&self, place: u32) -> Option<Seat> {
        let mut before = 0_u32;
        for row in &self.rows {
            let number = place.checked_sub(before)?.saturating_add(1);
            if number <= row.seats {
                return Some(Seat { id: SeatId::of(self.id, place), row: row.name.clone(), number });
            }
            before = before.saturating_add(row.seats);
        }
        None
    }
}

/// How the places of a section are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Label)]
pub enum SectionKind {
    /// Not at all: general admission.
    General,
    /// By row and number.
    Seated,
}

/// A price of a section.
#[derive(Debug, Clone, PartialEq, Data, JsonSchema)]
pub struct Tier {
    /// Its id.
    pub id: TierId,
    /// What it is called.
    pub name: String,
    /// What one place costs.
    pub price: Money,
    /// From when on it is sold; from the start of sales when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sales_start: Option<Timestamp>,
    /// Until when it is sold; until the end of sales when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sales_end: Option<Timestamp>,
}

impl Tier {
    /// Whether it is sold at this moment.
    pub fn is_sold_at(&self, moment: Timestamp) -> bool {
        self.sales_start.is_none_or(|start| start <= moment) && self.sales_end.is_none_or(|end| moment < end)
    }
}
