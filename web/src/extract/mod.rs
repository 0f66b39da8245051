//! What handlers ask of a request, each refusing with a [`Problem`](crate::Problem) when it is not as it should be.

mod body;
mod findings;
mod json;
mod nothing;
mod page;
mod path;
mod precondition;
mod query;
mod reader;
mod stand_in;
mod tree;
mod wrong;

pub(crate) use body::read_body;
pub use body::{BodyLimit, body_limit};
pub use findings::{Findings, Validate};
pub use json::JsonBody;
pub(crate) use json::{decode, decode_form, limit_of};
pub(crate) use nothing::no_body;
pub(crate) use page::PageQuery;
pub use page::{PageBody, Pagination};
pub use path::{PathId, PathIds};
pub use precondition::{IfMatch, MinPosition};
pub use query::QueryParams;
pub(crate) use query::known_parameters;
