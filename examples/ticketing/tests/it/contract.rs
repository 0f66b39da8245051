//! The answers that clients rely on: codes, keys, versions, positions, who may see what.

use crate::binary::{Answer, Server, event, folder};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn whoever_is_somebody_else_sees_and_changes_nothing() {
    let folder = folder();
    let server = Server::start(folder.path(), &[("ADMIN_EMAIL", "root@example.org")]);
    let (ann, eve) = (server.sign_in("ann@example.org").await, server.sign_in("eve@example.org").await);
    let admin = server.sign_in("Root@example.org").await;

    let draft = ann.post("/api/events", event(3)).await.expect(201);
    let path = format!("/api/events/{}", draft.text("/id"));
    eve.get(&path).await.problem(404, "not_found");
    server.get(&path).await.problem(404, "not_found");
    ann.get(&path).await.expect(200);
    admin.get(&path).await.expect(200);
    eve.post(&format!("{path}/publish"), json!({})).await.problem(403, "forbidden");
    assert_eq!(eve.list_after("/api/events", &draft).await.body["total"], 0);
    assert_eq!(ann.list_after("/api/events?status=draft", &draft).await.body["total"], 1);

    let show = ann.sell(3).await;
    let reservation = ann.reserve(&show, 1).await.expect(201);
    let payment = ann.pay(&reservation, "succeed").await.expect(201);
    let tickets = ann.list_after("/api/tickets", &payment).await;
    let private = [
        format!("/api/reservations/{}", reservation.text("/id")),
        format!("/api/payments/{}", payment.text("/id")),
        format!("/api/payments/user/{}", ann.id),
        format!("/api/tickets/{}", tickets.text("/items/0/id")),
        format!("/api/tickets?reservation_id={}", reservation.text("/id")),
    ];
    for path in &private {
        server.get(path).await.problem(401, "unauthenticated");
        eve.get(path).await.problem(403, "forbidden");
        admin.get(path).await.expect(200);
    }
    eve.delete(&private[0]).await.problem(403, "forbidden");
    let other = ann.reserve(&show, 1).await.expect(201);
    eve.pay(&other, "succeed").await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_request_sent_twice_acts_once_and_is_answered_alike() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let show = person.sell(3).await;
    let first = person.post_as("/api/reservations", "one", show.order(2)).await.expect(201);
    let again = person.post_as("/api/reservations", "one", show.order(2)).await.expect(201);
    assert_eq!((first.body.clone(), again.header("idempotent-replayed")), (again.body, "true".into()));
    assert_eq!(show.places(&server, &first).await, [1, 2, 0]);
    person.post_as("/api/reservations", "one", show.order(1)).await.problem(422, "idempotency_key_reused");
    let other = server.sign_in("eve@example.org").await;
    other.post_as("/api/reservations", "one", show.order(1)).await.expect(201);

    let pay = json!({ "reservation_id": first.text("/id"), "method": { "type": "simulated", "outcome": "succeed" } });
    let (one, two) = tokio::join!(
        person.post_as("/api/payments", "pay", pay.clone()),
        person.post_as("/api/payments", "pay", pay.clone())
    );
    let answered = [one, two].into_iter().filter(|answer| answer.status == 201).count();
    assert!(answered >= 1);
    let third = person.post_as("/api/payments", "pay", pay).await.expect(201);
    assert_eq!(third.header("idempotent-replayed"), "true");
    assert_eq!(
        person.list_after(&format!("/api/payments/user/{}", person.id), &third).await.body["total"],
        1
    );
    for path in ["/api/reservations", "/api/payments"] {
        let without = person.request(Method::POST, path).json(&json!({}));
        Answer::of(without.send().await.unwrap()).await.problem(400, "idempotency_key_missing");
    }
}

#[tokio::test]
async fn limits_of_an_order_and_of_a_customer_hold() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let show = person.sell_with(100, json!({ "max_per_order": 4, "max_per_customer": 5 })).await;
    person.reserve(&show, 5).await.problem(409, "limit_exceeded");
    person.reserve(&show, 4).await.expect(201);
    let refused = person.reserve(&show, 2).await.problem(409, "limit_exceeded");
    assert_eq!((&refused["limit"], &refused["taken"]), (&json!(5), &json!(4)));
    person.reserve(&show, 1).await.expect(201);
    server.sign_in("eve@example.org").await.reserve(&show, 4).await.expect(201);
}

