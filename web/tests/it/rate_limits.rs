//! How often somebody may ask: in the environment's time, by account or address, told in headers.

use crate::server::{TestServer, problem, start, start_in};
use async_trait::async_trait;
use composable_rust_core::FixedClock;
use composable_rust_core::port::{Rate, RateDecision, RateLimits, StoreError};
use composable_rust_runtime::{Application, live_environment};
use composable_rust_testing::contract::TimedSubject;
use composable_rust_testing::memory::MemoryStorage;
use composable_rust_web::{HttpOptions, InProcess, InProcessRateLimits, RateLimitLayer, WebExt};
use reqwest::Response;
use std::sync::Arc;
use std::time::Duration;

fn clock() -> FixedClock {
    FixedClock::at("2026-01-01T00:00:00Z".parse().unwrap())
}

async fn in_process_limits() -> TimedSubject<dyn RateLimits> {
    let clock = clock();
    TimedSubject::new(Arc::new(InProcessRateLimits::new(Arc::new(clock.clone()))), move |duration| {
        clock.advance(duration);
        Box::pin(std::future::ready(()))
    })
}

mod in_process {
    composable_rust_testing::rate_limits_contract!(super::in_process_limits);
}

async fn limited(clock: &FixedClock, limits: RateLimitLayer) -> TestServer {
    let environment =
        composable_rust_core::Environment { clock: Arc::new(clock.clone()), ..live_environment() };
    let trusted = "127.0.0.0/8".parse().unwrap();
    start_in(environment, |options| HttpOptions { rate_limits: limits, trusted_proxies: trusted, ..options })
        .await
}

