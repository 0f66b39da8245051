//! The real program, killed with SIGKILL in the middle of a mixed load, again and again on the same data.
//!
//! It is killed at any time from its start on, while it makes its tables, loads the demo, answers. What it answered with
//! success is held against it. The seed draws lifetimes and requests; when the machine does what is the machine's, so
//! that a seed repeats the plan of a round and not its every moment.
//!
//! `PROVE_SECONDS` kills for so long, in rounds of twenty with a show of their own; `PROVE_KILLS` at least so often.
//! Without them there is one round. What the load does is in `kill/load.rs`.

mod load;

use crate::acknowledged::Acknowledged;
use crate::binary::{OnSale, Server, event, folder, ticketing};
use crate::books::Books;
use crate::holds::{Lived, outlived};
use crate::invariants::{Promise, broken, told};
use crate::proof::{Proof, number};
use composable_rust::runtime::SystemClock;
use composable_rust::{Clock, Randomness, SeededRandom, elapsed, later};
use futures_util::future::join_all;
use load::Load;
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use ticketing::payment::gateway::{Entry, Fate};

const KILLS: u64 = 20;
const ORGANISER: &str = "org@example.org";
const BUYERS: u64 = 12;
/// Short holds, so that they end while the program is dead as well as while it lives.
const VARIABLES: [(&str, &str); 2] = [("HOLD_SECONDS", "2"), ("PAYMENT_SECONDS", "3")];
/// Everything ends within the longest hold, payment and pause between two questions to the gateway.
const REST: Duration = Duration::from_mins(2);

/// Lives on a new folder, before there is anything to buy.
const FIRST_KILLS: u64 = 5;
/// How soon after the start of the program it is killed while it starts, and while it works.
const STARTING: u64 = 300;
const WORKING: u64 = 1_500;
/// How soon after it says that it listens a view shows what was written since.
const SHOWN: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn kill_at_random_points_breaks_no_promise() {
    if let Some(seed) = number("KILL_SEED") {
        return round(seed).await;
    }
    let proof = Proof::of(1);
    let mut seed = proof.first();
    let rounds = number("PROVE_KILLS").unwrap_or(0).div_ceil(KILLS);
    while proof.goes_on(seed) || seed - proof.first() < rounds {
        // Shown if the round fails.
        eprintln!("plan again: KILL_SEED={seed} cargo test -p ticketing --test it kill_at_random_points");
        round(seed).await;
        seed += 1;
    }
}

/// Twenty kills on the data of one show.
async fn round(seed: u64) {
    let (folder, random) = (folder(), SeededRandom::new(seed));
    let (acknowledged, mut lives) = (Acknowledged::default(), Vec::new());
    for _ in 0..FIRST_KILLS {
        live(folder.path(), &random, STARTING, async |_| {}).await;
    }
    let show = {
        let server = Server::start(folder.path(), &VARIABLES);
        let organiser = server.sign_in(ORGANISER).await;
        let mut section = event(60)["sections"][0].clone();
        section.as_object_mut().unwrap().remove("capacity");
        section["kind"] = json!("seated");
        section["rows"] = (0..6).map(|row| json!({ "name": format!("{row}"), "seats": 10 })).collect();
        organiser.sell_with(60, json!({ "max_per_customer": 40, "sections": [section] })).await
    };
    for life in 0..KILLS {
        let from = SystemClock.now();
        let longest = if random.next_u64().is_multiple_of(3) { STARTING } else { WORKING };
        live(folder.path(), &random, longest, async |server| {
            let load = Load { server, show: &show, acknowledged: &acknowledged, random: &random, life };
            let buyers = join_all((0..BUYERS).map(|buyer| load.buy(buyer)));
            futures_util::join!(buyers, load.organise(), load.side_show());
        })
        .await;
        lives.push(Lived { from, to: SystemClock.now() });
    }
    let from = SystemClock.now();
    shows_at_once(folder.path()).await;
    if random.next_u64().is_multiple_of(2) {
        cancel(folder.path(), &show).await;
    }
    lives.push(Lived { from, to: SystemClock.now() });
    come_to_rest(folder.path(), lives, &acknowledged).await;
    let server = Server::start(folder.path(), &VARIABLES);
    let otherwise = acknowledged.answered_otherwise(&server).await;
    assert!(otherwise.is_empty(), "a repeat gets another answer:\n{}", otherwise.join("\n"));
    let (posts, tickets) = acknowledged.counts();
    assert!(
        posts > 0 && tickets > 0,
        "{posts} requests were answered, {tickets} tickets shown: nothing is proven"
    );
}

