//! The `TestStore`: what it lets pass, and how each kind of forgotten assertion reads.

use composable_rust_core::effect::{CancelTimer, LoadEvents};
use composable_rust_core::port::StoreError;
use composable_rust_core::{
    EffectDescription, Effects, Environment, Reducer, StreamId, StreamVersion, async_effect, delay, reducer,
};
use composable_rust_testing::TestStore;
use futures_util::stream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Default, PartialEq)]
struct Search {
    text: String,
    hits: Vec<String>,
    failed: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Action {
    Typed(&'static str),
    Searched(Vec<String>),
    Load,
    Loaded(usize),
    LoadFailed,
    Follow,
    Slowly,
    Stop,
}

fn search() -> impl Reducer<State = Search, Action = Action, Environment = Environment> + Send + Sync + 'static
{
    reducer(|state: &mut Search, action, _: &Environment| match action {
        Action::Typed(text) => {
            text.clone_into(&mut state.text);
            find(text).debounce("search", SECOND)
        }
        Action::Searched(hits) => {
            state.hits = hits;
            Effects::none()
        }
        Action::Load => Effects::load_events(load(), |loaded| match loaded {
            Ok(events) => Action::Loaded(events.len()),
            Err(_) => Action::LoadFailed,
        }),
        Action::LoadFailed => {
            state.failed = true;
            Effects::none()
        }
        Action::Loaded(_) => Effects::none(),
        Action::Follow => Effects::stream("follow", stream::pending()).cancellable("follow"),
        Action::Slowly => delay! { after: 2 * SECOND, action: Action::Loaded(2) }
            .merge(delay! { after: SECOND, action: Action::Loaded(1) }),
        Action::Stop => Effects::cancel("follow"),
    })
}

fn find(text: &'static str) -> Effects<Action> {
    async_effect! { name: format!("search {text}"), run: async move { Action::Searched(vec![text.to_owned()]) } }
}

fn load() -> LoadEvents {
    let stream = StreamId::new("search", "history").unwrap();
    LoadEvents { stream, after: StreamVersion::ZERO, limit: 10 }
}

fn failure(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).expect_err("the test fails");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn a_debounced_search_is_done_once_after_the_last_key() {
    let mut store = TestStore::new(Search::default(), search());
    store.send(Action::Typed("a"), |state| state.text = "a".into());
    store.expect_effect(find("a").debounce("search", SECOND));
    store.advance(SECOND / 2);
    store.send(Action::Typed("ab"), |state| state.text = "ab".into());
    store.expect_effect(find("ab").debounce("search", SECOND));
    store.advance(SECOND);
    store.receive(Action::Searched(vec!["ab".into()]), |state| state.hits = vec!["ab".into()]);
}

#[test]
fn time_moves_from_one_wake_up_to_the_next() {
    let mut store = TestStore::new(Search::default(), search());
    store.send(Action::Slowly, |_| {});
    store.expect_effect(delay! { after: 2 * SECOND, action: Action::Loaded(2) });
    store.expect_effect(delay! { after: SECOND, action: Action::Loaded(1) });
    store.advance(10 * SECOND);
    store.receive(Action::Loaded(1), |_| {});
    store.receive(Action::Loaded(2), |_| {});
}

#[test]
fn a_request_to_the_host_waits_for_its_answer() {
    let mut store = TestStore::new(Search::default(), search());
    store.send(Action::Load, |_| {});
    store.expect_effect(Effects::<Action>::load_events(load(), |_| None));
    store.answer(|request: &LoadEvents| {
        assert_eq!(request.limit, 10);
        Err(StoreError::Corrupt("as the test says".into()))
    });
    store.receive(Action::LoadFailed, |state| state.failed = true);
}

#[test]
fn a_cancelled_stream_is_not_under_way() {
    let mut store = TestStore::new(Search::default(), search());
    store.send(Action::Follow, |_| {});
    store.expect_effect(EffectDescription::stream("follow").cancellable("follow"));
    store.send(Action::Stop, |_| {});
    store.expect_effect(EffectDescription::cancel("follow"));
}

#[test]
fn a_forgotten_state_change_fails_with_a_diff() {
    let message = failure(|| {
        let mut store = TestStore::new(Search::default(), search());
        store.send(Action::Searched(vec!["x".into()]), |_| {});
    });
    assert!(message.contains(r#"the state after Searched(["x"]) is not as expected"#), "{message}");
    assert!(message.contains("-     hits: [],\n+     hits: [\n+         \"x\",\n+     ],\n"), "{message}");
    assert!(message.contains("      failed: false,\n"), "{message}");
}

#[test]
fn a_forgotten_effect_fails_the_next_action_and_the_drop() {
    let message = failure(|| {
        let mut store = TestStore::new(Search::default(), search());
        store.send(Action::Load, |_| {});
        store.send(Action::Stop, |_| {});
    });
    assert!(message.contains("load events search/history"), "{message}");

    let message = failure(|| TestStore::new(Search::default(), search()).send(Action::Stop, |_| {}));
    assert!(message.contains("did not assert:\n\n  effect    cancel follow"), "{message}");
}

#[test]
fn another_effect_than_expected_fails_with_a_diff() {
    let message = failure(|| {
        let mut store = TestStore::new(Search::default(), search());
        store.send(Action::Typed("a"), |state| state.text = "a".into());
        store.expect_effect(find("b").debounce("search", SECOND));
    });
    assert!(message.contains("-   future search b\n+   future search a"), "{message}");
}

#[test]
fn an_action_that_came_back_must_be_received() {
    let message = failure(|| {
        let mut store = TestStore::new(Search::default(), search());
        store.send(Action::Typed("a"), |state| state.text = "a".into());
        store.expect_effect(find("a").debounce("search", SECOND));
        store.advance(SECOND);
        store.send(Action::Stop, |_| {});
    });
    assert!(message.contains("Searched([\"a\"])"), "{message}");
}

#[test]
fn an_action_that_never_came_says_what_is_under_way() {
    let message = failure(|| {
        let mut store = TestStore::new(Search::default(), search());
        store.send(Action::Load, |_| {});
        store.expect_effect(Effects::<Action>::load_events(load(), |_| None));
        store.receive(Action::Loaded(0), |_| {});
    });
    assert!(message.contains("expected Loaded(0)"), "{message}");
    assert!(message.contains("Under way:\n\n  load events search/history"), "{message}");
}

#[test]
fn an_effect_under_way_at_the_end_fails_unless_it_is_forgotten() {
    let follow = || {
        let mut store = TestStore::new(Search::default(), search());
        store.send(Action::Follow, |_| {});
        store.expect_effect(EffectDescription::stream("follow").cancellable("follow"));
        store
    };
    let message = failure(|| drop(follow()));
    assert!(message.contains("running   cancellable follow"), "{message}");
    follow().forget_running();
}

#[test]
fn an_answer_to_a_request_that_nobody_made_fails() {
    let message = failure(|| {
        let mut store = TestStore::new(Search::default(), search());
        store.answer(|_: &CancelTimer| Ok(()));
    });
    assert!(message.contains("no such request waits"), "{message}");
}
