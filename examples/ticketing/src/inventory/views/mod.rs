//! What can be asked about places.

mod availability;

pub use availability::{Availability, SectionPlaces, sections_of};