/// One life of the program, with or without the demo: `load` meets it when it listens, and it is killed within
/// `longest` ms of its start, wherever it is.
async fn live(folder: &Path, random: &SeededRandom, longest: u64, load: impl AsyncFnOnce(&Server)) {
    let mut command = ticketing(folder);
    command.envs(VARIABLES);
    if random.next_u64().is_multiple_of(3) {
        command.arg("--demo");
    }
    let lifetime = Duration::from_millis(random.next_u64() % longest);
    let mut server = Server::launch(&mut command);
    let life = async {
        server.listens().await;
        load(&server).await;
    };
    // It lives until it is killed: the end of the time is the point.
    _ = tokio::time::timeout(lifetime, life).await;
    drop(server);
}

/// After a kill, a view follows as soon as the program listens: it waits for no lease of the dead.
async fn shows_at_once(folder: &Path) {
    let server = Server::start(folder, &VARIABLES);
    let listening = SystemClock.now();
    let organiser = server.sign_in(ORGANISER).await;
    let new = organiser.post_as("/api/events", "at-once", event(1)).await.expect(201);
    let id = new.text("/id");
    let published =
        organiser.post_as(&format!("/api/events/{id}/publish"), "at-once", json!({})).await.expect(200);
    let path = format!("/api/events/{id}/availability");
    let request = server.request(Method::GET, &path).header("x-min-position", published.header("x-position"));
    assert_eq!(request.send().await.expect("an answer").status(), 200);
    let took = elapsed(listening, SystemClock.now());
    assert!(took < SHOWN, "a view shows a new write {took:?} after the program listens");
}

/// The show is cancelled, and the program killed as soon as it has said so.
async fn cancel(folder: &Path, show: &OnSale) {
    let server = Server::start(folder, &VARIABLES);
    let organiser = server.sign_in(ORGANISER).await;
    organiser.delete(&format!("/api/events/{}", show.id)).await.expect(204);
}

/// Starts the application on what the killed program left, and waits until every promise is kept.
async fn come_to_rest(folder: &Path, mut lives: Vec<Lived>, acknowledged: &Acknowledged) {
    let from = SystemClock.now();
    let Books { app, gateway } = Books::open(folder).await;
    let broken = loop {
        let seen = app.events().signal().position();
        let broken = broken(&app, gateway.ledger()).await;
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
    let lost = acknowledged.lost(&app).await;
    assert!(lost.is_empty(), "acknowledged and lost:\n{}", lost.join("\n"));
    let known = known_outcomes(&gateway.ledger().entries());
    eprintln!("the gateway has {known:?}");
    let paid = gateway.ledger().entries().len();
    assert!(paid > 0, "nobody got so far as to pay: the load proves nothing");
    app.shutdown().await.expect("an orderly end");
}

/// How many attempts came to what.
fn known_outcomes(entries: &[Entry]) -> BTreeMap<&'static str, usize> {
    let mut known = BTreeMap::new();
    for entry in entries {
        let fate = match entry.fate {
            Fate::Charged { .. } if entry.refunds.is_empty() => "charged",
            Fate::Charged { .. } if entry.kept() > 0 => "refunded in part",
            Fate::Charged { .. } => "refunded",
            Fate::RequiresAction => "waiting for its payer",
            Fate::Late { .. } => "late",
            Fate::Declined => "declined",
            Fate::Stopped => "stopped",
        };
        *known.entry(fate).or_default() += 1;
    }
    known
}
