//! How often the base model allocates, counted by an allocator and not estimated. Durations are in `benches/micro.rs`.

use allocation_counter::measure;
use composable_rust::compose::{CasePath, Compose};
use composable_rust::effect::{CancelTimer, LoadEvents, LoadSnapshot};
use composable_rust::runtime::live_environment;
use composable_rust::runtime::store::Store;
use composable_rust::{
    Effects, Environment, Notification, Reducer, StreamId, StreamVersion, TimerId, async_effect, delay, lens,
    publish_event, reducer,
};
use std::hint::black_box;
use std::time::Duration;
use tokio::runtime::Builder;

#[derive(Debug, Clone, PartialEq)]
enum Action {
    Add(u64),
    Look(u64),
}

#[derive(Debug, serde::Serialize)]
struct Moved;

impl Notification for Moved {
    const TOPIC: &'static str = "moved";
}

fn total() -> impl Reducer<State = u64, Action = Action, Environment = Environment> + Send + Sync + 'static {
    reducer(|total: &mut u64, action, _: &Environment| match action {
        Action::Add(by) => {
            *total += by;
            Effects::none()
        }
        Action::Look(by) => async_effect! { name: "look", run: async move { Action::Add(by) } },
    })
}

/// Makes one effect.
type Make = Box<dyn FnOnce() -> Effects<Action>>;

fn allocations(run: impl FnOnce()) -> u64 {
    measure(run).count_total
}

#[test]
fn a_reduction_without_effects_allocates_nothing() {
    let (total, environment) = (total(), live_environment());
    let mut state = 0;
    let counted = allocations(|| {
        for by in 0..1000 {
            drop(black_box(total.reduce(&mut state, Action::Add(by), &environment)));
        }
    });
    assert_eq!((counted, state), (0, 499_500));
}

#[test]
fn an_effect_allocates_once() {
    let stream = StreamId::new("counter", "clicks").unwrap();
    let id = TimerId::derived(&["timer"]);
    let load = LoadEvents { stream: stream.clone(), after: StreamVersion::ZERO, limit: 10 };
    let snapshot = LoadSnapshot { stream };
    let big = [1_u64; 32];
    let kinds: [(&str, Make); 8] = [
        ("future", Box::new(move || Effects::future("sum", async move { Action::Add(big.iter().sum()) }))),
        ("stream", Box::new(|| Effects::stream("none", futures_util::stream::empty()))),
        ("delay", Box::new(|| delay! { after: Duration::from_secs(1), action: Action::Add(1) })),
        ("load events", Box::new(|| Effects::load_events(load, |_| None))),
        ("load snapshot", Box::new(move || Effects::load_snapshot(snapshot, move |_| Action::Add(big[0])))),
        ("cancel timer", Box::new(move || Effects::cancel_timer(CancelTimer { id }, |_| None))),
        ("notify", Box::new(|| publish_event! { notification: Moved })),
        ("cancel", Box::new(|| Effects::cancel("look"))),
    ];
    for (kind, make) in kinds {
        let mut made = Effects::none();
        assert_eq!(allocations(|| made = make()), 1, "{kind}");
        assert_eq!(made.len(), 1);
    }
}

#[test]
fn a_scoped_effect_allocates_once_more_and_none_allocates_nothing() {
    let lens = lens!((u64, u8), 0);
    let case = CasePath::new(Some, |action: Option<Action>| action.ok_or(None));
    let scoped = total().scope(lens, case);
    let environment = live_environment();
    let mut state = (0, 0);
    let mut count =
        |action| allocations(|| drop(black_box(scoped.reduce(&mut state, Some(action), &environment))));
    assert_eq!((count(Action::Add(1)), count(Action::Look(1))), (0, 2));
}

#[test]
fn a_send_without_effects_allocates_nothing() {
    let store = Store::new(0, total(), live_environment());
    let counted = allocations(|| {
        for by in 0..1000 {
            store.send(Action::Add(by)).unwrap();
        }
    });
    assert_eq!((counted, store.state(|total| *total)), (0, 499_500));
}

#[test]
fn a_send_with_one_effect_allocates_once_until_its_result_is_in_the_state() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let store = Store::new(0, total(), live_environment());
    let round = |actions: &[Action]| {
        runtime.block_on(async {
            for action in actions {
                store.send(action.clone()).unwrap();
            }
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        });
    };
    // The first effect starts the worker that the others use.
    round(&[Action::Look(1)]);
    let without = allocations(|| round(&[Action::Add(1)]));
    let with = allocations(|| round(&[Action::Look(1)]));
    assert_eq!((with - without, store.state(|total| *total)), (1, 3));
}
