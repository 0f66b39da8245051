//! Numbers for Prometheus: what is counted, and where it is shown.
//!
//! All parts record through the facade of the crate `metrics`, which costs next to nothing while nobody listens; an
//! application that sets [`HttpOptions::metrics`](crate::HttpOptions::metrics) installs the recorder of the process.

mod catalogue;
mod recorder;
mod request;
mod route;
mod sampled;

pub use catalogue::{METRICS, Metric, MetricKind, catalogue_page};
pub(crate) use recorder::{Recording, record};
pub(crate) use request::Measured;
pub(crate) use route::routes;
