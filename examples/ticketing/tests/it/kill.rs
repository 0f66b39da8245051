//! The real program, killed with SIGKILL in the middle of a mixed load, again and again on the same data.
//!
//! `PROVE_SECONDS` kills for so long, in rounds of twenty with a show of their own; without it there is one round.

use crate::binary::{OnSale, Server, folder};
use crate::books::Books;
use crate::holds::{Lived, outlived};
use crate::invariants::{Promise, broken, told};
use crate::proof::Proof;
use composable_rust::runtime::SystemClock;
use composable_rust::{Clock, Randomness, SeededRandom, later};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const KILLS: u64 = 20;
const BUYERS: u64 = 12;
const OUTCOMES: [&str; 4] = ["succeed", "decline", "slow", "lost_answer"];
/// Short holds, so that they end while the program is dead as well as while it lives.
const VARIABLES: [(&str, &str); 2] = [("HOLD_SECONDS", "2"), ("PAYMENT_SECONDS", "3")];
/// Everything ends within the longest hold, payment and pause between two questions to the gateway.
const REST: Duration = Duration::from_mins(2);

/// What one life of the program has answered so far.
#[derive(Default)]
struct Answers {
    count: AtomicU64,
    more: tokio::sync::Notify,
}

impl Answers {
    fn add(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.more.notify_one();
    }

    async fn reached(&self, count: u64) {
        while self.count.load(Ordering::SeqCst) < count {
            self.more.notified().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_at_random_points_breaks_no_promise() {
    let proof = Proof::of(1);
    let mut seed = proof.first();
    while proof.goes_on(seed) {
        round(seed).await;
        seed += 1;
    }
}

/// Twenty kills on the data of one show.
async fn round(seed: u64) {
    let (folder, random) = (folder(), SeededRandom::new(seed));
    let mut lives = Vec::new();
    let show = {
        let server = Server::start(folder.path(), &VARIABLES);
        let organiser = server.sign_in("org@example.org").await;
        organiser.sell_with(60, json!({ "max_per_customer": 40 })).await
    };
    for life in 0..KILLS {
        let from = SystemClock.now();
        let server = Server::start(folder.path(), &VARIABLES);
        let answers = Answers::default();
        let buyers = (0..BUYERS).map(|buyer| buy(&server, &show, &answers, (life, buyer), &random));
        let enough = 1 + random.next_u64() % (BUYERS * 5);
        tokio::select! {
            biased;
            () = answers.reached(enough) => {}
            _ = join_all(buyers) => {}
        }
        drop(server);
        lives.push(Lived { from, to: SystemClock.now() });
    }
    come_to_rest(folder.path(), &show, lives).await;
}

/// One buyer's requests; whatever fails because the program is dead is left as it is.
async fn buy(
    server: &Server,
    show: &OnSale,
    answers: &Answers,
    (life, buyer): (u64, u64),
    random: &SeededRandom,
) -> Option<()> {
    let person = try_sign_in(server, &format!("buyer-{buyer}@example.org")).await?;
    answers.add();
    let post = async |path: &str, key: String, body: serde_json::Value| {
        let request = server.request(Method::POST, path).bearer_auth(&person).header("idempotency-key", key);
        let answer = request.json(&body).send().await.ok()?.json::<serde_json::Value>().await.ok();
        answers.add();
        answer
    };
    for turn in 0..3 {
        if random.next_u64().is_multiple_of(3) {
            let path = format!("/api/events/{}/availability", show.id);
            server.request(Method::GET, &path).bearer_auth(&person).send().await.ok()?;
            answers.add();
        }
        let reserve = format!("reserve-{life}-{buyer}-{turn}");
        let quantity = u32::try_from(1 + random.next_u64() % 3).ok()?;
        let reserved = post("/api/reservations", reserve, show.order(quantity)).await?;
        let Some(id) = reserved["id"].as_str() else { continue };
        if random.next_u64().is_multiple_of(4) {
            let path = format!("/api/reservations/{id}");
            server.request(Method::DELETE, &path).bearer_auth(&person).send().await.ok()?;
            answers.add();
            continue;
        }
        let outcome = OUTCOMES[usize::try_from(random.next_u64() % 4).ok()?];
        let method = json!({ "type": "simulated", "outcome": outcome });
        let body = json!({ "reservation_id": id, "method": method });
        post("/api/payments", format!("pay-{life}-{buyer}-{turn}"), body).await?;
    }
    Some(())
}

async fn try_sign_in(server: &Server, email: &str) -> Option<String> {
    let request = server.request(Method::POST, "/api/auth/dev-sign-in").json(&json!({ "email": email }));
    let body: serde_json::Value = request.send().await.ok()?.json().await.ok()?;
    body["token"].as_str().map(str::to_owned)
}

/// Starts the application on what the killed program left, and waits until every promise is kept.
async fn come_to_rest(folder: &Path, show: &OnSale, mut lives: Vec<Lived>) {
    let from = SystemClock.now();
    let Books { app, gateway } = Books::open(folder).await;
    let broken = loop {
        let seen = app.events().signal().position();
        let broken = broken(&app, &show.section, gateway.ledger()).await;
        if broken.is_empty() || SystemClock.now() > later(from, REST) {
            break broken;
        }
        // The next event, or a while: then look again.
        let _ =
            tokio::time::timeout(Duration::from_secs(1), app.events().signal().reached(seen.next())).await;
    };
    lives.push(Lived { from, to: SystemClock.now() });
    for promise in Promise::ALL {
        let how: Vec<_> = broken.iter().filter(|broken| broken.promise == promise).cloned().collect();
        assert!(how.is_empty(), "{promise}?\n{}", told(&how));
    }
    let outlived = outlived(&app, &lives).await;
    assert!(outlived.is_empty(), "no hold that outlives its expiry by more than 10 s?\n{outlived:#?}");
    let paid = gateway.ledger().entries().len();
    assert!(paid > 0, "nobody got so far as to pay: the load proves nothing");
    app.shutdown().await.expect("an orderly end");
}
