//! Runs one case: makes the subject, opens it, runs the case on threads of its own and limits its time.

use std::future::Future;
use std::time::Duration;

/// A case that takes longer hangs; it then fails with its name instead of stopping the whole run.
const LIMIT: Duration = Duration::from_mins(2);

/// What a factory gives and a case takes.
pub trait Prepare: Send + 'static {
    /// What the case works with.
    type Fixture: Send;

    /// Opens what the factory made.
    fn prepare(self) -> impl Future<Output = Self::Fixture> + Send;
}

/// Runs one case of a suite on a fresh subject. Called by the tests that the suites' macros make.
///
/// # Panics
/// When the case fails or takes longer than 120 s.
pub fn run_case<S, Made, Case, Running>(suite: &str, name: &str, factory: impl Fn() -> Made, case: Case)
where
    S: Prepare,
    Made: Future<Output = S>,
    Case: Fn(S::Fixture) -> Running,
    Running: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime for the case");
    let finished = runtime.block_on(async {
        let fixture = factory().await.prepare().await;
        tokio::time::timeout(LIMIT, case(fixture)).await
    });
    assert!(finished.is_ok(), "{suite}::{name} did not finish within {LIMIT:?}");
}
