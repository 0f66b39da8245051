//! What can be asked about shows as a whole.

mod events;

pub use events::{ListedShow, ShowList, folded};