#[tokio::test]
async fn nothing_is_sold_before_and_after_sales() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let show = person.sell(3).await;
    let path = |step: &str| format!("/api/events/{}/{step}", show.id);
    person.post(&path("publish"), json!({})).await.problem(409, "wrong_state");
    let closed = person.post(&path("close-sales"), json!({})).await.expect(200);
    assert_eq!((closed.text("/status"), closed.header("etag")), ("sales_closed".into(), "\"4\"".into()));
    person.reserve(&show, 1).await.problem(409, "sales_closed");
    person.post(&path("open-sales"), json!({})).await.expect(200);
    person.reserve(&show, 1).await.expect(201);
}

#[tokio::test]
async fn a_wrong_body_is_refused_with_every_place_that_is_wrong() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let mut wrong = event(0);
    wrong["title"] = json!("");
    wrong["starts_at"] = json!("2020-01-01T00:00:00Z");
    let problem = person.post("/api/events", wrong).await.problem(422, "validation_failed");
    let places: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(places, ["/title", "/starts_at", "/sections/0/capacity"]);

    let mut seated = event(3);
    seated["sections"][0]["kind"] = json!("seated");
    let problem = person.post("/api/events", seated).await.problem(422, "validation_failed");
    let places = ["/sections/0/capacity", "/sections/0/rows"];
    assert_eq!([&problem["errors"][0]["pointer"], &problem["errors"][1]["pointer"]], places);
    let mut unknown = event(3);
    unknown["owner_id"] = json!("me");
    person.post("/api/events", unknown).await.problem(422, "unknown_field");

    let show = person.sell(3).await;
    let wrong = [show.order(0), json!({ "event_id": show.id, "lines": [] })];
    for body in wrong {
        person.post("/api/reservations", body).await.problem(422, "validation_failed");
    }
    let nowhere =
        json!({ "event_id": "01900000-0000-7000-8000-000000000000", "lines": show.order(1)["lines"] });
    person.post("/api/reservations", nowhere).await.problem(404, "not_found");
}

#[tokio::test]
async fn what_cannot_be_read_is_the_clients_fault() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    for (path, status, code) in [
        ("/api/events/nonsense", 400, "invalid_parameter"),
        ("/api/events?page=0", 400, "invalid_parameter"),
        ("/api/events?page_size=101", 400, "invalid_parameter"),
        ("/api/events?status=unheard_of", 400, "invalid_parameter"),
        ("/api/events?status=unlisted", 400, "invalid_parameter"),
        ("/api/reservations/01900000-0000-7000-8000-000000000000", 404, "not_found"),
        ("/api/nowhere", 404, "not_found"),
    ] {
        person.get(path).await.problem(status, code);
    }
    person.delete("/api/events").await.problem(405, "method_not_allowed");
    let body = |text: &'static str| {
        person.request(Method::POST, "/api/events").header("content-type", "application/json").body(text)
    };
    Answer::of(body("{").send().await.unwrap()).await.problem(400, "malformed_request");
    let text = person.request(Method::POST, "/api/events").body("{}");
    Answer::of(text.send().await.unwrap()).await.problem(415, "unsupported_media_type");
    let anonymous = server.request(Method::POST, "/api/events").json(&event(3));
    Answer::of(anonymous.send().await.unwrap()).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn what_may_be_left_out_may_be_null_and_a_time_zone_must_exist() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let mut show = event(3);
    for name in ["max_per_order", "max_per_customer", "description", "ends_at"] {
        show[name] = Value::Null;
    }
    let created = person.post("/api/events", show.clone()).await.expect(201);
    assert_eq!(
        (&created.body["max_per_order"], &created.body["max_per_customer"]),
        (&json!(10), &Value::Null)
    );
    show["venue"]["time_zone"] = json!("Mars/Olympus");
    let refused = person.post("/api/events", show).await.problem(422, "validation_failed");
    assert_eq!(refused["errors"][0]["pointer"], "/venue/time_zone");
}

