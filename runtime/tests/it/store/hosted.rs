//! Effects that need storage, on the memory adapters.

use super::{Action, Pending, logging};
use crate::domain::{StockCommand, StockEvent};
use composable_rust_core::effect::{
    CancelTimer, EffectHost, LoadEvents, LoadSnapshot, Notice, SaveSnapshot, ScheduleTimer,
};
use composable_rust_core::port::{OpenStorage, Storage};
use composable_rust_core::{
    Effects, ExpectedVersion, Notification, SchemaVersion, State, StreamId, StreamVersion, TimerId,
    append_events, publish_event,
};
use composable_rust_runtime::store::{Notices, StorageHost, Store, StoreOptions};
use composable_rust_testing::memory::MemoryStorage;
use composable_rust_testing::{TestEnvironment, test_environment};
use serde_json::json;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct Total(u32);

impl composable_rust_core::Shaped for Total {}

impl State for Total {
    const SCHEMA: SchemaVersion = SchemaVersion::FIRST;
}

#[derive(Debug, serde::Serialize)]
struct Restocked {
    by: u32,
}

impl Notification for Restocked {
    const TOPIC: &'static str = "restocked";
}

fn stock() -> StreamId {
    StreamId::new("stock", "a").unwrap()
}

fn open(control: &TestEnvironment) -> Storage {
    let environment = control.environment.clone();
    let storage = MemoryStorage::new();
    Pending::start(control, async move { storage.open(&environment).await.unwrap() }).take().unwrap()
}

/// What the actions of a store came to on `host` when `effects` were asked for, one after the other.
fn outcomes<F>(control: &TestEnvironment, host: Arc<dyn EffectHost>, effects: F) -> Vec<String>
where
    F: Fn() -> Effects<Action> + Send + Sync + 'static,
{
    let reducer = logging(move |action| match action {
        Action::Go(_) => effects(),
        _ => Effects::none(),
    });
    let environment = control.environment.clone();
    let store = Store::with_host(Vec::new(), reducer, environment, host, StoreOptions::default());
    store.send(Action::Go("all")).unwrap();
    control.tasks.run();
    store.state(|actions| {
        let outcome = |action: &Action| match action {
            Action::Outcome(text) => Some(text.clone()),
            _ => None,
        };
        actions.iter().filter_map(outcome).collect()
    })
}

fn fill(expected: ExpectedVersion) -> Effects<Action> {
    append_events! {
        stream: stock(),
        expected: expected,
        events: [StockEvent::Filled { amount: 3 }],
        on_success: |appended| Action::Outcome(format!("appended {}", appended.streams[0].after)),
        on_error: |error| Action::Outcome(error.to_string()),
    }
}

#[test]
fn events_are_appended_at_their_version_and_loaded_again() {
    let control = test_environment();
    let host = StorageHost::new(&open(&control), control.environment.clone());
    let told = outcomes(&control, Arc::new(host), || {
        let load = LoadEvents { stream: stock(), after: StreamVersion::ZERO, limit: 10 };
        Effects::sequential([
            fill(ExpectedVersion::NoStream),
            fill(ExpectedVersion::NoStream),
            fill(ExpectedVersion::Exact(1_u32.into())),
            Effects::load_events(load, |events| {
                let versions: Vec<_> = events.unwrap().iter().map(|event| event.version.get()).collect();
                Action::Outcome(format!("loaded {versions:?}"))
            }),
        ])
    });
    let conflict = "stream stock/a is at version 1, expected no stream";
    assert_eq!(told, ["appended 1", conflict, "appended 2", "loaded [1, 2]"]);
}

#[test]
fn snapshots_are_saved_and_loaded() {
    let control = test_environment();
    let host = StorageHost::new(&open(&control), control.environment.clone());
    let told = outcomes(&control, Arc::new(host), || {
        let save = SaveSnapshot::new(stock(), 4_u32.into(), &Total(7));
        Effects::save_snapshot(save, |saved| Action::Outcome(format!("{saved:?}"))).concat(
            Effects::load_snapshot(LoadSnapshot { stream: stock() }, |loaded| {
                let snapshot = loaded.unwrap().unwrap();
                let total: Total = serde_json::from_slice(&snapshot.state).unwrap();
                Action::Outcome(format!("{total:?} at {}", snapshot.version))
            }),
        )
    });
    assert_eq!(told, ["Ok(())", "Total(7) at 4"]);
}

#[test]
fn durable_timers_are_set_and_removed() {
    let control = test_environment();
    let (storage, id) = (open(&control), TimerId::derived(&["hold"]));
    let host: Arc<dyn EffectHost> = Arc::new(StorageHost::new(&storage, control.environment.clone()));
    let pending = || {
        let timers = Arc::clone(&storage.timers);
        Pending::start(&control, async move { timers.pending(&stock()).await.unwrap() }).take().unwrap()
    };
    let due = control.environment.now();
    let told = outcomes(&control, Arc::clone(&host), move || {
        let payload = json!({ "hold": 1 });
        let timer = ScheduleTimer { id, queue: "holds".into(), stream: stock(), due, payload };
        Effects::schedule_timer(timer, |set| Action::Outcome(format!("{}", set.is_ok())))
    });
    assert_eq!(told, ["true"]);
    let set = pending();
    assert_eq!((set[0].timer.id, set[0].timer.payload.as_ref()), (id, br#"{"hold":1}"#.as_slice()));

    let told = outcomes(&control, host, move || {
        Effects::cancel_timer(CancelTimer { id }, |cancelled| {
            Action::Outcome(format!("{}", cancelled.is_ok()))
        })
    });
    assert_eq!((told, pending().len()), (vec!["true".to_owned()], 0));
}

#[test]
fn notices_reach_who_listens_and_a_command_without_a_dispatcher_fails() {
    let control = test_environment();
    let notices = Notices::new(8);
    let mut listener = notices.listen();
    let host =
        StorageHost::new(&open(&control), control.environment.clone()).with_notifier(Arc::new(notices));
    let told = outcomes(&control, Arc::new(host), || {
        let notice = publish_event! { notification: Restocked { by: 3 } };
        let command = StockCommand::Fill { amount: 3 };
        let dispatched = Effects::dispatch("a", &command, |done| {
            let error = done.unwrap_err();
            Action::Outcome(std::error::Error::source(&error).unwrap().to_string())
        });
        notice.merge(dispatched)
    });
    assert!(told[0].contains("give the host a dispatcher"), "{told:?}");
    let heard = Pending::start(&control, async move { listener.next().await }).take().unwrap();
    assert_eq!(heard, Ok(Notice { topic: "restocked", payload: Ok(json!({ "by": 3 })) }));
}

#[test]
fn a_store_without_a_host_says_what_it_lacks() {
    let control = test_environment();
    let host = Arc::new(composable_rust_core::effect::NoHost);
    let told = outcomes(&control, host, || fill(ExpectedVersion::Any));
    assert_eq!(told, ["the request is wrong: this store has no effect host; start it with one"]);
}
