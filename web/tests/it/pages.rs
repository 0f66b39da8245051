//! What pages with forms rely on: forms that act once, messages and cookies for the next page, problems as pages, files.

use crate::domain::{RoomCommand, RoomId};
use crate::server::{problem, start, start_with};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use composable_rust_runtime::Application;
use composable_rust_web::{
    Asset, Findings, Flash, FormBody, HttpOptions, KeyedRequest, MinPosition, PathId, Problem, ProblemPages,
    Refused, SeeOther, SetCookie, Validate, assets,
};
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

const STYLE: Asset = Asset::new("app.css", b"body { margin: 0 }");

/// Routes of these tests.
pub(crate) fn routes() -> Router<Application> {
    Router::new()
        .route("/rooms/{id}/form", post(take))
        .route("/pairs", post(async |FormBody(Pairs(pairs)): FormBody<Pairs>| format!("{pairs:?}")))
        .route("/said", get(said))
        .route("/sign-in", post(async || SeeOther::to("/said").with(session("user-1"))))
        .route("/position", get(async |MinPosition(at): MinPosition| format!("{at:?}")))
        .merge(assets(&[STYLE]))
}

fn session(token: &str) -> SetCookie {
    SetCookie::new("session", token, Duration::from_hours(1))
}

#[derive(Debug, Deserialize)]
struct Take {
    seats: u32,
    #[serde(default)]
    note: String,
}

impl Validate for Take {
    fn validate(&self, findings: &mut Findings) {
        findings.range("seats", self.seats, 1..=9);
        findings.length("note", &self.note, 0..=3);
    }
}

#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Pairs(Vec<(String, String)>);

impl Validate for Pairs {}

async fn take(
    State(app): State<Application>,
    PathId(id): PathId<RoomId>,
    command: KeyedRequest,
    FormBody(form): FormBody<Take>,
) -> Result<SeeOther, Problem> {
    let receipt = app.execute(id, RoomCommand::Take { seats: form.seats }).request(command.context()).await?;
    Ok(SeeOther::to(format!("/rooms/{id}")).after(&receipt).saying("Taken; that's it"))
}

async fn said(flash: Flash) -> impl IntoResponse {
    let said = format!("{:?}", flash.text());
    (flash, said)
}

/// Pages for all but `/rooms`.
#[derive(Debug)]
pub(crate) struct Pages;

impl ProblemPages for Pages {
    fn page(&self, refused: &Refused<'_>) -> Option<Response> {
        if refused.path.starts_with("/rooms") {
            return None;
        }
        if refused.problem.status() == StatusCode::UNAUTHORIZED {
            return Some(SeeOther::to("/sign-in").into_response());
        }
        Some(Html(format!("<h1>{} {}</h1>", refused.problem.code(), refused.request_id)).into_response())
    }
}

/// Sends a form as a browser does, and does not follow where it leads.
fn form(address: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    client.post(address).form(fields).header("sec-fetch-site", "same-origin").header("accept", BROWSER)
}

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers[name].to_str().unwrap()
}

