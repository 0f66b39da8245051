//! A purchase in a real Chromium: with the keyboard alone, on a phone and a desktop, while others buy.

use super::chromium::{Chromium, DESKTOP, PHONE};
use super::{field, page_of, seat, sell};
use crate::binary::{Answer, Person, Server, folder};
use serde_json::{Value, json};
use thirtyfour::prelude::*;

#[tokio::test]
async fn a_purchase_in_chromium_with_the_keyboard_alone() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let show = sell(&server.sign_in("org@example.org").await, json!({})).await;
    let browser = Chromium::start(&server.url, DESKTOP).await;
    browser.open("/").await;
    browser.tab_to("Skip to content").await;
    browser.press(Key::Enter).await;
    browser.tab_to("Title or venue").await;
    browser.press("flute").await;
    browser.press(Key::Enter).await;
    browser.waits_for(".count", "1 event").await;
    browser.tab_to("The Magic Flute").await;
    browser.press(Key::Enter).await;
    browser.arrives_at("The Magic Flute").await;

    // Two seats beside each other, by arrows and the space bar; the sum follows.
    browser.tab_to("Pick seats yourself").await;
    browser.press(Key::Space).await;
    browser.tab_to("Row A seat 1, from 22.50 EUR, available").await;
    for key in [Key::Right, Key::Space, Key::Right, Key::Space, Key::Down] {
        browser.press(key).await;
    }
    let focus = browser.run("return document.activeElement.ariaLabel").await;
    assert_eq!(focus, "Row B seat 3, from 22.50 EUR, available");
    browser.waits_for("[data-sum]", "2 tickets · 90.00 EUR").await;
    browser.tab_to("Sign in and reserve").await;
    browser.press(Key::Enter).await;
    browser.arrives_at("Sign in").await;
    browser.tab_to("E-mail address").await;
    browser.press("ann@example.org").await;
    browser.press(Key::Enter).await;
    browser.arrives_at("The Magic Flute").await;
    browser.waits_for("[data-sum]", "2 tickets · 90.00 EUR").await;
    browser.tab_to("Reserve").await;
    browser.press(Key::Enter).await;
    browser.arrives_at("Pay your order").await;
    browser.waits_for(".lines", "Row A seat 2; Row A seat 3").await;

    browser.tab_to("I need more time").await;
    browser.press(Key::Enter).await;
    browser.waits_for(".said", "Your places are held for longer.").await;
    browser.tab_to("A card that works").await;
    browser.press(Key::Down).await;
    browser.press(Key::Enter).await;
    browser.waits_for("[role=alert]", "nothing was charged").await;
    browser.tab_to("A card that works").await;
    browser.press(Key::Enter).await;
    browser.arrives_at("Your tickets").await;
    assert_eq!(browser.run("return document.querySelectorAll('.qr svg path').length").await, 4);
    browser.tab_to("My orders").await;
    browser.press(Key::Enter).await;
    browser.arrives_at("My orders").await;
    browser.waits_for(".tag", "Paid").await;
    assert_eq!(
        server.get(&format!("/api{}/availability", page_of(&show))).await.body["sections"][0]["sold"],
        2
    );
    browser.ends_well().await;
}

#[tokio::test]
async fn every_page_in_chromium_is_accessible_and_fits_a_phone_and_a_desktop() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let organiser = server.sign_in("org@example.org").await;
    sell(
        &organiser,
        json!({ "title": "Late jazz on the river with a very long name that has to wrap somewhere" }),
    )
    .await;
    let show = sell(&organiser, json!({ "description": "Two acts.\nSung in German." })).await;
    let (page, adult) = (page_of(&show), field(&show, 0, 0));
    let other = server.sign_in("eve@example.org").await;
    let wanted = json!({ "section_id": show["sections"][0]["id"], "tier_id": show["sections"][0]["tiers"][0]["id"], "quantity": 3 });
    other
        .post("/api/reservations", json!({ "event_id": show["event_id"], "lines": [wanted] }))
        .await
        .expect(201);

    let browser = Chromium::start(&server.url, PHONE).await;
    browser.open("/").await;
    browser.is_looked_at("home").await;
    for (path, name) in [("/sign-in", "sign-in"), ("/nowhere", "not-found"), ("/?q=nothing", "no-match")] {
        browser.open(path).await;
        browser.is_looked_at(name).await;
    }
    browser.open("/sign-in").await;
    browser.tab_to("E-mail address").await;
    browser.press("ann@example.org").await;
    browser.press(Key::Enter).await;
    browser.waits_for("nav", "Sign out").await;
    browser.open(&page).await;
    browser.is_looked_at("show-nothing-chosen").await;
    browser.open(&format!("{page}?seat={}&{adult}=2", seat(&show, 7))).await;
    browser.is_looked_at("show").await;
    browser.run("document.querySelector('form.order').requestSubmit()").await;
    browser.waits_for("[data-faults]", "you picked 1 seat and asked for 2 tickets").await;
    assert_eq!(browser.run("return document.activeElement.hasAttribute('data-faults')").await, true);
    browser.is_looked_at("show-refused").await;
    browser.open(&format!("{page}?seat={}&{adult}=1&{}=2", seat(&show, 7), field(&show, 1, 0))).await;
    browser.run("document.querySelector('form.order').requestSubmit()").await;
    browser.arrives_at("Pay your order").await;
    browser.is_looked_at("order-held").await;
    let order = browser.path().await;
    browser.run("document.querySelector('[value=slow]').click(); document.querySelector('form[action$=pay]').requestSubmit()").await;
    browser.arrives_at("Confirming your payment").await;
    browser.is_looked_at("order-paying").await;
    browser.arrives_at("Your tickets").await;
    browser.is_looked_at("order-tickets").await;
    browser.open("/orders").await;
    browser.is_looked_at("orders").await;
    browser.open(&order).await;
    browser.ends_well().await;
}

