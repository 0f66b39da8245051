//! HTTP for Composable Rust applications: everything that their routes would repeat.
//!
//! An application writes handlers that read like its domain; from here come strict extractors, errors as
//! [`Problem`]s, ids, idempotent POSTs, limits, probes and a server that drains. This crate refuses to know a domain.

mod extract;
mod health;
mod idempotency;
mod layer;
mod principal;
mod problem;
mod request_ids;
mod server;
mod service;
mod web;
mod written;

pub use service::{HttpService, Listening, WebExt};

pub use extract::{
    BodyLimit, Findings, IfMatch, JsonBody, MinPosition, PageBody, Pagination, PathId, PathIds, QueryParams,
    Validate, body_limit,
};
pub use idempotency::{CommandRequest, IdempotencyKey, KEPT_FOR, KeyedRequest};
pub use principal::{Authenticator, Principal};
pub use problem::{FieldError, Problem};
pub use request_ids::RequestIds;
pub use server::{BodyTooSlow, HttpOptions};
pub use written::{Versioned, Written};

pub(crate) use web::Web;
