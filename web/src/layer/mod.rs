//! What happens to every request before and after its handler.

mod headers;
mod scope;

pub(crate) use scope::{authenticate, not_found, not_here, scope};
