//! An application: declared with [`ApplicationBuilder`], checked as a whole, started and stopped in order.

mod builder;
mod check;
mod dead_letters;
mod dispatcher;
mod drain;
mod entries;
mod error;
mod gate;
mod handle;
mod health;
mod limits;
mod options;
mod registry;
mod rows;
mod service;
mod shared;
mod start;
mod unserved;
mod watched;
mod writes;

pub use builder::ApplicationBuilder;
pub use error::{ApplicationError, Finding};
pub use handle::Application;
pub use health::{ComponentHealth, ComponentStatus};
pub use options::ApplicationOptions;
pub use service::{BoxError, Service};

pub(crate) use gate::Gate;
pub(crate) use registry::{Dispatched, Registry};
pub(crate) use shared::Shared;
