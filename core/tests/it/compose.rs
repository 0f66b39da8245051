//! The laws of composition: combine, scope, keyed and optional children; and a decider as a reducer.

use crate::effects::{Made, made};
use crate::fixture::{Account, AccountAction, Money, Reason, Refused};
use composable_rust_core::compose::{CasePath, Compose, Lens, Nothing};
use composable_rust_core::{
    Decided, DeciderReducer, EffectDescription, Effects, Environment, FixedClock, Reducer, SeededRandom,
    SequentialIds, Spawner, lens, reducer,
};
use futures_util::future::BoxFuture;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// An arbitrary reducer over a number: what it does to the state, and the effects that it asks for.
#[derive(Debug, Clone)]
struct Machine {
    factor: i64,
    effects: Made,
}

impl Reducer for Machine {
    type State = i64;
    type Action = u8;
    type Environment = ();

    fn reduce(&self, state: &mut i64, action: u8, (): &()) -> Effects<u8> {
        *state = state.wrapping_mul(self.factor).wrapping_add(i64::from(action));
        if action.is_multiple_of(2) { self.effects.make() } else { Effects::none() }
    }
}

fn machine() -> impl Strategy<Value = Machine> {
    (any::<i64>(), made()).prop_map(|(factor, effects)| Machine { factor, effects })
}

#[derive(Debug, Clone, PartialEq)]
struct Parent {
    child: i64,
    children: BTreeMap<u8, i64>,
    optional: Option<i64>,
    other: u8,
}

#[derive(Debug, Clone, PartialEq)]
enum Action {
    Child(u8),
    Keyed(u8, u8),
    Optional(u8),
    Other(u8),
}

const CHILD: Lens<Parent, i64> = lens!(Parent, child);
const CHILDREN: Lens<Parent, BTreeMap<u8, i64>> = lens!(Parent, children);
const OPTIONAL: Lens<Parent, Option<i64>> = lens!(Parent, optional);

const CHILD_CASE: CasePath<Action, u8> =
    CasePath::new(
        Action::Child,
        |action| if let Action::Child(inner) = action { Ok(inner) } else { Err(action) },
    );
const KEYED_CASE: CasePath<Action, (u8, u8)> = CasePath::new(
    |(key, inner)| Action::Keyed(key, inner),
    |action| if let Action::Keyed(key, inner) = action { Ok((key, inner)) } else { Err(action) },
);
const OPTIONAL_CASE: CasePath<Action, u8> = CasePath::new(Action::Optional, |action| {
    if let Action::Optional(inner) = action { Ok(inner) } else { Err(action) }
});

fn parent() -> impl Strategy<Value = Parent> {
    let children = prop::collection::btree_map(0..4_u8, any::<i64>(), 0..4);
    (any::<i64>(), children, any::<Option<i64>>(), any::<u8>())
        .prop_map(|(child, children, optional, other)| Parent { child, children, optional, other })
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        any::<u8>().prop_map(Action::Child),
        (0..4_u8, any::<u8>()).prop_map(|(key, inner)| Action::Keyed(key, inner)),
        any::<u8>().prop_map(Action::Optional),
        any::<u8>().prop_map(Action::Other),
    ]
}

/// What a reducer makes of a state: the new one, and its effects as told.
fn run<R>(reducer: &R, state: &R::State, action: R::Action) -> (R::State, Vec<EffectDescription>)
where
    R: Reducer<Environment = (), State: Clone, Action: Debug + Send + 'static>,
{
    let mut state = state.clone();
    let effects = reducer.reduce(&mut state, action, &());
    (state, effects.describe())
}