#[tokio::test]
async fn a_page_in_chromium_follows_what_others_buy() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let organiser = server.sign_in("org@example.org").await;
    let show = sell(&organiser, json!({})).await;
    let browser = Chromium::start(&server.url, DESKTOP).await;
    browser.open(&format!("{}?seat={}", page_of(&show), seat(&show, 0))).await;
    browser.waits_for("[data-sum]", "").await;
    let line = |section: usize, what: (&str, Value)| {
        let section = &show["sections"][section];
        json!({ "section_id": section["id"], "tier_id": section["tiers"][0]["id"], what.0: what.1 })
    };
    let lines = [line(0, ("seat_ids", json!([seat(&show, 0)]))), line(1, ("quantity", json!(7)))];
    organiser
        .post("/api/reservations", json!({ "event_id": show["event_id"], "lines": lines }))
        .await
        .expect(201);
    browser.waits_for("[data-announce]", "Row A seat 1 was just taken by somebody else").await;
    browser.waits_for(".left", "43 left").await;
    let seat = browser.run("const seat = document.querySelector('[name=seat]'); return [seat.disabled, seat.checked, seat.ariaLabel]").await;
    assert_eq!(seat, json!([true, false, "Row A seat 1, from 22.50 EUR, taken"]));
    browser.ends_well().await;
}

/// What the grid of seats says of itself: its stops for the Tab key by their seats, and what has the focus.
const GRID: &str = r#"
const stops = [...document.querySelectorAll("[name=seat]:not(:disabled)")].filter((seat) => seat.tabIndex === 0);
return [stops.map((seat) => seat.dataset.place), document.activeElement.dataset.place ?? document.activeElement.tagName];
"#;

/// Takes these seats of the first section, and answers the order.
async fn taken(person: &Person<'_>, show: &Value, seats: &[usize]) -> Answer {
    let section = &show["sections"][0];
    let seats: Vec<_> = seats.iter().map(|place| seat(show, *place)).collect();
    let line =
        json!({ "section_id": section["id"], "tier_id": section["tiers"][0]["id"], "seat_ids": seats });
    let order = json!({ "event_id": show["event_id"], "lines": [line] });
    person.post("/api/reservations", order).await.expect(201)
}

#[tokio::test]
async fn the_seats_in_chromium_keep_one_stop_and_the_focus_whatever_others_take() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let organiser = server.sign_in("org@example.org").await;
    let show = sell(&organiser, json!({})).await;
    let browser = Chromium::start(&server.url, DESKTOP).await;
    browser.open(&page_of(&show)).await;
    browser.run("document.querySelector('details').open = true").await;
    assert_eq!(browser.run(GRID).await, json!([["Row A seat 1"], "BODY"]));

    // Somebody takes the stop: the nearest free seat is the stop, and the focus stays where it was.
    taken(&organiser, &show, &[0]).await;
    browser.waits_for(".left", "11 left").await;
    assert_eq!(browser.run(GRID).await, json!([["Row A seat 2"], "BODY"]));

    // Somebody takes the seat that has the focus: its neighbour has it, and that is said.
    browser.tab_to("Row A seat 2").await;
    browser.press(Key::Right).await;
    assert_eq!(browser.run(GRID).await, json!([["Row A seat 3"], "Row A seat 3"]));
    taken(&organiser, &show, &[2]).await;
    browser.waits_for("[data-announce]", "Row A seat 3 was just taken by somebody else").await;
    browser.waits_for("[data-announce]", "you are now at Row A seat 2").await;
    assert_eq!(browser.run(GRID).await, json!([["Row A seat 2"], "Row A seat 2"]));

    // Somebody takes all that is left: the focus goes on to what follows, and not to nowhere.
    let rest = taken(&organiser, &show, &[1, 3, 4, 5, 6, 7, 8, 9, 10]).await;
    let last = taken(&organiser, &show, &[11]).await;
    browser.waits_for(".left.off", "0 left").await;
    let grid = browser.run(GRID).await;
    assert!(grid[0] == json!([]) && grid[1] != "BODY", "{grid}");

    // Two come back to a page that was opened when there was none.
    browser.open(&page_of(&show)).await;
    browser.waits_for(".left.off", "0 left").await;
    browser.run("document.querySelector('details').open = true").await;
    for order in [&last, &rest] {
        organiser.delete(&format!("/api/reservations/{}", order.text("/id"))).await.expect(204);
    }
    browser.waits_for(".left", "10 left").await;
    let grid = browser.run(GRID).await;
    assert_eq!(grid[0].as_array().map(Vec::len), Some(1), "{grid}");
    browser.tab_to("Row ").await;
    browser.ends_well().await;
}

