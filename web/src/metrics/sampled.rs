//! What is looked up at the time of a scrape instead of being counted.

use composable_rust_core::describe;
use composable_rust_runtime::Application;

/// Brings the gauges up to date. Dead letters that cannot be counted keep their last numbers.
pub(super) async fn sample(app: &Application) {
    for progress in app.progress() {
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; nobody lags so far")]
        let lag = progress.lag_events() as f64;
        metrics::gauge!("projection_lag_events", "subscription" => progress.name.clone()).set(lag);
        let seconds = progress.lag.as_secs_f64();
        metrics::gauge!("projection_lag_seconds", "subscription" => progress.name).set(seconds);
    }
    match app.dead_letters().stats().await {
        Ok(stats) => {
            let numbers = [
                ("pending", stats.pending),
                ("processing", stats.processing),
                ("resolved", stats.resolved),
                ("discarded", stats.discarded),
            ];
            for (status, number) in numbers {
                #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
                metrics::gauge!("dlq_entries", "status" => status).set(number as f64);
            }
        }
        Err(error) => tracing::warn!(error = describe(&error), "dead letters cannot be counted"),
    }
}
