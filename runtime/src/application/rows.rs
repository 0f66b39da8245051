//! The rows that projections left, before anything runs: are they there, and do they look as the code expects?

use super::{ApplicationError, Finding};
use composable_rust_projections::{PrepareError, ShapeChanged};
use futures_util::future::BoxFuture;

/// A projection that is being prepared.
pub(super) type Preparing = BoxFuture<'static, Result<(), PrepareError>>;

/// Prepares all; changed rows are findings, and all of them are told at once.
///
/// # Errors
/// [`ApplicationError`].
pub(super) async fn prepared(all: Vec<Preparing>) -> Result<(), ApplicationError> {
    let mut findings = Vec::new();
    for preparing in all {
        match preparing.await {
            Ok(()) => {}
            Err(PrepareError::Store(error)) => return Err(ApplicationError::Storage(error)),
            Err(PrepareError::ShapeChanged(changed)) => findings.push(finding(&changed)),
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(ApplicationError::Invalid(findings)) }
}

fn finding(changed: &ShapeChanged) -> Finding {
    let ShapeChanged { projection, version, .. } = changed;
    let fix = format!(
        "write `const VERSION: u32 = {};` in `impl Projection for {projection}`, and the rows are rebuilt",
        version + 1
    );
    Finding::new(changed.to_string(), fix)
}
