//! What handlers ask of a request is there and right, or the request is refused with its place and reason.

use crate::server::{TestServer, problem, start};
use reqwest::Method;
use serde_json::{Value, json};

async fn open(server: &TestServer, body: impl Into<reqwest::Body>, kind: &str) -> reqwest::Response {
    let request = server.post("/rooms").bearer_auth("user-1").header("content-type", kind).body(body);
    request.send().await.unwrap()
}

/// The errors of a refused body as pointer and code.
async fn errors(server: &TestServer, body: Value, code: &str) -> Vec<(String, String)> {
    let document = problem(open(server, body.to_string(), "application/json").await, 422, code).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let errors = document["errors"].as_array().unwrap();
    errors.iter().map(|error| (text(&error["pointer"]), text(&error["code"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect()
}

#[tokio::test]
async fn what_is_not_json_is_malformed() {
    let server = start().await;
    for body in [&b""[..], b"{", b"{\"name\": 1,", b"{} trailing", b"{\"name\": \"\xff\"}", b"\xff\xfe"] {
        problem(open(&server, body.to_vec(), "application/json").await, 400, "malformed_request").await;
    }
    let deep = "[".repeat(10_000);
    problem(open(&server, deep, "application/json").await, 400, "malformed_request").await;
}

#[tokio::test]
async fn other_kinds_of_body_are_refused() {
    let server = start().await;
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "json"]
    {
        problem(open(&server, "{}", kind).await, 415, "unsupported_media_type").await;
    }
    let coded = server.post("/rooms").bearer_auth("user-1").header("content-type", "application/json");
    let coded = coded.header("content-encoding", "gzip").body("{}").send().await.unwrap();
    problem(coded, 415, "unsupported_media_type").await;
    let body = r#"{"name": "a", "seats": 1}"#;
    assert_eq!(open(&server, body, "application/json; charset=UTF-8").await.status(), 201);
    assert_eq!(open(&server, body, "application/vnd.rooms+json").await.status(), 201);
}

#[tokio::test]
async fn wrong_fields_are_named_by_pointer() {
    let server = start().await;
    let found = errors(&server, json!({"seats": 1}), "validation_failed").await;
    assert_eq!(found, pairs(&[("/name", "required")]));
    let found = errors(&server, json!({"name": "a", "seats": "1"}), "validation_failed").await;
    assert_eq!(found, pairs(&[("/seats", "wrong_type")]));
    for number in [json!(-1), json!(u64::MAX), json!(1.5)] {
        let found = errors(&server, json!({"name": "a", "seats": number}), "validation_failed").await;
        assert_eq!(found[0].0, "/seats");
    }
    let whole = open(&server, r#"{"name": "a", "seats": 3.0}"#, "application/json").await;
    assert_eq!(whole.status(), 201, "3.0 is the whole number 3");
    let nested = json!({"name": "a", "seats": 1, "prices": [{"amount": 1}, {"amount": null}]});
    let found = errors(&server, nested, "validation_failed").await;
    assert_eq!(found, pairs(&[("/prices/1/amount", "wrong_type")]));
    assert_eq!(errors(&server, json!([]), "validation_failed").await[0].0, "");
    let found = errors(&server, json!({"name": "a", "seats": 1, "kind": 978}), "validation_failed").await;
    assert_eq!(found, pairs(&[("/kind", "wrong_type")]));
    let found = errors(&server, json!({"name": "a", "seats": 1, "kind": "cave"}), "validation_failed").await;
    assert_eq!(found, pairs(&[("/kind", "unknown_value")]));
    let huge = open(&server, r#"{"name": "a", "seats": 1e999}"#, "application/json").await;
    assert_eq!(problem(huge, 422, "validation_failed").await["errors"][0]["pointer"], "/seats");
}

#[tokio::test]
async fn all_faults_of_a_body_are_told_at_once() {
    let server = start().await;
    let body =
        json!({"seats": "1", "kind": "cave", "prices": [{"amount": null}, {}, {"amount": 1, "paid": 1}]});
    let found = errors(&server, body, "unknown_field").await;
    let expected = [
        ("/prices/2/paid", "unknown_field"),
        ("/seats", "wrong_type"),
        ("/kind", "unknown_value"),
        ("/prices/0/amount", "wrong_type"),
        ("/prices/1/amount", "required"),
        ("/name", "required"),
    ];
    assert_eq!(sorted(found), sorted(pairs(&expected)));
    // What stands in for a fault is nobody's fault.
    let method = json!({"method": {"type": "x"}, "which": "x", "counts": {"a": 1, "b": 300}});
    let refused = server.post("/pay").bearer_auth("user-1").json(&method).send().await.unwrap();
    let found = problem(refused, 422, "validation_failed").await;
    let pointers = found["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap());
    assert!(pointers.clone().all(|at| ["/method/type", "/which", "/counts"].contains(&at)), "{found}");
    assert!(pointers.count() > 0);
}

#[tokio::test]
async fn of_many_faults_some_are_told_and_of_a_large_body_the_first() {
    let server = start().await;
    for (count, told) in [(50, 20), (3_000, 1)] {
        let prices = vec![json!({"amount": "x"}); count];
        let found =
            errors(&server, json!({"name": "a", "seats": 1, "prices": prices}), "validation_failed").await;
        assert_eq!(found.len(), told);
    }
}

fn sorted(mut pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    pairs.sort();
    pairs
}

#[tokio::test]
async fn unknown_fields_are_refused_all_at_once_without_an_attribute() {
    let server = start().await;
    let body = json!({"name": "a", "owner/id": 1, "seats": 1, "prices": [{"amount": 1, "paid": true}]});
    let found = errors(&server, body, "unknown_field").await;
    assert_eq!(found, pairs(&[("/owner~1id", "unknown_field"), ("/prices/0/paid", "unknown_field")]));
}

#[tokio::test]
async fn the_application_finds_everything_at_once() {
    let server = start().await;
    let body = json!({"name": " ", "seats": 0, "prices": [{"amount": 1}, {"amount": -1}]});
    let found = errors(&server, body, "validation_failed").await;
    let expected = [("/name", "too_short"), ("/seats", "out_of_range"), ("/prices/1/amount", "negative")];
    assert_eq!(found, pairs(&expected));
}

#[tokio::test]
async fn bodies_have_a_limit_that_a_route_may_raise_to_the_ceiling() {
    let server = start().await;
    let padded = |bytes: usize| format!("{}{}", r#"{"name": "a", "seats": 1}"#, " ".repeat(bytes));
    assert_eq!(open(&server, padded(60 * 1024), "application/json").await.status(), 201);
    problem(open(&server, padded(64 * 1024), "application/json").await, 413, "body_too_large").await;
    problem(open(&server, padded(3 * 1024 * 1024), "application/json").await, 413, "body_too_large").await;
    let large = async |bytes: usize| {
        let body = format!("{}{}", r#"{"seats": 1}"#, " ".repeat(bytes));
        let request = server.request(Method::PUT, "/large").header("content-type", "application/json");
        request.body(body).send().await.unwrap()
    };
    assert_eq!(large(500 * 1024).await.status(), 200);
    problem(large(513 * 1024).await, 413, "body_too_large").await;
    let keyed = server.post("/rooms").bearer_auth("user-1").header("idempotency-key", "large");
    let keyed =
        keyed.header("content-type", "application/json").body(padded(2 * 1024 * 1024)).send().await.unwrap();
    problem(keyed, 413, "body_too_large").await;
}

#[tokio::test]
async fn a_body_may_be_left_out_where_the_route_says_so() {
    let server = start().await;
    let answer = async |request: reqwest::RequestBuilder| request.send().await.unwrap();
    assert_eq!(answer(server.post("/reason")).await.text().await.unwrap(), "null");
    let empty = server.post("/reason").header("content-type", "application/json");
    assert_eq!(answer(empty).await.text().await.unwrap(), "null");
    let given = server.post("/reason").json(&json!({"seats": 3}));
    assert_eq!(answer(given).await.text().await.unwrap(), "3");
    problem(answer(server.post("/reason").body("x")).await, 415, "unsupported_media_type").await;
}

#[tokio::test]
async fn ids_in_the_path_are_checked() {
    let server = start().await;
    for path in ["/rooms/17", "/rooms/%00", "/rooms/%ff", "/pairs/1/x", "/pairs/-1/2"] {
        problem(server.get(path).send().await.unwrap(), 400, "invalid_parameter").await;
    }
    // A key that no stream can have is the client's mistake, whatever type the handler reads it as.
    for path in ["/names/a%0Ab".to_owned(), format!("/names/{}", "x".repeat(201))] {
        problem(server.get(&path).send().await.unwrap(), 400, "invalid_parameter").await;
    }
    assert_eq!(server.get("/pairs/1/2").send().await.unwrap().text().await.unwrap(), "1 2");
}

#[tokio::test]
async fn pages_have_bounds_and_defaults() {
    let server = start().await;
    server.room(5).await;
    let position = server.events().await[0].position.to_string();
    let page = |query: &str| server.get(&format!("/rooms{query}")).header("x-min-position", &position).send();
    let body: Value = page("").await.unwrap().json().await.unwrap();
    assert_eq!(body, json!({"items": [5], "page": 1, "page_size": 20, "total": 1, "total_pages": 1}));
    let past = page("?page=9&page_size=100&free=").await.unwrap();
    let body: Value = past.json().await.unwrap();
    assert_eq!(body, json!({"items": [], "page": 9, "page_size": 100, "total": 1, "total_pages": 1}));
    for query in
        ["?page=0", "?page_size=0", "?page_size=101", "?page=x", "?page=-1", "?free=x", "?page=1&page=2"]
    {
        let document = problem(page(query).await.unwrap(), 400, "invalid_parameter").await;
        assert!(document["parameter"].is_string(), "{document}");
    }
}

/// A filter that is misspelt would find everything.
#[tokio::test]
async fn a_parameter_that_nobody_knows_is_refused_unless_a_page_is_asked_for() {
    let server = start().await;
    for query in ["?fre=1", "?page=1&utm_source=mail", "?free=1&%66ree%20=2"] {
        let refused = server.get(&format!("/rooms{query}")).send().await.unwrap();
        let document = problem(refused, 400, "invalid_parameter").await;
        assert!(document["parameter"].is_string(), "{document}");
    }
    let page = server.get("/rooms?utm_source=mail").header("accept", "text/html").send().await.unwrap();
    assert_eq!(page.status(), 200);
    // Where nobody reads the query, nobody misses anything.
    assert_eq!(server.get("/page?utm_source=mail").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_array_is_no_object() {
    let server = start().await;
    for (body, pointer) in [
        (json!(["a", 1, [], "hall"]), ""),
        (json!({"name": "a", "seats": 1, "prices": [{"amount": 1}, [2]]}), "/prices/1"),
        (json!({"name": "a", "seats": 1, "prices": {"amount": 1}}), "/prices"),
    ] {
        let found = errors(&server, body, "validation_failed").await;
        assert_eq!(found, pairs(&[(pointer, "wrong_type")]));
    }
    for method in [json!(["card", "hall"]), json!(["free"]), json!("free"), json!(null)] {
        let refused = server.post("/pay").json(&json!({"method": method})).send().await.unwrap();
        let document = problem(refused, 422, "validation_failed").await;
        assert_eq!(document["errors"][0]["pointer"], "/method", "{document}");
        assert_eq!(document["errors"][0]["detail"], "it must be an object");
    }
    for body in [
        json!({"method": {"type": "free"}, "which": 1}),
        json!({"method": {"type": "card", "outcome": "hall"}, "which": [1, 2], "counts": {"7": 1}}),
    ] {
        assert_eq!(server.post("/pay").json(&body).send().await.unwrap().status(), 200, "{body}");
    }
}

#[tokio::test]
async fn faults_are_told_in_the_words_of_a_client_and_at_their_place() {
    let server = start().await;
    let u32s = "it must be a whole number from 0 to 4,294,967,295";
    let free = json!({"type": "free"});
    for (path, body, pointer, detail) in [
        ("/rooms", json!({"name": "a", "seats": -1}), "/seats", u32s),
        ("/rooms", json!({"name": "a", "seats": "1"}), "/seats", u32s),
        ("/rooms", json!({"name": 1, "seats": 1}), "/name", "it must be a string"),
        ("/rooms", json!({"name": "a", "seats": 1, "kind": null}), "/kind", "it must be one of: hall, stage"),
        ("/rooms", json!({"name": "a", "seats": 1, "kind": "x"}), "/kind", "it must be one of: hall, stage"),
        ("/rooms", json!("x"), "", "it must be an object"),
        ("/pay", json!({"method": {"type": "x"}}), "/method/type", "it must be one of: free, card"),
        (
            "/pay",
            json!({"method": {"type": "card", "outcome": "x"}}),
            "/method/outcome",
            "it must be one of: hall, stage",
        ),
        ("/pay", json!({"method": {"type": "card"}}), "/method/outcome", "this field is missing"),
        ("/pay", json!({"method": {}}), "/method/type", "this field is missing"),
        ("/pay", json!({"method": free, "which": "x"}), "/which", "it must be a number or a list of numbers"),
        ("/pay", json!({"method": free, "counts": {"x": 1}}), "/counts", u32s),
        (
            "/pay",
            json!({"method": free, "counts": {"1": 300}}),
            "/counts/1",
            "it must be a whole number from 0 to 255",
        ),
    ] {
        let refused = server.post(path).bearer_auth("user-1").json(&body).send().await.unwrap();
        let document = problem(refused, 422, "validation_failed").await;
        let error = &document["errors"][0];
        assert_eq!((&error["pointer"], &error["detail"]), (&json!(pointer), &json!(detail)), "{body}");
    }
    let twice = open(&server, r#"{"name": "a", "seats": 1, "name": "b"}"#, "application/json").await;
    let document = problem(twice, 422, "validation_failed").await;
    assert_eq!(
        (&document["errors"][0]["pointer"], &document["errors"][0]["code"]),
        (&json!("/name"), &json!("duplicate"))
    );
}

#[tokio::test]
async fn a_write_tells_version_and_position_and_a_read_the_version() {
    let server = start().await;
    let body = json!({"name": "hall", "seats": 3});
    let response = server.post("/rooms").bearer_auth("user-1").json(&body).send().await.unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let position = server.events().await[0].position;
    assert_eq!((header("etag"), header("x-position")), ("\"1\"".to_owned(), position.to_string()));
    let location = header("location");
    let read = server.get(&location).send().await.unwrap();
    assert_eq!(read.headers()["etag"], "\"1\"");
    assert!(location.ends_with(read.json::<Value>().await.unwrap()["id"].as_str().unwrap()));
}

#[tokio::test]
async fn a_change_names_the_version_that_it_changes() {
    let server = start().await;
    let path = format!("/rooms/{}", server.room(3).await["id"].as_str().unwrap());
    let put = |tag: Option<&str>| {
        let request = server.request(Method::PUT, &path);
        tag.map_or(request.try_clone().unwrap(), |tag| request.header("if-match", tag)).send()
    };
    problem(put(None).await.unwrap(), 428, "if_match_missing").await;
    problem(put(Some("1")).await.unwrap(), 400, "invalid_parameter").await;
    let document = problem(put(Some("\"7\"")).await.unwrap(), 412, "version_mismatch").await;
    assert_eq!((&document["expected_version"], &document["actual_version"]), (&json!(7), &json!(1)));
    assert!(document["retry_strategy"].is_string());
    let document = problem(put(Some("W/\"1\"")).await.unwrap(), 412, "version_mismatch").await;
    assert_eq!(document.get("expected_version"), None, "a tag that never matches names no version");
    for tag in ["\"01\"", "\"\"", "\"18446744073709551616\""] {
        problem(put(Some(tag)).await.unwrap(), 412, "version_mismatch").await;
    }
    for (tag, version) in [("\"1\"", "\"2\""), ("\"9\", \"2\"", "\"3\""), ("*", "\"4\"")] {
        let answer = put(Some(tag)).await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()["etag"]), (200, &version.parse().unwrap()));
    }
}

/// A check before the change would let several through.
#[tokio::test]
async fn of_two_changes_to_one_version_one_is_made_and_the_other_told() {
    let server = start().await;
    let path = format!("/rooms/{}", server.room(3).await["id"].as_str().unwrap());
    for version in 1..=20_u32 {
        let put = || server.request(Method::PUT, &path).header("if-match", format!("\"{version}\"")).send();
        let (one, two) = tokio::join!(put(), put());
        let (made, told): (Vec<_>, Vec<_>) =
            [one.unwrap(), two.unwrap()].into_iter().partition(|answer| answer.status() == 200);
        assert_eq!((made.len(), told.len()), (1, 1));
        let document = problem(told.into_iter().next().unwrap(), 412, "version_mismatch").await;
        assert_eq!(document["actual_version"], version + 1);
    }
}

#[tokio::test]
async fn a_list_shows_what_was_just_written() {
    let server = start().await;
    for seats in 1..=25_u32 {
        let body = json!({"name": "hall", "seats": seats});
        let written = server.post("/rooms").bearer_auth("user-1").json(&body).send().await.unwrap();
        let list = server
            .get("/rooms?page=2&page_size=10")
            .header("x-min-position", &written.headers()["x-position"]);
        let list = list.send().await.unwrap();
        assert!(
            list.headers()["x-position"].to_str().unwrap()
                >= written.headers()["x-position"].to_str().unwrap()
        );
        let list: Value = list.json().await.unwrap();
        assert_eq!((&list["total"], &list["total_pages"]), (&json!(seats), &json!(seats.div_ceil(10))));
        assert_eq!(list["items"].as_array().unwrap().len(), seats.saturating_sub(10).min(10) as usize);
    }
}

#[tokio::test]
async fn a_view_that_stays_behind_is_503() {
    let server = start().await;
    let response = server.get("/rooms").header("x-min-position", "1000000").send().await.unwrap();
    assert!(response.headers().contains_key("retry-after"));
    problem(response, 503, "view_behind").await;
}

#[tokio::test]
async fn the_position_to_wait_for_is_a_number() {
    let server = start().await;
    for wrong in ["x", "-1", "18446744073709551615", ""] {
        let response = server.get("/rooms").header("x-min-position", wrong).send().await.unwrap();
        problem(response, 400, "invalid_parameter").await;
    }
}
