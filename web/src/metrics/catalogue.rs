//! Every metric of the framework, with its meaning; the page `docs/metrics.md` is made from this.

use std::fmt::Write as _;

/// What a metric does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows, until the process ends.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values in buckets.
    Histogram,
}

/// One metric. Units are in its name: seconds, or a number of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name in Prometheus.
    pub name: &'static str,
    /// What it does.
    pub kind: MetricKind,
    /// Its labels; none has values that a client can make up.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub help: &'static str,
}

const fn metric(
    name: &'static str,
    kind: MetricKind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind, labels, help }
}

const HTTP: &[&str] = &["method", "route", "status"];

/// All metrics of the framework, by name.
pub const METRICS: [Metric; 16] = {
    use MetricKind::{Counter, Gauge, Histogram};
    [
        metric("append_conflicts_total", Counter, &[], "Appends that somebody else's append came before."),
        metric(
            "db_query_duration_seconds",
            Histogram,
            &["operation"],
            "How long the event store took to append, to load a stream, or to read the log.",
        ),
        metric("dlq_entries", Gauge, &["status"], "Dead letters by status, at the time of the scrape."),
        metric(
            "effects_executed_total",
            Counter,
            &["process", "kind"],
            "Pieces of work of processes that were taken up: commands, activities, timers.",
        ),
        metric(
            "event_bus_messages_published_total",
            Counter,
            &[],
            "Events that the relay has announced on the bus, repeats included.",
        ),
        metric("events_appended_total", Counter, &[], "Events written to the log."),
        metric(
            "http_crowd_accounts_total",
            Counter,
            &["route"],
            "Accounts beyond the number that may act from one network within a period; see `RateLimitLayer::crowds`.",
        ),
        metric(
            "http_request_duration_seconds",
            Histogram,
            HTTP,
            "How long requests took, to the head of the answer; by route template.",
        ),
        metric("http_requests_total", Counter, HTTP, "Requests that were answered."),
        metric("live_connections", Gauge, &["kind"], "Event streams and WebSockets that are open."),
        metric("process_steps_total", Counter, &["process"], "Steps that process instances have taken."),
        metric(
            "projection_lag_events",
            Gauge,
            &["subscription"],
            "How many events lie ahead of a projection, a process or the relay, at the time of the scrape.",
        ),
        metric(
            "projection_lag_seconds",
            Gauge,
            &["subscription"],
            "For how long the oldest of these events has been in the log.",
        ),
        metric(
            "reducer_duration_seconds",
            Histogram,
            &["reducer", "outcome"],
            "How long commands took, from load to durable answer; by category of the first stream. A process's step \
             counts as well.",
        ),
        metric(
            "reducer_executions_total",
            Counter,
            &["reducer", "outcome"],
            "Commands and steps that were carried out.",
        ),
        metric("timer_lag_seconds", Histogram, &["process"], "How late timers of processes were heard."),
    ]
};

/// `docs/metrics.md` as it should be.
pub fn catalogue_page() -> String {
    let mut page = String::from(
        "# Metrics\n\nGenerated from `web/src/metrics/catalogue.rs`; a test keeps them equal. `/metrics` shows them in the \
         text format of Prometheus to the roles `admin` and `monitoring` when `HttpOptions::metrics` is set.\n\n\
         | metric | kind | labels | what it tells |\n|---|---|---|---|\n",
    );
    for metric in METRICS {
        let kind = match metric.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        };
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| `{}` | {kind} | {} | {} |", metric.name, labels.join(", "), metric.help);
    }
    page
}
