//! What pure code costs: reducing, sending, making and mapping effects, deciding and evolving. Nothing here is durable.

use composable_rust::compose::{CasePath, Compose, Lens};
use composable_rust::runtime::live_environment;
use composable_rust::runtime::store::Store;
use composable_rust::{
    Action, CommandId, Context, Decider, Decision, Effects, Environment, Never, Reducer, State, async_effect,
    reducer,
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
    let lens: Lens<(u64, u8), u64> = Lens::new(|state| &state.0, |state| &mut state.0);
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

criterion_group!(benches, reduce, send, effects, decide);
criterion_main!(benches);
