//! What pages with forms would repeat: cookies, the answer to a form, messages for the next page, problems as pages.
//!
//! That a form comes from our own page is checked for every request (`layer/csrf.rs`), so forms carry no token. What pages
//! look like is the application's.

mod asked;
mod cookie;
mod form;
mod problems;
mod see_other;

pub use cookie::SetCookie;
pub use form::FormBody;
pub use problems::{ProblemPages, Refused};
pub use see_other::{Flash, SeeOther};

pub(crate) use asked::Asked;
pub(crate) use cookie::only_by_https;
pub(crate) use form::is_form;
pub(crate) use problems::replace;
pub(crate) use see_other::position_seen;