/// What the page of a show offers: whether it says that it is sold out, and how many fields and buttons can be used.
const OFFERED: &str = r#"
const seen = (selector) => [...document.querySelectorAll(selector)].filter((part) => part.checkVisibility() && !part.disabled);
const says = seen("h2").some((heading) => heading.textContent === "Sold out");
return [says, seen("[data-price]").length, seen(".checkout button").length];
"#;

#[tokio::test]
async fn a_page_in_chromium_that_was_sold_out_offers_what_comes_back_and_the_other_way_round() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let organiser = server.sign_in("org@example.org").await;
    let tier = json!([{ "name": "Adult", "price": { "amount": 4_500, "currency": "EUR" } }]);
    let rows = json!([{ "name": "A", "seats": 2 }]);
    let show = sell(
        &organiser,
        json!({ "sections": [{ "name": "Stalls", "kind": "seated", "rows": rows, "tiers": tier }] }),
    )
    .await;
    taken(&organiser, &show, &[0]).await;
    let order = taken(&organiser, &show, &[1]).await;
    let browser = Chromium::start(&server.url, PHONE).await;
    browser.open(&page_of(&show)).await;
    browser.waits_for("h2", "Sold out").await;
    assert_eq!(browser.run(OFFERED).await, json!([true, 0, 0]));
    browser.is_looked_at("show-sold-out").await;

    organiser.delete(&format!("/api/reservations/{}", order.text("/id"))).await.expect(204);
    browser.waits_for(".left", "1 left").await;
    assert_eq!(browser.run(OFFERED).await, json!([false, 1, 1]));
    browser.waits_for("[data-announce]", "Stalls: 1 left again").await;
    browser.run("document.querySelector('details').open = true; document.querySelector('[name=seat]:enabled').click()").await;
    browser.waits_for("[data-sum]", "1 ticket · 45.00 EUR").await;

    // The keyboard is in a field that can be used no longer: it goes on to what is left.
    browser.run("document.querySelector('[data-price]').focus()").await;
    taken(&organiser, &show, &[1]).await;
    browser.waits_for(".left.off", "0 left").await;
    assert_eq!(browser.run(OFFERED).await, json!([true, 0, 0]));
    browser.waits_for("[data-announce]", "Row A seat 2 was just taken by somebody else").await;
    browser.waits_for("[data-announce]", "Stalls is sold out").await;
    let [focus, sum] = [
        browser.run("return document.activeElement.tagName").await,
        browser.run("return document.querySelector('[data-sum]').textContent").await,
    ];
    assert_ne!(focus, "BODY");
    assert!(!sum.as_str().unwrap_or_default().contains("EUR"), "{sum}");
    browser.ends_well().await;
}

#[tokio::test]
async fn the_countdown_in_chromium_speaks_up_and_ends_with_the_hold() {
    for (seconds, said) in [("31", "30 seconds left to pay"), ("2", "The time is over")] {
        let folder = folder();
        let server = Server::start(folder.path(), &[("HOLD_SECONDS", seconds)]);
        let show = sell(&server.sign_in("org@example.org").await, json!({})).await;
        let browser = Chromium::start(&server.url, DESKTOP).await;
        browser.open(&format!("/sign-in?next={}", page_of(&show))).await;
        browser.tab_to("E-mail address").await;
        browser.press("ann@example.org").await;
        browser.press(Key::Enter).await;
        browser.arrives_at("The Magic Flute").await;
        browser.run("const field = document.querySelector('[data-price]'); field.value = 1; field.form.requestSubmit()").await;
        browser.arrives_at("Pay your order").await;
        browser.waits_for(".hold [data-left]", "0:").await;
        browser.waits_for(".hold [data-announce]", said).await;
        if seconds == "2" {
            browser.arrives_at("Your hold has ended").await;
            browser.is_looked_at("order-expired").await;
        }
        browser.ends_well().await;
    }
}
