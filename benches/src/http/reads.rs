//! How fast `/availability` is read: alone, beside a bare axum route that answers the same bytes, and while orders of
//! another show are placed; and a mix of everything that can be looked up.

use super::client::Request;
use super::program::{HIGH, Program};
use super::samples::{Step, at_most, beside, errors, latencies, times};
use super::scene::Scene;
use super::shop::{OnSale, Person};
use crate::measure::{Line, number};
use crate::{Http, Outcome};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

pub(super) const READS: &str = "availability reads";
pub(super) const MIX: &str = "query mix";

/// As many as a proxy would keep busy.
const READERS: usize = 32;
/// Orders a second of another show.
const ORDERS: u64 = 50;
const SHOWS: usize = 50;
const USERS: usize = 100;
const PLACES: usize = 10_000;
/// Rounds of ours and of the reference, in turn; the median counts.
const ROUNDS: usize = 5;
const DEFAULT: Duration = Duration::from_secs(20);
const REFERENCE: &str = "a bare axum route that answers the same bytes";
const MIX_GOAL_MS: f64 = 50.0;

/// What is asked for, over and over.
type Requests = Arc<[(Step, Vec<u8>)]>;

pub(super) async fn measure(settings: &Http, binary: &Path) -> Outcome<Vec<Line>> {
    let program = Program::ticketing(binary, (HIGH, HIGH))?;
    let people = Person::many(&program, 2).await?;
    let [organiser, buyer] = people.as_slice() else { return Err("nobody came".into()) };
    let (show, other) = (organiser.sells(&program, PLACES).await?, organiser.sells(&program, PLACES).await?);
    let path = show.availability();
    let body = String::from_utf8(program.ask(Request::get(&path)).await?.body)?;
    let requests: Requests = [(Step::Availability, Request::get(&path).bytes())].into();
    let (ours, bare) = (Scene::begin(program), Scene::begin(Program::bare(&body)?));
    let round = settings.seconds(DEFAULT) / 10;
    let (mut our_rates, mut bare_rates, mut busy_rates) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        our_rates.push(read(&ours, &requests, round).await?);
        bare_rates.push(read(&bare, &requests, round).await?);
        let placing = place(Arc::clone(&ours), Arc::clone(buyer), other.clone(), round);
        let (rate, placed) = tokio::join!(read(&ours, &requests, round), placing);
        placed?;
        busy_rates.push(rate?);
    }
    let [our_rate, bare_rate, busy_rate] = [our_rates, bare_rates, busy_rates].map(median);
    drop(bare);
    let samples = ours.end()?;
    let mut lines = vec![
        beside(READS, (our_rate, "1/s"), (bare_rate, REFERENCE)),
        beside(
            format!("{READS}, {ORDERS} orders a second elsewhere"),
            (busy_rate, "1/s"),
            (bare_rate, REFERENCE),
        ),
        at_most(format!("{READS}, 5xx and lost answers"), (number(errors(&samples)), "answers"), 0.0),
    ];
    let read = times(&samples, |sample| sample.step == Step::Availability);
    lines.extend(latencies(READS, read, MIX_GOAL_MS));
    Ok(lines)
}

/// A list of events, an event, its places, somebody's own orders, and all orders of an event as its organiser sees them.
pub(super) async fn mix(settings: &Http, binary: &Path) -> Outcome<Vec<Line>> {
    let program = Program::ticketing(binary, (HIGH, HIGH))?;
    let people = Person::many(&program, USERS).await?;
    let (mut asked, mut shows) = (Vec::new(), Vec::new());
    for (number, organiser) in people.iter().enumerate().take(SHOWS) {
        shows.push((Arc::clone(organiser), organiser.sells(&program, PLACES).await?));
        asked.push((Step::Events, Request::get(&format!("/api/events?page={}", 1 + number % 3)).bytes()));
    }
    for (number, person) in people.iter().enumerate() {
        let Some((organiser, show)) = shows.get(number % SHOWS) else { continue };
        for _ in 0..5 {
            program
                .connection()
                .send(&person.posts("/api/reservations", &show.order()))
                .await?
                .expect(201)?;
        }
        let orders = organiser.asks(Request::get(&format!("/api/events/{}/orders", show.id)));
        asked.extend([
            (Step::Event, Request::get(&format!("/api/events/{}", show.id)).bytes()),
            (Step::Availability, Request::get(&show.availability()).bytes()),
            (Step::Orders, person.asks(Request::get("/api/reservations")).bytes()),
            (Step::Orders, orders.bytes()),
        ]);
    }
    let scene = Scene::begin(program);
    let rate = read(&scene, &asked.into(), settings.seconds(DEFAULT)).await?;
    let samples = scene.end()?;
    let failed = samples.iter().filter(|sample| sample.status != 200).count();
    let mut lines = vec![
        beside(format!("{MIX}, {READERS} connections"), (rate, "1/s"), (number(READERS), "connections")),
        at_most(format!("{MIX}, answers other than 200"), (number(failed), "answers"), 0.0),
    ];
    for (step, name) in [
        (Step::Events, "list of events"),
        (Step::Event, "event"),
        (Step::Availability, "availability"),
        (Step::Orders, "orders"),
    ] {
        let took = times(&samples, |sample| sample.step == step);
        lines.extend(latencies(&format!("{MIX}, {name}"), took, MIX_GOAL_MS));
    }
    Ok(lines)
}

/// All readers ask one thing after the other, as fast as they are answered; how many answers a second they get.
async fn read(scene: &Arc<Scene>, requests: &Requests, time: Duration) -> Outcome<f64> {
    let (start, mut readers) = (scene.now(), JoinSet::new());
    for reader in 0..READERS {
        let (scene, requests) = (Arc::clone(scene), Arc::clone(requests));
        readers.spawn(async move {
            let (mut connection, mut count) = (scene.program.connection(), 0);
            // Each begins elsewhere, and they stay apart.
            for (step, request) in requests.iter().cycle().skip(reader * requests.len() / READERS) {
                let due = scene.now();
                if due >= start + time {
                    break;
                }
                let answer = scene.ask(&mut connection, *step, due, request).await;
                count += usize::from(answer.is_some_and(|answer| answer.status == 200));
            }
            count
        });
    }
    let mut count = 0;
    while let Some(read) = readers.join_next().await {
        count += read?;
    }
    Ok(number(count) / (scene.now().saturating_sub(start)).as_secs_f64())
}

/// Places orders at an even pace.
async fn place(scene: Arc<Scene>, buyer: Arc<Person>, show: OnSale, time: Duration) -> Outcome<()> {
    let (start, mut connection) = (scene.now(), scene.program.connection());
    let mut pace = interval(Duration::from_secs(1) / u32::try_from(ORDERS)?);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while scene.now() < start + time {
        pace.tick().await;
        let order = buyer.posts("/api/reservations", &show.order());
        if let Some(answer) = scene.ask(&mut connection, Step::Reserve, scene.now(), &order).await {
            answer.expect(201)?;
        }
    }
    Ok(())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
}