#[tokio::test]
async fn shows_are_found_by_state_time_owner_and_words() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let (ann, eve) = (server.sign_in("ann@example.org").await, server.sign_in("eve@example.org").await);
    ann.sell_with(3, json!({ "title": "Early music", "starts_at": "2029-01-01T18:00:00Z" })).await;
    eve.sell_with(3, json!({ "title": "Late jazz", "starts_at": "2031-01-01T18:00:00Z" })).await;
    let last = ann.post("/api/events", event(3)).await.expect(201);
    let titles = |query: String| {
        let (ann, last) = (&ann, &last);
        async move {
            let found = ann.list_after(&format!("/api/events?{query}"), last).await.expect(200);
            let items = found.body["items"].as_array().unwrap().clone();
            items.iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        }
    };
    assert_eq!(titles(String::new()).await, ["Concert", "Late jazz", "Early music"], "newest first");
    assert_eq!(titles("status=sales_open".into()).await, ["Late jazz", "Early music"]);
    for (status, found) in [("draft", vec!["Concert"]), ("published", vec![]), ("cancelled", vec![])] {
        assert_eq!(titles(format!("status={status}")).await, found, "{status}");
    }
    assert_eq!(titles("q=JAZZ".into()).await, ["Late jazz"]);
    ann.get("/api/events?q=%ff").await.problem(400, "invalid_parameter");
    assert_eq!(titles("to=2029-01-01T18:00:00Z".into()).await, ["Early music"]);
    assert_eq!(titles("from=2030-07-01T00:00:00Z".into()).await, ["Late jazz"]);
    assert_eq!(titles(format!("owner_id={}", eve.id)).await, ["Late jazz"]);
    assert_eq!(titles("page_size=1&page=2".into()).await, ["Late jazz"]);
    assert_eq!(titles("page=9".into()).await, Vec::<String>::new());

    let mut apples = event(3);
    apples["title"] = json!("Äpfel im Öl");
    let apples = ann.post("/api/events", apples).await.expect(201);
    for words in ["%C3%84PFEL", "%C3%A4pfel", "IM%20%C3%96L"] {
        let found = ann.list_after(&format!("/api/events?q={words}"), &apples).await.expect(200);
        assert_eq!(found.body["total"], 1, "{words}");
    }
}

#[tokio::test]
async fn a_user_has_one_id_in_the_form_of_all_ids_also_after_a_restart() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let first = server.sign_in("ann@example.org").await.id.clone();
    assert_eq!((first.len(), &first[14..15]), (36, "7"));
    assert_eq!(server.sign_in("ANN@example.org").await.id, first);
    assert_ne!(server.sign_in("eve@example.org").await.id, first);
    server.stop();
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.sign_in("ann@example.org").await.id, first);
}

#[tokio::test]
async fn of_two_changes_to_one_version_of_an_event_one_is_made_and_the_other_told() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let show = person.sell(3).await;
    let change = async |step: &str, version: u64| {
        let request = person.request(Method::POST, &format!("/api/events/{}/{step}", show.id));
        Answer::of(request.header("if-match", format!("\"{version}\"")).send().await.unwrap()).await
    };
    for version in (3..13).step_by(2) {
        let (one, two) = tokio::join!(change("close-sales", version), change("close-sales", version));
        let (made, told) = if one.status == 200 { (one, two) } else { (two, one) };
        assert_eq!(made.expect(200).header("etag"), format!("\"{}\"", version + 1));
        let problem = told.problem(412, "version_mismatch");
        assert_eq!(
            [&problem["expected_version"], &problem["actual_version"]],
            [&json!(version), &json!(version + 1)]
        );
        change("open-sales", version + 1).await.expect(200);
    }
}

