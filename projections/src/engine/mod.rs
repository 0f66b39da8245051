//! Running a projection: batches folded and committed, generations built beside the live one and switched.
//!
//! Reading what a projection wrote is in [`view`](crate::View).

mod control;
mod generations;
mod memory;
mod options;
mod prepare;
mod runner;
mod shared;
mod subscriber;

pub use control::{ProjectionControl, ProjectionProgress};
pub use memory::{Difference, FoldError, fold_in_memory, verify};
pub use options::ProjectionOptions;
pub use prepare::{PrepareError, ShapeChanged};
pub use runner::ProjectionRunner;
pub use subscriber::ProjectionSubscriber;

pub(crate) use control::progress;
pub(crate) use shared::{Live, Shared, is_followed_here};

use composable_rust_core::port::ReadModel;
use composable_rust_core::{Projection, Row, Shape, derived_uuid};

/// The subscription that maintains one generation of a projection: names its checkpoint, lease and dead letters.
pub fn subscription_name(projection: &str, generation: u32) -> String {
    format!("projection:{projection}:{generation}")
}

/// The read model of one generation of `P`.
pub fn read_model<P: Projection>(generation: u32) -> ReadModel {
    let indexes = P::Row::indexes().iter().map(ToString::to_string).collect();
    ReadModel { name: P::NAME.to_owned(), generation, indexes }
}

/// What rows are built by, and how they look; a generation with another definition is replaced.
fn definition<P: Projection>() -> String {
    let shape = derived_uuid(&[&Shape::of::<P::Row>().digest(), &P::Row::indexes().join(",")]);
    format!("{}:{}:rows-{}", P::NAME, P::VERSION, shape.simple())
}

/// Whether two definitions are of one version and differ in the shape of their rows.
fn differ_in_shape(one: &str, other: &str) -> bool {
    let version = |definition: &str| definition.rsplit_once('-').map(|(version, _)| version.to_owned());
    one != other && version(one) == version(other)
}
