//! Specifications of deciders.

use super::domain::SectionCommand::{Hold, Open, Release, Sell};
use super::domain::SectionEvent::{Held, Opened, Released};
use super::domain::*;
use super::failure;
use composable_rust_core::{Action, CommandId, Context, Decider, Decision, Never, State};
use composable_rust_testing::spec::{START, command_id, given, given_nothing};
use std::cell::Cell;
use uuid::Uuid;

#[test]
fn events_follow_and_show_in_the_state() {
    given::<Section>([Opened { capacity: 5 }, Held { hold: hold(1), count: 2 }])
        .when(Release { hold: hold(1) })
        .then([Released { hold: hold(1) }])
        .then_state(|section| assert_eq!(section.free(), 5));
    given::<Section>([Opened { capacity: 5 }]).then_state(|section| assert_eq!(section.free(), 5));
    given_nothing::<Section>()
        .when(Open { capacity: 1 })
        .then_state(|section| assert_eq!(section.capacity, 1));
    given::<Section>([Opened { capacity: 5 }]).when(Open { capacity: 5 }).then_nothing();
}

#[test]
fn actions_stand_for_their_halves() {
    given::<Section>([SectionAction::Opened { capacity: 5 }])
        .when(SectionAction::Open { capacity: 5 })
        .then([] as [SectionAction; 0]);
}

#[test]
fn a_refusal_is_compared_whole() {
    let one_left = || given::<Section>([Opened { capacity: 1 }]).when(Hold { count: 2 });
    one_left().then_rejected(SectionRejection::SeatsUnavailable { free: 1 });
    let message = failure(|| one_left().then_rejected(SectionRejection::SeatsUnavailable { free: 2 }));
    assert!(message.contains("-         free: 2,"), "{message}");
    assert!(message.contains("+         free: 1,"), "{message}");
    let message = failure(|| one_left().then_state(|_| {}));
    assert!(message.starts_with("the command is refused: only 1 places are free"), "{message}");
}

#[test]
fn time_and_id_come_from_the_context() {
    let id = CommandId::from_uuid(Uuid::from_u128(9));
    let held = |id| Context::new(START, id).id::<HoldId>(0);
    let hold_one = || given::<Section>([Opened { capacity: 1 }]).when(Hold { count: 1 });
    hold_one().then([Held { hold: held(command_id()), count: 1 }]);
    hold_one().with_id(id).at(START).then([Held { hold: held(id), count: 1 }]);
}

#[test]
fn a_failure_shows_the_difference_and_the_story() {
    let message = failure(|| {
        given::<Section>([Opened { capacity: 5 }])
            .when(Sell { hold: hold(1) })
            .then([Opened { capacity: 5 }]);
    });
    let expected = "\
the decision is another (- expected, + actual)

  - Ok(
  -     [
  -         Opened {
  -             capacity: 5,
  -         },
  -     ],
  + Err(
  +     NoSuchHold,
    )

given:
  Opened { capacity: 5 }
when:
  Sell { hold: HoldId(00000000-0000-0000-0000-000000000001) }
";
    assert_eq!(message, expected);
}

#[test]
fn the_wrong_half_is_told() {
    let message = failure(|| given::<Section>([SectionAction::Hold { count: 1 }]));
    assert_eq!(message, "only events happen, and this is a command: Hold { count: 1 }");
    let message = failure(|| given_nothing::<Section>().when(Opened { capacity: 1 }));
    assert_eq!(message, "`when` takes a command, and this is an event: Opened { capacity: 1 }");
}

/// An aggregate with every fault that the free tests find.
#[derive(Debug, Clone, Default, State)]
struct Faulty {
    #[serde(skip)]
    forgotten: u32,
    kept: u32,
    #[serde(skip_serializing_if = "is_odd", default)]
    odd: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_odd(number: &u32) -> bool {
    number % 2 == 1
}

#[derive(Debug, Clone, PartialEq, Action)]
enum FaultyAction {
    #[command]
    Ask {
        #[serde(skip)]
        what: u32,
    },
    #[command]
    Wonder,
    #[event]
    Lost {
        #[serde(skip)]
        content: u32,
    },
    #[event]
    Nested { map: std::collections::BTreeMap<Vec<u32>, u32> },
    #[event]
    Odd,
}

thread_local! {
    static ASKED: Cell<u32> = const { Cell::new(0) };
}

impl Decider for Faulty {
    type Action = FaultyAction;
    type Rejection = Never;

    fn decide(&self, _: FaultyCommand, _: &Context) -> Decision<Self> {
        ASKED.set(ASKED.get() + 1);
        Ok(if ASKED.get().is_multiple_of(2) { vec![] } else { vec![FaultyEvent::Lost { content: 0 }] })
    }

    fn evolve(&mut self, event: &FaultyEvent) {
        match event {
            FaultyEvent::Odd => (self.odd, self.kept) = (1, 1),
            FaultyEvent::Lost { .. } | FaultyEvent::Nested { .. } => self.forgotten += 1,
        }
    }
}

#[test]
fn what_does_not_survive_its_encoding_is_told() {
    let lost = failure(|| given::<Faulty>([FaultyEvent::Lost { content: 7 }]));
    assert!(lost.starts_with("event faulty.Lost is not what it was after it was stored as {}"), "{lost}");
    assert!(lost.contains("-     content: 7,") && lost.contains("+     content: 0,"), "{lost}");

    let nested = FaultyEvent::Nested { map: [(vec![1], 1)].into() };
    let nested = failure(|| given::<Faulty>([nested]));
    assert!(nested.starts_with("event faulty.Nested cannot be stored"), "{nested}");
    assert!(nested.contains("key must be a string"), "{nested}");

    let command = failure(|| given_nothing::<Faulty>().when(FaultyCommand::Ask { what: 7 }));
    assert!(command.starts_with("the command is not what it was"), "{command}");

    let state = failure(|| given::<Faulty>([FaultyEvent::Odd]));
    assert!(state.starts_with("the state is not what it was after a snapshot"), "{state}");
}

#[test]
fn a_decision_that_depends_on_something_else_is_told() {
    let message = failure(|| given_nothing::<Faulty>().when(FaultyCommand::Wonder).then_nothing());
    assert!(message.starts_with("the same command was decided in two ways"), "{message}");
}
