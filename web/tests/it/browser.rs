//! What stands between a browser and harm: headers, origins, foreign pages, compression.

use crate::server::{TestServer, problem, start, start_with};
use axum::Router;
use axum::http::header;
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use composable_rust_runtime::Application;
use composable_rust_web::{CacheControl, ClientIp, HttpOptions, Principal, Problem, WebExt};
use reqwest::header::HeaderMap;
use reqwest::{Method, Response};
use serde_json::json;

const SHOP: &str = "https://shop.example";

/// Routes of these tests.
pub(crate) fn routes() -> Router<Application> {
    let typed = |kind: &'static str, size: usize| ([(header::CONTENT_TYPE, kind)], "x".repeat(size));
    Router::new()
        .route("/static/app-5f3a.css", get(async || (CacheControl::IMMUTABLE, "body {}")))
        .route("/static/gone.css", get(async || (CacheControl::IMMUTABLE, Problem::not_found("it is gone"))))
        .route("/own", get(own_headers))
        .route("/act", post(async |me: Option<Principal>| me.map_or("nobody", |_| "somebody")))
        .route("/client", get(async |ClientIp(address): ClientIp| address.to_string()))
        .route("/text/long", get(async move || typed("text/plain", 4_000)))
        .route("/text/short", get(async move || typed("text/plain", 1_000)))
        .route("/text/svg", get(async move || typed("image/svg+xml", 4_000)))
        .route("/text/json", get(async move || typed("application/json", 4_000)))
        .route("/text/png", get(async move || typed("image/png", 4_000)))
        .route("/text/live", get(async move || typed("text/event-stream", 4_000)))
}

async fn own_headers() -> impl IntoResponse {
    let headers =
        [(header::CONTENT_SECURITY_POLICY, "default-src *"), (header::REFERRER_POLICY, "no-referrer")];
    (headers, CacheControl::REVALIDATE, Html("<h1>own</h1>"))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

#[tokio::test]
async fn every_answer_has_the_security_headers_problems_too() {
    let server = start_with(|options| HttpOptions { only_https: true, ..options }).await;
    for path in ["/page", "/livez", "/nowhere", "/panic", "/me", "/static/app-5f3a.css"] {
        let response = server.get(path).send().await.unwrap();
        let headers = response.headers();
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ] {
            assert_eq!(text(headers, name), value, "{name} of {path}");
        }
        assert!(text(headers, "content-security-policy").contains("frame-ancestors 'none'"), "{path}");
    }
    let page = server.get("/page").send().await.unwrap();
    let policy =
        "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
    assert_eq!(text(page.headers(), "content-security-policy"), policy);
}

