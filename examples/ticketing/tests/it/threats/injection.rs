//! Text from outside is text: in SQL, in the log, in headers.

use crate::binary::{Answer, Server, event, folder};
use reqwest::Method;
use serde_json::{Value, json};

/// What makes a statement of a search, where it is not bound.
const STATEMENTS: [&str; 9] = [
    "' OR '1'='1",
    "'; DROP TABLE events; --",
    "\" OR \"\"=\"",
    "%",
    "_oncert",
    "*",
    "') UNION SELECT payload FROM events --",
    "\\'; SELECT 1 --",
    "1; ATTACH DATABASE 'x' AS y",
];

fn path(name: &str, value: &str) -> String {
    let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    format!("/api/events?{name}={value}")
}

#[tokio::test]
async fn a_search_finds_words_and_never_runs_them() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let last = person.post("/api/events", event(3)).await.expect(201);
    for statement in STATEMENTS {
        let search = person.request(Method::GET, &path("q", statement));
        let found =
            Answer::of(search.header("x-min-position", last.header("x-position")).send().await.unwrap());
        assert_eq!(found.await.expect(200).body["total"], 0, "{statement:?}");
        for name in ["status", "owner_id", "from", "page", "page_size", "order", "sort"] {
            let asked = person.request(Method::GET, &path(name, statement));
            Answer::of(asked.send().await.unwrap()).await.problem(400, "invalid_parameter");
        }
        let mut named = event(3);
        named["title"] = json!(statement);
        let made = person.post("/api/events", named).await.expect(201);
        let search = person.request(Method::GET, &path("q", statement));
        let found =
            Answer::of(search.header("x-min-position", made.header("x-position")).send().await.unwrap());
        assert_eq!(found.await.expect(200).body["items"][0]["title"], statement);
    }
}

#[tokio::test]
async fn a_line_of_the_log_is_one_line_whatever_comes_from_outside_and_tells_no_secret() {
    let (folder, secret) = (folder(), "a secret that the operator has chosen");
    let variables = [("LOG_FORMAT", "json"), ("RUST_LOG", "debug"), ("SESSION_SECRET", secret)];
    let server = Server::start(folder.path(), &variables);
    let nasty = "\u{1b}[31mred\u{2028}\r\n{\"level\":\"ERROR\",\"forged\":true}";
    let person = server.sign_in("ann@example.org").await;
    let mut show = event(3);
    show["title"] = json!(nasty);
    show["starts_at"] = json!("2020-01-01T00:00:00Z");
    person.post("/api/events", show).await.problem(422, "validation_failed");
    let sign_in = server.request(Method::POST, "/api/auth/dev-sign-in").json(&json!({ "email": nasty }));
    Answer::of(sign_in.send().await.unwrap()).await.problem(422, "validation_failed");
    let asked = person.request(Method::GET, &path("q", nasty));
    let asked = asked.header("user-agent", "a".repeat(6_000)).header("x-request-id", "forged {\"id\"}");
    let answer = Answer::of(asked.send().await.unwrap()).await;
    assert!(!answer.header("x-request-id").contains("forged"), "{:?}", answer.headers);
    person.get("/api/%0d%0a%1b%5b31m").await.problem(404, "not_found");

    let (token, log) = (person.token(), server.log());
    assert!(log.lines().count() > 3, "{log}");
    for line in log.lines() {
        let line: Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("no line of the log: {line:?}"));
        assert_eq!(line["forged"], Value::Null);
    }
    for told in ["\u{1b}", "\u{2028}", secret, &token] {
        assert!(!log.contains(told), "{told:?} is in the log");
    }
}
