//! The probes, in the shape that clients rely on.

use crate::server::start;
use serde_json::{Value, json};

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