#[tokio::test]
async fn the_largest_event_that_the_rules_allow_is_taken() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let mut event = event(100_000);
    event["title"] = json!("\u{1f3b6}".repeat(200));
    event["description"] = json!("\u{1f3b6}".repeat(5_000));
    event["sections"][0]["name"] = json!("\u{1f3b6}".repeat(100));
    let mut tier = event["sections"][0]["tiers"][0].clone();
    tier["name"] = json!("\u{1f3b6}".repeat(100));
    tier["sales_end"] = json!("2030-01-01T00:00:00Z");
    event["sections"][0]["tiers"] = json!(vec![tier; 10]);
    event["sections"] = json!(vec![event["sections"][0].clone(); 50]);
    assert!(event.to_string().len() > 200_000);
    let made = person.post("/api/events", event).await.expect(201);
    assert_eq!(made.body["sections"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn a_hold_is_extended_by_its_owner_ten_times_while_it_lasts() {
    let folder = folder();
    let server = Server::start(folder.path(), &[("ADMIN_EMAIL", "root@example.org")]);
    let (ann, admin) = (server.sign_in("ann@example.org").await, server.sign_in("root@example.org").await);
    let show = ann.sell(3).await;
    let reservation = ann.reserve(&show, 1).await.expect(201);
    let path = format!("/api/reservations/{}/extend", reservation.text("/id"));
    admin.post(&path, json!({})).await.problem(403, "forbidden");
    let mut until = reservation.text("/expires_at");
    for _ in 0..10 {
        let extended = ann.post(&path, json!({})).await.expect(200);
        assert!(extended.text("/expires_at") > until, "{extended:?}");
        until = extended.text("/expires_at");
    }
    assert_eq!(ann.post(&path, json!({})).await.problem(409, "limit_exceeded")["limit"], 10);
    ann.pay(&reservation, "succeed").await.expect(201);
    ann.post(&path, json!({})).await.problem(409, "already_paid");
}

/// A seated section of rows with a thousand seats each.
fn seated(name: &str, rows: usize) -> Value {
    let rows: Vec<_> = (0..rows).map(|row| json!({ "name": format!("R{row}"), "seats": 1_000 })).collect();
    let tiers = json!([{ "name": "Full", "price": { "amount": 1, "currency": "EUR" } }]);
    json!({ "name": name, "kind": "seated", "rows": rows, "tiers": tiers })
}

#[tokio::test]
async fn a_show_has_at_most_a_hundred_thousand_numbered_seats_in_all() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let mut large = event(3);
    large["sections"] = json!([seated("A", 60), seated("B", 40)]);
    person.post("/api/events", large.clone()).await.expect(201);
    large["sections"] = json!([seated("A", 60), seated("B", 41)]);
    let refused = person.post("/api/events", large).await.problem(422, "validation_failed");
    assert_eq!(refused["errors"][0]["pointer"], "/sections");
}

/// Forty readers of a large hall used to keep everybody else waiting.
#[tokio::test]
async fn many_readers_of_a_large_show_share_one_answer_and_keep_nobody_waiting() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let mut large = event(3);
    large["sections"] = json!([seated("A", 20)]);
    let made = person.post("/api/events", large).await.expect(201);
    let id = made.text("/id");
    let published = person.post(&format!("/api/events/{id}/publish"), json!({})).await.expect(200);
    let path = format!("/api/events/{id}/availability");
    let readers = futures_util::future::join_all((0..40).map(|_| person.list_after(&path, &published)));
    // Generous, for slow machines: each of the readers alone took longer.
    let probe = tokio::time::timeout(std::time::Duration::from_secs(5), server.get("/livez"));
    let (answers, probed) = tokio::join!(readers, probe);
    probed.expect("an answer in time").expect(200);
    let first = answers[0].body.clone();
    assert_eq!(first["sections"][0]["seats"].as_array().unwrap().len(), 20_000);
    assert_eq!(first["sections"][0]["seats"][1_001]["row"], "R1");
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == first));
}

#[tokio::test]
async fn an_answer_about_places_is_never_older_than_what_was_waited_for_and_drafts_stay_hidden() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let (ann, eve) = (server.sign_in("ann@example.org").await, server.sign_in("eve@example.org").await);
    let draft = ann.post("/api/events", event(3)).await.expect(201);
    let path = format!("/api/events/{}/availability", draft.text("/id"));
    ann.list_after(&path, &draft).await.expect(200);
    eve.list_after(&path, &draft).await.problem(404, "not_found");
    let show = ann.sell(30).await;
    for held in 1..=20 {
        let reservation = ann.reserve(&show, 1).await.expect(201);
        assert_eq!(show.places(&server, &reservation).await, [30 - held, held, 0]);
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_in_the_words_of_a_client() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let array = server.request(Method::POST, "/api/auth/dev-sign-in").json(&json!(["ann@example.org"]));
    let refused = Answer::of(array.send().await.unwrap()).await.problem(422, "validation_failed");
    assert_eq!(refused["errors"][0]["detail"], "it must be an object");
    for currency in [json!(null), json!("eur")] {
        let mut wrong = event(3);
        wrong["currency"] = currency;
        let refused = person.post("/api/events", wrong).await.problem(422, "validation_failed");
        let error = &refused["errors"][0];
        assert_eq!(error["pointer"], "/currency");
        assert!(error["detail"].as_str().unwrap().starts_with("it must be one of "), "{error}");
        assert!(error["detail"].as_str().unwrap().len() < 80, "{error}");
    }
    let show = person.sell(3).await;
    let reservation = person.reserve(&show, 1).await.expect(201);
    let refused = person.pay(&reservation, "nonsense").await.problem(422, "validation_failed");
    assert_eq!(refused["errors"][0]["pointer"], "/method/outcome");
    let empty = json!({ "event_id": show.id, "lines": [] });
    let refused = person.post("/api/reservations", empty).await.problem(422, "validation_failed");
    assert!(!refused["detail"].as_str().unwrap().contains("offered"), "{refused}");
    for path in ["/api/events?statsu=draft", "/api/reservations?status=held", "/api/tickets?reservation=1"] {
        person.get(path).await.problem(400, "invalid_parameter");
    }
}
