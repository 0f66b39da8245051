//! What an organiser changes about a show, and what may no longer change once there are places of it.

use super::draft::{MOST_CAPACITY, MOST_PER_ORDER, MOST_ROWS, MOST_SECTIONS, priced};
use super::{Listing, NewSection, NewShow, NewTier, SeatRow, Section, SectionKind, ShowRefused, Tier, Venue};
use crate::shared::{Currency, Money, SectionId, TierId, Violations, line, text};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

/// What is to be changed: a field that is left out stays as it is, and so does one that is `null` but may not be
/// missing. What may be missing is taken away by `null`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ShowChange {
    /// As for a new show, here and below.
    #[schemars(transform = line::<1, 200>)]
    pub title: Option<String>,
    /// More about it.
    #[schemars(transform = text::<0, 5_000>)]
    #[serde(deserialize_with = "given")]
    pub description: Option<Option<String>>,
    /// Where.
    pub venue: Option<Venue>,
    /// When it begins.
    pub starts_at: Option<Timestamp>,
    /// When it ends.
    #[serde(deserialize_with = "given")]
    pub ends_at: Option<Option<Timestamp>>,
    /// Of all its prices; of a draft only.
    pub currency: Option<Currency>,
    /// Most places in one order.
    #[schemars(range(min = 1, max = MOST_PER_ORDER))]
    pub max_per_order: Option<u32>,
    /// Most places of one customer.
    #[schemars(range(min = 1, max = MOST_CAPACITY))]
    #[serde(deserialize_with = "given")]
    pub max_per_customer: Option<Option<u32>>,
    /// Those with an id are changed, those without are added, and the others stay.
    #[schemars(length(max = MOST_SECTIONS))]
    pub sections: Vec<SectionChange>,
}

/// What is to be changed about a section.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("anyOf" = [
    { "properties": { "id": { "type": "string" } }, "required": ["id"] },
    { "properties": { "name": { "type": "string" } }, "required": ["name"] },
]))]
pub struct SectionChange {
    /// Which one; none for a new one.
    pub id: Option<SectionId>,
    /// What it is called.
    #[schemars(transform = line::<1, 100>)]
    pub name: Option<String>,
    /// How its places are told apart; of a draft only.
    pub kind: Option<SectionKind>,
    /// How many general places; fewer of a draft only.
    #[schemars(range(min = 1, max = MOST_CAPACITY))]
    pub capacity: Option<u32>,
    /// Its rows; of a draft only.
    #[schemars(length(min = 1, max = MOST_ROWS))]
    pub rows: Option<Vec<SeatRow>>,
    /// Those with an id are changed, those without are added, and the others stay.
    #[schemars(length(max = 10))]
    pub tiers: Vec<TierChange>,
}

/// What is to be changed about a price. What is ordered keeps the price of its moment.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("anyOf" = [
    { "properties": { "id": { "type": "string" } }, "required": ["id"] },
    { "properties": { "name": { "type": "string" }, "price": { "type": "object" } }, "required": ["name", "price"] },
]))]
pub struct TierChange {
    /// Which one; none for a new one.
    pub id: Option<TierId>,
    /// What it is called.
    #[schemars(transform = line::<1, 100>)]
    pub name: Option<String>,
    /// Of one place.
    #[schemars(transform = priced)]
    pub price: Option<Money>,
    /// From when on it is sold.
    #[serde(deserialize_with = "given")]
    pub sales_start: Option<Option<Timestamp>>,
    /// Until when it is sold.
    #[serde(deserialize_with = "given")]
    pub sales_end: Option<Option<Timestamp>>,
}

impl ShowChange {
    /// The listing as it is to be; `next_id` gives ids for what is added.
    ///
    /// # Errors
    /// What is named and not there, or is new and lacks what it needs.
    pub fn of(self, now: &Listing, next_id: &mut dyn FnMut() -> Uuid) -> Result<Listing, ShowRefused> {
        let (mut listing, mut wrong) = (now.clone(), Violations::default());
        let Self { title, description, venue, starts_at, ends_at, currency, sections, .. } = self;
        set(&mut listing.title, title);
        set(&mut listing.venue, venue);
        set(&mut listing.starts_at, starts_at);
        set(&mut listing.currency, currency);
        set(&mut listing.max_per_order, self.max_per_order);
        set(&mut listing.description, description);
        set(&mut listing.ends_at, ends_at);
        set(&mut listing.max_per_customer, self.max_per_customer);
        for (index, change) in sections.into_iter().enumerate() {
            change.put_into(&mut listing.sections, (&format!("/sections/{index}"), &mut wrong), next_id);
        }
        wrong.into_result(|errors| ShowRefused::Invalid { errors })?;
        Ok(listing)
    }
}

