//! What happens to every request before and after its handler; the crate's page lists the order.

mod bounds;
mod compression;
mod cors;
mod csrf;
mod finish;
mod headers;
mod intake;
mod scope;

pub(crate) use bounds::bounded;
pub(crate) use compression::compression;
pub use cors::is_origin;
pub(crate) use cors::{bad_origin, cors};
pub(crate) use csrf::{is_foreign, same_site};
pub(crate) use intake::{authenticate, intake, not_found, not_here};
pub(crate) use scope::scope;
