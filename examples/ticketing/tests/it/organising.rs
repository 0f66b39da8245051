//! What an organiser does with a show that is there: changes it, looks at its orders.

use crate::binary::{Answer, Person, Server, event, folder};
use reqwest::Method;
use serde_json::{Value, json};

async fn change(person: &Person<'_>, show: &str, version: &str, body: Value) -> Answer {
    let asked = person.request(Method::PUT, &format!("/api/events/{show}")).json(&body);
    let asked = if version.is_empty() { asked } else { asked.header("if-match", version) };
    Answer::of(asked.send().await.unwrap()).await
}

#[tokio::test]
async fn a_draft_is_changed_whatever_it_says_and_nobody_overwrites_anothers_change() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let (ann, eve) = (server.sign_in("ann@example.org").await, server.sign_in("eve@example.org").await);
    let draft = ann.post("/api/events", event(3)).await.expect(201);
    let (id, first) = (draft.text("/id"), draft.header("etag"));
    change(&ann, &id, "", json!({ "title": "Recital" })).await.problem(428, "if_match_missing");
    change(&eve, &id, &first, json!({ "title": "Recital" })).await.problem(403, "forbidden");
    change(&ann, &id, &first, json!({ "owner_id": eve.id })).await.problem(422, "unknown_field");
    let wrong = json!({ "title": " ", "sections": [{ "id": id, "name": "X" }] });
    change(&ann, &id, &first, wrong).await.problem(422, "validation_failed");

    let changed = change(&ann, &id, &first, json!({ "title": "Recital" })).await.expect(200);
    assert_eq!(changed.text("/title"), "Recital");
    assert_eq!(changed.body["sections"], draft.body["sections"], "what is left out stays");
    let stale = change(&ann, &id, &first, json!({ "title": "Other" })).await.problem(412, "version_mismatch");
    assert_eq!(stale["actual_version"], changed.body["version"]);

    let (section, tier) = (draft.text("/sections/0/id"), draft.text("/sections/0/tiers/0/id"));
    let tiers = json!([{ "id": tier, "price": { "amount": 5_000, "currency": "EUR" } },
                       { "name": "Child", "price": { "amount": 1_000, "currency": "EUR" } }]);
    let balcony = json!({ "name": "Balcony", "kind": "seated", "rows": [{ "name": "A", "seats": 2 }],
                          "tiers": [{ "name": "One", "price": { "amount": 100, "currency": "EUR" } }] });
    let body = json!({ "sections": [{ "id": section, "capacity": 2, "tiers": tiers }, balcony] });
    let changed = change(&ann, &id, &changed.header("etag"), body).await.expect(200);
    assert_eq!(changed.body["sections"][0]["tiers"][1]["name"], "Child");
    assert_eq!(changed.body["sections"][0]["tiers"][0]["name"], "Standing");
    let path = format!("/api/events/{id}/availability");
    let places = ann.list_after(&path, &changed).await.body["sections"].clone();
    assert_eq!((&places[0]["free"], &places[1]["free"]), (&json!(2), &json!(2)));
    ann.post(&format!("/api/events/{id}/publish"), json!({})).await.expect(200);
    let open = ann.post(&format!("/api/events/{id}/open-sales"), json!({})).await.expect(200);
    let places = ann.list_after(&path, &open).await.body["sections"].clone();
    assert_eq!((&places[0]["capacity"], &places[1]["capacity"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn what_may_be_missing_is_taken_away_by_null_and_the_rest_stays() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let ann = server.sign_in("ann@example.org").await;
    let mut show = event(3);
    show["description"] = json!("Three hours without a break");
    show["ends_at"] = json!("2030-06-01T21:00:00Z");
    show["max_per_customer"] = json!(2);
    show["sections"][0]["tiers"][0]["sales_end"] = json!("2030-05-01T00:00:00Z");
    let draft = ann.post("/api/events", show).await.expect(201);
    let (section, tier) = (draft.text("/sections/0/id"), draft.text("/sections/0/tiers/0/id"));
    let id = draft.text("/id");
    let none = json!({ "title": null, "venue": null, "max_per_order": null, "sections": [] });
    let same = change(&ann, &id, &draft.header("etag"), none).await.expect(200);
    assert_eq!(same.body["version"], draft.body["version"], "nothing was said");
    let tiers = json!([{ "id": tier, "name": null, "sales_end": null }]);
    let none = json!({ "description": null, "ends_at": null, "max_per_customer": null,
                       "sections": [{ "id": section, "tiers": tiers }] });
    let changed = change(&ann, &id, &same.header("etag"), none).await.expect(200);
    for gone in ["/description", "/ends_at", "/max_per_customer", "/sections/0/tiers/0/sales_end"] {
        assert!(changed.body.pointer(gone).is_none_or(Value::is_null), "{gone}: {}", changed.body);
    }
    assert_eq!(changed.text("/sections/0/tiers/0/name"), "Standing");
}

#[tokio::test]
async fn of_a_show_on_sale_nothing_changes_on_which_orders_rest() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let ann = server.sign_in("ann@example.org").await;
    let show = ann.sell(3).await;
    let order = ann.reserve(&show, 2).await.expect(201);
    let version = ann.get(&format!("/api/events/{}", show.id)).await.header("etag");
    for wrong in [
        json!({ "currency": "USD" }),
        json!({ "sections": [{ "id": show.section, "capacity": 2 }] }),
        json!({ "sections": [{ "id": show.section, "kind": "seated" }] }),
        json!({ "sections": [{ "name": "New" }] }),
    ] {
        change(&ann, &show.id, &version, wrong).await.problem(422, "validation_failed");
    }
    let new = json!({ "name": "Balcony", "capacity": 5,
                      "tiers": [{ "name": "One", "price": { "amount": 100, "currency": "EUR" } }] });
    let tiers = json!([{ "id": show.tier, "price": { "amount": 9_900, "currency": "EUR" } }]);
    let body = json!({ "sections": [{ "id": show.section, "capacity": 4, "tiers": tiers }, new] });
    let changed = change(&ann, &show.id, &version, body).await.expect(200);
    let path = format!("/api/events/{}/availability", show.id);
    let places = ann.list_after(&path, &changed).await.body["sections"].clone();
    assert_eq!(
        (&places[0]["capacity"], &places[0]["free"], &places[0]["held"]),
        (&json!(4), &json!(2), &json!(2))
    );
    assert_eq!((&places[1]["capacity"], &places[1]["free"]), (&json!(5), &json!(5)));
    let lines = json!([{ "section_id": changed.body["sections"][1]["id"],
                         "tier_id": changed.body["sections"][1]["tiers"][0]["id"], "quantity": 1 }]);
    ann.post("/api/reservations", json!({ "event_id": show.id, "lines": lines })).await.expect(201);
    // What was ordered keeps its price.
    let paid = ann.pay(&order, "succeed").await.expect(201);
    assert_eq!(paid.body["amount"]["amount"], 9_000);
}

#[tokio::test]
async fn the_organiser_sees_all_orders_with_their_payments() {
    let folder = folder();
    let server = Server::start(folder.path(), &[("ADMIN_EMAIL", "root@example.org")]);
    let (organiser, ann) = (server.sign_in("org@example.org").await, server.sign_in("ann@example.org").await);
    let show = organiser.sell(3).await;
    let first = ann.reserve(&show, 1).await.expect(201);
    ann.pay(&first, "decline").await.expect(201);
    ann.pay(&first, "succeed").await.expect(201);
    let held = ann.reserve(&show, 1).await.expect(201);
    let path = format!("/api/events/{}/orders", show.id);
    ann.get(&path).await.problem(403, "forbidden");
    server.get(&path).await.problem(401, "unauthenticated");
    server.sign_in("root@example.org").await.list_after(&path, &held).await.expect(200);
    let all = organiser.list_after(&path, &held).await.expect(200);
    assert_eq!((&all.body["total"], all.text("/items/0/status")), (&json!(2), "held".into()));
    assert_eq!(all.text("/items/1/user_id"), ann.id);
    let payments = all.body["items"][1]["payments"].as_array().unwrap();
    let of: Vec<_> = payments.iter().map(|payment| payment["status"].as_str().unwrap()).collect();
    assert_eq!(of, ["declined", "succeeded"]);
    let completed = organiser.list_after(&format!("{path}?status=completed"), &held).await;
    assert_eq!(completed.text("/items/0/id"), first.text("/id"));
}

#[tokio::test]
async fn the_organiser_sees_what_was_sold_by_section_and_tier() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let (organiser, ann) = (server.sign_in("org@example.org").await, server.sign_in("ann@example.org").await);
    let show = organiser.sell(5).await;
    let payment = ann.pay(&ann.reserve(&show, 3).await.expect(201), "succeed").await.expect(201);
    let tickets = ann.list_after("/api/tickets", &payment).await;
    let one = json!({ "ticket_ids": [tickets.body["items"][0]["id"]] });
    let back =
        organiser.post(&format!("/api/payments/{}/refund", payment.text("/id")), one).await.expect(200);
    let path = format!("/api/events/{}/sales", show.id);
    ann.get(&path).await.problem(403, "forbidden");
    let sales = organiser.list_after(&path, &back).await.expect(200).body;
    let sum = json!([3, 1, { "amount": 9_000, "currency": "EUR" }]);
    for part in [&sales, &sales["sections"][0], &sales["sections"][0]["tiers"][0]] {
        assert_eq!(json!([part["sold"], part["refunded"], part["revenue"]]), sum, "{sales}");
    }
    assert_eq!(sales["sections"][0]["tiers"][0]["name"], "Standing");
}

#[tokio::test]
async fn a_ticket_has_a_picture_for_its_holder_until_it_goes_back() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let (organiser, ann) = (server.sign_in("org@example.org").await, server.sign_in("ann@example.org").await);
    let show = organiser.sell(1).await;
    let payment = ann.pay(&ann.reserve(&show, 1).await.expect(201), "succeed").await.expect(201);
    let tickets = ann.list_after("/api/tickets", &payment).await;
    let path = format!("/api/tickets/{}/qr.svg", tickets.text("/items/0/id"));
    let picture = ann.get(&path).await.expect(200);
    assert_eq!(picture.header("content-type"), "image/svg+xml");
    organiser.get(&path).await.problem(403, "forbidden");
    let back =
        organiser.post(&format!("/api/payments/{}/refund", payment.text("/id")), json!({})).await.expect(200);
    ann.list_after(&path, &back).await.problem(409, "wrong_state");
}
