//! What an organiser asks to offer, and the rules for it.

use super::{Listing, SeatRow, Section, SectionKind, ShowRefused, Tier, Venue};
use crate::shared::{Currency, Money, TierId, Violations, line, text};
use composable_rust::prelude::*;
use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;
use schemars::{JsonSchema, Schema};
use serde_json::Value;
use std::collections::BTreeSet;

/// Most sections of a show.
pub const MOST_SECTIONS: u32 = 50;
/// Most places of a section.
pub(super) const MOST_CAPACITY: i64 = 100_000;
/// Most numbered seats of a show: each is told one by one, to everybody who looks at it.
const MOST_SEATS: u64 = 100_000;
/// Most rows of a section.
pub(super) const MOST_ROWS: usize = 1_000;
/// Highest price in minor units: a million of a currency with cents.
const HIGHEST_PRICE: i64 = 100_000_000;
/// Most places in one order, whatever the organiser wants.
pub(super) const MOST_PER_ORDER: i64 = 100;
/// Most places in one order, where the organiser says nothing.
const USUAL_PER_ORDER: u32 = 10;

/// What an organiser asks to offer.
#[derive(Debug, Clone, PartialEq, Data, JsonSchema)]
pub struct NewShow {
    /// 1 to 200 characters.
    #[schemars(transform = line::<1, 200>)]
    pub title: String,
    /// At most 5,000 characters.
    #[schemars(transform = text::<0, 5_000>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where.
    pub venue: Venue,
    /// In the future.
    pub starts_at: Timestamp,
    /// Not before the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Of all its prices.
    pub currency: Currency,
    /// 1 to 100; 10 when absent.
    #[schemars(range(min = 1, max = MOST_PER_ORDER))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_order: Option<u32>,
    /// No limit when absent.
    #[schemars(range(min = 1, max = MOST_CAPACITY))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_customer: Option<u32>,
    /// 1 to 50; numbered seats at most 100,000 in all.
    #[schemars(length(min = 1, max = MOST_SECTIONS))]
    pub sections: Vec<NewSection>,
}

/// A section to be made.
#[derive(Debug, Clone, PartialEq, Data, JsonSchema)]
#[schemars(extend("oneOf" = [
    { "properties": { "kind": { "const": "general" }, "capacity": { "type": "integer" }, "rows": { "maxItems": 0 } },
      "required": ["capacity"] },
    { "properties": { "kind": { "const": "seated" }, "capacity": { "type": "null" }, "rows": { "minItems": 1 } },
      "required": ["rows"] },
]))]
pub struct NewSection {
    /// 1 to 100 characters.
    #[schemars(transform = line::<1, 100>)]
    pub name: String,
    /// How its places are told apart.
    pub kind: SectionKind,
    /// 1 to 100,000; of numbered seats its rows say it.
    #[schemars(range(min = 1, max = MOST_CAPACITY))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// 1 to 1,000 of 1 to 1,000 seats, from the front, where seats are numbered.
    #[schemars(length(max = MOST_ROWS))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<SeatRow>,
    /// 1 to 10.
    #[schemars(length(min = 1, max = 10))]
    pub tiers: Vec<NewTier>,
}

/// A price to be made.
#[derive(Debug, Clone, PartialEq, Data, JsonSchema)]
pub struct NewTier {
    /// 1 to 100 characters.
    #[schemars(transform = line::<1, 100>)]
    pub name: String,
    /// Of one place; zero is free.
    #[schemars(transform = priced)]
    pub price: Money,
    /// From when on it is sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sales_start: Option<Timestamp>,
    /// Until when it is sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sales_end: Option<Timestamp>,
}

impl NewShow {
    /// The listing, with an id for each section and tier.
    ///
    /// # Errors
    /// Every broken rule at once.
    pub(super) fn list(self, owner: UserId, context: &Context) -> Result<Listing, ShowRefused> {
        self.check(context.now())?;
        let mut ids = 0..;
        let mut next = || ids.next().unwrap_or(u32::MAX);
        let sections = self.sections.into_iter().map(|section| Section {
            id: context.id(next()),
            capacity: section.places().unwrap_or(0),
            name: section.name,
            kind: section.kind,
            rows: section.rows,
            tiers: section.tiers.into_iter().map(|tier| tier.list(context.id(next()))).collect(),
        });
        Ok(Listing {
            owner_id: owner,
            created_at: context.now(),
            title: self.title,
            description: self.description,
            venue: self.venue,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            currency: self.currency,
            max_per_order: self.max_per_order.unwrap_or(USUAL_PER_ORDER),
            max_per_customer: self.max_per_customer,
            sections: sections.collect(),
        })
    }

