//! Everything that a buyer does, in a browser without scripts.

use super::plain::Plain;
use super::{field, page_of, seat, sell};
use crate::binary::{Server, event, folder};
use serde_json::json;

const HOSTILE: &str = "\"><svg onload=alert(1)><script>alert(2)</script>";

#[tokio::test]
async fn a_visitor_finds_a_show_signs_in_and_buys() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let organiser = server.sign_in("org@example.org").await;
    sell(&organiser, json!({ "title": "Late jazz", "starts_at": "2031-01-01T18:00:00Z" })).await;
    let show = sell(&organiser, json!({})).await;
    let (page, standing) = (page_of(&show), field(&show, 1, 0));

    let mut ann = Plain::new(&server);
    ann.open("/").await.says("2 events").says("The Magic Flute").says("from 20.00 EUR");
    ann.open("/?q=FLUTE&from=2030-06-01&to=2030-06-01").await.says("1 event").says(&page);
    ann.open("/?q=&from=2030-06-02&to=").await.says("Late jazz");
    assert!(!ann.html.contains("Magic"));
    ann.open("/?q=nothing+like+it").await.says("No event matches");

    // The choice survives the way over the sign-in page.
    ann.open(&page).await.says("Saturday, 1 June 2030, 20:00").says("Sign in and reserve");
    ann.submit(&page, &[(&standing, "2")]).await.says("<h1>Sign in</h1>");
    ann.submit("/sign-in/development", &[("email", "nonsense")])
        .await
        .has_status(422)
        .says("href=\"#email\"");
    ann.submit("/sign-in/development", &[("email", "ann@example.org")]).await;
    assert_eq!(ann.path, page);
    assert!(
        ann.html.split("<input id=").any(|input| input.contains(&standing) && input.contains("value=\"2\""))
    );
    ann.submit(&page, &[(&standing, "2")]).await.says("Pay your order").says("40.00 EUR").says("4 min 5");
    let (order, pay) = (ann.path.clone(), format!("{}/pay", ann.path));

    // A declined card is told, and another one may be tried.
    ann.submit(&pay, &[("outcome", "decline")]).await.says("did not go through").says("Pay 40.00 EUR");
    ann.submit(&pay, &[("outcome", "succeed")]).await.says("<h1>Your tickets</h1>");
    assert_eq!((ann.path.as_str(), ann.html.matches("<svg").count()), (order.as_str(), 2));
    ann.open("/orders").await.says("Paid").says(&order);
    ann.open(&page).await.says("<span data-free>48</span>");
    ann.open("/").await.submit("/sign-out", &[]).await.says("You are signed out.");
    ann.open("/orders").await.says("<h1>Sign in</h1>");
}

#[tokio::test]
async fn seats_are_picked_one_by_one_or_the_best_together() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let show = sell(&server.sign_in("org@example.org").await, json!({})).await;
    let (page, adult, child) = (page_of(&show), field(&show, 0, 0), field(&show, 0, 1));
    let mut ann = Plain::of(&server, "ann@example.org").await;
    let name = "aria-label=\"Row A seat 2, from 22.50 EUR, available\"";
    ann.open(&page).await.says(name).says("<th scope=\"row\"><span class=\"hidden\">Row </span>B</th>");

    let picked = [("seat", seat(&show, 1)), ("seat", seat(&show, 2))];
    let three = [picked[0], picked[1], (&adult, "3")];
    ann.submit(&page, &three)
        .await
        .has_status(422)
        .says("Stalls: you picked 2 seats and asked for 3 tickets");
    ann.says(&format!("href=\"#{adult}\"")).says("aria-invalid=\"true\"").says("checked");
    let both = [picked[0], picked[1], (&adult, "1"), (&child, "1")];
    ann.submit(&page, &both).await.says("Row A seat 2").says("Row A seat 3").says("67.50 EUR");

    // Another one is told that they are gone, keeps his other choice, and gets the best that are left.
    let mut eve = Plain::of(&server, "eve@example.org").await;
    let overlap = [picked[1], ("seat", seat(&show, 3))];
    eve.open(&page).await.says("aria-label=\"Row A seat 3, from 22.50 EUR, taken\"");
    eve.submit(&page, &overlap)
        .await
        .has_status(409)
        .says("Somebody was faster: only 1")
        .says("Nothing is reserved yet");
    eve.submit(&page, &[(&adult, "3")]).await.says("Row A seat 4; Row A seat 5; Row A seat 6");
    eve.open(&page).await.submit(&page, &[]).await.has_status(422).says("Choose at least one ticket.");
    eve.submit(&page, &[(&adult, "many")]).await.has_status(422).says("whole number");
    eve.submit(&page, &[(&adult, "11")]).await.has_status(409).says("at most 10 places");
}

