//! HTTP for Composable Rust applications: everything that their routes would repeat.
//!
//! An application writes handlers that read like its domain; from here come strict extractors, errors as
//! [`Problem`]s, ids, idempotent POSTs, limits, probes and a server that drains. This crate refuses to know a domain.
//!
//! ```
//! use axum::{Router, extract, routing::post};
//! use composable_rust_core::{Action, Context, Decider, Decision, Never, State};
//! use composable_rust_runtime::Application;
//! use composable_rust_web::{
//!     CommandRequest, Findings, JsonBody, PathId, Principal, Problem, Validate, WebExt, Written,
//! };
//!
//! # #[derive(Debug, Clone, Default, State)]
//! # struct Counter { total: u64 }
//! # #[derive(Debug, Clone, PartialEq, Action)]
//! # enum CounterAction { #[command] Add { amount: u32 }, #[event] Added { amount: u32 } }
//! # impl Decider for Counter {
//! #     type Action = CounterAction;
//! #     type Rejection = Never;
//! #     fn decide(&self, command: CounterCommand, _: &Context) -> Decision<Self> {
//! #         match command { CounterCommand::Add { amount } => Ok(vec![CounterEvent::Added { amount }]) }
//! #     }
//! #     fn evolve(&mut self, event: &CounterEvent) {
//! #         match event { CounterEvent::Added { amount } => self.total += u64::from(*amount) }
//! #     }
//! # }
//! #[derive(serde::Deserialize)]
//! struct Add { amount: u32 }
//!
//! impl Validate for Add {
//!     fn validate(&self, findings: &mut Findings) {
//!         findings.range("amount", self.amount, 1..=1_000);
//!     }
//! }
//!
//! async fn add(
//!     extract::State(app): extract::State<Application>,
//!     PathId(counter): PathId<String>,   // 400 unless it is one
//!     _: Principal,                      // 401 without a token
//!     command: CommandRequest,           // acts once under an Idempotency-Key
//!     JsonBody(body): JsonBody<Add>,     // 400, 413, 415 or 422 with a pointer to each fault
//! ) -> Result<Written<u64>, Problem> {
//!     let receipt = app.execute(counter, CounterCommand::Add { amount: body.amount }).request(command.context()).await?;
//!     Ok(Written::ok(&receipt, receipt.state.total))   // 200 with ETag and X-Position
//! }
//!
//! let routes = Router::new().route("/counters/{id}/add", post(add));
//! let builder = Application::builder("counters").decider::<Counter>().routes(routes);
//! ```
//!
//! # What every request passes
//!
//! From outside to inside; on the way back the same parts touch the answer in reverse. Each is a file in `layer/` unless
//! another is named.
//!
//! 1. The connection: how many, how slow, how large a head (`server/`).
//! 2. Compression of text, br or gzip, where the client takes it.
//! 3. Scope: ids, span by route template, the client's address (`client_ip.rs`); on the way back the problem's
//!    `instance` and `request_id`, ids, security headers, and the metrics by route template (`metrics/`).
//! 4. CORS, if the operator names origins; it answers preflights.
//! 5. Bounds: 431 for a head over the limit, the time limit, and panics become 500.
//! 6. Probes leave here; the rest goes on.
//! 7. Intake: 503 while draining, 415 for a body in a content coding.
//! 8. Same site: 403 for what a foreign page sends, unless a bearer token proves the sender.
//! 9. Authentication: who asks.
//! 10. Rate limits, per account or per address (`rate_limit/`).
//! 11. Idempotency: a repeat gets its first answer (`idempotency/`).
//! 12. Query parameters that nobody knows are refused where an extractor reads the query (`extract/query.rs`).
//! 13. The body limit and the route with its extractors (`extract/`).
//!
//! Whatever fails on the way answers as `application/problem+json`, or to browsers as a page where the application makes
//! one (`page/`); only what is not HTTP at all (a broken request line,
//! a head of more than twice the limit) is answered by the protocol's own bare status.

mod asset;
mod cache_control;
mod client_ip;
mod extract;
mod health;
mod idempotency;
mod layer;
mod live;
mod metrics;
mod openapi;
mod page;
mod principal;
mod problem;
mod rate_limit;
mod request_ids;
mod server;
mod service;
mod view_answers;
mod web;
mod written;
mod ws;

/// What routes are written in: the version that this crate uses, so that an application needs none of its own.
///
/// ```
/// use composable_rust_web::axum::{Router, routing::get};
/// let routes: Router<composable_rust_runtime::Application> = Router::new().route("/", get(async || "hello"));
/// ```
pub use axum;
/// What bodies are described by, for `use composable_rust_web::schemars::{self, JsonSchema}`: so, too, without a dependency of
/// its own.
pub use schemars;

pub use service::{HttpService, InProcess, Listening, WebExt};

pub use self::metrics::{METRICS, Metric, MetricKind, catalogue_page};
pub use asset::{Asset, assets};
pub use cache_control::CacheControl;
pub use client_ip::{ClientIp, NotAnAddress, TrustedProxies};
pub use extract::{
    BodyLimit, Findings, IfMatch, JsonBody, MinPosition, PageBody, Pagination, PathId, PathIds, QueryParams,
    Validate, body_limit,
};
pub use idempotency::{CommandRequest, IdempotencyKey, KEPT_FOR, KeyedRequest};
pub use layer::is_origin;
pub use live::{EventStream, Follow, LiveOptions, Picture, Topic};
pub use openapi::{Described, Describes, Endpoint, OpenApi, Operation, Routes, delete, get, post, put};
pub use page::{Flash, FormBody, ProblemPages, Refused, SeeOther, SetCookie};
pub use principal::{Authenticator, Principal};
pub use problem::{FieldError, Problem};
pub use rate_limit::{InProcessRateLimits, RateLimitLayer};
pub use request_ids::RequestIds;
pub use server::{BodyTooSlow, HttpOptions};
pub use view_answers::{ViewAnswer, ViewAnswers};
pub use written::{Created, Versioned, Written};
pub use ws::{Topics, web_socket};

pub(crate) use web::Web;
