//! Before a projection runs: its first generation is made, and rows that the code would misread are noticed.

use super::{ProjectionRunner, differ_in_shape};
use composable_rust_core::Projection;
use composable_rust_core::port::StoreError;
use std::any::type_name;

/// Why a projection is not ready to run.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The store failed. [`ProjectionRunner::run`] will try again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The code would misread the rows that are shown.
    #[error(transparent)]
    ShapeChanged(#[from] ShapeChanged),
}

/// The rows that are shown were written in another shape than the code now has, by a projection of the same version.
/// Raise its `VERSION`: the rows are then rebuilt beside those that are shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the rows of read model {name:?} were written in another shape than `{row}` now has, and `{projection}` is still of \
     version {version}"
)]
pub struct ShapeChanged {
    /// The read model.
    pub name: &'static str,
    /// The row's type, as its user writes it.
    pub row: &'static str,
    /// The projection's type, as its user writes it.
    pub projection: &'static str,
    /// Its version.
    pub version: u32,
}

impl<P: Projection> ProjectionRunner<P> {
    /// Makes the first generation where there is none yet, so that readers find a read model, if an empty one; checks
    /// else that its rows look as the code expects.
    ///
    /// # Errors
    /// [`PrepareError`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves it made or not; [`Self::run`] goes on from there.
    pub async fn prepare(&self) -> Result<(), PrepareError> {
        let Some(live) = self.shared.look_up_live().await? else {
            self.shared.make_first().await?;
            return Ok(());
        };
        if differ_in_shape(&live.definition, &self.shared.definition) {
            let (row, projection) = (short(type_name::<P::Row>()), short(type_name::<P>()));
            return Err(ShapeChanged { name: P::NAME, row, projection, version: P::VERSION }.into());
        }
        Ok(())
    }
}

/// The last part of a type's path: what the user writes.
fn short(path: &'static str) -> &'static str {
    path.rsplit("::").next().unwrap_or(path)
}
