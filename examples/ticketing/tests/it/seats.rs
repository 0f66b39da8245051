//! Numbered seats through the real program: by id, the best together, the last one, a limit over two sections.

use crate::binary::{Answer, Person, Server, event, folder};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// A show on sale with rows A and B of four seats each in one section, and general places in another.
async fn selling(organiser: &Person<'_>, changes: Value) -> Answer {
    let mut event = event(50);
    let mut stalls = event["sections"][0].clone();
    stalls.as_object_mut().unwrap().remove("capacity");
    stalls["name"] = json!("Stalls");
    stalls["kind"] = json!("seated");
    stalls["rows"] = json!([{ "name": "A", "seats": 4 }, { "name": "B", "seats": 4 }]);
    event["sections"] = json!([stalls, event["sections"][0]]);
    event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let id = organiser.post("/api/events", event).await.expect(201).text("/id");
    organiser.post(&format!("/api/events/{id}/publish"), json!({})).await.expect(200);
    organiser.post(&format!("/api/events/{id}/open-sales"), json!({})).await.expect(200)
}

/// As [`selling`], for those who ask the show alone.
async fn sell(organiser: &Person<'_>, changes: Value) -> Value {
    selling(organiser, changes).await.body
}

/// An order of one line for a section, with this in it.
fn order(show: &Value, section: usize, what: &Value) -> Value {
    let section = &show["sections"][section];
    let mut line = json!({ "section_id": section["id"], "tier_id": section["tiers"][0]["id"] });
    line.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
    json!({ "event_id": show["id"], "lines": [line] })
}

/// The seats of the first section as they are shown after `answer`.
async fn shown(person: &Person<'_>, show: &Value, answer: &Answer) -> Vec<Value> {
    let path = format!("/api/events/{}/availability", show["id"].as_str().unwrap());
    let body = person.list_after(&path, answer).await.expect(200).body;
    assert!(body["sections"][1].get("seats").is_none());
    body["sections"][0]["seats"].as_array().unwrap().clone()
}

fn names(seats: &Value) -> Vec<String> {
    let seats = seats.as_array().unwrap().iter();
    seats.map(|seat| format!("{}{}", seat["row"].as_str().unwrap(), seat["number"])).collect()
}

#[tokio::test]
async fn seats_are_bought_by_id_and_the_best_together_and_told_on_each_ticket() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let show = sell(&person, json!({})).await;

    let best = person.post("/api/reservations", order(&show, 0, &json!({ "quantity": 2 }))).await.expect(201);
    assert_eq!(names(&best.body["seats"]), ["A2", "A3"]);
    let seats = shown(&person, &show, &best).await;
    let states: Vec<_> = seats.iter().map(|seat| seat["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["free", "held", "held", "free", "free", "free", "free", "free"]);
    assert_eq!((&seats[1]["id"], seats.len()), (&best.body["seats"][0]["id"], 8));

    // An overlap is refused whole, and nothing of it is held.
    let overlap = json!({ "seat_ids": [seats[0]["id"], seats[1]["id"]] });
    let refused = person.post("/api/reservations", order(&show, 0, &overlap)).await;
    assert_eq!(refused.problem(409, "seats_unavailable")["available"], 1);
    let named = json!({ "seat_ids": [seats[7]["id"], seats[0]["id"]] });
    let named = person.post("/api/reservations", order(&show, 0, &named)).await.expect(201);
    assert_eq!(names(&named.body["seats"]), ["B4", "A1"]);
    let path = format!("/api/reservations/{}", named.text("/id"));
    assert_eq!(person.get(&path).await.expect(200).body["seats"], named.body["seats"]);

    let paid = person.pay(&named, "succeed").await.expect(201);
    let path = format!("/api/tickets?reservation_id={}", named.text("/id"));
    let tickets = person.list_after(&path, &paid).await.expect(200);
    let mut told: Vec<_> = tickets.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ticket| format!("{}{}", ticket["row"].as_str().unwrap(), ticket["seat"]))
        .collect();
    told.sort_unstable();
    assert_eq!(told, ["A1", "B4"]);
    assert_eq!(shown(&person, &show, &paid).await[7]["state"], "sold");
    person.delete(&format!("/api/reservations/{}", best.text("/id"))).await.expect(204);
    person
        .post("/api/reservations", order(&show, 0, &json!({ "seat_ids": [seats[1]["id"]] })))
        .await
        .expect(201);
}

#[tokio::test]
async fn seats_that_are_not_there_or_named_twice_are_told_with_their_place() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let opened = selling(&person, json!({})).await;
    let show = &opened.body;
    let first = shown(&person, show, &opened).await[0]["id"].clone();
    let unknown = "01900000-0000-7000-8000-000000000000";
    for (section, what, pointer) in [
        (0, json!({ "seat_ids": [first, unknown] }), "/lines/0/seat_ids/1"),
        (0, json!({ "seat_ids": [first, first] }), "/lines/0/seat_ids/1"),
        (1, json!({ "seat_ids": [first] }), "/lines/0/seat_ids/0"),
        (0, json!({ "seat_ids": [first], "quantity": 1 }), "/lines/0/quantity"),
        (0, json!({ "seat_ids": [] }), "/lines/0/quantity"),
        (0, json!({}), "/lines/0/quantity"),
    ] {
        let problem = person.post("/api/reservations", order(show, section, &what)).await;
        let problem = problem.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
}

