//! Effects as data: what their descriptions say, and the laws of `map`, `merge` and `concat`.

use crate::fixture::{Account, AccountAction, AccountCommand, AccountEvent, AccountId};
use composable_rust_core::effect::{
    CancelTimer, DispatchError, LoadEvents, LoadSnapshot, NoHost, SaveSnapshot, ScheduleTimer,
};
use composable_rust_core::{
    Effect, EffectDescription, Effects, ExpectedVersion, Notification, StreamId, StreamVersion, TimerId,
    append_events, async_effect, delay, publish_event,
};
use futures_util::{FutureExt, StreamExt, stream};
use proptest::prelude::*;
use serde_json::json;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, PartialEq)]
enum Saved {
    Yes,
    No(String),
}

#[derive(Debug, serde::Serialize)]
struct Typing {
    user: u32,
}

impl Notification for Typing {
    const TOPIC: &'static str = "typing";
}

fn account() -> StreamId {
    StreamId::new("account", "a").unwrap()
}

fn printed<A: std::fmt::Debug + 'static>(effects: &Effects<A>) -> Vec<String> {
    effects.describe().iter().map(ToString::to_string).collect()
}

#[test]
fn every_effect_tells_kind_target_and_payload() {
    let timer = TimerId::derived(&["hold"]);
    let key: AccountId = uuid::Uuid::nil().into();
    let due = "2026-01-01T00:00:00Z".parse().unwrap();
    let effects: Effects<Saved> = Effects::parallel([
        append_events! {
            stream: account(),
            expected: ExpectedVersion::NoStream,
            events: [AccountEvent::Noted("hello".into()), AccountEvent::Frozen],
            on_success: |_| Saved::Yes,
            on_error: |error| Saved::No(error.to_string()),
        },
        Effects::load_events(LoadEvents { stream: account(), after: 3_u32.into(), limit: 9 }, |_| None),
        Effects::save_snapshot(SaveSnapshot::new(account(), 7_u32.into(), &Account::default()), |_| None),
        Effects::load_snapshot(LoadSnapshot { stream: account() }, |_| Saved::Yes),
        Effects::dispatch(key, &AccountCommand::Freeze, |done| match done {
            Ok(_) => Saved::Yes,
            Err(DispatchError::Rejected(refused)) => Saved::No(refused.to_string()),
            Err(error) => Saved::No(error.to_string()),
        }),
        Effects::schedule_timer(
            ScheduleTimer { id: timer, queue: "q".into(), stream: account(), due, payload: json!(1) },
            |_| None,
        ),
        Effects::cancel_timer(CancelTimer { id: timer }, |_| None),
        publish_event! { notification: Typing { user: 7 } },
        Effects::stream("prices", stream::empty()),
        async_effect! { name: "look up", run: async { Saved::Yes } },
        delay! { after: SECOND, action: Saved::Yes },
        Effects::cancel("x"),
    ]);
    let expected = [
        // Whether the members of JSON objects stand as written or by name is what serde_json was built with.
        format!(
            "append events account/a at no stream: {}",
            json!([
                { "type": "account.Noted", "version": 1, "payload": "hello" },
                { "type": "account.Frozen", "version": 1, "payload": null },
            ])
        ),
        format!("load events account/a: {}", json!({ "after": 3, "limit": 9 })),
        format!(
            "save snapshot account/a: {}",
            json!({ "version": 7, "schema": 1, "state": { "cents": 0, "frozen": false } })
        ),
        "load snapshot account/a".to_owned(),
        format!("dispatch account/{key}: Freeze"),
        format!(
            "schedule timer {timer} of q: {}",
            json!({ "stream": "account/a", "due": "2026-01-01T00:00:00Z", "payload": 1 })
        ),
        format!("cancel timer {timer}"),
        r#"notify typing: {"user":7}"#.to_owned(),
        "stream prices".to_owned(),
        "future look up".to_owned(),
        "delay 1s: Yes".to_owned(),
        "cancel x".to_owned(),
    ];
    assert_eq!(printed(&effects), expected);
}

#[test]
fn groups_and_names_show_what_is_inside() {
    let tick = || Effects::delay(SECOND, 1_u8);
    let both = tick().merge(Effects::cancel("x"));
    let effects = tick().concat(both).debounce("d", SECOND).throttle("t", 2 * SECOND).cancellable("c");
    let expected = "cancellable c\n  throttle t by 2s\n    debounce d by 1s\n      sequential\n        delay 1s: 1\n        parallel\n          delay 1s: 1\n          cancel x";
    assert_eq!(printed(&effects), [expected]);
    let scoped = "cancellable k/c\n  throttle k/t by 2s\n    debounce k/d by 1s\n      sequential\n        delay 1s: 1\n        parallel\n          delay 1s: 1\n          cancel k/x";
    assert_eq!(printed(&effects.within("k")), [scoped]);
}

#[test]
fn an_event_without_a_json_form_is_told_and_not_lost() {
    let description = EffectDescription::from(Effects::<()>::from(Effect::Notify(Box::new(
        composable_rust_core::effect::Notice { topic: "t", payload: Err("no".into()) },
    ))));
    assert_eq!(description.to_string(), "notify t: not encodable: no");
}

