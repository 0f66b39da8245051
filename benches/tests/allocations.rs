//! How often the base model allocates, counted by an allocator and not estimated. Durations are in `benches/micro.rs`.

use allocation_counter::measure;
use composable_rust::compose::{CasePath, Compose};
use composable_rust::effect::{
    AppendEvents, CancelTimer, DispatchCommand, LoadEvents, LoadSnapshot, SaveSnapshot, ScheduleTimer,
};
use composable_rust::json::Value;
use composable_rust::runtime::live_environment;
use composable_rust::runtime::store::Store;
use composable_rust::{
    Context, Decider, Decision, Effect, EffectKind, Effects, Environment, ExpectedVersion, Never,
    Notification, Reducer, State, StreamId, StreamVersion, TimerId, Timestamp, async_effect, delay, lens,
    publish_event, reducer,
};
use std::collections::BTreeSet;
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

#[derive(Debug, Clone, Default, State)]
struct Counter {
    total: u64,
}

#[derive(Debug, Clone, PartialEq, composable_rust::Action)]
enum CounterAction {
    #[command]
    Add { by: u64 },
    #[event]
    Added { by: u64 },
}

impl Decider for Counter {
    type Action = CounterAction;
    type Rejection = Never;

    fn decide(&self, command: CounterCommand, _: &Context) -> Decision<Self> {
        let CounterCommand::Add { by } = command;
        Ok(vec![CounterEvent::Added { by }])
    }

    fn evolve(&mut self, event: &CounterEvent) {
        let CounterEvent::Added { by } = event;
        self.total += by;
    }
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

/// Every kind, what making one costs, and why where that is more than one. Whatever an effect carries was made before,
/// except where the effect is said to encode it.
#[expect(clippy::unwrap_used, reason = "a test stops at what is not there")]
fn kinds() -> Vec<(&'static str, u64, Make)> {
    let stream = StreamId::new("counter", "clicks").unwrap();
    let id = TimerId::derived(&["timer"]);
    let due = Timestamp::UNIX_EPOCH;
    let load = LoadEvents { stream: stream.clone(), after: StreamVersion::ZERO, limit: 10 };
    let append = AppendEvents::new(stream.clone(), ExpectedVersion::Any, [CounterEvent::Added { by: 1 }]);
    let save = SaveSnapshot::new(stream.clone(), StreamVersion::ZERO, &Counter::default());
    let timer =
        ScheduleTimer { id, queue: "queue".into(), stream: stream.clone(), due, payload: Value::Null };
    let snapshot = LoadSnapshot { stream };
    let dispatch = DispatchCommand::new("clicks", &CounterCommand::Add { by: 1 });
    let encoding =
        allocations(|| drop(black_box(DispatchCommand::new("clicks", &CounterCommand::Add { by: 1 }))));
    let big = [1_u64; 32];
    vec![
        ("future", 1, Box::new(move || Effects::future("sum", async move { Action::Add(big.iter().sum()) }))),
        ("stream", 1, Box::new(|| Effects::stream("none", futures_util::stream::empty()))),
        ("delay", 1, Box::new(tick)),
        ("append events", 1, Box::new(|| Effects::append_events(append, |_| None))),
        ("load events", 1, Box::new(|| Effects::load_events(load, |_| None))),
        ("save snapshot", 1, Box::new(|| Effects::save_snapshot(save, |_| None))),
        (
            "load snapshot",
            1,
            Box::new(move || Effects::load_snapshot(snapshot, move |_| Action::Add(big[0]))),
        ),
        ("schedule timer", 1, Box::new(|| Effects::schedule_timer(timer, |_| None))),
        ("cancel timer", 1, Box::new(move || Effects::cancel_timer(CancelTimer { id }, |_| None))),
        ("notify", 1, Box::new(|| publish_event! { notification: Moved })),
        ("dispatch, encoded before", 1, Box::new(|| Effects::ask(dispatch, |_| None))),
        // Besides, what the request encodes: its key, and the command as JSON.
        (
            "dispatch, encoding",
            1 + encoding,
            Box::new(|| Effects::dispatch("clicks", &CounterCommand::Add { by: 1 }, |_| None)),
        ),
        ("cancel", 1, Box::new(|| Effects::cancel("look"))),
        // An effect around others is one of its own: the delay inside is the other allocation.
        ("cancellable delay", 2, Box::new(|| tick().cancellable("look"))),
        ("debounced delay", 2, Box::new(|| tick().debounce("look", Duration::ZERO))),
        ("throttled delay", 2, Box::new(|| tick().throttle("look", Duration::ZERO))),
        ("two delays in sequence", 3, Box::new(|| tick().concat(tick()))),
        ("two delays side by side in one", 3, Box::new(|| tick().merge(tick()).concat(Effects::none()))),
        // Side by side they need nothing around them, up to four; the fifth moves the list from the stack.
        ("four delays", 4, Box::new(|| Effects::parallel((0..4).map(|_| tick())))),
        ("five delays", 6, Box::new(|| Effects::parallel((0..5).map(|_| tick())))),
        // An action of another type has another size; a name inside a scope is a new text.
        ("mapped delay", 2, Box::new(|| tick().map(|action| action))),
        ("cancellable delay in a scope", 3, Box::new(|| tick().cancellable("look").within("child"))),
    ]
}

fn tick() -> Effects<Action> {
    delay! { after: Duration::from_secs(1), action: Action::Add(1) }
}

#[test]
fn an_effect_allocates_once_and_the_exceptions_are_known() {
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for (kind, expected, make) in kinds() {
        let mut made = Effects::none();
        let counted = allocations(|| made = make());
        if counted != expected {
            wrong.push((kind, counted, expected));
        }
        seen.extend(made.iter().map(Effect::kind));
    }
    assert_eq!(wrong, []);
    assert_eq!(seen.len(), EffectKind::Throttle as usize + 1, "every kind is measured");
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
