//! What the operator switches on: limits, trusted proxies, foreign pages, metrics.

use crate::binary::{Server, folder};
use reqwest::{Method, Response};

async fn page(server: &Server, client: &str) -> Response {
    server.request(Method::GET, "/").header("x-forwarded-for", client).send().await.unwrap()
}

#[tokio::test]
async fn beyond_the_limit_of_an_address_or_an_account_it_is_429() {
    let folder = folder();
    let variables =
        [("RATE_LIMIT_PER_IP", "3"), ("RATE_LIMIT_PER_USER", "4"), ("TRUSTED_PROXIES", "127.0.0.1")];
    let server = Server::start(folder.path(), &variables);
    for client in ["198.51.100.1", "198.51.100.2"] {
        for left in ["2", "1", "0"] {
            let response = page(&server, client).await;
            assert_eq!(
                (response.status().as_u16(), &response.headers()["x-ratelimit-remaining"]),
                (200, &left.parse().unwrap())
            );
        }
        let refused = page(&server, client).await;
        assert_eq!(refused.status(), 429);
        assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u32>().unwrap() <= 20);
    }
    let ann = server.sign_in("ann@example.org").await;
    for _ in 0..4 {
        ann.get("/api/reservations").await.expect(200);
    }
    ann.get("/api/reservations").await.expect(429);
    for _ in 0..10 {
        assert_eq!(server.request(Method::GET, "/livez").send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn in_development_nothing_is_limited_and_nobody_else_let_in() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    for _ in 0..60 {
        let response = page(&server, "198.51.100.1").await;
        assert!(response.status() == 200 && !response.headers().contains_key("ratelimit"));
    }
    let response =
        server.request(Method::GET, "/").header("origin", "https://shop.example").send().await.unwrap();
    assert!(!response.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn pages_of_a_named_origin_may_call_the_api() {
    let folder = folder();
    let server = Server::start(folder.path(), &[("CORS_ORIGINS", "https://shop.example, https://b.example")]);
    let asked = server.request(Method::OPTIONS, "/api/reservations").header("origin", "https://b.example");
    let answer = asked.header("access-control-request-method", "POST").send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://b.example");
}

#[tokio::test]
async fn metrics_tell_of_requests_commands_and_processes_to_the_admin_only() {
    let folder = folder();
    let server = Server::start(folder.path(), &[("ADMIN_EMAIL", "root@example.org")]);
    let (ann, root) = (server.sign_in("ann@example.org").await, server.sign_in("root@example.org").await);
    let show = ann.sell(3).await;
    ann.reserve(&show, 1).await.expect(201);
    ann.get("/metrics").await.expect(403);
    let mut shown = String::new();
    for _ in 0..2_000 {
        shown = root.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
        if shown.contains("process_steps_total{process=\"checkout\"}") {
            break;
        }
    }
    for series in [
        "http_requests_total{method=\"POST\",route=\"/api/reservations\",status=\"201\"} 1",
        "reducer_executions_total{reducer=\"show\",outcome=\"done\"}",
        "process_steps_total{process=\"checkout\"}",
        "projection_lag_events{subscription=",
        "dlq_entries{status=\"pending\"} 0",
    ] {
        assert!(shown.contains(series), "{series} is not in {shown}");
    }
}
