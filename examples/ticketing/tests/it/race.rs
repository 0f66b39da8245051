//! Many buyers at once, through HTTP, on the real program: never oversold, never undersold.
//!
//! `PROVE_SECONDS` repeats each race for so long; without it each is run once.

use crate::binary::{Answer, Server, folder};
use crate::books::Books;
use crate::invariants::{Promise, broken};
use crate::proof::Proof;
use futures_util::future::join_all;
use serde_json::Value;
use ticketing::inventory::Inventory;
use ticketing::shared::SectionId;

/// How many got a place, after making sure that all others were refused as they should be.
fn winners(answers: Vec<Answer>) -> usize {
    let (won, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    for answer in refused {
        let problem = answer.problem(409, "seats_unavailable");
        assert_eq!(problem["available"], Value::from(0), "{problem}");
    }
    won.len()
}

async fn rush(buyers: usize, places: u32) {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let organiser = server.sign_in("org@example.org").await;
    let show = organiser.sell(places).await;
    let people = join_all((0..buyers).map(|n| {
        let email = format!("buyer-{n}@example.org");
        let server = &server;
        async move { server.sign_in(&email).await }
    }));
    let people = people.await;
    let answers = join_all(people.iter().map(|person| person.reserve(&show, 1))).await;
    let last = answers.iter().filter(|answer| answer.status == 201);
    let last = last.max_by_key(|answer| answer.header("x-position").parse::<u64>().unwrap()).unwrap();
    // What is shown.
    assert_eq!(show.places(&server, last).await, [0, u64::from(places), 0]);
    assert_eq!(winners(answers), places as usize);
    assert_eq!(server.stop().code(), Some(0));
    // What is.
    let Books { app, gateway } = Books::open(folder.path()).await;
    let section: SectionId = show.section.parse().unwrap();
    let inventory = app.load::<Inventory>(&section).await.unwrap().unwrap().state;
    let counts = [
        inventory.counts.capacity,
        inventory.counts.free,
        inventory.counts.held,
        inventory.counts.sold,
        inventory.counts.blocked,
    ];
    assert_eq!(counts, [places, 0, places, 0, 0]);
    assert_eq!(inventory.holds.len(), places as usize);
    let unfinished = [Promise::HoldsEnd, Promise::LimitsCountWhatIsHad];
    let mut broken = broken(&app, gateway.ledger()).await;
    broken.retain(|broken| !unfinished.contains(&broken.promise));
    assert_eq!(broken, []);
    app.shutdown().await.unwrap();
}

/// Once, or for as long as one asks.
async fn repeated(buyers: usize, places: u32) {
    let proof = Proof::of(1);
    let mut round = proof.first();
    while proof.goes_on(round) {
        rush(buyers, places).await;
        round += 1;
    }
}

#[tokio::test]
async fn race_of_a_hundred_for_the_last_place_has_one_winner() {
    repeated(100, 1).await;
}

#[tokio::test]
async fn race_of_five_hundred_for_a_hundred_places_sells_exactly_a_hundred() {
    repeated(500, 100).await;
}

#[tokio::test]
async fn race_of_giving_up_with_a_payment_that_starts_stops_the_payment() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let show = person.sell(20).await;
    for _ in 0..20 {
        let reservation = person.reserve(&show, 1).await.expect(201);
        let path = format!("/api/reservations/{}", reservation.text("/id"));
        let (_, given_up) = futures_util::join!(person.pay(&reservation, "slow"), person.delete(&path));
        given_up.expect(204);
        assert_eq!(person.get(&path).await.text("/status"), "cancelled");
    }
}
