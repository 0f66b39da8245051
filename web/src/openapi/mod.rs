//! What the API takes and answers, as OpenAPI 3.1, told by the handlers themselves.
//!
//! [`Routes`] is a router that remembers what its handlers ask for by their arguments and answer by their type: parameters,
//! headers, bodies, who may call them, and with which problems they refuse ([`Describes`]). What a body looks like is told
//! by its type, which derives `schemars::JsonSchema`. The application adds a sentence for each, the refusals of its domain,
//! and examples that a test has recorded ([`OpenApi::examples`]). So there is no second list to keep.

mod describes;
mod document;
mod members;
mod operation;
mod page;
mod refusals;
mod routes;
mod schema;

pub use describes::{Described, Describes};
pub use document::OpenApi;
pub use operation::Operation;
pub use routes::{Endpoint, Routes, delete, get, post, put};

pub(crate) use routes::serve;