async fn asked(server: &TestServer, path: &str, who: &str) -> Response {
    let request = server.get(path);
    let request =
        if who.contains('-') { request.bearer_auth(who) } else { request.header("x-forwarded-for", who) };
    request.send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

#[tokio::test]
async fn beyond_the_budget_it_is_429_until_time_has_passed() {
    let clock = clock();
    let server = limited(&clock, RateLimitLayer::per_minute(3, 2)).await;
    let first = asked(&server, "/page", "user-1").await;
    assert_eq!(first.status(), 200);
    for (name, value) in [
        ("ratelimit-policy", "\"user\";q=3;w=60"),
        ("ratelimit", "\"user\";r=2;t=20"),
        ("x-ratelimit-limit", "3"),
        ("x-ratelimit-remaining", "2"),
        ("x-ratelimit-reset", "20"),
    ] {
        assert_eq!(header(&first, name), value, "{name}");
    }
    for _ in 0..2 {
        assert_eq!(asked(&server, "/page", "user-1").await.status(), 200);
    }
    let refused = asked(&server, "/page", "user-1").await;
    assert_eq!((header(&refused, "retry-after"), header(&refused, "ratelimit")), ("20", "\"user\";r=0;t=60"));
    problem(refused, 429, "rate_limited").await;
    clock.advance(Duration::from_secs(20));
    assert_eq!(asked(&server, "/page", "user-1").await.status(), 200);
    assert_eq!(asked(&server, "/page", "user-1").await.status(), 429);
}

#[tokio::test]
async fn accounts_and_addresses_have_budgets_of_their_own() {
    let server = limited(&clock(), RateLimitLayer::per_minute(1, 1)).await;
    for who in ["user-1", "user-2", "198.51.100.1", "198.51.100.2", "2001:db8::1"] {
        assert_eq!(asked(&server, "/page", who).await.status(), 200, "{who}");
        assert_eq!(asked(&server, "/page", who).await.status(), 429, "{who}");
    }
    assert_eq!(asked(&server, "/page", "2001:db8::2").await.status(), 429, "of the same /64");
    assert_eq!(asked(&server, "/page", "2001:db8:0:1::1").await.status(), 200);
    // Tokens that are none do not make accounts: both count for the peer's address.
    assert_eq!(asked(&server, "/page", "nobody-1").await.status(), 200);
    assert_eq!(asked(&server, "/page", "nobody-2").await.status(), 429);
}

#[tokio::test]
async fn an_address_that_a_client_makes_up_is_not_believed() {
    let environment = composable_rust_core::Environment { clock: Arc::new(clock()), ..live_environment() };
    let limits = RateLimitLayer::per_minute(0, 1);
    let server = start_in(environment, |options| HttpOptions { rate_limits: limits, ..options }).await;
    assert_eq!(asked(&server, "/page", "198.51.100.1").await.status(), 200);
    for made_up in ["198.51.100.2", "198.51.100.3", "10.0.0.1", "nonsense"] {
        assert_eq!(asked(&server, "/page", made_up).await.status(), 429, "{made_up}");
    }
}

#[tokio::test]
async fn zero_switches_a_limit_off() {
    for server in [start().await, limited(&clock(), RateLimitLayer::per_minute(0, 0)).await] {
        for _ in 0..50 {
            let response = asked(&server, "/page", "user-1").await;
            assert!(response.status() == 200 && !response.headers().contains_key("ratelimit"));
        }
    }
}

#[tokio::test]
async fn probes_and_files_are_not_counted_and_unknown_addresses_are() {
    let server = limited(&clock(), RateLimitLayer::per_minute(1, 1)).await;
    for _ in 0..5 {
        for path in ["/livez", "/readyz", "/health", "/static/app-5f3a.css"] {
            assert_eq!(server.get(path).send().await.unwrap().status(), 200);
        }
    }
    problem(server.get("/nowhere").send().await.unwrap(), 404, "not_found").await;
    problem(server.get("/nowhere").send().await.unwrap(), 429, "rate_limited").await;
}

#[tokio::test]
async fn a_route_may_have_a_budget_of_its_own() {
    let minute = Duration::from_mins(1);
    let limits = RateLimitLayer::per_minute(1, 1).route("/own", Rate::per(3, minute));
    let server = limited(&clock(), limits.guarded("/anybody", Rate::per(2, minute))).await;
    for _ in 0..3 {
        assert_eq!(asked(&server, "/own", "user-1").await.status(), 200);
    }
    let refused = asked(&server, "/own", "user-1").await;
    assert_eq!(header(&refused, "ratelimit-policy"), "\"own\";q=3;w=60");
    problem(refused, 429, "rate_limited").await;
    assert_eq!(asked(&server, "/page", "user-1").await.status(), 200, "the general budget is untouched");
    for who in ["user-1", "user-2"] {
        assert_eq!(asked(&server, "/anybody", who).await.status(), 200, "a guarded route counts addresses");
    }
    let refused = asked(&server, "/anybody", "user-3").await;
    assert_eq!((header(&refused, "retry-after"), header(&refused, "ratelimit")), ("30", ""));
    problem(refused, 429, "rate_limited").await;
}

#[tokio::test]
async fn of_requests_at_once_no_more_pass_than_the_budget_has() {
    let server = limited(&clock(), RateLimitLayer::per_minute(10, 10)).await;
    let answers = futures_util::future::join_all((0..60).map(|_| asked(&server, "/page", "user-1"))).await;
    let passed = answers.iter().filter(|response| response.status() == 200).count();
    assert_eq!((passed, answers.len()), (10, 60));
}

/// Counts nothing, like a store that does not answer.
#[derive(Debug)]
struct Broken;

#[async_trait]
impl RateLimits for Broken {
    async fn take(&self, _: &str, _: Rate) -> Result<RateDecision, StoreError> {
        Err(StoreError::unavailable("count a request", "the connection was refused"))
    }
}

#[tokio::test]
async fn while_nobody_can_count_only_guarded_routes_are_closed() {
    let limits = RateLimitLayer::per_minute(1, 1).guarded("/anybody", Rate::per_minute(10));
    let app =
        Application::builder("rooms").storage(MemoryStorage::new()).routes(crate::server::routes_alone());
    let options = HttpOptions { rate_limits: limits, ..HttpOptions::in_process() };
    let app = app.http(options).rate_limits(Broken).start().await.unwrap();
    let service = app.get::<InProcess>().unwrap();
    let ask = async |path: &str| {
        let request = axum::extract::Request::get(path).body(axum::body::Body::empty()).unwrap();
        service.answer(request).await.status().as_u16()
    };
    for _ in 0..3 {
        assert_eq!((ask("/page").await, ask("/anybody").await), (200, 503));
    }
}