#[tokio::test]
async fn seats_are_ordered_and_priced_at_what_is_sold_now() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let money = |amount: i64| json!({ "amount": amount, "currency": "EUR" });
    let tiers = json!([
        { "name": "Early", "price": money(100), "sales_end": "2020-01-01T00:00:00Z" },
        { "name": "Regular", "price": money(4_500) },
        { "name": "Late", "price": money(200), "sales_start": "2029-01-01T00:00:00Z" },
    ]);
    let rows = json!([{ "name": "A", "seats": 3 }]);
    let sections = json!([{ "name": "Stalls", "kind": "seated", "rows": rows, "tiers": tiers }]);
    let show = sell(&server.sign_in("org@example.org").await, json!({ "sections": sections })).await;
    let page = page_of(&show);
    let mut ann = Plain::of(&server, "ann@example.org").await;
    ann.open("/").await.says("from 45.00 EUR");
    ann.open(&page).await.says("aria-label=\"Row A seat 1, 45.00 EUR, available\"");
    ann.submit(&page, &[("seat", seat(&show, 0))]).await.has_status(200).says("Pay your order");
    ann.says("Regular").says("45.00 EUR");
}

#[tokio::test]
async fn a_show_whose_prices_are_all_over_says_so_and_offers_nothing() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let tier = json!({ "name": "Early", "price": { "amount": 100, "currency": "EUR" }, "sales_end": "2020-01-01T00:00:00Z" });
    let sections = json!([{ "name": "Hall", "kind": "general", "capacity": 5, "tiers": [tier] }]);
    let show = sell(&server.sign_in("org@example.org").await, json!({ "sections": sections })).await;
    let mut ann = Plain::new(&server);
    ann.open("/").await.says("The Magic Flute");
    assert!(!ann.html.contains("from 1.00 EUR"), "{}", ann.html);
    ann.open(&page_of(&show)).await.says("No ticket is on sale at the moment").says("no longer sold");
    assert!(!ann.html.contains("Sold out"), "{}", ann.html);
}

#[tokio::test]
async fn the_page_of_a_show_says_every_limit_of_an_order() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let organiser = server.sign_in("org@example.org").await;
    let mut browser = Plain::new(&server);
    let show = sell(&organiser, json!({ "max_per_order": 6 })).await;
    browser.open(&page_of(&show)).await.says("At most 6 in one order.");
    let show = sell(&organiser, json!({ "max_per_order": 6, "max_per_customer": 4 })).await;
    browser
        .open(&page_of(&show))
        .await
        .says("At most 6 in one order and 4 for each customer.")
        .says("max=\"4\"");
}