fn cookies(headers: &HeaderMap) -> Vec<&str> {
    headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn a_form_acts_once_however_often_it_is_sent_and_leads_to_a_page_that_shows_it() {
    let server = start().await;
    let room = server.room(9).await;
    let id = room["id"].as_str().unwrap();
    let address = format!("http://{}/rooms/{id}/form", server.address);
    let fields = [("seats", "2"), ("idempotency_key", "k-1"), ("button", "ok")];
    for _ in 0..3 {
        let answer = form(&address, &fields).header("cookie", "session=user-1").send().await.unwrap();
        assert_eq!(
            (answer.status(), text(answer.headers(), "location")),
            (StatusCode::SEE_OTHER, &*format!("/rooms/{id}"))
        );
        let set = cookies(answer.headers());
        assert!(set[0].starts_with("position=2; Path=/; Max-Age=10; HttpOnly; SameSite=Lax"), "{set:?}");
        assert!(set[1].starts_with("flash=Taken%3B+that%27s+it; "), "{set:?}");
    }
    let shown: Value = server.get(&format!("/rooms/{id}")).send().await.unwrap().json().await.unwrap();
    assert_eq!(shown["free"], 7);
    let other = [("seats", "3"), ("idempotency_key", "k-1")];
    let answer = form(&address, &other).header("cookie", "session=user-1").header("accept", "*/*").send();
    assert_eq!(answer.await.unwrap().status(), 422, "the key was used for another form");
    let without = form(&address, &[("seats", "3")]).send().await.unwrap();
    assert_eq!(without.status(), 400);
}

#[tokio::test]
async fn a_form_is_read_as_fields_or_as_pairs_and_its_faults_are_named() {
    let server = start().await;
    let address = |path: &str| format!("http://{}{path}", server.address);
    let pairs = form(&address("/pairs"), &[("a", "1"), ("a", "\u{e9} &"), ("b", "")]).send().await.unwrap();
    assert_eq!(
        pairs.text().await.unwrap(),
        r#"[("a", "1"), ("a", "\u{e9} &"), ("b", "")]"#.replace("\\u{e9}", "\u{e9}")
    );
    let path = "/rooms/01900000-0000-7000-8000-000000000000/form";
    for (fields, pointers) in [
        (vec![("note", "x")], vec!["/seats"]),
        (vec![("seats", "many")], vec!["/seats"]),
        (vec![("seats", "10"), ("note", "long")], vec!["/seats", "/note"]),
        (vec![("seats", "1"), ("seats", "2")], vec!["/seats"]),
    ] {
        let fields = [fields, vec![("idempotency_key", "k")]].concat();
        let found =
            problem(form(&address(path), &fields).send().await.unwrap(), 422, "validation_failed").await;
        let named: Vec<_> =
            found["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
        assert_eq!(named, pointers);
        let told = found["errors"][0]["detail"].as_str().unwrap();
        assert!(!told.contains('`') && !told.contains("digit"), "in our own words: {told}");
    }
    let json = server.post(path).header("idempotency-key", "k").json(&serde_json::json!({ "seats": 1 }));
    problem(json.send().await.unwrap(), 415, "unsupported_media_type").await;
    let large = form(&address("/pairs"), &[("a", &*"x".repeat(70_000))]).send().await.unwrap();
    assert_eq!(large.status(), 413);
}

#[tokio::test]
async fn a_message_is_said_once_and_the_position_is_waited_for() {
    let server = start().await;
    let page = server.get("/said").header("cookie", "flash=Done%3B+now").send().await.unwrap();
    assert!(cookies(page.headers())[0].starts_with("flash=; Path=/; Max-Age=0"));
    assert_eq!(page.text().await.unwrap(), r#"Some("Done; now")"#);
    let silent = server.get("/said").send().await.unwrap();
    assert!(cookies(silent.headers()).is_empty());
    let waits = server.get("/position").header("cookie", "position=7").send().await.unwrap();
    assert!(waits.text().await.unwrap().contains('7'));
    let nonsense = server.get("/position").header("cookie", "position=x").send().await.unwrap();
    assert_eq!(nonsense.text().await.unwrap(), "None");
}

#[tokio::test]
async fn cookies_are_out_of_reach_for_scripts_and_with_https_never_sent_in_the_clear() {
    for only_https in [false, true] {
        let server = start_with(|options| HttpOptions { only_https, ..options }).await;
        let answer = form(&format!("http://{}/sign-in", server.address), &[]).send().await.unwrap();
        let end = if only_https { "; Secure" } else { "" };
        let expected = format!("session=user-1; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax{end}");
        assert_eq!(cookies(answer.headers()), [expected]);
    }
}

#[tokio::test]
async fn browsers_see_problems_as_pages_and_programs_as_documents() {
    let server = start().await;
    let open = |path: &str| server.get(path).header("accept", BROWSER);
    let page = open("/nowhere").header("x-request-id", "r-1").send().await.unwrap();
    assert_eq!(
        (page.status().as_u16(), text(page.headers(), "content-type")),
        (404, "text/html; charset=utf-8")
    );
    let headers = page.headers().clone();
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'self'"));
    assert_eq!((text(&headers, "cache-control"), text(&headers, "vary")), ("no-store", "accept"));
    assert_eq!(page.text().await.unwrap(), "<h1>not_found r-1</h1>");
    let wrong = server.post("/said").header("accept", BROWSER).send().await.unwrap();
    assert_eq!((wrong.status().as_u16(), text(wrong.headers(), "allow")), (405, "GET,HEAD"));
    let panic = open("/panic").send().await.unwrap();
    assert_eq!(panic.status(), 500);
    assert!(panic.text().await.unwrap().starts_with("<h1>internal "));
    let stranger = Client::builder().redirect(Policy::none()).build().unwrap();
    let stranger = stranger.get(format!("http://{}/me", server.address)).header("accept", BROWSER);
    let stranger = stranger.send().await.unwrap();
    assert_eq!((stranger.status().as_u16(), text(stranger.headers(), "location")), (303, "/sign-in"));
    problem(server.get("/nowhere").send().await.unwrap(), 404, "not_found").await;
    problem(open("/rooms/x").send().await.unwrap(), 400, "invalid_parameter").await;
}

#[tokio::test]
async fn files_of_the_program_are_kept_for_ever_under_an_address_that_changes_with_them() {
    let server = start().await;
    let file = server.get(&STYLE.to_string()).send().await.unwrap();
    assert_eq!(file.headers()["content-type"], "text/css; charset=utf-8");
    assert_eq!(file.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(file.text().await.unwrap(), "body { margin: 0 }");
    problem(server.get("/static/0000000000000000/app.css").send().await.unwrap(), 404, "not_found").await;
}