#[test]
fn mapping_also_maps_what_comes_back() {
    let load = LoadEvents { stream: account(), after: StreamVersion::ZERO, limit: 1 };
    let effects = Effects::load_events(load, |loaded| loaded.is_err())
        .merge(Effects::future("f", async { false }))
        .merge(Effects::stream("s", stream::iter([true, false])))
        .map(u8::from);
    let mut came_back = Vec::new();
    for effect in effects {
        if let Effect::LoadEvents(call) = effect {
            came_back.extend(call.perform(&NoHost).now_or_never().flatten());
        } else if let Effect::Future(task) = effect {
            came_back.extend(task.now_or_never().flatten());
        } else if let Effect::Stream(source) = effect {
            came_back.extend(source.collect::<Vec<_>>().now_or_never().unwrap_or_default());
        }
    }
    assert_eq!(came_back, [1, 0, 1, 0]);
}

#[test]
fn an_action_of_a_decider_can_be_the_action_of_effects() {
    let effects: Effects<AccountAction> = Effects::future("freeze", async { AccountAction::Freeze });
    assert_eq!(printed(&effects), ["future freeze"]);
}

/// Effects that can be made more than once.
#[derive(Debug, Clone)]
pub(crate) enum Made {
    None,
    Future(u8),
    Delay(u8),
    Stream(u8),
    Load,
    Cancel(u8),
    Cancellable(u8, Box<Self>),
    Debounce(u8, Box<Self>),
    Throttle(u8, Box<Self>),
    Merge(Box<Self>, Box<Self>),
    Concat(Box<Self>, Box<Self>),
}

impl Made {
    pub(crate) fn make(&self) -> Effects<u8> {
        match self {
            Self::None => Effects::none(),
            Self::Future(n) => Effects::future(n.to_string(), std::future::ready(*n)),
            Self::Delay(n) => Effects::delay(SECOND, *n),
            Self::Stream(n) => Effects::stream(n.to_string(), stream::iter([*n])),
            Self::Load => Effects::load_snapshot(LoadSnapshot { stream: account() }, |_| 0),
            Self::Cancel(n) => Effects::cancel(n.to_string()),
            Self::Cancellable(n, inner) => inner.make().cancellable(n.to_string()),
            Self::Debounce(n, inner) => inner.make().debounce(n.to_string(), SECOND),
            Self::Throttle(n, inner) => inner.make().throttle(n.to_string(), SECOND),
            Self::Merge(a, b) => a.make().merge(b.make()),
            Self::Concat(a, b) => a.make().concat(b.make()),
        }
    }
}

pub(crate) fn made() -> impl Strategy<Value = Made> {
    let leaf = prop_oneof![
        Just(Made::None),
        any::<u8>().prop_map(Made::Future),
        any::<u8>().prop_map(Made::Delay),
        any::<u8>().prop_map(Made::Stream),
        Just(Made::Load),
        any::<u8>().prop_map(Made::Cancel),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        let inner = inner.prop_map(Box::new).boxed();
        let named = (any::<u8>(), inner.clone());
        let pair = (inner.clone(), inner);
        prop_oneof![
            named.clone().prop_map(|(n, inner)| Made::Cancellable(n, inner)),
            named.clone().prop_map(|(n, inner)| Made::Debounce(n, inner)),
            named.prop_map(|(n, inner)| Made::Throttle(n, inner)),
            pair.clone().prop_map(|(a, b)| Made::Merge(a, b)),
            pair.prop_map(|(a, b)| Made::Concat(a, b)),
        ]
    })
}

proptest! {
    #[test]
    fn mapping_by_identity_changes_nothing(a in made()) {
        prop_assert_eq!(a.make().map(|n| n).describe(), a.make().describe());
    }

    #[test]
    fn mapping_twice_is_mapping_by_both(a in made()) {
        let (f, g) = (|n: u8| u16::from(n) + 1, |n: u16| n * 2);
        prop_assert_eq!(a.make().map(f).map(g).describe(), a.make().map(move |n| g(f(n))).describe());
    }

    #[test]
    fn merging_is_associative_with_none_as_identity(a in made(), b in made(), c in made()) {
        let left = a.make().merge(b.make()).merge(c.make());
        let right = a.make().merge(b.make().merge(c.make()));
        prop_assert_eq!(left.describe(), right.describe());
        prop_assert_eq!(a.make().merge(Effects::none()).describe(), a.make().describe());
        prop_assert_eq!(Effects::none().merge(a.make()).describe(), a.make().describe());
    }

    #[test]
    fn chaining_is_associative_with_none_as_identity(a in made(), b in made(), c in made()) {
        let left = a.make().concat(b.make()).concat(c.make());
        let right = a.make().concat(b.make().concat(c.make()));
        prop_assert_eq!(left.describe(), right.describe());
        let one = EffectDescription::from(a.make());
        prop_assert_eq!(EffectDescription::from(a.make().concat(Effects::none())), one.clone());
        prop_assert_eq!(EffectDescription::from(Effects::none().concat(a.make())), one);
    }

    #[test]
    fn mapping_distributes_over_joining(a in made(), b in made()) {
        let f = |n: u8| u16::from(n) + 1;
        let merged = a.make().merge(b.make()).map(f);
        prop_assert_eq!(merged.describe(), a.make().map(f).merge(b.make().map(f)).describe());
        let chained = a.make().concat(b.make()).map(f);
        prop_assert_eq!(chained.describe(), a.make().map(f).concat(b.make().map(f)).describe());
    }
}