#[tokio::test]
async fn a_large_hall_is_followed_without_its_seats() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let organiser = server.sign_in("org@example.org").await;
    let tier = json!({ "name": "Regular", "price": { "amount": 2_000, "currency": "EUR" } });
    let rows: Vec<_> = (0..3).map(|row| json!({ "name": row.to_string(), "seats": 1_000 })).collect();
    let block = |name: &str| json!({ "name": name, "kind": "seated", "rows": rows, "tiers": [tier] });
    let show = sell(&organiser, json!({ "sections": [block("North"), block("South")] })).await;
    let (id, mut browser) = (show["event_id"].as_str().unwrap(), Plain::new(&server));
    let live = format!("data-live=\"/api/events/{id}/live?seats=false\"");
    browser.open(&page_of(&show)).await.says(&live).says("You get the best seats together");
    assert!(!browser.html.contains("name=\"seat\""));
    let path = format!("/api/events/{id}/availability");
    let (whole, counts) = (server.get(&path).await, server.get(&format!("{path}?seats=false")).await);
    assert_eq!(whole.body["sections"][1]["seats"].as_array().map(Vec::len), Some(3_000));
    assert_eq!(
        (&counts.body["sections"][1]["free"], counts.body["sections"][1].get("seats")),
        (&json!(3_000), None)
    );
    let mut frames = server.request(reqwest::Method::GET, &format!("/api/events/{id}/live?seats=false"));
    frames = frames.header("accept", "text/event-stream");
    let mut frames = frames.send().await.unwrap();
    let mut heard = String::new();
    while !heard.contains("\n\nevent") || !heard.ends_with("\n\n") {
        heard.push_str(std::str::from_utf8(&frames.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert!(heard.contains("\"free\":3000") && !heard.contains("\"seats\""), "{heard}");
}

#[tokio::test]
async fn an_order_is_given_up_and_its_places_are_free_again() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let show = sell(&server.sign_in("org@example.org").await, json!({})).await;
    let (page, standing) = (page_of(&show), field(&show, 1, 0));
    let mut ann = Plain::of(&server, "ann@example.org").await;
    ann.open(&page).await.submit(&page, &[(&standing, "5")]).await.says("Pay your order");
    let order = ann.path.clone();
    ann.open(&page).await.says("<span data-free>45</span>");
    ann.open("/orders").await.submit(&format!("{order}/cancel"), &[]).await;
    ann.says("The order is given up").says("Given up");
    assert!(!ann.open("/orders").await.html.contains("The order is given up"), "it is said once");
    ann.open(&page).await.says("<span data-free>50</span>");
    ann.open(&order).await.says("You gave this order up");
    ann.open(&format!("{order}/cancel")).await;
    assert_eq!(ann.path, order, "an address that takes forms leads to their page");
}

#[tokio::test]
async fn a_form_that_is_sent_twice_acts_once() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let show = sell(&server.sign_in("org@example.org").await, json!({})).await;
    let (page, standing) = (page_of(&show), field(&show, 1, 0));
    let mut ann = Plain::of(&server, "ann@example.org").await;
    let mut form = ann.open(&page).await.fields(&page);
    form.push((standing, "1".into()));
    let first = ann.send(&page, &form).await.path.clone();
    let second = ann.send(&page, &form).await.path.clone();
    assert_eq!(first, second);
    let pay = format!("{first}/pay");
    let mut form = ann.fields(&pay);
    form.push(("outcome".into(), "succeed".into()));
    for _ in 0..2 {
        ann.send(&pay, &form).await.says("<h1>Your tickets</h1>");
        assert_eq!(ann.html.matches("<svg").count(), 1);
    }
    ann.open(&page).await.says("<span data-free>49</span>");
    form.push(("seat".into(), "x".into()));
    ann.send(&pay, &form).await.has_status(422).says("This form was sent before").says("To the order");
}

#[tokio::test]
async fn a_hold_that_has_ended_is_told_with_a_way_to_try_again() {
    let folder = folder();
    let server = Server::start(folder.path(), &[("HOLD_SECONDS", "1")]);
    let show = sell(&server.sign_in("org@example.org").await, json!({})).await;
    let (page, standing) = (page_of(&show), field(&show, 1, 0));
    let mut ann = Plain::of(&server, "ann@example.org").await;
    ann.open(&page).await.submit(&page, &[(&standing, "2")]).await;
    let order = ann.path.clone();
    let mut form = ann.fields(&format!("{order}/pay"));
    form.push(("outcome".into(), "succeed".into()));
    // The list, whose view follows, and then the order.
    for (page, text) in [("/orders", "Hold has ended"), (&order, "Your hold has ended")] {
        for _ in 0..5_000 {
            if ann.open(page).await.html.contains(text) {
                break;
            }
        }
    }
    ann.says("<h1>Your hold has ended</h1>")
        .says(&format!("<a class=\"button\" href=\"{page}\">Try again</a>"));
    ann.send(&format!("{order}/pay"), &form)
        .await
        .has_status(410)
        .says("Nothing was charged")
        .says("To the order");
    ann.send(&format!("{order}/extend"), &form).await.has_status(410);
    ann.open("/orders").await.says("Hold has ended");
}

#[tokio::test]
async fn more_time_is_given_ten_times() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let show = sell(&server.sign_in("org@example.org").await, json!({})).await;
    let (page, standing) = (page_of(&show), field(&show, 1, 0));
    let mut ann = Plain::of(&server, "ann@example.org").await;
    ann.open(&page).await.submit(&page, &[(&standing, "2")]).await;
    let extend = format!("{}/extend", ann.path);
    for _ in 0..10 {
        ann.submit(&extend, &[]).await.says("Your places are held for longer.");
    }
    ann.submit(&extend, &[]).await.has_status(409).says("at most 10 times").says("To the order");
}

