//! A hundred users for minutes, as they are: they look, think, reserve, pay, give up or forget what they hold, and look at
//! their orders. Meanwhile the program's memory is watched.

use super::client::{Answer, Connection, Request};
use super::program::{HIGH, Program};
use super::samples::{Sample, Step, at_most, beside, errors, latencies, times};
use super::scene::Scene;
use super::shop::{OnSale, Person};
use crate::measure::{Line, number};
use crate::{Http, Outcome};
use composable_rust::Randomness;
use composable_rust::runtime::live_environment;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

pub(super) const NAME: &str = "100 users";

const USERS: usize = 100;
const SHOWS: usize = 10;
const PLACES: usize = 100_000;
const DEFAULT: Duration = Duration::from_mins(1);
/// Between two requests of one user: from half of this to three halves.
const THINKS: Duration = Duration::from_millis(100);
/// How often the program's memory is looked at.
const LOOK: Duration = Duration::from_secs(1);
const GOAL_MS: f64 = 50.0;
/// How many percent the memory may grow from the middle to the end.
const GROWTH: f64 = 5.0;

/// The program's memory over time, in MiB.
pub(super) type Memory = Vec<(Duration, f64)>;

pub(super) async fn measure(settings: &Http, binary: &Path) -> Outcome<(Vec<Line>, Memory)> {
    let program = Program::ticketing(binary, (HIGH, HIGH))?;
    let people = Person::many(&program, USERS).await?;
    let shows = OnSale::many(&program, people.iter().take(SHOWS), PLACES).await?;
    let scene = Scene::begin(program);
    let end = settings.seconds(DEFAULT);
    let mut users = JoinSet::new();
    for person in people {
        let user = User {
            connection: scene.program.connection(),
            scene: Arc::clone(&scene),
            person,
            random: live_environment().random,
        };
        users.spawn(user.live(Arc::clone(&shows), end));
    }
    let (mut memory, mut look) = (Memory::new(), interval(LOOK));
    while scene.now() < end {
        look.tick().await;
        memory.push((scene.now(), scene.program.memory()?));
    }
    while let Some(left) = users.join_next().await {
        left?;
    }
    let samples = scene.end()?;
    Ok((lines(&samples, &memory, end), memory))
}

struct User {
    scene: Arc<Scene>,
    person: Arc<Person>,
    connection: Connection,
    random: Arc<dyn Randomness>,
}

impl User {
    async fn live(mut self, shows: Arc<[OnSale]>, end: Duration) {
        while self.scene.now() < end {
            let Some(show) = shows.get(self.draws(SHOWS as u64)) else { return };
            // What failed is noted, and he goes on with something else.
            drop(self.visit(show).await);
        }
    }

    /// One visit: he looks around, and perhaps orders.
    async fn visit(&mut self, show: &OnSale) -> Outcome<()> {
        self.asks(Step::Events, Request::get("/api/events").bytes()).await?;
        self.asks(Step::Event, Request::get(&format!("/api/events/{}", show.id)).bytes()).await?;
        self.asks(Step::Availability, Request::get(&show.availability()).bytes()).await?;
        if self.draws(2) == 0 {
            return Ok(());
        }
        let reserve = self.person.posts("/api/reservations", &show.order());
        let order = self.asks(Step::Reserve, reserve).await?.expect(201)?;
        let of_order = |path: &str| format!("{path}{}", order["id"].as_str().unwrap_or_default());
        match self.draws(10) {
            0 => drop(self.asks(Step::GiveUp, self.gives_up(&order)).await?),
            // He forgets it, and it expires.
            1 => {}
            _ => {
                let paid = self.asks(Step::Pay, self.person.pays(&order)).await?;
                let tickets = self.person.asks(Request::get(&of_order("/api/tickets?reservation_id=")));
                let tickets = tickets.with("x-min-position", &paid.position.unwrap_or_default());
                self.asks(Step::Tickets, tickets.bytes()).await?;
                self.asks(Step::Orders, self.person.payments()).await?;
            }
        }
        let orders = self.person.asks(Request::get("/api/reservations")).bytes();
        self.asks(Step::Orders, orders).await?;
        Ok(())
    }

    fn gives_up(&self, order: &Value) -> Vec<u8> {
        let path = format!("/api/reservations/{}", order["id"].as_str().unwrap_or_default());
        self.person.asks(Request::delete(&path)).bytes()
    }

    /// Thinks, and asks.
    async fn asks(&mut self, step: Step, request: Vec<u8>) -> Outcome<Answer> {
        let some = Duration::from_micros(self.random.next_u64() % 1_000_000).mul_f64(THINKS.as_secs_f64());
        sleep(THINKS / 2 + some).await;
        let due = self.scene.now();
        let answer = self.scene.ask(&mut self.connection, step, due, &request).await;
        answer.ok_or_else(|| "there was no answer".into())
    }

    /// A number below `count`.
    fn draws(&self, count: u64) -> usize {
        usize::try_from(self.random.next_u64() % count).unwrap_or(0)
    }
}

fn lines(samples: &[Sample], memory: &Memory, end: Duration) -> Vec<Line> {
    let failed = samples.iter().filter(|sample| !matches!(sample.status, 200 | 201 | 204)).count();
    let rate = number(samples.len()) / end.as_secs_f64();
    let mut lines = vec![
        beside(
            format!("{NAME}, requests"),
            (rate, "1/s"),
            (number(USERS) / THINKS.as_secs_f64(), "if answers took no time"),
        ),
        at_most(format!("{NAME}, 5xx and lost answers"), (number(errors(samples)), "answers"), 0.0),
        at_most(format!("{NAME}, refused"), (number(failed), "answers"), 0.0),
    ];
    let reads = [Step::Events, Step::Event, Step::Availability, Step::Orders, Step::Tickets];
    let read = times(samples, |sample| reads.contains(&sample.step));
    lines.extend(latencies(&format!("{NAME}, reads"), read, GOAL_MS));
    for (step, name) in [(Step::Reserve, "reservation"), (Step::Pay, "payment")] {
        lines.extend(latencies(
            &format!("{NAME}, {name}"),
            times(samples, |sample| sample.step == step),
            GOAL_MS,
        ));
    }
    let about = |share: f64| {
        let near = |(at, _): &&(Duration, f64)| (at.as_secs_f64() / end.as_secs_f64() - share).abs() < 0.05;
        let there: Vec<f64> = memory.iter().filter(near).map(|(_, size)| *size).collect();
        there.iter().sum::<f64>() / number(there.len())
    };
    let [middle, last] = [0.5, 0.95].map(about);
    lines.push(beside(format!("{NAME}, memory at the end"), (last, "MiB"), (middle, "MiB in the middle")));
    let growth = (last / middle - 1.0) * 100.0;
    lines.push(at_most(format!("{NAME}, memory's growth in the second half"), (growth, "%"), GROWTH));
    lines
}
