//! The probes, in the shape that clients rely on.

use crate::raw::PATIENCE;
use crate::server::{start, start_in};
use composable_rust_core::{Environment, FixedClock};
use composable_rust_runtime::live_environment;
use composable_rust_testing::memory::Fault;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn probes_answer_under_all_their_names() {
    let server = start().await;
    for path in ["/livez", "/health/live"] {
        let body: Value = server.get(path).send().await.unwrap().json().await.unwrap();
        assert_eq!(body, json!({"status": "healthy", "components": {}}));
    }
    for path in ["/readyz", "/health/ready", "/ready", "/health"] {
        let body: Value = server.get(path).send().await.unwrap().json().await.unwrap();
        assert_eq!(body["status"], "healthy", "{path}");
        let store = &body["components"]["event_store"];
        assert!(store["status"] == "healthy" && store["duration_ms"].is_u64(), "{body}");
    }
}

#[tokio::test]
async fn a_critical_part_that_fails_makes_it_503_but_not_dead() {
    let server = start().await;
    for path in ["/readyz", "/health"] {
        server.faults.fail_next("read_log");
        let response = server.get(path).send().await.unwrap();
        assert_eq!(response.status(), 503, "{path}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["status"], "unhealthy");
        assert!(body["components"]["event_store"]["detail"].is_string(), "{body}");
    }
    server.faults.fail_next("read_log");
    assert_eq!(server.get("/livez").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn parts_that_hang_are_given_five_seconds_at_the_same_time() {
    let clock = FixedClock::at("2026-01-01T00:00:00Z".parse().unwrap());
    let server =
        start_in(Environment { clock: Arc::new(clock.clone()), ..live_environment() }, |options| options)
            .await;
    for operation in ["read_log", "load_checkpoint"] {
        server.faults.next(operation, Fault::Delay(Duration::from_hours(1)));
    }
    let asked = tokio::spawn(server.get("/health").send());
    while ["read_log", "load_checkpoint"]
        .iter()
        .any(|operation| !server.faults.injected().contains_key(&(*operation, "delay")))
    {
        tokio::task::yield_now().await;
    }
    clock.advance(Duration::from_secs(5));
    let answer =
        tokio::time::timeout(PATIENCE, asked).await.expect("an answer after five seconds").unwrap().unwrap();
    assert_eq!(answer.status(), 503);
    let body: Value = answer.json().await.unwrap();
    for name in ["event_store", "projections_db"] {
        let part = &body["components"][name];
        assert_eq!((&part["status"], &part["duration_ms"]), (&json!("unhealthy"), &json!(5_000)), "{body}");
        assert_eq!(part["detail"], "no answer within 5 s");
    }
}