#[tokio::test]
async fn a_payment_without_an_answer_is_waited_for_and_a_free_order_needs_no_card() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let organiser = server.sign_in("org@example.org").await;
    let show = sell(&organiser, json!({})).await;
    let (page, standing) = (page_of(&show), field(&show, 1, 0));
    let mut ann = Plain::of(&server, "ann@example.org").await;
    ann.open(&page).await.submit(&page, &[(&standing, "1")]).await;
    let pay = format!("{}/pay", ann.path);
    ann.submit(&pay, &[("outcome", "slow")]).await.says("Confirming your payment");
    ann.says("<noscript><meta http-equiv=\"refresh\" content=\"3\"></noscript>");
    let order = ann.path.clone();
    for _ in 0..5_000 {
        if ann.open(&order).await.html.contains("<h1>Your tickets</h1>") {
            break;
        }
    }
    ann.says("<h1>Your tickets</h1>");

    let mut free = event(1)["sections"].clone();
    free[0]["tiers"][0]["price"]["amount"] = json!(0);
    let show = sell(&organiser, json!({ "sections": free })).await;
    let (page, only) = (page_of(&show), field(&show, 0, 0));
    ann.open(&page).await.says("Free");
    ann.submit(&page, &[(&only, "1")]).await.says("Nothing to pay");
    let pay = format!("{}/pay", ann.path);
    ann.submit(&pay, &[]).await.says("<h1>Your tickets</h1>");
    ann.open(&page).await.says("Sold out").says("Look again");
    ann.says("<div class=\"checkout\" data-checkout hidden>");
    ann.open("/").await.says("<span class=\"tag off\">Sold out</span>");
}

#[tokio::test]
async fn a_bank_that_asks_is_answered_on_the_page_of_the_order() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let show = sell(&server.sign_in("org@example.org").await, json!({})).await;
    let (page, standing) = (page_of(&show), field(&show, 1, 0));
    let mut ann = Plain::of(&server, "ann@example.org").await;
    ann.open(&page).await.submit(&page, &[(&standing, "1")]).await;
    let pay = format!("{}/pay", ann.path);
    for (answer, leads_to) in [("false", "did not go through"), ("true", "<h1>Your tickets</h1>")] {
        ann.submit(&pay, &[("outcome", "requires_action")]).await.says("<h1>Your bank asks you</h1>");
        let action = ann.html.split("action=\"").find(|text| text.starts_with("/payments/")).unwrap();
        let action = action.split('"').next().unwrap().to_owned();
        ann.submit(&action, &[("approve", answer)]).await.says(leads_to);
    }
}

#[tokio::test]
async fn what_another_site_sends_is_refused() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let show = sell(&server.sign_in("org@example.org").await, json!({})).await;
    let (page, standing) = (page_of(&show), field(&show, 1, 0));
    let mut ann = Plain::of(&server, "ann@example.org").await;
    ann.open(&page).await.submit(&page, &[(&standing, "1")]).await;
    let order = ann.path.clone();
    for action in [
        page,
        format!("{order}/pay"),
        format!("{order}/cancel"),
        format!("{order}/extend"),
        "/sign-out".into(),
    ] {
        for origin in ["https://evil.example", "null"] {
            ann.attack(&action, origin).await.has_status(403).says("This is not yours");
        }
    }
    ann.attack("/sign-in/development", "https://evil.example").await.has_status(403);
    ann.open(&order).await.says("Pay your order");
    ann.open("/sign-in?next=https://evil.example/").await;
    ann.submit("/sign-in/development", &[("email", "ann@example.org")]).await.says("<h1>What is on</h1>");
}

