//! Nothing that a client can send makes the server fail: no 5xx, and it serves the next one.

use crate::raw::exchange;
use crate::server::{TestServer, start};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::runtime::Runtime;

/// Runs `check` on many inputs against one server.
fn against_server<S: Strategy>(input: S, check: impl Fn(&Runtime, &TestServer, S::Value)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = runtime.block_on(start());
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 128, failure_persistence: None, ..Default::default() });
    runner
        .run(&input, |value| {
            check(&runtime, &server, value);
            Ok(())
        })
        .unwrap();
    let alive = runtime.block_on(server.get("/livez").send()).unwrap();
    assert_eq!(alive.status(), 200);
}

fn assert_no_failure(answer: &str) {
    let failed = answer.starts_with("HTTP/1.1 5") || answer.starts_with("HTTP/1.0 5");
    assert!(!failed, "{answer}");
}

#[test]
fn random_bytes_never_make_the_server_fail() {
    against_server(vec(any::<u8>(), 0..2_000), |runtime, server, bytes| {
        assert_no_failure(&runtime.block_on(exchange(server.address, &bytes)));
    });
}

#[test]
fn random_bodies_never_make_the_server_fail() {
    let json = r#"[ -~]{0,40}|\{"name":"[a-z\\u0-9]{0,9}","seats":-?[0-9.eE]{1,12}(,"prices":\[[0-9{}",:]{0,20}\])?\}"#;
    let body = prop_oneof![vec(any::<u8>(), 0..300), json.prop_map(String::into_bytes)];
    let keyed = any::<bool>();
    against_server((body, keyed), |runtime, server, (body, keyed)| {
        let request = server.post("/rooms").bearer_auth("user-1").header("content-type", "application/json");
        let request = if keyed { request.header("idempotency-key", "one") } else { request };
        let status = runtime.block_on(request.body(body).send()).unwrap().status();
        assert!(status.is_client_error() || status == 201, "{status}");
    });
}

#[test]
fn random_targets_and_headers_never_make_the_server_fail() {
    let target = r"/(rooms|pairs|page|health)?[ -~]{0,60}";
    let header = (
        r"(if-match|x-min-position|authorization|cookie|traceparent|x-request-id|idempotency-key|content-type|content-length|transfer-encoding|range|expect)",
        vec(any::<u8>(), 0..60),
    );
    against_server(
        (r"(GET|POST|PUT|DELETE|HEAD|OPTIONS|TRACE|x)", target, vec(header, 0..4)),
        |runtime, server, input| {
            let (method, target, headers) = input;
            let mut bytes = format!("{method} {target} HTTP/1.1\r\nhost: a\r\n").into_bytes();
            for (name, value) in headers {
                bytes.extend_from_slice(name.as_bytes());
                bytes.extend_from_slice(b": ");
                bytes.extend(value);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"\r\n");
            assert_no_failure(&runtime.block_on(exchange(server.address, &bytes)));
        },
    );
}
