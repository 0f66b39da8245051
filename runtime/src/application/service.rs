//! What runs beside the framework's own parts: an HTTP server, a job.

use super::{Application, Finding};
use async_trait::async_trait;
use std::any::Any;
use std::time::Duration;

/// Any cause.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Something that starts after everything else of an application and stops before it.
#[async_trait]
pub trait Service: Any + Send + Sync {
    /// Its name in errors.
    fn name(&self) -> &'static str;

    /// What is wrong with how it was declared; shown with all other findings.
    fn check(&self) -> Vec<Finding> {
        Vec::new()
    }

    /// Starts; returns when it is ready.
    ///
    /// # Errors
    /// Why it cannot, with what to do.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the start; the application is shut down then, without a [`Self::stop`] of this service.
    async fn start(&mut self, application: &Application) -> Result<(), BoxError>;

    /// Stops intake at once and finishes what is under way, within `timeout`. A second later it is given up, and the
    /// shutdown names it as late.
    ///
    /// # Cancel safety
    /// Dropping the future leaves requests without an answer.
    async fn stop(&mut self, timeout: Duration);
}