proptest! {
    #[test]
    fn combining_with_nothing_changes_nothing(a in machine(), state: i64, action: u8) {
        let alone = run(&a, &state, action);
        prop_assert_eq!(&run(&a.clone().combine(Nothing::new()), &state, action), &alone);
        prop_assert_eq!(&run(&Nothing::new().combine(a), &state, action), &alone);
    }

    #[test]
    fn combining_is_associative(a in machine(), b in machine(), c in machine(), state: i64, action: u8) {
        let left = a.clone().combine(b.clone()).combine(c.clone());
        let right = a.combine(b.combine(c));
        prop_assert_eq!(run(&left, &state, action), run(&right, &state, action));
    }

    #[test]
    fn lenses_keep_their_laws(state in parent(), a: i64, b: i64) {
        let mut put = state.clone();
        CHILD.set(&mut put, *CHILD.get(&state));
        prop_assert_eq!(&put, &state);
        CHILD.set(&mut put, a);
        prop_assert_eq!(CHILD.get(&put), &a);
        CHILD.set(&mut put, b);
        let mut once = state;
        CHILD.set(&mut once, b);
        prop_assert_eq!(put, once);
    }

    #[test]
    fn case_paths_keep_their_laws(action in action(), inner: u8) {
        prop_assert_eq!(CHILD_CASE.extract(CHILD_CASE.embed(inner)), Ok(inner));
        match CHILD_CASE.extract(action.clone()) {
            Ok(found) => prop_assert_eq!(CHILD_CASE.embed(found), action),
            Err(given_back) => prop_assert_eq!(given_back, action),
        }
    }

    #[test]
    fn a_scope_does_what_its_child_does_and_nothing_else(a in machine(), state in parent(), action in action()) {
        let (after, effects) = run(&a.clone().scope(CHILD, CHILD_CASE), &state, action.clone());
        if let Action::Child(inner) = action {
            let mut child = state.child;
            let of_child = a.reduce(&mut child, inner, &()).within("child").map(Action::Child);
            prop_assert_eq!(after, Parent { child, ..state });
            prop_assert_eq!(effects, of_child.describe());
        } else {
            prop_assert_eq!(after, state);
            prop_assert!(effects.is_empty());
        }
    }

    #[test]
    fn scoping_distributes_over_combining(a in machine(), b in machine(), state in parent(), action in action()) {
        let whole = a.clone().combine(b.clone()).scope(CHILD, CHILD_CASE);
        let parts = a.scope(CHILD, CHILD_CASE).combine(b.scope(CHILD, CHILD_CASE));
        prop_assert_eq!(run(&whole, &state, action.clone()), run(&parts, &state, action));
    }

    #[test]
    fn a_keyed_child_touches_only_its_key(a in machine(), state in parent(), action in action()) {
        let (after, effects) = run(&a.clone().for_each(CHILDREN, KEYED_CASE), &state, action.clone());
        let mut expected = state.clone();
        let mut of_child = Vec::new();
        if let Action::Keyed(key, inner) = action
            && let Some(child) = expected.children.get_mut(&key)
        {
            let embed = move |inner| Action::Keyed(key, inner);
            of_child = a.reduce(child, inner, &()).within(&format!("children/{key}")).map(embed).describe();
        }
        prop_assert_eq!(after, expected);
        prop_assert_eq!(effects, of_child);
    }

    #[test]
    fn an_optional_child_is_a_scope_where_it_is_there(a in machine(), state in parent(), action in action()) {
        let (after, effects) = run(&a.clone().if_let(OPTIONAL, OPTIONAL_CASE), &state, action.clone());
        let mut expected = state.clone();
        let mut of_child = Vec::new();
        if let (Action::Optional(inner), Some(child)) = (action, &mut expected.optional) {
            of_child = a.reduce(child, inner, &()).within("optional").map(Action::Optional).describe();
        }
        prop_assert_eq!(after, expected);
        prop_assert_eq!(effects, of_child);
    }
}

/// Two siblings of each kind, on parts of one type.
#[derive(Debug, Clone, Default)]
struct Twins {
    left: i64,
    right: i64,
    front: Option<i64>,
    back: Option<i64>,
    old: BTreeMap<String, i64>,
    new: BTreeMap<String, i64>,
}