#[tokio::test]
async fn race_of_a_hundred_for_one_seat_has_one_winner() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let organiser = server.sign_in("org@example.org").await;
    let opened = selling(&organiser, json!({})).await;
    let show = &opened.body;
    let seats = shown(&organiser, show, &opened).await;
    let people = join_all((0..100).map(|n| {
        let (server, email) = (&server, format!("buyer-{n}@example.org"));
        async move { server.sign_in(&email).await }
    }));
    let wanted = order(show, 0, &json!({ "seat_ids": [seats[3]["id"]] }));
    let people = people.await;
    let answers =
        join_all(people.iter().map(|person| person.post("/api/reservations", wanted.clone()))).await;
    let (won, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((won.len(), refused.len()), (1, 99));
    for answer in refused {
        assert_eq!(answer.problem(409, "seats_unavailable")["available"], 0);
    }
    let seats = shown(&organiser, show, &won[0]).await;
    assert_eq!(seats.iter().filter(|seat| seat["state"] == "held").count(), 1);
}

#[tokio::test]
async fn race_for_the_best_seats_gives_each_to_one() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let show = sell(&person, json!({})).await;
    let wanted = order(&show, 0, &json!({ "quantity": 1 }));
    let answers = join_all((0..12).map(|_| person.post("/api/reservations", wanted.clone()))).await;
    let won = answers.iter().filter(|answer| answer.status == 201);
    let mut seats: Vec<_> = won.flat_map(|answer| names(&answer.body["seats"])).collect();
    seats.sort_unstable();
    assert_eq!(seats, ["A1", "A2", "A3", "A4", "B1", "B2", "B3", "B4"]);
}

#[tokio::test]
async fn a_customers_limit_holds_over_two_sections_for_fifty_attempts_at_once() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let show = sell(&person, json!({ "max_per_customer": 5 })).await;
    let wanted: Vec<_> = (0..50).map(|n| order(&show, n % 2, &json!({ "quantity": 1 }))).collect();
    let answers =
        join_all(wanted.iter().map(|wanted| person.post("/api/reservations", wanted.clone()))).await;
    let (won, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(won.len(), 5);
    for answer in refused {
        assert_eq!(answer.problem(409, "limit_exceeded")["taken"], 5);
    }
    // Several lines are one order: both or none.
    let eve = server.sign_in("eve@example.org").await;
    let mut both = order(&show, 0, &json!({ "quantity": 2 }));
    both["lines"]
        .as_array_mut()
        .unwrap()
        .push(order(&show, 1, &json!({ "quantity": 4 }))["lines"][0].clone());
    eve.post("/api/reservations", both.clone()).await.problem(409, "limit_exceeded");
    both["lines"][1]["quantity"] = json!(3);
    let both = eve.post("/api/reservations", both).await.expect(201);
    assert_eq!((&both.body["quantity"], both.body["seats"].as_array().unwrap().len()), (&json!(5), 2));
}

#[tokio::test]
async fn the_organiser_alone_makes_blocks_and_gives_back_places() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let (organiser, eve) = (server.sign_in("org@example.org").await, server.sign_in("eve@example.org").await);
    let show = sell(&organiser, json!({})).await;
    let path = |section: usize| {
        let (show, section) =
            (show["id"].as_str().unwrap(), show["sections"][section]["id"].as_str().unwrap());
        format!("/api/events/{show}/sections/{section}/inventory")
    };
    let counts = |answer: &Answer| {
        ["capacity", "free", "held", "sold", "blocked"].map(|name| answer.body[name].as_u64().unwrap())
    };
    eve.post(&path(1), json!({ "block": 1 })).await.problem(403, "forbidden");
    let changed = organiser.post(&path(1), json!({ "add_capacity": 10, "block": 55 })).await.expect(200);
    assert_eq!(counts(&changed), [60, 5, 0, 0, 55]);
    let event = organiser.get(&format!("/api/events/{}", show["id"].as_str().unwrap())).await;
    assert_eq!(event.body["sections"][1]["capacity"], 60);
    eve.post("/api/reservations", order(&show, 1, &json!({ "quantity": 6 })))
        .await
        .problem(409, "seats_unavailable");
    let changed = organiser.post(&path(1), json!({ "unblock": 1 })).await.expect(200);
    assert_eq!(counts(&changed), [60, 6, 0, 0, 54]);
    eve.post("/api/reservations", order(&show, 1, &json!({ "quantity": 6 }))).await.expect(201);
    organiser.post(&path(1), json!({ "unblock": 55 })).await.problem(409, "wrong_state");
    organiser.post(&path(1), json!({ "block": 1 })).await.problem(409, "seats_unavailable");
    for wrong in [json!({}), json!({ "add_capacity": 99_941 })] {
        organiser.post(&path(1), wrong).await.problem(422, "validation_failed");
    }

    let seats = shown(&organiser, &show, &changed).await;
    let blocked =
        organiser.post(&path(0), json!({ "block": [seats[1]["id"], seats[2]["id"]] })).await.expect(200);
    assert_eq!((counts(&blocked), &blocked.body["seats"][1]["state"]), ([8, 6, 0, 0, 2], &json!("blocked")));
    let best = eve.post("/api/reservations", order(&show, 0, &json!({ "quantity": 2 }))).await.expect(201);
    assert_eq!(names(&best.body["seats"]), ["B2", "B3"]);
    let held = json!({ "block": [best.body["seats"][0]["id"]] });
    organiser.post(&path(0), held).await.problem(409, "seats_unavailable");
    organiser.post(&path(0), json!({ "unblock": [seats[1]["id"]] })).await.expect(200);
    eve.post("/api/reservations", order(&show, 0, &json!({ "seat_ids": [seats[1]["id"]] })))
        .await
        .expect(201);
    for wrong in [json!({ "add_capacity": 1 }), json!({ "block": [seats[0]["id"], seats[0]["id"]] })] {
        organiser.post(&path(0), wrong).await.problem(422, "validation_failed");
    }
}