    pub(super) fn check(&self, now: Timestamp) -> Result<(), ShowRefused> {
        let mut wrong = Violations::default();
        wrong.line(&self.title, 1, 200, "/title");
        wrong.length(self.description.as_deref().unwrap_or_default(), 0, 5_000, "/description");
        wrong.line(&self.venue.name, 1, 200, "/venue/name");
        wrong.length(self.venue.address.as_deref().unwrap_or_default(), 0, 500, "/venue/address");
        let zone = "it must be an IANA time zone such as Europe/Berlin";
        wrong.check(is_zone(&self.venue.time_zone), "/venue/time_zone", "invalid_value", zone);
        wrong.check(self.starts_at > now, "/starts_at", "in_the_past", "it must lie in the future");
        let ends_after = self.ends_at.is_none_or(|end| end >= self.starts_at);
        wrong.check(ends_after, "/ends_at", "before_start", "it must not lie before starts_at");
        if let Some(most) = self.max_per_order {
            wrong.range(most.into(), 1, MOST_PER_ORDER, "/max_per_order");
        }
        if let Some(most) = self.max_per_customer {
            wrong.range(most.into(), 1, MOST_CAPACITY, "/max_per_customer");
        }
        wrong.count(self.sections.len(), 1, MOST_SECTIONS as usize, "/sections");
        for (index, section) in self.sections.iter().enumerate() {
            section.check(self.currency, &format!("/sections/{index}"), &mut wrong);
        }
        let rows = self.sections.iter().flat_map(|section| &section.rows);
        let seats: u64 = rows.map(|row| u64::from(row.seats)).fold(0, u64::saturating_add);
        let detail = format!("an event may have at most {MOST_SEATS} numbered seats");
        wrong.check(seats <= MOST_SEATS, "/sections", "out_of_range", detail);
        wrong.into_result(|errors| ShowRefused::Invalid { errors })
    }
}

impl NewSection {
    fn check(&self, currency: Currency, at: &str, wrong: &mut Violations) {
        wrong.line(&self.name, 1, 100, format!("{at}/name"));
        let (capacity, rows) = (format!("{at}/capacity"), format!("{at}/rows"));
        match self.kind {
            SectionKind::General => {
                wrong.check(self.rows.is_empty(), rows, "not_seated", "these places have no rows");
                match self.capacity {
                    Some(places) => wrong.range(places.into(), 1, MOST_CAPACITY, capacity),
                    None => wrong.add(capacity, "required", "it must say how many places there are"),
                }
            }
            SectionKind::Seated => {
                let detail = "of numbered seats the rows say how many there are";
                wrong.check(self.capacity.is_none(), capacity, "not_general", detail);
                self.check_rows(&rows, wrong);
            }
        }
        wrong.count(self.tiers.len(), 1, 10, format!("{at}/tiers"));
        for (index, tier) in self.tiers.iter().enumerate() {
            tier.check(currency, &format!("{at}/tiers/{index}"), wrong);
        }
    }
}

impl NewSection {
    /// How many places it has.
    fn places(&self) -> Option<u32> {
        match self.kind {
            SectionKind::General => self.capacity,
            SectionKind::Seated => self.rows.iter().try_fold(0_u32, |sum, row| sum.checked_add(row.seats)),
        }
    }

    fn check_rows(&self, at: &str, wrong: &mut Violations) {
        wrong.count(self.rows.len(), 1, MOST_ROWS, at);
        let mut names = BTreeSet::new();
        for (index, row) in self.rows.iter().enumerate() {
            wrong.line(&row.name, 1, 20, format!("{at}/{index}/name"));
            let is_new = names.insert(row.name.trim());
            wrong.check(is_new, format!("{at}/{index}/name"), "duplicate", "another row has this name");
            wrong.range(row.seats.into(), 1, 1_000, format!("{at}/{index}/seats"));
        }
        let fits = self.places().is_some_and(|places| i64::from(places) <= MOST_CAPACITY);
        wrong.check(
            fits,
            at,
            "out_of_range",
            format!("they may have at most {MOST_CAPACITY} seats together"),
        );
    }
}

impl NewTier {
    fn list(self, id: TierId) -> Tier {
        let Self { name, price, sales_start, sales_end } = self;
        Tier { id, name, price, sales_start, sales_end }
    }

    fn check(&self, currency: Currency, at: &str, wrong: &mut Violations) {
        wrong.line(&self.name, 1, 100, format!("{at}/name"));
        wrong.range(self.price.amount, 0, HIGHEST_PRICE, format!("{at}/price/amount"));
        let same = format!("it must be the event's currency, {}", currency.code());
        wrong.check(self.price.currency == currency, format!("{at}/price/currency"), "wrong_currency", same);
        let ends_after = self.sales_start.zip(self.sales_end).is_none_or(|(start, end)| start < end);
        wrong.check(ends_after, format!("{at}/sales_end"), "before_start", "it must lie after sales_start");
    }
}

/// How the highest price reads in the API's description.
pub(super) fn priced(schema: &mut Schema) {
    if let Some(Value::Object(amount)) = schema.pointer_mut("/properties/amount") {
        amount.insert("minimum".to_owned(), 0.into());
        amount.insert("maximum".to_owned(), HIGHEST_PRICE.into());
    }
}

/// Whether a text is the IANA name of a time zone. Asks the zones that were compiled in: a decision is the same
/// whatever the machine has installed.
fn is_zone(text: &str) -> bool {
    let zone = TimeZoneDatabase::bundled().get(text);
    zone.is_ok_and(|zone| zone.iana_name() == Some(text))
}
