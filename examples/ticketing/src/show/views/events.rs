//! All shows, to be searched.

use crate::shared::ShowId;
use crate::show::{Listing, Show, ShowEvent, ShowStatus};
use composable_rust::prelude::*;
use jiff::Timestamp;

/// All shows.
#[derive(Debug)]
pub struct ShowList;

/// A show in the list.
#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "id", index = "owner, status, seen_by, starts_at, created_at, words")]
pub struct ListedShow {
    /// Its id.
    pub id: ShowId,
    /// Its version.
    pub version: StreamVersion,
    /// Whose it is.
    pub owner: UserId,
    /// Where it stands.
    pub status: ShowStatus,
    /// [`ListedShow::EVERYBODY`], or of a draft its owner.
    pub seen_by: String,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// What a search looks into, [`folded`].
    pub words: String,
    /// The show itself.
    pub show: Show,
}

impl ListedShow {
    /// Who sees what is no draft.
    pub const EVERYBODY: &'static str = "everybody";
}

impl Projection for ShowList {
    type Event = ShowEvent;
    type Row = ListedShow;
    const NAME: &'static str = "shows";
    const VERSION: u32 = 3;

    fn project(&self, event: &Recorded<ShowEvent>, rows: &mut Rows<ListedShow>) {
        let (id, version) = (*event.key(), event.version);
        match &event.body {
            ShowEvent::Created(listing) => rows.put(ListedShow {
                id,
                version,
                owner: listing.owner_id,
                status: ShowStatus::Draft,
                seen_by: listing.owner_id.to_string(),
                starts_at: listing.starts_at,
                created_at: listing.created_at,
                words: words_of(listing),
                show: fold([&event.body]),
            }),
            ShowEvent::Published
            | ShowEvent::SalesOpened
            | ShowEvent::SalesClosed
            | ShowEvent::Cancelled { .. }
            | ShowEvent::Updated(_)
            | ShowEvent::CapacityAdded { .. } => {
                rows.update(id, |row| {
                    row.show.evolve(&event.body);
                    row.version = version;
                    row.status = row.show.status;
                    if let ShowEvent::Updated(listing) = &event.body {
                        row.starts_at = listing.starts_at;
                        row.words = words_of(listing);
                    }
                    if row.show.is_public {
                        ListedShow::EVERYBODY.clone_into(&mut row.seen_by);
                    }
                });
            }
        }
    }
}

/// Words as they are compared: in lower case, of any script.
pub fn folded(words: &str) -> String {
    words.to_lowercase()
}

fn words_of(listing: &Listing) -> String {
    folded(&format!("{} {}", listing.title, listing.venue.name))
}