#[tokio::test]
async fn in_development_browsers_may_come_by_plain_http() {
    let server = start().await;
    let response = server.get("/page").send().await.unwrap();
    assert!(!response.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn a_route_has_the_last_word_on_its_headers() {
    let server = start().await;
    let response = server.get("/own").send().await.unwrap();
    assert_eq!(text(response.headers(), "content-security-policy"), "default-src *");
    assert_eq!(text(response.headers(), "referrer-policy"), "no-referrer");
    assert_eq!(text(response.headers(), "cache-control"), "no-cache");
    assert_eq!(text(response.headers(), "x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn hashed_files_are_kept_a_year_and_errors_never() {
    let server = start().await;
    let file = server.get("/static/app-5f3a.css").send().await.unwrap();
    assert_eq!(text(file.headers(), "cache-control"), "public, max-age=31536000, immutable");
    problem(server.get("/static/gone.css").send().await.unwrap(), 404, "not_found").await;
    let answer = server.get("/page").send().await.unwrap();
    assert_eq!(text(answer.headers(), "cache-control"), "no-store");
}

async fn preflight(server: &TestServer, origin: &str) -> Response {
    let asked = server.request(Method::OPTIONS, "/rooms").header("origin", origin);
    let asked = asked.header("access-control-request-method", "POST");
    asked.header("access-control-request-headers", "authorization,idempotency-key").send().await.unwrap()
}

async fn shop() -> TestServer {
    start_with(|options| HttpOptions { cors_origins: vec![SHOP.to_owned()], ..options }).await
}

#[tokio::test]
async fn no_foreign_origin_is_let_in_unless_the_operator_names_it() {
    let server = start().await;
    let response = preflight(&server, SHOP).await;
    assert!(!response.headers().keys().any(|name| name.as_str().starts_with("access-control")));
    problem(response, 405, "method_not_allowed").await;
    let response = server.get("/page").header("origin", SHOP).send().await.unwrap();
    assert!(!response.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn a_preflight_of_a_named_origin_is_answered_and_no_other() {
    let server = shop().await;
    let response = preflight(&server, SHOP).await;
    let headers = response.headers();
    assert_eq!((response.status().as_u16(), text(headers, "access-control-allow-origin")), (200, SHOP));
    for method in ["POST", "PUT", "DELETE"] {
        assert!(text(headers, "access-control-allow-methods").contains(method));
    }
    for name in ["authorization", "idempotency-key", "if-match", "x-min-position"] {
        assert!(text(headers, "access-control-allow-headers").contains(name), "{name}");
    }
    assert!(headers.contains_key("x-request-id"));
    assert!(!headers.contains_key("access-control-allow-credentials"));
    for other in ["https://evil.example", "https://shop.example.evil.example", "http://shop.example", "null"]
    {
        let response = preflight(&server, other).await;
        assert!(!response.headers().contains_key("access-control-allow-origin"), "{other}");
    }
}

#[tokio::test]
async fn a_page_of_a_named_origin_reads_answers_problems_and_their_headers() {
    let server = shop().await;
    for path in ["/page", "/nowhere", "/panic", "/me", "/livez"] {
        let response = server.get(path).header("origin", SHOP).send().await.unwrap();
        let headers = response.headers();
        assert_eq!(text(headers, "access-control-allow-origin"), SHOP, "{path}");
        assert!(text(headers, "vary").contains("origin"), "{path}");
        let exposed = text(headers, "access-control-expose-headers");
        for name in [
            "etag",
            "location",
            "retry-after",
            "ratelimit",
            "x-position",
            "x-ratelimit-remaining",
            "x-request-id",
            "x-correlation-id",
        ] {
            assert!(exposed.split(',').any(|own| own == name), "{name} of {path}");
        }
    }
}

#[tokio::test]
async fn what_is_no_origin_is_found_before_the_start() {
    let options =
        HttpOptions { cors_origins: vec!["https://shop.example/".into()], ..HttpOptions::default() };
    let findings = Application::builder("shop").http(options).findings();
    assert!(findings.iter().any(|finding| finding.problem.contains("is no origin")), "{findings:?}");
}

#[tokio::test]
async fn a_foreign_page_cannot_act_with_a_cookie() {
    let server = start().await;
    let ours = format!("http://{}", server.address);
    let act = async |headers: &[(&str, &str)]| {
        let request = server.post("/act").header("cookie", "session=user-3");
        headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value))
            .send()
            .await
            .unwrap()
    };
    for foreign in [
        &[] as &[_],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", "https://other.ours.example")],
    ] {
        problem(act(foreign).await, 403, "forbidden").await;
    }
    for own in [[("origin", ours.as_str())], [("sec-fetch-site", "same-origin")]] {
        assert_eq!(act(&own).await.text().await.unwrap(), "somebody");
    }
    let bearer = [("origin", "https://evil.example"), ("authorization", "Bearer user-3")];
    assert_eq!(act(&bearer).await.text().await.unwrap(), "somebody");
}

#[tokio::test]
async fn a_foreign_form_is_refused_on_every_route_without_a_cookie_too() {
    let server = start().await;
    for (method, path) in [
        (Method::POST, "/rooms"),
        (Method::POST, "/act"),
        (Method::PUT, "/large"),
        (Method::POST, "/reason"),
        (Method::DELETE, "/nowhere"),
    ] {
        let request = server.request(method, path).header("sec-fetch-site", "cross-site");
        problem(request.send().await.unwrap(), 403, "forbidden").await;
    }
    assert_eq!(server.post("/act").send().await.unwrap().text().await.unwrap(), "nobody");
}

#[tokio::test]
async fn json_that_a_form_could_send_is_refused() {
    let server = start().await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"] {
        let request = server.post("/rooms").bearer_auth("user-1").header("content-type", kind);
        let body = json!({"name": "hall", "seats": 1}).to_string();
        problem(request.body(body).send().await.unwrap(), 415, "unsupported_media_type").await;
    }
}

#[tokio::test]
async fn long_texts_are_compressed_for_those_who_take_it() {
    let server = start().await;
    let coding = async |path: &str, accepted: &str| {
        let response = server.get(path).header("accept-encoding", accepted).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let coding = text(response.headers(), "content-encoding").to_owned();
        (coding, response.bytes().await.unwrap().len())
    };
    for path in ["/text/long", "/text/svg", "/text/json"] {
        for (accepted, expected) in [("gzip", "gzip"), ("gzip, deflate, br", "br")] {
            let (coding, length) = coding(path, accepted).await;
            assert!(coding == expected && length < 1_000, "{path}: {coding} {length}");
        }
        assert_eq!(coding(path, "identity").await, (String::new(), 4_000));
    }
    for path in ["/text/short", "/text/png", "/text/live"] {
        assert_eq!(coding(path, "gzip, br").await.0, "", "{path}");
    }
    let plain = start_with(|options| HttpOptions { compression: false, ..options }).await;
    let response = plain.get("/text/long").header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(text(response.headers(), "content-encoding"), "");
}

#[tokio::test]
async fn a_compressed_body_is_refused_whoever_would_read_it() {
    let server = start().await;
    for path in ["/rooms", "/act", "/nowhere"] {
        let request = server.post(path).bearer_auth("user-1").header("content-encoding", "gzip");
        problem(request.json(&json!({})).send().await.unwrap(), 415, "unsupported_media_type").await;
    }
    let request = server.post("/rooms").bearer_auth("user-1").header("content-encoding", "identity");
    let response = request.json(&json!({"name": "hall", "seats": 1})).send().await.unwrap();
    assert_eq!(response.status(), 201);
}

#[tokio::test]
async fn a_forwarded_address_counts_only_from_a_trusted_proxy() {
    let of = async |server: &TestServer| {
        let request = server.get("/client").header("x-forwarded-for", "198.51.100.9, 203.0.113.5");
        request.send().await.unwrap().text().await.unwrap()
    };
    assert_eq!(of(&start().await).await, "127.0.0.1");
    let trusting = |options| HttpOptions { trusted_proxies: "127.0.0.0/8".parse().unwrap(), ..options };
    assert_eq!(of(&start_with(trusting).await).await, "203.0.113.5");
}