#[tokio::test]
async fn what_people_wrote_stays_text_on_every_page() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let organiser = server.sign_in("org@example.org").await;
    let tier = json!([{ "name": HOSTILE, "price": { "amount": 100, "currency": "EUR" } }]);
    let show = sell(&organiser, json!({
        "title": HOSTILE, "description": HOSTILE,
        "venue": { "name": HOSTILE, "address": HOSTILE, "time_zone": "Europe/Berlin" },
        "sections": [{ "name": HOSTILE, "kind": "seated", "rows": [{ "name": "\"><b>", "seats": 2 }], "tiers": tier }],
    })).await;
    let (page, only) = (page_of(&show), field(&show, 0, 0));
    let mut ann = Plain::of(&server, "\"><svg/onload=alert(1)>@example.org").await;
    ann.open("/").await;
    let mut seen = vec![ann.html.clone()];
    for path in [
        page.as_str(),
        "/?q=%22%3E%3Csvg%20onload%3Dalert(1)%3E",
        "/sign-in?next=%22%3E%3Cscript%3E",
        "/%3Cscript%3E",
    ] {
        seen.push(ann.open(path).await.html.clone());
    }
    ann.open(&page).await.submit(&page, &[(&only, "\"><b>")]).await.has_status(422);
    seen.push(ann.html.clone());
    ann.submit(&page, &[("seat", seat(&show, 0)), (&only, "2")]).await.has_status(422);
    seen.push(ann.html.clone());
    ann.submit(&page, &[("seat", seat(&show, 0))]).await.says("Pay your order");
    seen.push(ann.html.clone());
    let pay = format!("{}/pay", ann.path);
    ann.submit(&pay, &[("outcome", "succeed")]).await.says("<h1>Your tickets</h1>");
    seen.push(ann.html.clone());
    seen.push(ann.open("/orders").await.html.clone());
    for html in seen {
        for markup in ["<svg onload", "<svg/onload", "<script>", "\"><b>"] {
            assert!(!html.contains(markup), "{markup} in {html}");
        }
    }
}

#[tokio::test]
async fn problems_are_pages_for_people_and_documents_for_programs() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let show = sell(&server.sign_in("org@example.org").await, json!({})).await;
    let (page, standing) = (page_of(&show), field(&show, 1, 0));
    let mut ann = Plain::of(&server, "ann@example.org").await;
    ann.open(&page).await.submit(&page, &[(&standing, "1")]).await;
    let order = ann.path.clone();
    let mut eve = Plain::of(&server, "eve@example.org").await;
    let nobody = "01900000-0000-7000-8000-000000000000";
    for (path, status, text) in [
        ("/nowhere".to_owned(), 404, "There is nothing here"),
        (format!("/events/{nobody}"), 404, "There is nothing here"),
        ("/events/nonsense".into(), 400, "There is nothing here"),
        ("/?page=0".into(), 400, "There is nothing here"),
        (format!("/orders/{nobody}"), 404, "There is nothing here"),
        (order.clone(), 403, "This is not yours"),
    ] {
        eve.open(&path).await.has_status(status).says(text).says("See what is on").says("Request <code>");
    }
    eve.send(&format!("{order}/cancel"), &[("idempotency_key".into(), "k".into())]).await.has_status(403);
    ann.send("/orders", &[]).await.has_status(405);
    ann.send(&page, &[]).await.has_status(400).says("This form was sent before");
    let api = server
        .request(reqwest::Method::GET, "/api/nowhere")
        .header("accept", "text/html")
        .send()
        .await
        .unwrap();
    assert_eq!(api.headers()["content-type"], "application/problem+json");
    let draft =
        server.sign_in("org@example.org").await.post("/api/events", event(1)).await.expect(201).text("/id");
    eve.open(&format!("/events/{draft}")).await.has_status(404);
}

#[tokio::test]
async fn too_many_requests_are_told_on_a_page_and_files_are_not_counted() {
    let folder = folder();
    let server = Server::start(folder.path(), &[("RATE_LIMIT_PER_IP", "3")]);
    let mut visitor = Plain::new(&server);
    for _ in 0..3 {
        visitor.open("/").await.has_status(200);
    }
    let html = visitor.html.clone();
    visitor.open("/").await.has_status(429).says("A little slower, please");
    assert!(visitor.headers.contains_key("retry-after"));
    let files = html.split('"').filter(|text| text.starts_with("/static/"));
    for path in files.chain(["/livez"]) {
        let file = server.request(reqwest::Method::GET, path).send().await.unwrap();
        assert_eq!(file.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn the_list_counts_the_places_of_every_section_of_every_show_on_it() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let organiser = server.sign_in("organiser@example.org").await;
    let tier = json!({ "name": "Regular", "price": { "amount": 2_000, "currency": "EUR" } });
    let section = |number: u32| json!({ "name": format!("Block {number}"), "kind": "general", "capacity": 1, "tiers": [tier] });
    let sections: Vec<_> = (0..50).map(section).collect();
    for _ in 0..12 {
        sell(&organiser, json!({ "sections": sections })).await;
    }
    let mut browser = Plain::new(&server);
    let page = browser.open("/").await.says("12 events");
    assert_eq!(page.html.matches(">On sale<").count(), 12, "{}", page.html);
}
