//! The real program, killed with SIGKILL in the middle of a mixed load, again and again on the same data.
//!
//! `PROVE_SECONDS` kills for so long; without it twenty times.

use crate::binary::{OnSale, Server, folder};
use crate::invariants::{broken, told};
use composable_rust::prelude::*;
use composable_rust::runtime::SystemClock;
use composable_rust::{Randomness, SeededRandom};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use ticketing::domain;
use ticketing::payment::gateway::{Ledger, PaymentGateway, SimulatedGateway};

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
    let folder = folder();
    let random = SeededRandom::new(7);
    let show = {
        let server = Server::start(folder.path(), &VARIABLES);
        let organiser = server.sign_in("org@example.org").await;
        organiser.sell_with(60, json!({ "max_per_customer": 40 })).await
    };
    let mut kills = 0;
    while goes_on(kills) {
        let server = Server::start(folder.path(), &VARIABLES);
        let answers = Answers::default();
        let buyers = (0..BUYERS).map(|buyer| buy(&server, &show, &answers, (kills, buyer), &random));
        let enough = 1 + random.next_u64() % (BUYERS * 4);
        tokio::select! {
            biased;
            () = answers.reached(enough) => {}
            _ = join_all(buyers) => {}
        }
        drop(server);
        kills += 1;
    }
    come_to_rest(folder.path(), &show).await;
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
async fn come_to_rest(folder: &Path, show: &OnSale) {
    let ledger = Ledger::open(&folder.join("data/ticketing.gateway.jsonl")).expect("the gateway's books");
    let gateway = Arc::new(SimulatedGateway::new(ledger, Arc::new(SystemClock)));
    let storage = Sqlite::file(folder.join("data/ticketing.db"));
    let port = Arc::clone(&gateway) as Arc<dyn PaymentGateway>;
    let app = domain(&port).storage(storage).start().await.expect("the killed program's data");
    let started = now();
    loop {
        let seen = app.events().signal().position();
        let broken = broken(&app, &show.section, gateway.ledger()).await;
        if broken.is_empty() {
            break;
        }
        assert!(started.elapsed() < REST, "{}", told(&broken));
        // The next event, or a while: then look again.
        let _ =
            tokio::time::timeout(Duration::from_secs(1), app.events().signal().reached(seen.next())).await;
    }
    assert!(!gateway.ledger().entries().is_empty(), "nobody got so far as to pay: the load proves nothing");
    app.shutdown().await.expect("an orderly end");
}

fn goes_on(kills: u64) -> bool {
    static STARTED: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let started = STARTED.get_or_init(now);
    let seconds = std::env::var("PROVE_SECONDS").ok().and_then(|text| text.parse().ok());
    seconds.map_or(kills < KILLS, |seconds| started.elapsed() < Duration::from_secs(seconds))
}

#[expect(clippy::disallowed_methods, reason = "how long a person waits is the machine's time")]
fn now() -> Instant {
    Instant::now()
}
