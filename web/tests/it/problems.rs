//! Every error is problem+json with a stable code, and says nothing that it should not.

use crate::server::{problem, start, start_with};
use axum::response::IntoResponse as _;
use composable_rust_core::port::StoreError;
use composable_rust_web::Problem;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

#[tokio::test]
async fn what_no_route_answers_is_a_problem() {
    let server = start().await;
    problem(server.get("/nowhere").send().await.unwrap(), 404, "not_found").await;
    let response = server.request(Method::DELETE, "/rooms").send().await.unwrap();
    let allow = response.headers()["allow"].to_str().unwrap().to_owned();
    assert!(allow.contains("POST") && allow.contains("GET"), "{allow}");
    problem(response, 405, "method_not_allowed").await;
    problem(server.post("/livez").send().await.unwrap(), 405, "method_not_allowed").await;
}

#[tokio::test]
async fn a_panic_is_contained_and_leaks_nothing() {
    let server = start().await;
    let document = problem(server.get("/panic").send().await.unwrap(), 500, "internal").await;
    assert!(!document.to_string().contains("4711"));
    assert_eq!(server.get("/livez").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_refusal_shows_its_kind_code_and_fields() {
    let server = start().await;
    let room = server.room(2).await;
    let take =
        |path: String| server.post(&path).header("idempotency-key", "a").json(&json!({"seats": 5})).send();
    let path = format!("/rooms/{}/take", room["id"].as_str().unwrap());
    let document = problem(take(path).await.unwrap(), 409, "seats_unavailable").await;
    assert_eq!((&document["available"], &document["detail"]), (&json!(2), &json!("only 2 seats are free")));
    assert_eq!(document["title"], "Seats unavailable");
    problem(take(format!("/rooms/{}/take", Uuid::nil())).await.unwrap(), 404, "not_found").await;
}

#[tokio::test]
async fn what_no_command_can_do_is_the_requests_fault_and_what_is_too_much_says_the_limit() {
    let server = start().await;
    let document = problem(server.post("/nothing").send().await.unwrap(), 400, "malformed_request").await;
    assert!(document["detail"].as_str().unwrap().contains("no command was given"), "{document}");
    let document = problem(server.post("/novel").send().await.unwrap(), 413, "command_too_large").await;
    assert_eq!((&document["limit"], &document["unit"]), (&json!(1_048_576), &json!("bytes")));
    assert!(document["actual"].as_u64().unwrap() > 2 * 1024 * 1024, "{document}");
    assert!(!document.to_string().contains("room/"), "the stream's name stays inside: {document}");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended() {
    let server = start_with(|options| composable_rust_web::HttpOptions {
        request_timeout: Duration::from_millis(50),
        ..options
    });
    let response = server.await.get("/wait").send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "1");
    problem(response, 503, "overloaded").await;
}

#[tokio::test]
async fn a_store_that_fails_is_503_and_its_cause_stays_inside() {
    let server = start().await;
    server.faults.fail_next("append");
    let body = json!({"name": "hall", "seats": 3});
    let response = server.post("/rooms").bearer_auth("user-1").json(&body).send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "1");
    let document = problem(response, 503, "overloaded").await;
    assert!(!document.to_string().contains("append"), "{document}");
}

#[test]
fn a_full_store_is_503_and_does_not_say_that_it_will_be_over_shortly() {
    let source = "database or disk is full".into();
    let full = Problem::from(StoreError::Full { doing: "append", source });
    assert_eq!((full.status().as_u16(), full.code()), (503, "overloaded"));
    assert!(full.detail().contains("full") && !full.detail().contains("shortly"), "{full}");
    assert_eq!(full.into_response().headers()["retry-after"], "60");
}

#[tokio::test]
async fn a_head_over_the_limit_is_a_problem_and_one_far_over_it_is_refused_unread() {
    let server = start().await;
    let asked =
        async |size: usize| server.get("/page").header("x-long", "x".repeat(size)).send().await.unwrap();
    assert_eq!(asked(7 * 1024).await.status(), 200);
    problem(asked(9 * 1024).await, 431, "request_header_fields_too_large").await;
    assert_eq!(asked(40 * 1024).await.status(), 431);
    problem(
        server.get(&format!("/{}", "x".repeat(9 * 1024))).send().await.unwrap(),
        431,
        "request_header_fields_too_large",
    )
    .await;
}

#[tokio::test]
async fn routes_that_overlap_are_found_before_the_start() {
    use axum::{Router, routing::get};
    use composable_rust_web::WebExt;
    let route = || Router::new().route("/twice", get(async || ()));
    let builder = composable_rust_runtime::Application::builder("overlap").routes(route()).routes(route());
    let findings = builder.findings();
    assert!(findings.iter().any(|finding| finding.problem.contains("/twice")), "{findings:?}");
}
