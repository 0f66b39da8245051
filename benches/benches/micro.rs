//! What pure code costs: reducing, sending, making and mapping effects, deciding, evolving and
//! projecting. Nothing here is durable.

use composable_rust::compose::{CasePath, Compose};
use composable_rust::runtime::live_environment;
use composable_rust::runtime::store::Store;
use composable_rust::{
    Action, CommandId, Context, Decider, Decision, Effects, Environment, EventId, EventMetadata, Folded,
    Never, Position, Projection, Recorded, Reducer, Row, RowBatch, Rows, State, StreamVersion, async_effect,
    lens, reducer,
};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

#[derive(Debug, Clone, PartialEq)]
enum Sum {
    Add(u64),
    Look(u64),
}

fn sum() -> impl Reducer<State = u64, Action = Sum, Environment = Environment> + Send + Sync + 'static {
    reducer(|total: &mut u64, action, _: &Environment| match action {
        Sum::Add(by) => {
            *total = total.wrapping_add(by);
            Effects::none()
        }
        Sum::Look(by) => async_effect! { name: "look", run: async move { Sum::Add(by) } },
    })
}

fn reduce(criterion: &mut Criterion) {
    let environment = live_environment();
    let (plain, mut total) = (sum(), 0);
    criterion.bench_function("reduce/no effects", |bencher| {
        bencher.iter(|| plain.reduce(&mut total, black_box(Sum::Add(1)), &environment));
    });
    criterion.bench_function("reduce/one effect", |bencher| {
        bencher.iter(|| plain.reduce(&mut total, black_box(Sum::Look(1)), &environment));
    });
    let lens = lens!((u64, u8), 0);
    let scoped = sum().scope(lens, CasePath::new(Some, |action: Option<Sum>| action.ok_or(None)));
    let mut state = (0, 0);
    criterion.bench_function("reduce/scoped, no effects", |bencher| {
        bencher.iter(|| scoped.reduce(&mut state, black_box(Some(Sum::Add(1))), &environment));
    });
}

fn send(criterion: &mut Criterion) {
    let store = Store::new(0, sum(), live_environment());
    criterion.bench_function("send/no effects", |bencher| {
        bencher.iter(|| store.send(black_box(Sum::Add(1))));
    });
    let mut observer = store.observe().ok();
    criterion.bench_function("send/no effects, one observer that lags", |bencher| {
        bencher.iter(|| store.send(black_box(Sum::Add(1))));
    });
    observer.take();
}

fn effects(criterion: &mut Criterion) {
    let four = || (0..4).map(|n| Effects::future("n", std::future::ready(Sum::Add(n))));
    criterion.bench_function("effects/make four", |bencher| bencher.iter(|| Effects::parallel(four())));
    criterion.bench_function("effects/make four and map them", |bencher| {
        bencher.iter(|| Effects::parallel(four()).map(Some));
    });
}

#[derive(Debug, Clone, Default, State)]
struct Counter {
    total: u64,
}

#[derive(Debug, Clone, PartialEq, Action)]
enum CounterAction {
    #[command]
    Add { amount: u64 },
    #[event]
    Added { amount: u64 },
}

impl Decider for Counter {
    type Action = CounterAction;
    type Rejection = Never;

    fn decide(&self, command: CounterCommand, _: &Context) -> Decision<Self> {
        match command {
            CounterCommand::Add { amount } => Ok(vec![CounterEvent::Added { amount }]),
        }
    }

    fn evolve(&mut self, event: &CounterEvent) {
        match event {
            CounterEvent::Added { amount } => self.total = self.total.wrapping_add(*amount),
        }
    }
}

fn decide(criterion: &mut Criterion) {
    let environment = live_environment();
    let context = Context::new(environment.now(), CommandId::from_uuid(environment.new_id()));
    let mut counter = Counter::default();
    criterion.bench_function("decide and evolve", |bencher| {
        bencher.iter(|| {
            let decided = counter.decide(black_box(CounterCommand::Add { amount: 1 }), &context);
            for event in decided.iter().flatten() {
                counter.evolve(event);
            }
        });
    });
}

#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "counter")]
struct Total {
    counter: String,
    amount: u64,
}

struct Totals;

impl Projection for Totals {
    type Event = CounterEvent;
    type Row = Total;
    const NAME: &'static str = "totals";

    fn project(&self, event: &Recorded<CounterEvent>, rows: &mut Rows<Total>) {
        let CounterEvent::Added { amount } = event.body;
        let new = || Total { counter: event.key().clone(), amount: 0 };
        rows.upsert(event.key(), new, |row| row.amount = row.amount.wrapping_add(amount));
    }
}

/// Folding a batch of 1,000 events over 100 rows, without a store.
fn project(criterion: &mut Criterion) {
    let environment = live_environment();
    let event = |number: u32| Recorded {
        body: CounterEvent::Added { amount: 1 },
        key: format!("counter-{}", number % 100),
        position: Position::from(number),
        version: StreamVersion::from(number),
        id: EventId::from_uuid(environment.new_id()),
        recorded_at: environment.now(),
        metadata: EventMetadata::default().encode(),
    };
    let events: Vec<_> = (1..=1_000).map(event).collect();
    criterion.bench_function("project/1,000 events, rows unknown", |bencher| {
        bencher.iter(|| {
            let mut batch = RowBatch::new();
            while batch.fold(&Totals, &events) == Folded::Missing {
                drop(batch.supply(Vec::new()));
            }
            batch.changes()
        });
    });
    let mut batch = RowBatch::new();
    criterion.bench_function("project/1,000 events, rows known", |bencher| {
        bencher.iter(|| {
            while batch.fold(&Totals, &events) == Folded::Missing {
                drop(batch.supply(Vec::new()));
            }
            let changes = batch.changes();
            batch.settle(1_000);
            changes
        });
    });
}

criterion_group!(benches, reduce, send, effects, decide, project);
criterion_main!(benches);
