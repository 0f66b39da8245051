//! What `/metrics` shows, read with a parser; and the page that lists it.

use crate::server::{TestServer, problem, start, start_with};
use composable_rust_web::{HttpOptions, METRICS, MetricKind, RateLimitLayer, catalogue_page};
use reqwest::Method;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

async fn measured() -> TestServer {
    start_with(|options| HttpOptions { metrics: true, ..options }).await
}

/// One line of the text format: name, labels, value.
#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// Types by name, and samples; panics at what is not the text format.
fn parse(text: &str) -> (BTreeMap<String, String>, Vec<Sample>) {
    let (mut types, mut samples) = (BTreeMap::new(), Vec::new());
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} is declared twice");
        } else if !line.starts_with("# HELP ") {
            samples.push(sample(line));
        }
    }
    (types, samples)
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}').unwrap()),
        None => (series, ""),
    };
    assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':'), "{line}");
    // A value may hold a comma, so that the quotes end it.
    let pairs = labels.split("\",").filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (name, value) = pair.split_once("=\"").unwrap();
        (name.to_owned(), value.trim_end_matches('"').to_owned())
    };
    Sample { name: name.to_owned(), labels: pairs.map(pair).collect(), value: value.parse().unwrap() }
}

async fn scraped(server: &TestServer) -> (BTreeMap<String, String>, Vec<Sample>) {
    let response = server.get("/metrics").bearer_auth("admin-1").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    parse(&response.text().await.unwrap())
}

fn total(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> f64 {
    let fits = |sample: &&Sample| {
        sample.name == name
            && labels.iter().all(|(label, value)| sample.labels.get(*label).is_some_and(|own| own == value))
    };
    samples.iter().filter(fits).map(|sample| sample.value).sum()
}

#[tokio::test]
async fn only_admins_and_monitoring_see_metrics_and_only_where_they_are_switched_on() {
    problem(start().await.get("/metrics").bearer_auth("admin-1").send().await.unwrap(), 404, "not_found")
        .await;
    let server = measured().await;
    problem(server.get("/metrics").send().await.unwrap(), 401, "unauthenticated").await;
    problem(server.get("/metrics").bearer_auth("user-1").send().await.unwrap(), 403, "forbidden").await;
    for who in ["admin-1", "monitoring-2"] {
        assert_eq!(server.get("/metrics").bearer_auth(who).send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn requests_are_counted_by_template_and_never_by_path() {
    let server = measured().await;
    for number in 0..20 {
        server.get(&format!("/pairs/{number}/4711")).send().await.unwrap();
        server.get(&format!("/made-up-4711/{number}")).send().await.unwrap();
    }
    let method = Method::from_bytes(b"MADEUP").unwrap();
    server.request(method, "/pairs/1/2").send().await.unwrap();
    let (_, samples) = scraped(&server).await;
    let pairs = [("route", "/pairs/{a}/{b}"), ("method", "GET"), ("status", "200")];
    assert!(total(&samples, "http_requests_total", &pairs) >= 20.0, "{samples:?}");
    assert!(total(&samples, "http_request_duration_seconds_count", &pairs) >= 20.0);
    assert!(total(&samples, "http_requests_total", &[("route", "unmatched"), ("status", "404")]) >= 20.0);
    assert!(total(&samples, "http_requests_total", &[("method", "other")]) >= 1.0);
    let values: Vec<_> = samples.iter().flat_map(|sample| sample.labels.values()).collect();
    assert!(values.iter().all(|value| !value.contains("4711") && !value.contains("MADEUP")), "{values:?}");
}

#[tokio::test]
async fn what_is_shown_is_in_the_catalogue_with_its_kind_and_labels() {
    let server = measured().await;
    server.room(3).await;
    server.post("/rooms").bearer_auth("user-1").json(&json!({"name": "", "seats": 0})).send().await.unwrap();
    let (types, samples) = scraped(&server).await;
    for (name, kind) in &types {
        let metric = METRICS.iter().find(|metric| metric.name == name);
        let metric = metric.unwrap_or_else(|| panic!("{name} is not in the catalogue"));
        let expected = match metric.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        };
        assert_eq!(kind, expected, "{name}");
        let own = samples.iter().filter(|sample| sample.name.starts_with(name.as_str()));
        let labels: BTreeSet<_> =
            own.flat_map(|sample| sample.labels.keys()).filter(|label| *label != "le").collect();
        assert_eq!(
            labels,
            metric.labels.iter().map(|label| (*label).to_owned()).collect::<BTreeSet<_>>().iter().collect()
        );
    }
    for name in [
        "db_query_duration_seconds",
        "dlq_entries",
        "event_bus_messages_published_total",
        "events_appended_total",
        "projection_lag_events",
        "projection_lag_seconds",
        "reducer_duration_seconds",
        "reducer_executions_total",
    ] {
        assert!(types.contains_key(name), "{name} is not shown: {types:?}");
    }
    assert!(total(&samples, "reducer_executions_total", &[("reducer", "room"), ("outcome", "done")]) >= 1.0);
    assert!(total(&samples, "db_query_duration_seconds_count", &[("operation", "append")]) >= 1.0);
}

#[test]
fn the_page_of_metrics_is_the_catalogue() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    let (page, expected) = (std::fs::read_to_string(path).unwrap_or_default(), catalogue_page());
    assert!(page == expected, "docs/metrics.md should be:\n{expected}");
    let names: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
    assert!(names.is_sorted(), "{names:?}");
}

#[tokio::test]
async fn a_thousand_accounts_of_one_network_are_told_and_nobody_is_refused() {
    let limits = RateLimitLayer::per_minute(0, 0).crowds(200, Duration::from_hours(24), ["/reason"]);
    let proxies = "127.0.0.0/8".parse().unwrap();
    let change =
        |options| HttpOptions { metrics: true, rate_limits: limits, trusted_proxies: proxies, ..options };
    let server = start_with(change).await;
    let flagged =
        async || total(&scraped(&server).await.1, "http_crowd_accounts_total", &[("route", "/reason")]);
    let act = async |user: u32, address: String| {
        let request = server.post("/reason").bearer_auth(format!("user-{user}"));
        let answer = request.header("x-forwarded-for", address).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    };
    for user in 0..1_000 {
        act(user, format!("198.{}.{}.7", user / 250, user % 250)).await;
    }
    assert!(flagged().await.abs() < f64::EPSILON, "each of a network of its own");
    for user in 0..1_000 {
        act(user, format!("203.0.113.{}", user % 250)).await;
    }
    assert!((flagged().await - 800.0).abs() <= 2.0, "{}", flagged().await);
    for _ in 0..300 {
        act(1, "203.0.114.7".to_owned()).await;
    }
    assert!((flagged().await - 800.0).abs() <= 2.0, "one account is no crowd");
}
