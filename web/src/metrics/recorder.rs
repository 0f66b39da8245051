//! The recorder of the process: installed once, kept small while the application runs.

use super::{METRICS, MetricKind};
use composable_rust_core::Environment;
use futures_util::FutureExt;
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Upper bounds in seconds, as OpenTelemetry recommends for HTTP, and two below for the store.
const BUCKETS: [f64; 16] =
    [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// How often recorded values are put into their buckets; between, each takes some bytes.
const UPKEEP: Duration = Duration::from_secs(5);

/// Recording goes on until this is dropped.
#[derive(Debug)]
pub(crate) struct Recording(#[expect(dead_code, reason = "it ends the upkeep when it is dropped")] DropGuard);

/// The process's recorder, installed on first use. Several applications of one process share it.
///
/// # Errors
/// When the program has installed another.
pub(super) fn handle() -> Result<&'static PrometheusHandle, String> {
    static HANDLE: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();
    HANDLE.get_or_init(|| install().map_err(|error| error.to_string())).as_ref().map_err(Clone::clone)
}

/// Starts to record.
///
/// # Errors
/// When the program has installed another recorder.
pub(crate) fn record(environment: &Environment) -> Result<Recording, String> {
    let handle = handle()?;
    let stop = CancellationToken::new();
    let (stopped, clock) = (stop.clone(), environment.clock.clone());
    let upkeep = async move {
        while stopped.run_until_cancelled(clock.sleep(UPKEEP)).await.is_some() {
            handle.run_upkeep();
        }
    };
    environment.spawner.spawn("metrics.upkeep", upkeep.boxed());
    Ok(Recording(stop.drop_guard()))
}

fn install() -> Result<PrometheusHandle, BuildError> {
    let recorder = PrometheusBuilder::new().set_buckets(&BUCKETS)?.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder)?;
    for metric in METRICS {
        match metric.kind {
            MetricKind::Counter => metrics::describe_counter!(metric.name, metric.help),
            MetricKind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
            MetricKind::Histogram => metrics::describe_histogram!(metric.name, metric.help),
        }
    }
    Ok(handle)
}
