//! The way of a reservation: a hundred users who reserve, pay and fetch their tickets, over and over and without a pause.

use super::client::Request;
use super::program::{HIGH, Program};
use super::samples::{Sample, Step, at_most, beside, errors, latencies, times};
use super::scene::Scene;
use super::shop::{OnSale, Person};
use crate::measure::{Line, number};
use crate::{Http, Outcome};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

pub(super) const NAME: &str = "reservation flow";

const USERS: usize = 100;
const SHOWS: usize = 10;
/// The most that a section may have.
const PLACES: usize = 100_000;
const DEFAULT: Duration = Duration::from_secs(20);
/// Not measured: connections are opened, and code and pages are read for the first time.
const WARM_UP: Duration = Duration::from_secs(2);
const GOAL_MS: f64 = 50.0;

pub(super) async fn measure(settings: &Http, binary: &Path) -> Outcome<Vec<Line>> {
    let program = Program::ticketing(binary, (HIGH, HIGH))?;
    let people = Person::many(&program, USERS).await?;
    let shows = OnSale::many(&program, people.iter().take(SHOWS), PLACES).await?;
    let scene = Scene::begin(program);
    let end = WARM_UP + settings.seconds(DEFAULT);
    let mut users = JoinSet::new();
    for (number, person) in people.into_iter().enumerate() {
        users.spawn(buy(Arc::clone(&scene), Arc::clone(&shows), (number, person), end));
    }
    while let Some(left) = users.join_next().await {
        left??;
    }
    let samples = scene.end()?;
    let measured: Vec<_> = samples.into_iter().filter(|sample| (WARM_UP..end).contains(&sample.at)).collect();
    Ok(lines(&measured, end.saturating_sub(WARM_UP)))
}

/// Each order is of the next show.
async fn buy(
    scene: Arc<Scene>,
    shows: Arc<[OnSale]>,
    (number, person): (usize, Arc<Person>),
    end: Duration,
) -> Outcome<()> {
    let mut connection = scene.program.connection();
    for show in shows.iter().cycle().skip(number) {
        if scene.now() >= end {
            break;
        }
        let reserve = person.posts("/api/reservations", &show.order());
        let Some(reserved) = scene.ask(&mut connection, Step::Reserve, scene.now(), &reserve).await else {
            continue;
        };
        let Ok(order) = reserved.expect(201) else { continue };
        let Some(paid) = scene.ask(&mut connection, Step::Pay, scene.now(), &person.pays(&order)).await
        else {
            continue;
        };
        let path = format!("/api/tickets?reservation_id={}", order["id"].as_str().unwrap_or_default());
        // They are there as soon as the list shows what the payment has written.
        let position = paid.position.unwrap_or_default();
        let fetch = person.asks(Request::get(&path)).with("x-min-position", &position).bytes();
        let Some(fetched) = scene.ask(&mut connection, Step::Tickets, scene.now(), &fetch).await else {
            continue;
        };
        if fetched.expect(200)?["total"] != 1 {
            return Err(format!("an order was paid and has no ticket: {order}").into());
        }
    }
    Ok(())
}

fn lines(samples: &[Sample], time: Duration) -> Vec<Line> {
    let of = |step| times(samples, move |sample| sample.step == step);
    let failed = samples.iter().filter(|sample| !matches!(sample.status, 200 | 201)).count();
    let orders = of(Step::Tickets).len();
    let rate = number(orders) / time.as_secs_f64();
    let mut lines = vec![
        // Each of them asks for the next as soon as it has the last.
        beside(format!("{NAME}, orders bought by {USERS} users"), (rate, "1/s"), (number(USERS), "users")),
        at_most(format!("{NAME}, 5xx and lost answers"), (number(errors(samples)), "answers"), 0.0),
        at_most(format!("{NAME}, refused"), (number(failed), "answers"), 0.0),
    ];
    lines.extend(latencies(&format!("{NAME}, reservation"), of(Step::Reserve), GOAL_MS));
    lines.extend(latencies(&format!("{NAME}, payment"), of(Step::Pay), GOAL_MS));
    lines.extend(latencies(&format!("{NAME}, tickets seen"), of(Step::Tickets), GOAL_MS));
    lines
}