/// The sibling of this name; a keyed one has a key too.
type Twin = (&'static str, String, u8);

const SIBLINGS: [(&str, &str); 9] = [
    ("left", ""),
    ("right", ""),
    ("front", ""),
    ("back", ""),
    ("old", "1"),
    ("old", "2"),
    ("new", "1"),
    // Keys are data: these two must not give one name with the child of the other.
    ("new", "1/left"),
    ("new", "1\\/left"),
];

/// The case of the sibling `$name`.
macro_rules! twin {
    ($name:literal) => {
        CasePath::new(
            |inner| ($name, String::new(), inner),
            |twin: Twin| if twin.0 == $name { Ok(twin.2) } else { Err(twin) },
        )
    };
    (keyed $name:literal) => {
        CasePath::new(
            |(key, inner)| ($name, key, inner),
            |twin: Twin| if twin.0 == $name { Ok((twin.1, twin.2)) } else { Err(twin) },
        )
    };
}

/// What each sibling's effects are called when all ask for the same.
fn names_of(effects: fn() -> Effects<u8>) -> Vec<String> {
    let child = || reducer(move |_: &mut i64, _: u8, (): &()| effects());
    let all = child()
        .scope(lens!(Twins, left), twin!("left"))
        .combine(child().scope(lens!(Twins, right), twin!("right")))
        .combine(child().if_let(lens!(Twins, front), twin!("front")))
        .combine(child().if_let(lens!(Twins, back), twin!("back")))
        .combine(child().for_each(lens!(Twins, old), twin!(keyed "old")))
        .combine(child().for_each(lens!(Twins, new), twin!(keyed "new")));
    let keyed = |of: &str| {
        let keys = SIBLINGS.iter().filter(|(name, _)| *name == of);
        keys.map(|(_, key)| ((*key).to_owned(), 0)).collect()
    };
    let state =
        Twins { front: Some(0), back: Some(0), old: keyed("old"), new: keyed("new"), ..Twins::default() };
    let named = SIBLINGS.map(|(name, key)| run(&all, &state, (name, key.to_owned(), 0)).1);
    named.iter().map(|effects| effects.iter().map(ToString::to_string).collect()).collect()
}

fn delayed() -> Effects<u8> {
    Effects::delay(Duration::ZERO, 1)
}

fn all_differ(mut names: Vec<String>) -> bool {
    names.sort_unstable();
    names.windows(2).all(|pair| pair[0] != pair[1])
}

#[test]
fn siblings_never_cancel_each_others_effects() {
    let cancel = names_of(|| Effects::cancel("idle"));
    assert_eq!(cancel[..2], ["cancel left/idle", "cancel right/idle"]);
    assert_eq!(cancel[4..7], ["cancel old/1/idle", "cancel old/2/idle", "cancel new/1/idle"]);
    assert!(all_differ(cancel));
    assert!(all_differ(names_of(|| delayed().cancellable("idle").merge(Effects::future("f", async { 1 })))));
}

#[test]
fn siblings_never_hold_each_others_effects_apart() {
    assert!(all_differ(names_of(|| delayed().debounce("idle", Duration::ZERO))));
    assert!(all_differ(names_of(|| delayed().throttle("idle", Duration::ZERO))));
}

#[test]
fn a_keyed_child_that_is_gone_does_nothing() {
    let child = reducer(|_: &mut i64, _: u8, (): &()| Effects::cancel("search"));
    let state = Parent { child: 0, children: [(1, 0), (2, 0)].into(), optional: None, other: 0 };
    let all = child.for_each(CHILDREN, KEYED_CASE);
    assert_eq!(run(&all, &state, Action::Keyed(3, 0)).1, []);
}

#[test]
fn a_child_may_see_a_part_of_the_environment() {
    let child = reducer(|state: &mut i64, _: u8, by: &i64| {
        *state += by;
        Effects::none()
    });
    let whole = child.in_environment(|environment: &(&str, i64)| &environment.1);
    let mut state = 1;
    drop(whole.reduce(&mut state, 0, &("name", 41)));
    assert_eq!(state, 42);
}

#[test]
fn a_decider_as_a_reducer_decides_evolves_and_remembers_the_refusal() {
    let (account, environment) = (DeciderReducer::<Account>::new(), environment());
    let mut state = Decided::<Account>::default();
    let amount = Money { cents: 5, currency: "EUR".into() };
    let mut reduce = |action: AccountAction| {
        assert!(account.reduce(&mut state, action, &environment).is_empty());
        state.clone()
    };

    let deposited = reduce(AccountAction::Deposit { amount: amount.clone(), reason: Reason::Salary });
    assert_eq!((deposited.aggregate.cents, deposited.events.len(), deposited.rejection), (5, 1, None));

    let frozen = reduce(AccountAction::Frozen);
    assert!(frozen.aggregate.frozen && frozen.events.is_empty());

    let refused = reduce(AccountAction::Deposit { amount, reason: Reason::Salary });
    assert_eq!(refused.aggregate, frozen.aggregate);
    assert_eq!((refused.events.len(), refused.rejection), (0, Some(Refused::AccountFrozen { cents: 5 })));
}

#[derive(Debug)]
struct NoTasks;

impl Spawner for NoTasks {
    fn spawn(&self, _: &'static str, _: BoxFuture<'static, ()>) {}
}

fn environment() -> Environment {
    Environment {
        clock: Arc::new(FixedClock::at(jiff::Timestamp::UNIX_EPOCH)),
        ids: Arc::new(SequentialIds::default()),
        random: Arc::new(SeededRandom::new(0)),
        spawner: Arc::new(NoTasks),
    }
}
