//! Ids and headers that every answer carries, and that no request can forge.

use crate::raw;
use crate::server::start;
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

#[tokio::test]
async fn ids_are_accepted_or_made_and_echoed_on_every_answer() {
    let server = start().await;
    for path in ["/livez", "/nowhere", "/panic", "/me"] {
        let response = server.get(path).header("x-request-id", "req-1").header("x-correlation-id", "abc");
        let response = response.send().await.unwrap();
        assert_eq!(response.headers()["x-request-id"], "req-1", "{path}");
        assert_eq!(response.headers()["x-correlation-id"], "abc", "{path}");
    }
    for wrong in ["", "a b", "a_b", "<script>", "caf\u{e9}", &"x".repeat(65)] {
        let response = server.get("/livez").header("x-request-id", wrong.as_bytes()).send().await.unwrap();
        let made = response.headers()["x-request-id"].to_str().unwrap();
        assert_eq!(Uuid::parse_str(made).unwrap().get_version_num(), 7, "{wrong}");
    }
}

#[tokio::test]
async fn a_correlation_id_reaches_the_events() {
    let server = start().await;
    let (id, trace) =
        (Uuid::from_u128(99).to_string(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let request = server.post("/rooms").bearer_auth("user-1").json(&json!({"name": "hall", "seats": 1}));
    let response = request.header("x-correlation-id", &id).header("traceparent", trace).send().await.unwrap();
    assert_eq!(response.status(), 201);
    let metadata = server.events().await[0].metadata.decode();
    assert_eq!(metadata.correlation_id.unwrap().to_string(), id);
    assert_eq!(metadata.user_id.unwrap().as_uuid(), Uuid::from_u128(1));
    assert_eq!(metadata.trace_parent.as_deref(), Some(trace));
}

#[tokio::test]
async fn a_request_without_a_trace_begins_one_of_its_own() {
    let server = start().await;
    for traceparent in ["", "nonsense", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"] {
        let request = server.post("/rooms").bearer_auth("user-1").json(&json!({"name": "hall", "seats": 1}));
        let response = request.header("traceparent", traceparent).send().await.unwrap();
        assert_eq!(response.status(), 201);
    }
    let events = server.events().await;
    let parents = events.iter().map(|event| event.metadata.decode().trace_parent.unwrap());
    let traces: BTreeSet<String> = parents
        .map(|parent| {
            let lengths: Vec<_> = parent.split('-').map(str::len).collect();
            assert_eq!(lengths, [2, 32, 16, 2], "{parent}");
            assert!(parent.bytes().all(|b| b == b'-' || b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
            parent[3..35].to_owned()
        })
        .collect();
    assert_eq!(traces.len(), 3, "each request has a trace of its own: {traces:?}");
}

#[tokio::test]
async fn a_correlation_id_that_is_no_uuid_stands_for_one() {
    let server = start().await;
    let of = async |text: &str| {
        let response = server.get("/ids").header("x-correlation-id", text).send().await.unwrap();
        response.text().await.unwrap()
    };
    assert_eq!(of("order-7").await, of("order-7").await);
    assert_ne!(of("order-7").await, of("order-8").await);
}

#[tokio::test]
async fn pages_and_answers_are_protected() {
    let server = start().await;
    let page = server.get("/page").send().await.unwrap();
    assert!(page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'self'"));
    for path in ["/page", "/livez", "/nowhere"] {
        let response = server.get(path).send().await.unwrap();
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["x-frame-options"], "DENY");
    }
}

#[tokio::test]
async fn line_breaks_cannot_smuggle_a_header_or_a_member() {
    let server = start().await;
    for head in [
        "GET /nowhere%0d%0aX-Evil:%201 HTTP/1.1\r\nhost: a\r\n",
        "GET /nowhere HTTP/1.1\r\nhost: a\r\nx-request-id: a\u{2028}b\r\n",
        "GET /nowhere HTTP/1.1\r\nhost: a\r\nx-request-id: a\x1b[31m\r\n",
        "GET /\",\"code\":\"evil HTTP/1.1\r\nhost: a\r\n",
    ] {
        let answer =
            raw::exchange(server.address, format!("{head}connection: close\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        assert!(!answer.to_ascii_lowercase().contains("\r\nx-evil"), "{answer}");
        assert!(!answer.contains('\u{2028}') && !answer.contains('\x1b'), "{answer}");
        assert!(!answer.contains("\"code\":\"evil"), "{answer}");
    }
}
