//! The storefront: without scripts as plain HTML (`plain.rs`, `pages.rs`), and in a real Chromium (`chromium.rs`,
//! `purchase.rs`).

mod chromium;
mod pages;
mod plain;
mod purchase;

use crate::binary::{Person, event};
use serde_json::{Value, json};

/// A show on sale: a seated section with rows A and B of six seats at 45.00 and 22.50, and 50 places at 20.00.
async fn sell(organiser: &Person<'_>, changes: Value) -> Value {
    let tier =
        |name: &str, amount: i64| json!({ "name": name, "price": { "amount": amount, "currency": "EUR" } });
    let rows = json!([{ "name": "A", "seats": 6 }, { "name": "B", "seats": 6 }]);
    let mut show = event(50);
    show["title"] = json!("The Magic Flute");
    show["sections"] = json!([
        { "name": "Stalls", "kind": "seated", "rows": rows, "tiers": [tier("Adult", 4_500), tier("Child", 2_250)] },
        { "name": "Standing", "kind": "general", "capacity": 50, "tiers": [tier("Regular", 2_000)] },
    ]);
    show.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let id = organiser.post("/api/events", show).await.expect(201).text("/id");
    organiser.post(&format!("/api/events/{id}/publish"), json!({})).await.expect(200);
    let open = organiser.post(&format!("/api/events/{id}/open-sales"), json!({})).await.expect(200);
    let path = format!("/api/events/{id}/availability");
    let shown = organiser.list_after(&path, &open).await.expect(200).body;
    // Views are read one after the other: whoever opens a page now sees the show in the list, too.
    organiser.list_after("/api/events", &open).await.expect(200);
    shown
}

/// The page of a show.
fn page_of(show: &Value) -> String {
    format!("/events/{}", show["event_id"].as_str().unwrap())
}

/// The name of the field of a tier.
fn field(show: &Value, section: usize, tier: usize) -> String {
    format!("tier-{}", show["sections"][section]["tiers"][tier]["id"].as_str().unwrap())
}

/// The id of a seat of the first section.
fn seat(show: &Value, place: usize) -> &str {
    show["sections"][0]["seats"][place]["id"].as_str().unwrap()
}
