//! The on-sale rush: a thousand places, and buyers who come whether or not those before them have been served. Each is
//! another user at another address, under the rate limits that production has by default.

use super::program::Program;
use super::samples::{Sample, Step, at_most, beside, errors, latencies, times};
use super::scene::{Pool, Scene};
use super::shop::{OnSale, Person};
use crate::measure::{Line, number};
use crate::{Http, Outcome};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

pub(super) const NAME: &str = "on-sale rush";

const PLACES: usize = 1_000;
/// Connections that a proxy in front would keep.
const CONNECTIONS: usize = 512;
const DEFAULT: Duration = Duration::from_secs(30);
const GOAL_MS: f64 = 500.0;
/// How exactly the client's timer wakes it; what is late counts as waiting.
const TICK: Duration = Duration::from_millis(1);

/// Arrivals: ever more for two thirds of the time, then as many as that for the rest.
#[derive(Debug, Clone, Copy)]
struct Plan {
    peak: f64,
    ramp: f64,
    end: f64,
}

impl Plan {
    fn of(settings: &Http) -> Self {
        let end = settings.seconds(DEFAULT).as_secs_f64();
        Self { peak: f64::from(settings.peak), ramp: end * 2.0 / 3.0, end }
    }

    /// When the arrival with this number is due, unless it is over then.
    fn due(&self, arrival: usize) -> Option<Duration> {
        let (arrival, climbed) = (number(arrival), self.peak * self.ramp / 2.0);
        let at = if arrival < climbed {
            (2.0 * self.ramp * arrival / self.peak).sqrt()
        } else {
            self.ramp + (arrival - climbed) / self.peak
        };
        (at < self.end).then(|| Duration::from_secs_f64(at))
    }
}

/// What all buyers share.
struct Sale {
    scene: Arc<Scene>,
    pool: Pool,
    show: OnSale,
    /// The last position that anybody was told.
    position: Mutex<u64>,
}

pub(super) async fn measure(settings: &Http, binary: &Path) -> Outcome<(Vec<Line>, Vec<Sample>)> {
    let program = Program::ticketing(binary, ("100", "20"))?;
    let plan = Plan::of(settings);
    let arrivals: Vec<Duration> = (0..).map_while(|arrival| plan.due(arrival)).collect();
    let mut people = Person::many(&program, arrivals.len() + 1).await?;
    let organiser = people.pop().ok_or("nobody came")?;
    let show = organiser.sells(&program, PLACES).await?;
    let scene = Scene::begin(program);
    let sale = Arc::new(Sale { scene, pool: Pool::of(CONNECTIONS), show, position: Mutex::default() });
    let mut buyers = JoinSet::new();
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for (due, person) in arrivals.into_iter().zip(people) {
        while sale.scene.now() < due {
            tick.tick().await;
        }
        buyers.spawn(buy(Arc::clone(&sale), person, due));
    }
    while let Some(left) = buyers.join_next().await {
        left?;
    }
    let Some(sale) = Arc::into_inner(sale) else { return Err("a buyer has not left".into()) };
    let Sale { scene, show, position, .. } = sale;
    let position = position.into_inner().unwrap_or_else(PoisonError::into_inner).to_string();
    let places = show.places(&scene.program, &position).await?;
    let samples = scene.end()?;
    Ok((lines(&samples, places, settings)?, samples))
}

/// One place, and pays for it.
async fn buy(sale: Arc<Sale>, person: Arc<Person>, due: Duration) {
    let ask = async |step, due, request: Vec<u8>| {
        let answer = sale.pool.send(&sale.scene.program, &request).await.ok();
        sale.scene.note(step, due, answer.as_ref());
        let answer = answer?;
        let position = answer.position.as_ref().and_then(|position| position.parse().ok()).unwrap_or(0);
        let mut last = sale.position.lock().unwrap_or_else(PoisonError::into_inner);
        *last = position.max(*last);
        answer.expect(201).ok()
    };
    let reserve = person.posts("/api/reservations", &sale.show.order());
    if let Some(order) = ask(Step::Reserve, due, reserve).await {
        ask(Step::Pay, sale.scene.now(), person.pays(&order)).await;
    }
}

fn lines(samples: &[Sample], [free, held, sold]: [u64; 3], settings: &Http) -> Outcome<Vec<Line>> {
    let with = |step, status| move |sample: &Sample| sample.step == step && sample.status == status;
    let (won, paid) = (times(samples, with(Step::Reserve, 201)), times(samples, with(Step::Pay, 201)));
    let asked = times(samples, |sample| sample.step == Step::Reserve);
    let unexpected = samples.iter().filter(|sample| !matches!(sample.status, 201 | 409)).count();
    let told = format!("{free} free, {held} held, {sold} sold; {} told that they have one", won.len());
    let given = if asked.len() < PLACES { asked.len() } else { PLACES };
    // What was never written down cannot be oversold, so the books are compared with what people were told.
    if held + sold != given as u64 || won.len() != given || sold != paid.len() as u64 {
        return Err(format!("the books do not agree with what buyers were told: {told}").into());
    }
    let peak = f64::from(settings.peak);
    let came: Vec<_> =
        samples.iter().filter(|sample| sample.step == Step::Reserve).map(|sample| sample.at).collect();
    let end = came.iter().max().copied().unwrap_or_default();
    let last = came.iter().filter(|at| **at + Duration::from_secs(1) > end).count();
    let mut lines = vec![
        beside(
            format!("{NAME}, arrivals a second at the end"),
            (number(last), "1/s"),
            (peak, "what was planned"),
        ),
        at_most(
            format!("{NAME}, places sold or held beyond {PLACES}"),
            (number(won.len().saturating_sub(PLACES)), "places"),
            0.0,
        ),
        at_most(format!("{NAME}, 5xx and lost answers"), (number(errors(samples)), "answers"), 0.0),
        at_most(format!("{NAME}, other answers than 201 and 409"), (number(unexpected), "answers"), 0.0),
    ];
    lines.extend(latencies(&format!("{NAME}, every arrival"), asked, GOAL_MS));
    lines.extend(latencies(&format!("{NAME}, who got a place"), won, GOAL_MS));
    lines.extend(latencies(&format!("{NAME}, payment"), paid, GOAL_MS));
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_grow_evenly_up_to_the_peak_and_stay_there() {
        let plan = Plan { peak: 1_500.0, ramp: 20.0, end: 30.0 };
        let due: Vec<_> = (0..).map_while(|arrival| plan.due(arrival)).collect();
        assert_eq!(due.len(), 15_000 + 15_000);
        let during =
            |from: f64, to: f64| due.iter().filter(|due| (from..to).contains(&due.as_secs_f64())).count();
        assert!((749..=751).contains(&during(9.5, 10.5)), "{}", during(9.5, 10.5));
        assert!((1_499..=1_501).contains(&during(25.0, 26.0)));
    }
}