impl SectionChange {
    fn put_into(
        self,
        sections: &mut Vec<Section>,
        (at, wrong): (&str, &mut Violations),
        next_id: &mut dyn FnMut() -> Uuid,
    ) {
        let index = if let Some(id) = self.id {
            sections.iter().position(|section| section.id == id)
        } else {
            wrong.check(self.name.is_some(), format!("{at}/name"), "required", "a section needs a name");
            let kind = self.kind.unwrap_or(SectionKind::General);
            let (name, id) = (self.name.clone().unwrap_or_default(), next_id().into());
            sections.push(Section { id, name, kind, capacity: 0, rows: Vec::new(), tiers: Vec::new() });
            sections.len().checked_sub(1)
        };
        let Some(section) = index.and_then(|index| sections.get_mut(index)) else {
            return wrong.add(format!("{at}/id"), "unknown", "the event has no such section");
        };
        set(&mut section.name, self.name);
        set(&mut section.kind, self.kind);
        set(&mut section.rows, self.rows);
        let of_rows = section.rows.iter().fold(0_u32, |sum, row| sum.saturating_add(row.seats));
        section.capacity = match section.kind {
            SectionKind::General => self.capacity.unwrap_or(section.capacity),
            SectionKind::Seated => of_rows,
        };
        let is_counted = section.kind == SectionKind::Seated && self.capacity.is_some();
        let detail = "of numbered seats the rows say how many there are";
        wrong.check(!is_counted, format!("{at}/capacity"), "not_general", detail);
        for (index, change) in self.tiers.into_iter().enumerate() {
            change.put_into(&mut section.tiers, (&format!("{at}/tiers/{index}"), wrong), next_id);
        }
    }
}

impl TierChange {
    fn put_into(
        self,
        tiers: &mut Vec<Tier>,
        (at, wrong): (&str, &mut Violations),
        next_id: &mut dyn FnMut() -> Uuid,
    ) {
        let Self { id, name, price, sales_start, sales_end } = self;
        if let Some(id) = id {
            let Some(tier) = tiers.iter_mut().find(|tier| tier.id == id) else {
                return wrong.add(format!("{at}/id"), "unknown", "the section has no such tier");
            };
            set(&mut tier.name, name);
            set(&mut tier.price, price);
            set(&mut tier.sales_start, sales_start);
            set(&mut tier.sales_end, sales_end);
            return;
        }
        let (Some(name), Some(price)) = (name, price) else {
            return wrong.add(at, "required", "a tier needs a name and a price");
        };
        let (sales_start, sales_end) = (sales_start.flatten(), sales_end.flatten());
        tiers.push(Tier { id: next_id().into(), name, price, sales_start, sales_end });
    }
}

/// A field that is there, though it may be `null`; left out it is none.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

impl Listing {
    /// Whether it may become this: whatever a new show may be, and of one that others have seen nothing on which orders
    /// rest.
    pub(super) fn check_change(&self, to: &Self, is_public: bool, now: Timestamp) -> Result<(), ShowRefused> {
        // What has begun may still be described otherwise.
        let now = if self.starts_at == to.starts_at { Timestamp::MIN } else { now };
        NewShow::from(to.clone()).check(now)?;
        let mut wrong = Violations::default();
        let detail = "it can be changed as long as the event is a draft";
        wrong.check(!is_public || self.currency == to.currency, "/currency", "cannot_change", detail);
        for (index, section) in self.sections.iter().enumerate().filter(|_| is_public) {
            let Some(to) = to.sections.iter().find(|to| to.id == section.id) else { continue };
            let at = format!("/sections/{index}");
            wrong.check(to.kind == section.kind, format!("{at}/kind"), "cannot_change", detail);
            wrong.check(to.rows == section.rows, format!("{at}/rows"), "cannot_change", detail);
            let fewer = "it can only grow; to keep places back, block them";
            let grows = to.capacity >= section.capacity;
            wrong.check(grows, format!("{at}/capacity"), "cannot_change", fewer);
        }
        wrong.into_result(|errors| ShowRefused::Invalid { errors })
    }
}

/// As somebody who offers the same would ask for it.
impl From<Listing> for NewShow {
    fn from(listing: Listing) -> Self {
        let tier = |Tier { name, price, sales_start, sales_end, .. }| NewTier {
            name,
            price,
            sales_start,
            sales_end,
        };
        let section = |section: Section| NewSection {
            capacity: (section.kind == SectionKind::General).then_some(section.capacity),
            name: section.name,
            kind: section.kind,
            rows: section.rows,
            tiers: section.tiers.into_iter().map(tier).collect(),
        };
        Self {
            title: listing.title,
            description: listing.description,
            venue: listing.venue,
            starts_at: listing.starts_at,
            ends_at: listing.ends_at,
            currency: listing.currency,
            max_per_order: Some(listing.max_per_order),
            max_per_customer: listing.max_per_customer,
            sections: listing.sections.into_iter().map(section).collect(),
        }
    }
}
