//! Many buyers at once, through HTTP, on the real program: never oversold, never undersold.
//!
//! `PROVE_SECONDS` repeats each race for so long; without it each is run once.

use crate::binary::{Answer, Server, folder};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How many got a place, after making sure that all others were refused as they should be.
fn winners(answers: &[Answer]) -> usize {
    let won = answers.iter().filter(|answer| answer.status == 201).count();
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (409, &json!("seats_unavailable")),
            "{}",
            answer.body
        );
        assert_eq!(answer.body["available"], Value::from(0));
    }
    won
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
    assert_eq!(winners(&answers), places as usize);
    let last = answers.iter().filter(|answer| answer.status == 201);
    let last = last.max_by_key(|answer| answer.header("x-position").parse::<u64>().unwrap()).unwrap();
    assert_eq!(show.places(&server, last).await, [0, u64::from(places), 0]);
}

/// Once, or for as long as one asks.
#[expect(clippy::disallowed_methods, reason = "how long a person waits is the machine's time")]
async fn repeated(buyers: usize, places: u32) {
    let seconds = std::env::var("PROVE_SECONDS").ok().and_then(|text| text.parse().ok());
    let (started, long) = (Instant::now(), seconds.map_or(Duration::ZERO, Duration::from_secs));
    loop {
        rush(buyers, places).await;
        if started.elapsed() >= long {
            return;
        }
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
